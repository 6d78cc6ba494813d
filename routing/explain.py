"""Explanations: the rule that binds each unserved stop, each route's cost, and what one more courier would bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from routing.plan import Costs, Plan, Reason, Unserved
from routing.problem import Problem, Request, Vehicle, Window
from routing.solve import improve, solve


@dataclass(frozen=True, slots=True)
class Binding:
    """Why a request stays unserved, in facts that a page can put into words."""

    request: str
    reason: Reason
    vehicles: tuple[str, ...]
    """Those that only this rule keeps away; every other one fails an earlier rule."""
    windows: tuple[Window, ...]
    skills: frozenset[str]
    """What the request requires and none of the vehicles has."""
    pieces: int
    grams: int
    largest_pieces: int
    largest_grams: int
    shifts: tuple[Window, ...]
    """Of the vehicles that may serve it but for this rule."""

    def sentence(self) -> str:
        """One plain sentence."""
        when = ", ".join(f"{_clock(w.opens_s)}-{_clock(w.closes_s)}" for w in self.windows) or "no time at all"
        on_shift = ", ".join(sorted({f"{_clock(w.opens_s)}-{_clock(w.closes_s)}" for w in self.shifts}))
        sentences = {
            Reason.NO_VEHICLE: "there is no courier on this day",
            Reason.SKILL: f"no courier has {' and '.join(sorted(self.skills))}",
            Reason.DEPOT: "no courier with the right skills starts and ends at its depot",
            Reason.LOADED: "no courier under way has it on board",
            Reason.CAPACITY: (
                f"{self.pieces} pieces and {self.grams} g fit no vehicle: "
                f"the largest takes {self.largest_pieces} and {self.largest_grams} g"
            ),
            Reason.UNREACHABLE: "there is no way that a courier could drive there and home",
            Reason.TIME: f"no courier can be there within {when}, even alone; shifts are {on_shift}",
            Reason.NO_ROOM: f"every courier who could come within {when} is full or too busy then",
        }
        return sentences[self.reason]


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


def bindings(problem: Problem, plan: Plan) -> tuple[Binding, ...]:
    """The binding rule of each unserved request, in the plan's order."""
    requests = {request.id: request for request in problem.requests}
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    return tuple(_binding(each, requests[each.request], vehicles) for each in plan.unserved)


def _binding(unserved: Unserved, request: Request, vehicles: dict[str, Vehicle]) -> Binding:
    able = [vehicles[name] for name in unserved.candidates]
    loads = [load for stop in request.stops for load in (stop.delivers, stop.collects)]
    had = frozenset[str]().union(*(vehicle.skills for vehicle in able))
    return Binding(
        request.id,
        unserved.reason,
        unserved.candidates,
        tuple(window for stop in request.stops for window in stop.windows),
        (request.skills - had) or request.skills,
        max(load.pieces for load in loads),
        max(load.grams for load in loads),
        max((vehicle.capacity.pieces for vehicle in able), default=0),
        max((vehicle.capacity.grams for vehicle in able), default=0),
        tuple(vehicle.shift for vehicle in able),
    )


def route_costs(plan: Plan) -> dict[str, Costs]:
    """What each route costs, by term."""
    return {route.vehicle: route.cost for route in plan.routes}


def another(problem: Problem, like: str, *, from_s: int = 0) -> Vehicle:
    """One more courier like one of the problem's, with nothing behind him, who can begin at ``from_s``.

    Raises ValueError when there is none like that, or nothing is left of his shift.
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
    """What one more courier would bring: the plan with him against the plan without."""

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
    orders: Mapping[str, Sequence[tuple[str, int]]] | None = None,
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
