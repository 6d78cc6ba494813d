"""The result of a planning job: a plan in plain values, as its row holds it and the pages read it."""

from itertools import pairwise
from typing import Any

from routing.day.routing_input import RoutingInput
from routing.model.plan import Plan, Reason, Route
from routing.model.problem import Problem
from routing.search.explain import bindings


def plan_result(answer: Plan, routing_input: RoutingInput) -> dict[str, Any]:
    """Routes, handovers and unserved stops with the numbers of their rows; times in seconds from 00:00 in Shanghai."""
    plain, ways = answer.as_dict(), {route.vehicle: route for route in answer.routes}
    for route in plain["routes"]:
        courier = routing_input.couriers[route["vehicle"]]
        route["courier_id"], route["courier"] = courier.id, courier.name
        route["metres"] = driven_m(routing_input.problem, ways[route["vehicle"]])
        visits, route["visits"], route["handovers"] = route["visits"], [], []
        for visit in visits:
            visit["stop_id"] = int(visit["request"].removeprefix("stop:"))
            visit["frozen"] = visit["request"] in routing_input.frozen
            if visit["side"] == 0 and (giver := routing_input.fetched.get(visit["request"])) is not None:
                visit["from_courier_id"], visit["from_courier"] = giver.id, giver.name
                route["handovers"].append(visit)  # nobody's door: the stop itself is the visit that follows
            else:
                route["visits"].append(visit)
    for left, bound in zip(plain["unserved"], bindings(routing_input.problem, answer), strict=True):
        left["stop_id"] = int(left["request"].removeprefix("stop:"))
        if bound.reason is Reason.CAPACITY:
            nearest = routing_input.couriers[bound.nearest]
            lacks = {"pieces": bound.lacks.pieces, "grams": bound.lacks.grams}
            left["nearest"] = {"courier_id": nearest.id, "courier": nearest.name, **lacks}
    return plain


def driven_m(problem: Problem, route: Route) -> int:
    """How far a route goes, from its start over its visits to its end."""
    vehicle = next(each for each in problem.vehicles if each.id == route.vehicle)
    requests = {each.id: each for each in problem.requests}
    doors = [requests[visit.request].stops[visit.side].location for visit in route.visits]
    metres = next(each for each in problem.profiles if each.name == vehicle.profile).metres
    return sum(int(metres[here, there]) for here, there in pairwise((vehicle.start, *doors, vehicle.end)))
