"""The check of costs: each term of a route and of a plan derived again from its times alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from routing.model.plan import Costs, Plan, Route
from routing.model.problem import Problem
from routing.model.profile import UNREACHABLE
from routing.model.request import Request
from routing.model.rules import Rule, Violation
from routing.model.vehicle import Vehicle


def costs(problem: Problem, plan: Plan) -> Costs:
    """The cost of a plan by term, derived from its times alone."""
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    requests = {request.id: request for request in problem.requests}
    driven = [route_cost(problem, requests, vehicles[route.vehicle], route) for route in plan.routes]
    return _with_unserved(requests, plan, driven)


def _with_unserved(requests: dict[str, Request], plan: Plan, driven: list[Costs]) -> Costs:
    missing = [requests[unserved.request].penalty for unserved in plan.unserved]
    left = Costs(
        unserved=sum(penalty for penalty in missing if penalty is not None),
        unserved_musts=sum(1 for penalty in missing if penalty is None),
    )
    return sum(driven, left)


def route_cost(problem: Problem, requests: dict[str, Request], vehicle: Vehicle, route: Route) -> Costs:
    """The cost of one route by term, derived from its times alone."""
    weights = problem.objective
    profile = problem.profile_of(vehicle)
    stops = [requests[visit.request].stops[visit.side] for visit in route.visits]
    places = [vehicle.start, *(stop.location for stop in stops), vehicle.end]
    seconds = profile.seconds[places[:-1], places[1:]].tolist()
    metres = profile.metres[places[:-1], places[1:]].tolist()
    # Where there is no way, a prefix has driven it all the same, or ends there.
    legs = [(leg_s, leg_m) for leg_s, leg_m in zip(seconds, metres, strict=True) if leg_s != UNREACHABLE]
    driving_s = sum(vehicle.travel_s(leg_s) for leg_s, _ in legs)
    driving_m = sum(leg_m for _, leg_m in legs)
    waiting_s = lateness = moved = 0
    rest, break_s = vehicle.rest, route.break_s
    for visit, stop in zip(route.visits, stops, strict=True):
        start_s = visit.start_s
        waiting_s += start_s - visit.arrival_s
        if rest and break_s is not None and visit.arrival_s <= break_s < start_s:
            waiting_s -= rest.duration_s
        if stop.late_per_s and stop.windows:
            lateness += stop.late_per_s * max(0, start_s - stop.windows[-1].closes_s)
        if stop.announced:
            announced = stop.announced.window
            if not announced.opens_s <= start_s <= announced.closes_s:
                away_s = max(announced.opens_s - start_s, start_s - announced.closes_s)
                moved += stop.announced.cost_per_min * ((away_s + 59) // 60)
    duty_s = route.end_s - route.start_s
    return Costs(
        travel=weights.travel_per_s * driving_s + weights.travel_per_m * driving_m,
        duty=weights.duty_per_s * duty_s,
        waiting=weights.waiting_per_s * waiting_s,
        lateness=lateness,
        moved=moved,
        evenness=weights.evenness_per_s * max(0, duty_s - weights.fair_duty_s),
        vehicles=vehicle.fixed_cost,
    )


def cost_violations(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """Each term of a route or of the plan that is not what its times cost."""
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    requests = {request.id: request for request in problem.requests}
    driven = [route_cost(problem, requests, vehicles[route.vehicle], route) for route in plan.routes]
    for route, derived in zip(plan.routes, driven, strict=True):
        yield from _differences(f"route {route.vehicle}", route.cost, derived)
    yield from _differences("plan", plan.cost, _with_unserved(requests, plan, driven))


def _differences(where: str, stated: Costs, derived: Costs) -> Iterator[Violation]:
    for term in fields(Costs):
        given, right = getattr(stated, term.name), getattr(derived, term.name)
        if given != right:
            yield Violation(Rule.COST, where, f"{term.name} is stated as {given}, it is {right}")
