"""The result of a planning job: a plan in plain values, as its row holds it and the pages read it."""

from typing import Any

from routing.day.routing_input import RoutingInput
from routing.model.plan import Plan, Reason
from routing.search.explain import bindings


def plan_result(answer: Plan, routing_input: RoutingInput) -> dict[str, Any]:
    """Routes, handovers and unserved stops with the numbers of their rows; times in seconds from 00:00 in Shanghai."""
    plain = answer.as_dict()
    for route in plain["routes"]:
        courier = routing_input.couriers[route["vehicle"]]
        route["courier_id"], route["courier"] = courier.id, courier.name
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
