"""Demand: projects drawn day by day, as they would ask for an agent. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from agents.matching.model import Id, Node
from dispatch.core.working_days import Calendar
from dispatch.forecast.promise import Outlook

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
