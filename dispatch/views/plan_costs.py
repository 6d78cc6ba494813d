"""What a plan costs, in words: each route by term, what it carries and where its time goes; one courier more."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dispatch.core.localized_text import LocalizedText
from dispatch.views.plan_proof import proof_words
from routing.day.courier_stop import CourierStop, StopKind
from routing.day.couriers import VEHICLE_LABEL, VehicleKind
from routing.day.day_plan import DayPlan
from routing.day.routing_input import MOVED_COST_PER_MIN, UNSERVED_COST, VEHICLE_COST

# A cost is counted in seconds on the road; every term of a route is in the table that has any.
TERMS = {
    "travel": "路上",
    "duty": "工时",
    "waiting": "等候",
    "lateness": "晚到",
    "moved": "改动已告知时段",
    "evenness": "劳逸不均",
    "vehicles": "出车",
}
ALWAYS = ("travel", "vehicles", "moved")
UNIT = {"vehicle": VEHICLE_COST, "moved": MOVED_COST_PER_MIN, "unserved": UNSERVED_COST}


@dataclass(frozen=True, slots=True)
class CostLine:
    """One courier's route by term, in the order of the table's columns."""

    courier: str
    terms: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class CostTable:
    """Why a plan costs what it costs: lines and what is unserved add up to the total that the plan states."""

    columns: tuple[tuple[str, str], ...]
    """Term and its words."""
    lines: tuple[CostLine, ...]
    sums: tuple[int, ...]
    unserved: int
    total: int


def cost_table(plan: DayPlan) -> CostTable | None:
    """The table of a plan with routes; None where nothing was planned."""
    if plan.result is None or not plan.result["routes"]:
        return None
    routes = plan.result["routes"]
    used = tuple(name for name in TERMS if name in ALWAYS or any(route["cost"][name] for route in routes))
    lines = tuple(_line(route, used) for route in routes)
    sums = tuple(sum(line.terms[at] for line in lines) for at in range(len(used)))
    unserved = plan.result["cost"]["unserved"]
    return CostTable(
        tuple((name, TERMS[name]) for name in used), lines, sums, unserved, sum(sums) + unserved
    )  # fmt: skip


def _line(route: Mapping[str, Any], used: Iterable[str]) -> CostLine:
    terms = tuple(int(route["cost"][name]) for name in used)
    return CostLine(route["courier"], terms, sum(terms))


@dataclass(frozen=True, slots=True)
class RoadsideHandover:
    """Papers that one courier takes over from another on the way (当面交接)."""

    giver: str
    at_s: int
    count: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What a route has on board and where its hours go; the three add up to the whole."""

    brings: int
    """Pieces to be delivered, on board from the start."""
    collects: int
    kg: float
    handovers: tuple[RoadsideHandover, ...]
    duty_s: int
    road_s: int
    doors_s: int
    waits_s: int
    """Waiting, rest, and what lies between the last act and the moment from which the route was planned."""


def carried(route: Mapping[str, Any], stops: Mapping[int, CourierStop]) -> Carried:
    """What one route of a plan's result carries, and how its time divides."""
    visits = [*route["visits"], *route["handovers"]]
    duty_s = route["end_s"] - route["start_s"]
    doors_s = sum(visit["departure_s"] - visit["start_s"] for visit in visits)
    road_s = min(route["cost"]["travel"], max(0, duty_s - doors_s))
    here = [stops[visit["stop_id"]] for visit in route["visits"] if visit["stop_id"] in stops]
    givers: dict[str, list[int]] = {}
    for handover in route["handovers"]:
        givers.setdefault(handover["from_courier"], []).append(handover["start_s"])
    return Carried(
        route["start_load"]["pieces"],
        sum(stop.pieces for stop in here if stop.kind is not StopKind.DELIVERY),
        max([route["start_load"]["grams"], *(visit["load"]["grams"] for visit in visits)]) / 1000,
        tuple(RoadsideHandover(giver, min(starts), len(starts)) for giver, starts in givers.items()),
        duty_s,
        road_s,
        doors_s,
        duty_s - road_s - doors_s,
    )


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One courier more, tried: how the question stands, and what he would bring."""

    state: str
    vehicle: str
    served: int = 0
    served_labels: tuple[str, ...] = ()
    left: int = 0
    stops: int = 0
    travel_s: int = 0
    terms_before: int = 0
    terms_after: int = 0
    proof: LocalizedText | None = None
    """Of the day with one courier more: how much less any plan might cost at most, or why that is not known."""

    @property
    def waits(self) -> bool:
        return self.state in {"asked", "solving"}

    @property
    def saved(self) -> int:
        return self.terms_before - self.terms_after


def what_if(plan: DayPlan, stops: Mapping[int, CourierStop]) -> WhatIf | None:
    """The question that stands on a plan's row, with names of the stops that he would reach."""
    told = (plan.result or {}).get("what_if")
    if told is None:
        return None
    vehicle = VEHICLE_LABEL[VehicleKind(told["vehicle"])]
    if told["state"] != "answered":
        return WhatIf(told["state"], vehicle)
    reached = [stops[n] for n in told["served_stops"] if n in stops]
    return WhatIf(
        "answered", vehicle, told["served"], tuple(stop.label or stop.contact_name for stop in reached), told["left"],
        told["stops"], told["travel_s"], told["terms_before"], told["terms_after"], proof_words(told),
    )  # fmt: skip
