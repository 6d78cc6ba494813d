"""Staffing: what plans of teams and of weekly hours are asked and answered in, light enough for a web process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.matching.model import Id, Node


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """Every project's team in one county-level area (an empty team waits), its cost, and how far it is proven."""

    area: Node
    teams: Mapping[Id, tuple[Id, ...]]
    cost: int
    bound: int

    @property
    def proven(self) -> bool:
        return self.cost == self.bound

    @property
    def waiting(self) -> tuple[Id, ...]:
        """The projects for which no team has every skill and a free slot."""
        return tuple(need for need, team in self.teams.items() if not team)


@dataclass(frozen=True, slots=True)
class WorkOffer:
    """A project that an agent could work on this week: the hours that it takes, and what that costs in points."""

    project: Id
    agent: Id
    hours: int
    cost: int = 0


@dataclass(frozen=True, slots=True)
class WeekPlan:
    """Who works on which project this week, what waits for lack of hours, and the hours that each agent has left.

    No plan costs less than ``bound``."""

    agent: Mapping[Id, Id]
    waiting: tuple[Id, ...]
    hours_left: Mapping[Id, int]
    cost: int
    bound: int

    @property
    def proven(self) -> bool:
        return self.cost == self.bound
