"""A day under way: the problem at an instant of its plan, with what is done and what is announced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from routing.model.plan import Plan, Route
from routing.model.problem import Problem
from routing.model.quantities import Window
from routing.model.request import Request
from routing.model.vehicle import Done, Prefix, Vehicle


def frozen_at(problem: Problem, plan: Plan, *, at_s: int, more: Sequence[Request] = ()) -> Problem:
    """The problem at an instant of the plan: visits made or driven to are done, what was loaded is on board.

    ``more`` are requests that have come in since.
    """
    routes = {route.vehicle: route for route in plan.routes}
    requests = {request.id: request for request in problem.requests}
    vehicles = []
    for vehicle in problem.vehicles:
        route = routes.get(vehicle.id)
        if route is None or (vehicle.prefix is None and route.start_s > at_s):
            late = Window(min(max(vehicle.shift.opens_s, at_s), vehicle.shift.closes_s), vehicle.shift.closes_s)
            vehicles.append(vehicle if vehicle.prefix else replace(vehicle, shift=late))
            continue
        vehicles.append(_under_way(vehicle, route, requests, at_s))
    return replace(problem, requests=(*problem.requests, *more), vehicles=tuple(vehicles))


def _under_way(vehicle: Vehicle, route: Route, requests: dict[str, Request], at_s: int) -> Vehicle:
    before = vehicle.prefix.done if vehicle.prefix else ()
    lefts = [route.start_s, *(visit.departure_s for visit in route.visits)]
    count = max(len(before), sum(left <= at_s for left in lefts[: len(route.visits)]))
    done = [Done(v.request, v.side, v.arrival_s, v.start_s, v.departure_s) for v in route.visits[:count]]
    loaded = {visit.request for visit in route.visits if requests[visit.request].from_depot}
    loaded |= vehicle.prefix.on_board if vehicle.prefix else frozenset()
    on_board = frozenset(loaded - {each.request for each in done})
    free_from_s = max(at_s, vehicle.prefix.free_from_s if vehicle.prefix else 0)
    # A break that has begun, or that lies on a leg already frozen, is over when the next leg begins.
    frozen_until = route.visits[count - 1].start_s if count else at_s
    rest = vehicle.rest
    if rest and route.break_s is not None and (route.break_s <= at_s or route.break_s < frozen_until):
        free_from_s = max(free_from_s, route.break_s + rest.duration_s if route.break_s <= at_s else 0)
        rest = None
    return replace(vehicle, rest=rest, prefix=Prefix(route.start_s, free_from_s, tuple(done), on_board))
