"""Timing: routes of any program, in a file's numbers, driven as early as they can be and judged by the check."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from routing.model.check import violations
from routing.model.check_costs import costs, route_cost
from routing.model.formats import Instance
from routing.model.plan import Costs, Plan, Reason, Route, Side, Unserved, Visit
from routing.model.quantities import NOTHING
from routing.model.request import Request
from routing.model.rules import Rule
from routing.model.vehicle import Vehicle


@dataclass(frozen=True, slots=True)
class PrintedPlan:
    """What a program printed: ``Route #1: …`` lines, and JSON in the last one."""

    routes: tuple[tuple[int, ...], ...]
    seconds: float
    version: str

    @classmethod
    def of(cls, text: str) -> PrintedPlan:
        """The plan in a text. Raises ValueError or KeyError where the last line is not the JSON expected."""
        lines = text.strip().splitlines()
        routes = [match[1] for line in lines if (match := re.fullmatch(r"Route #\d+: ?([\d ]*)", line.strip()))]
        answer = json.loads(lines[-1])
        numbers = tuple(tuple(map(int, route.split())) for route in routes)
        return cls(tuple(route for route in numbers if route), float(answer["seconds"]), str(answer.get("version", "")))


@dataclass(frozen=True, slots=True)
class PlanVerdict:
    """What a program's routes are worth, whatever it says itself."""

    vehicles: int
    cost: float
    unserved: int
    broken: str


def judged(instance: Instance, routes: Sequence[Sequence[int]]) -> PlanVerdict:
    """The routes timed and checked here."""
    plan = timed(instance, routes)
    wrong = [each for each in violations(instance.problem, plan) if each.rule is not Rule.REASON]
    return PlanVerdict(plan.vehicles, float(instance.cost(plan)), len(plan.unserved), str(wrong[0]) if wrong else "")


def timed(instance: Instance, routes: Sequence[Sequence[int]]) -> Plan:
    """A plan of these routes, one a vehicle, each visit as early as it can be."""
    problem = instance.problem
    if len(routes) > len(problem.vehicles):
        raise ValueError(f"{len(routes)} routes, {len(problem.vehicles)} vehicles")
    sides = {number: side for side, number in instance.numbers.items()}
    requests = {request.id: request for request in problem.requests}
    driven = []
    for vehicle, numbers in zip(problem.vehicles, routes, strict=False):
        route = _driven(instance, requests, vehicle, [sides[number] for number in numbers])
        driven.append(replace(route, cost=route_cost(problem, requests, vehicle, route)))
    served = {visit.request for route in driven for visit in route.visits}
    everyone = tuple(vehicle.id for vehicle in problem.vehicles)
    missing = tuple(Unserved(r.id, Reason.NO_ROOM, everyone) for r in problem.requests if r.id not in served)
    plan = Plan(problem.fingerprint(), tuple(driven), missing, Costs(), "routes")
    return replace(plan, cost=costs(problem, plan))


def _driven(instance: Instance, requests: dict[str, Request], vehicle: Vehicle, order: Sequence[Side]) -> Route:
    """These files know one window a stop, and no break."""
    seconds = instance.problem.profile_of(vehicle).seconds
    names = dict.fromkeys(name for name, _ in order)
    load = start_load = sum((requests[n].stops[0].delivers for n in names if requests[n].from_depot), NOTHING)
    leave_s, place = vehicle.shift.opens_s, vehicle.start
    visits = []
    for name, side in order:
        stop = requests[name].stops[side]
        arrival_s = leave_s + vehicle.travel_s(int(seconds[place, stop.location]))
        start_s = max(arrival_s, stop.windows[0].opens_s)
        load = load + stop.collects - stop.delivers
        leave_s, place = start_s + stop.service_s, stop.location
        visits.append(Visit(name, side, arrival_s, start_s, leave_s, load))
    end_s = leave_s + vehicle.travel_s(int(seconds[place, vehicle.end]))
    return Route(vehicle.id, vehicle.shift.opens_s, tuple(visits), end_s, start_load)
