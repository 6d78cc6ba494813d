"""The routing answer: routes with times and loads, what stays unserved and why, and what it costs, by term."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from routing.model.problem import Objective, Primary
from routing.model.quantities import Load

Side = tuple[str, int]
"""A request and the number of one of its stops."""
Orders = dict[str, list[Side]]
"""By vehicle, what it visits, in order."""


class Reason(enum.Enum):
    """Why a request is unserved, in the order in which vehicles are ruled out.

    A reason claims: of the vehicles that pass every earlier reason (``Unserved.candidates``) none passes this one. And
    whatever the reason, no vehicle has room: there is no place in its route of this plan, the order of the others kept,
    at which the request would break no rule.
    """

    NO_VEHICLE = "no vehicle"
    """There is no vehicle at all; candidates are empty."""
    SKILL = "skill"
    """It lacks a skill that a stop of the request requires."""
    DEPOT = "depot"
    """It does not start (for what is delivered) or end (for what is collected) at the request's depot."""
    LOADED = "loaded"
    """It left its start without this delivery, or another vehicle has it on board or picked it up."""
    CAPACITY = "capacity"
    """Something that it would still have to take on is more than the vehicle's whole capacity."""
    UNREACHABLE = "unreachable"
    """From where it is (its start, or the last visit of its prefix) over the request's stops to its end, some leg
    cannot be driven."""
    DISTANCE = "distance"
    """With this request alone after its prefix, the way to it and home is longer than its longest distance."""
    TIME = "time"
    """Even with this request alone after its prefix, and at once, it cannot keep windows, shift, break and longest
    duty."""
    RELEASE = "release"
    """It could alone, if what it delivers were at the depot from the first; once that is there it is too late."""
    STOPS = "stops"
    """Its route makes as many stops as it may: this request's would be too many."""
    NO_ROOM = "no room"
    """Each could, alone after its prefix; it is the others in its route that leave no room."""


@dataclass(frozen=True, slots=True)
class Unserved:
    """A request that no route serves, with a reason that can be verified."""

    request: str
    reason: Reason
    candidates: tuple[str, ...] = ()
    """The vehicles that pass every earlier reason, in the problem's order."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A vehicle at one stop of a request."""

    request: str
    side: int
    arrival_s: int
    start_s: int
    departure_s: int
    load: Load
    """What is on board when it leaves."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a plan or a route costs, by term, each already weighted by the objective."""

    travel: int = 0
    """Seconds and metres driven."""
    duty: int = 0
    waiting: int = 0
    """Time between arrival and start of service that is no break."""
    lateness: int = 0
    """Starts after the last window, within its grace."""
    moved: int = 0
    """Starts outside the announced window."""
    evenness: int = 0
    """Duty beyond the fair one."""
    vehicles: int = 0
    """Fixed cost of the routes in use."""
    unserved: int = 0
    """Penalties of what is not served."""
    unserved_musts: int = 0
    """How many requests are not served that had to be; a count, not part of the total."""

    def __add__(self, other: Costs) -> Costs:
        return Costs(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def terms(self) -> int:
        """Everything but what is unserved."""
        return self.travel + self.duty + self.waiting + self.lateness + self.moved + self.evenness + self.vehicles

    @property
    def total(self) -> int:
        """Everything together, penalties included; a must that is not served is no cost."""
        return self.terms + self.unserved

    def as_dict(self) -> dict[str, int]:
        """The terms by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def total(costs: Iterable[Costs]) -> Costs:
    """The sum, term by term."""
    return sum(costs, Costs())


@dataclass(frozen=True, slots=True)
class Route:
    """One vehicle's way: the visits of its prefix first, as they were, then what was planned."""

    vehicle: str
    start_s: int
    visits: tuple[Visit, ...]
    end_s: int
    start_load: Load
    break_s: int | None = None
    """When its break begins; None without one."""
    cost: Costs = Costs()

    @property
    def duty_s(self) -> int:
        """Seconds from the start of the route to its end."""
        return self.end_s - self.start_s


class NoBound(enum.Enum):
    """Why nothing is known of how good a plan could be at all."""

    NOT_ASKED = "not asked"
    """The engine was to search alone."""
    COUNTED = "counted"
    """Iterations are counted and not seconds, so that a run repeats itself: nothing works beside it."""
    SHORT = "short"
    """The limit is over before a proof could begin."""
    NOTHING = "nothing to plan"
    LARGE = "large"
    """More stops than a proof is tried for. The sum over areas would be no bound: stops might change areas."""
    VEHICLES_FIRST = "vehicles first"
    """Fewer vehicles come before less way: a bound of both together is not stated."""
    UNSERVED_MUST = "unserved must"
    """Something that must be served is not: it has no price to compare."""
    NO_CLOCK = "no clock"
    """A stop with its way takes next to no time, beside the length of a shift."""
    NO_WAY_HOME = "no way home"
    """A vehicle on duty has no direct way home from where it is."""
    NOT_COMPILED = "not compiled"
    """Compiled code cannot be kept here, and compiling it anew would take longer than the plan."""
    UNHEARD = "unheard"
    """OR-Tools did not answer in time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An answer to one problem. There is a route for each vehicle that visits something or has a prefix, in the
    problem's order."""

    fingerprint: str
    """Of the problem that it answers."""
    routes: tuple[Route, ...]
    unserved: tuple[Unserved, ...]
    """In the problem's order."""
    cost: Costs
    engine: str
    seed: int = 0
    limit_s: float | None = None
    seconds: float = 0.0
    iterations: int = 0
    workers: int = 1
    bound: int | None = None
    """No plan that serves every must costs less in all (``cost.total``); None where nothing is proved."""
    no_bound: NoBound | None = NoBound.NOT_ASKED
    """Why there is no bound; None where there is one."""

    @property
    def gap(self) -> float | None:
        """The share of its cost that the best possible plan may save at most, 0 to 1; None without a bound."""
        if self.bound is None:
            return None
        return (self.cost.total - self.bound) / max(1, self.cost.total)

    def proof(self) -> dict[str, Any]:
        """Bound and gap, or why there are none, as plain values."""
        return {
            "bound": self.bound,
            "gap": None if self.gap is None else round(self.gap, 6),
            "no_bound": None if self.no_bound is None else self.no_bound.value,
        }

    @property
    def vehicles(self) -> int:
        """How many routes are in use."""
        return len(self.routes)

    @property
    def feasible(self) -> bool:
        """Whether everything that had to be served is."""
        return self.cost.unserved_musts == 0

    def rank(self, objective: Objective) -> tuple[int, int, int, int]:
        """Sorts plans of one problem from best to worst: musts, penalties, vehicles where they come first, terms."""
        vehicles = self.vehicles if objective.primary is Primary.VEHICLES else 0
        return (self.cost.unserved_musts, self.cost.unserved, vehicles, self.cost.terms)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "fingerprint": self.fingerprint,
            "engine": self.engine,
            "seed": self.seed,
            "limit_s": self.limit_s,
            "seconds": self.seconds,
            "iterations": self.iterations,
            "workers": self.workers,
            **self.proof(),
            "cost": self.cost.as_dict(),
            "routes": [_route(route) for route in self.routes],
            "unserved": [
                {"request": each.request, "reason": each.reason.value, "candidates": list(each.candidates)}
                for each in self.unserved
            ],
        }


def _load(load: Load) -> dict[str, int]:
    return {"pieces": load.pieces, "grams": load.grams}


def _route(route: Route) -> dict[str, Any]:
    return {
        "vehicle": route.vehicle,
        "start_s": route.start_s,
        "end_s": route.end_s,
        "break_s": route.break_s,
        "start_load": _load(route.start_load),
        "cost": route.cost.as_dict(),
        "visits": [
            {
                "request": visit.request,
                "side": visit.side,
                "arrival_s": visit.arrival_s,
                "start_s": visit.start_s,
                "departure_s": visit.departure_s,
                "load": _load(visit.load),
            }
            for visit in route.visits
        ],
    }
