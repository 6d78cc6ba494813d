"""Explanations: the rule that binds each unserved stop, each route's cost, and what one more courier would bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from routing.model.plan import Plan, Reason, Side, Unserved
from routing.model.problem import Problem
from routing.model.quantities import NOTHING, Load, Window
from routing.model.request import Request, RequestKind
from routing.model.vehicle import Vehicle
from routing.search.solve import improve, solve

_AT_DEPOT = {RequestKind.DELIVERY: "starts", RequestKind.PICKUP: "ends", RequestKind.EXCHANGE: "starts and ends"}


@dataclass(frozen=True, slots=True)
class Binding:
    """Why a request stays unserved, in facts that a page can put into words."""

    request: str
    kind: RequestKind
    reason: Reason
    vehicles: tuple[str, ...]
    """Those that only this rule keeps away; every other one fails an earlier rule."""
    windows: tuple[Window, ...]
    skills: frozenset[str]
    """What the request requires and none of the vehicles has."""
    room: Load
    """What a vehicle must have room for to take it on, in each dimension."""
    nearest: str
    """The one of the vehicles that lacks the smallest share of that room; nobody's name where there is none."""
    lacks: Load
    """By how much that one is too small; nothing when it is large enough."""
    release_s: int
    """When what it delivers is at the depot."""
    shifts: tuple[Window, ...]
    """Of the vehicles that may serve it but for this rule."""

    def sentence(self) -> str:
        """One plain sentence."""
        when = ", ".join(f"{_clock(w.opens_s)}-{_clock(w.closes_s)}" for w in self.windows) or "no time at all"
        on_shift = ", ".join(sorted({f"{_clock(w.opens_s)}-{_clock(w.closes_s)}" for w in self.shifts}))
        sentences = {
            Reason.NO_VEHICLE: "there is no courier on this day",
            Reason.SKILL: f"no courier has {' and '.join(sorted(self.skills))}",
            Reason.DEPOT: f"no courier with the right skills {_AT_DEPOT.get(self.kind, 'is')} at its depot",
            Reason.LOADED: "none of the couriers who might serve it has it on board",
            Reason.CAPACITY: (
                f"no vehicle has room for {_amount(self.room)}: {self.nearest}, the nearest to it, "
                f"lacks room for {_amount(self.lacks)}"
            ),
            Reason.UNREACHABLE: "there is no way that a courier could drive there and home",
            Reason.DISTANCE: "the way there and home is longer than any courier who could come may drive",
            Reason.RELEASE: (
                f"its papers are there at {_clock(self.release_s)}: who leaves then cannot be there within {when}"
            ),
            Reason.STOPS: f"every courier who could come within {when} makes as many stops as allowed",
            Reason.TIME: f"no courier can be there within {when}, even alone; shifts are {on_shift}",
            Reason.NO_ROOM: f"every courier who could come within {when} is full or too busy then",
        }
        return sentences[self.reason]


def _amount(load: Load) -> str:
    """What there is of it: pieces, grams or both."""
    pieces = f"{load.pieces} piece{'' if load.pieces == 1 else 's'}"
    return " and ".join([pieces] * bool(load.pieces) + [f"{load.grams} g"] * bool(load.grams)) or "nothing"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


def bindings(problem: Problem, plan: Plan) -> tuple[Binding, ...]:
    """The binding rule of each unserved request, in the plan's order."""
    requests = {request.id: request for request in problem.requests}
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    return tuple(_binding(each, requests[each.request], vehicles) for each in plan.unserved)


def _binding(unserved: Unserved, request: Request, vehicles: dict[str, Vehicle]) -> Binding:
    able = [vehicles[name] for name in unserved.candidates]
    nearest = min(able, key=lambda vehicle: _share_lacking(request, vehicle), default=None)
    had = frozenset[str]().union(*(vehicle.skills for vehicle in able))
    return Binding(
        request.id,
        request.kind,
        unserved.reason,
        unserved.candidates,
        tuple(window for stop in request.stops for window in stop.windows),
        (request.skills - had) or request.skills,
        _room(request, nearest),
        "" if nearest is None else nearest.id,
        NOTHING if nearest is None else _lacking(request, nearest),
        request.release_s,
        tuple(vehicle.shift for vehicle in able),
    )


def _room(request: Request, vehicle: Vehicle | None) -> Load:
    """What the vehicle must have room for at once; on duty it has on board already what it delivers."""
    done = vehicle.prefix.done if vehicle is not None and vehicle.prefix else ()
    begun = any(each.request == request.id for each in done)
    loads = [NOTHING] if begun else [stop.collects for stop in request.stops]
    if request.from_depot and (vehicle is None or vehicle.prefix is None):
        loads.append(request.stops[0].delivers)
    return Load(max(load.pieces for load in loads), max(load.grams for load in loads))


def _lacking(request: Request, vehicle: Vehicle) -> Load:
    room, has = _room(request, vehicle), vehicle.capacity
    return Load(max(0, room.pieces - has.pieces), max(0, room.grams - has.grams))


def _share_lacking(request: Request, vehicle: Vehicle) -> tuple[float, float]:
    """How much of the room is lacking: first in the dimension where it is worse, then in both."""
    room, lacks = _room(request, vehicle), _lacking(request, vehicle)
    shares = lacks.pieces / max(1, room.pieces), lacks.grams / max(1, room.grams)
    return max(shares), sum(shares)


def another_courier(problem: Problem, like: str, *, from_s: int = 0) -> Vehicle:
    """One more courier like one of the problem's, with nothing done yet, who can begin at ``from_s``.

    Raises ValueError when there is none like that, or nothing is left of the shift.
    """
    model = next((vehicle for vehicle in problem.vehicles if vehicle.id == like), None)
    if model is None:
        raise ValueError(f"there is no vehicle {like}")
    shift = Window(max(model.shift.opens_s, from_s), model.shift.closes_s)
    rest = model.rest if model.rest is not None and model.rest.window.opens_s >= shift.opens_s else None
    name = f"{like}+1"
    while any(vehicle.id == name for vehicle in problem.vehicles):
        name += "+1"
    return replace(model, id=name, shift=shift, rest=rest, prefix=None)


@dataclass(frozen=True, slots=True)
class OneMore:
    """What one more courier would bring: the plan with the newcomer against the plan without."""

    newcomer: str
    plan: Plan
    served: tuple[str, ...]
    """Requests that were unserved and would be served."""
    saved: int
    """How much less the terms would cost; negative where serving more costs more."""

    @property
    def stops(self) -> int:
        """How many visits the newcomer would make."""
        return sum(len(route.visits) for route in self.plan.routes if route.vehicle == self.newcomer)


def one_more(
    problem: Problem,
    plan: Plan,
    *,
    newcomer: Vehicle,
    limit_s: float,
    orders: Mapping[str, Sequence[Side]] | None = None,
    max_iterations: int | None = None,
    seed: int = 0,
    should_stop: Callable[[], bool] | None = None,
) -> OneMore:
    """Solve the day again with one courier more; from the order of visits ``orders``, where it is given."""
    wider = replace(problem, vehicles=(*problem.vehicles, newcomer))
    if orders is None:
        new = solve(wider, limit_s=limit_s, max_iterations=max_iterations, seed=seed, should_stop=should_stop)
    else:
        new = improve(wider, orders, limit_s=limit_s, max_iterations=max_iterations, seed=seed, should_stop=should_stop)
    left = {each.request for each in new.unserved}
    served = tuple(each.request for each in plan.unserved if each.request not in left)
    return OneMore(newcomer.id, new, served, plan.cost.terms - new.cost.terms)
