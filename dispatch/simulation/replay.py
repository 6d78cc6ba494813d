"""Simulation: the same days of demand under several rules of assignment, side by side, with intervals. Pure.

Every policy meets the same projects on the same days with the same durations; only who takes them differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from agents.matching.model import Id, MatchingAgent, Need, Network, Node, Role
from agents.matching.rules import home_county, road_hm
from dispatch.core.clock import Calendar
from dispatch.forecast.promise import Outlook
from dispatch.simulation.policies import Policy

ROAD_KM = 0.1  # road_hm counts hundreds of metres
PROMISED_SHARE = 0.85
WEEKDAYS = (1.25, 1.05, 0.95, 0.95, 0.9)  # Monday to Friday, as the demand data assume
AFTER_HOLIDAY = 1.6


class SimulationError(ValueError):
    """The replay was asked for something that cannot be played."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A project that asks for an agent on a day of the replay, and for how long it will keep one."""

    project: Id
    day: int
    node: Node
    lon: float
    lat: float
    lasts_wd: int
    promised_wd: int
    skills: frozenset[str] = frozenset()
    priority: int = 1
    counters: tuple[Node, ...] = ()  # other places at which it needs a liaison (协办)

    def __post_init__(self) -> None:
        if self.day < 0 or self.lasts_wd < 0:
            raise SimulationError(f"project {self.project}: day {self.day} and {self.lasts_wd} working days cannot be")


@dataclass(frozen=True, slots=True)
class County:
    """What a day brings in one county: how many projects, and where their sites may lie."""

    code: Node
    a_day: float
    sites: tuple[tuple[Node, float, float], ...]
    weights: tuple[float, ...] = ()
    counters: tuple[Node, ...] = ()

    def __post_init__(self) -> None:
        if self.a_day < 0 or not self.sites:
            raise SimulationError(f"county {self.code} needs sites and a demand that is not negative")


def demand(
    counties: Iterable[County],
    view: Outlook,
    calendar: Calendar,
    start_on: date,
    days: int,
    *,
    seed: int,
    skills: Sequence[frozenset[str]] = (frozenset(),),
) -> tuple[Arrival, ...]:
    """Draw ``days`` working days of projects: Poisson by county, more on Mondays and after holidays; durations from
    ``view``, whose date at 85 in 100 is what each is promised."""
    rng = np.random.default_rng(seed)
    promised = view.wd_for(PROMISED_SHARE)
    arrivals: list[Arrival] = []
    on = calendar.first_workday_from(start_on)
    everywhere = tuple(counties)
    for day in range(days):
        factor = day_factor(calendar, on)
        for county in everywhere:
            weights = np.array(county.weights or [1.0] * len(county.sites))
            for _ in range(rng.poisson(county.a_day * factor)):
                node, lon, lat = county.sites[int(rng.choice(len(county.sites), p=weights / weights.sum()))]
                arrivals.append(
                    Arrival(
                        project=len(arrivals) + 1,
                        day=day,
                        node=node,
                        lon=lon,
                        lat=lat,
                        lasts_wd=max(1, int(view.finishes[int(rng.integers(len(view.finishes)))])),
                        promised_wd=promised,
                        skills=skills[int(rng.integers(len(skills)))],
                        counters=county.counters,
                    )
                )
        on = calendar.next_workday(on)
    return tuple(arrivals)


def day_factor(calendar: Calendar, on: date) -> float:
    """How much busier than usual a working day is: the first after a holiday most of all; made-up days as Fridays."""
    before = on - timedelta(days=1)
    rest = 0
    while before.year in calendar.years and not calendar.is_workday(before):
        rest, before = rest + 1, before - timedelta(days=1)
    return AFTER_HOLIDAY if rest > 2 else WEEKDAYS[min(on.weekday(), 4)]


# --- the replay -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplayDay:
    """One day of a replay, for a chart."""

    day: int
    arrived: int
    placed: int
    waiting: int
    in_progress: int
    unevenness: float


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What one replay under one policy came to, over the needs that arrived after the warm-up."""

    policy: str
    needs: int
    waited_wd: float  # mean working days a need waited for its agent, still waiting ones up to the end
    waited_share: float  # needs that did not get an agent on the day they asked
    left_waiting: int
    travel_km: float  # mean road from the site to its agent's station
    escalated_share: float  # leads placed above the home county
    escalation_steps: float  # mean levels between the site's own and the lead's
    unevenness: float  # mean over days of the coefficient of variation of agents' load shares
    on_time_share: float  # projects done within what they were promised, the wait included
    days: tuple[ReplayDay, ...]


@dataclass(slots=True)
class _Open:
    need: Need
    arrival: Arrival
    asked: int


def replay(
    arrivals: Sequence[Arrival],
    agents: Iterable[MatchingAgent],
    network: Network,
    policy: Policy,
    *,
    warm_up: int = 0,
    seed: int = 0,
) -> ReplayOutcome:
    """Play the days in order. A need waits until it is placed; its agent's slot is held until the project is done.

    Slots that agents hold at the start are never given back: begin with empty hands and let the warm-up fill them."""
    staff = {agent.id: agent for agent in agents}
    if not staff:
        raise SimulationError("there is nobody to assign")
    last = max((arrival.day for arrival in arrivals), default=-1)
    by_day: dict[int, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_day[arrival.day].append(arrival)
    waiting: list[_Open] = []
    leaves: dict[int, list[Id]] = defaultdict(list)
    served: dict[Id, int] = defaultdict(int)
    tally = _Tally(network, warm_up, last)
    seen: list[ReplayDay] = []
    for day in range(last + 1):
        for leaver in leaves.pop(day, ()):
            staff[leaver] = replace(staff[leaver], held=staff[leaver].held - 1)
        waiting += [one for arrival in by_day[day] for one in _needs(arrival)]
        asked = [replace(one.need, waiting_days=day - one.asked) for one in waiting]
        taken = policy.assign(asked, staff, served, network, seed * 100_003 + day) if asked else {}
        still: list[_Open] = []
        for one in waiting:
            chosen = taken.get(one.need.id)
            if chosen is None:
                still.append(one)
                continue
            agent = staff[chosen]
            if agent.held >= agent.capacity:
                raise SimulationError(f"{policy.name} gave agent {chosen} more than {agent.capacity}")
            staff[chosen] = replace(agent, held=agent.held + 1)
            served[chosen] += 1
            leaves[day + max(1, one.arrival.lasts_wd)].append(chosen)
            tally.placed(one, agent, day)
        waiting = still
        held = sum(agent.held for agent in staff.values())
        seen.append(ReplayDay(day, len(by_day[day]), len(taken), len(waiting), held, _unevenness(staff.values())))
    for one in waiting:
        tally.left(one)
    return tally.outcome(policy.name, tuple(seen))


class _Tally:
    def __init__(self, network: Network, warm_up: int, last: int) -> None:
        self.network, self.warm_up, self.last = network, warm_up, last
        self.waits: list[int] = []
        self.km: list[float] = []
        self.above: list[bool] = []
        self.steps: list[int] = []
        self.late: dict[Id, bool] = {}
        self.unplaced = 0

    def placed(self, one: _Open, agent: MatchingAgent, day: int) -> None:
        if one.asked < self.warm_up:
            return
        need, wait = one.need, day - one.asked
        self.waits.append(wait)
        self.km.append(road_hm(need.lon, need.lat, agent.lon, agent.lat) * ROAD_KM)
        if need.role == "lead":
            home = self.network[home_county(self.network, need.node)][1]
            self.above.append(self.network[agent.node][1] < home)
            self.steps.append(max(0, self.network[need.node][1] - self.network[agent.node][1]))
        self._judge(one, wait)

    def left(self, one: _Open) -> None:
        if one.asked < self.warm_up:
            return
        self.unplaced += 1
        wait = self.last - one.asked + 1
        self.waits.append(wait)
        self._judge(one, wait)

    def _judge(self, one: _Open, wait: int) -> None:
        late = wait + one.arrival.lasts_wd > one.arrival.promised_wd
        self.late[one.arrival.project] = self.late.get(one.arrival.project, False) or late

    def outcome(self, policy: str, days: tuple[ReplayDay, ...]) -> ReplayOutcome:
        counted = [day.unevenness for day in days if day.day >= self.warm_up]
        return ReplayOutcome(
            policy=policy,
            needs=len(self.waits),
            waited_wd=_mean(self.waits),
            waited_share=_mean([wait > 0 for wait in self.waits]),
            left_waiting=self.unplaced,
            travel_km=_mean(self.km),
            escalated_share=_mean(self.above),
            escalation_steps=_mean(self.steps),
            unevenness=_mean(counted),
            on_time_share=1 - _mean(list(self.late.values())),
            days=days,
        )


def _needs(arrival: Arrival) -> list[_Open]:
    roles: list[tuple[Role, Node]] = [("lead", arrival.node), *(("liaison", counter) for counter in arrival.counters)]
    return [
        _Open(
            Need(
                id=f"{arrival.project}/{place}",
                role=role,
                project=arrival.project,
                node=node,
                lon=arrival.lon,
                lat=arrival.lat,
                skills=arrival.skills if role == "lead" else frozenset(),
                priority=arrival.priority,
                escalated=role == "lead",
            ),
            arrival,
            arrival.day,
        )
        for place, (role, node) in enumerate(roles)
    ]


def _unevenness(agents: Iterable[MatchingAgent]) -> float:
    """Coefficient of variation of load shares: 0 when all are equally full for their capacity."""
    shares = np.array([agent.held / agent.capacity for agent in agents if agent.capacity > 0])
    mean = float(shares.mean()) if len(shares) else 0.0
    return float(shares.std()) / mean if mean > 0 else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


# --- side by side ---------------------------------------------------------------------------------------------------

FIGURES: tuple[tuple[str, str, float, str], ...] = (
    ("waited_wd", "平均等待（工作日）", 1, "{:.2f}"),
    ("waited_share", "当日未派出（%）", 100, "{:.1f}"),
    ("travel_km", "平均路程（公里）", 1, "{:.1f}"),
    ("escalated_share", "上交市、省（%）", 100, "{:.2f}"),
    ("escalation_steps", "平均上交级数", 1, "{:.2f}"),
    ("unevenness", "负荷不均（变异系数）", 1, "{:.3f}"),
    ("on_time_share", "按时（%）", 100, "{:.1f}"),
)


@dataclass(frozen=True, slots=True)
class MeanFigure:
    """The mean of a figure over repeated replays, with its 95 % interval (Student's t; none for a single one)."""

    key: str
    title: str
    mean: float
    low: float | None
    high: float | None
    form: str = "{:.2f}"

    def words(self) -> str:
        mean = self.form.format(self.mean)
        if self.low is None or self.high is None:
            return mean
        return f"{mean} [{self.form.format(self.low)}, {self.form.format(self.high)}]"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Policies side by side: a row of figures for each, and the days of its first replay for a chart."""

    replays: int
    rows: tuple[tuple[str, tuple[MeanFigure, ...]], ...]
    days: Mapping[str, tuple[ReplayDay, ...]]

    def table(self) -> list[list[str]]:
        """Plain text cells, header first."""
        header = ["规则", *(title for _, title, _, _ in FIGURES)]
        return [header, *([name, *(figure.words() for figure in figures)] for name, figures in self.rows)]


def compare(
    policies: Sequence[Policy],
    draws: Iterable[Sequence[Arrival]],
    agents: Sequence[MatchingAgent],
    network: Network,
    *,
    warm_up: int = 0,
) -> Comparison:
    """Replay each draw of demand under each policy; the draw's number seeds what a policy leaves to chance."""
    outcomes: dict[str, list[ReplayOutcome]] = {}
    count = 0
    for seed, arrivals in enumerate(draws):
        count += 1
        for policy in policies:
            played = replay(arrivals, agents, network, policy, warm_up=warm_up, seed=seed)
            outcomes.setdefault(policy.name, []).append(played)
    rows = tuple((name, tuple(_figure(all_, *figure) for figure in FIGURES)) for name, all_ in outcomes.items())
    return Comparison(count, rows, {name: all_[0].days for name, all_ in outcomes.items()})


def _figure(outcomes: Sequence[ReplayOutcome], key: str, title: str, scale: float, form: str) -> MeanFigure:
    values = np.array([getattr(outcome, key) for outcome in outcomes], dtype=np.float64) * scale
    mean = float(values.mean())
    if len(values) < 2:
        return MeanFigure(key, title, mean, None, None, form)
    half = float(stdtrit(len(values) - 1, 0.975)) * float(values.std(ddof=1)) / sqrt(len(values))
    most = scale if scale > 1 else float("inf")  # no share is beyond a hundred per cent, and nothing here below nought
    return MeanFigure(key, title, mean, max(0.0, mean - half), min(most, mean + half), form)
