"""Replay: the same days of demand played under one rule of assignment. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from agents.matching.model import Id, MatchingAgent, Need, Network, Node, Role
from agents.matching.rules import home_county, road_hm
from dispatch.simulation.demand import Arrival, SimulationError
from dispatch.simulation.policies import Policy, WaitingNeeds

ROAD_KM = 0.1  # road_hm counts hundreds of metres


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
        taken = policy.assign(WaitingNeeds(asked, staff, served, network, seed * 100_003 + day)) if asked else {}
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
