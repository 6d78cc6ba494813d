"""An instance: what a file asks, turned into a Problem by a convention for distances, and a plan turned back into its
terms."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from routing.model.formats.numbered import Malformed, TextLine
from routing.model.plan import Plan
from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import MAX_INSTANT_S, InvalidProblem, Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle


class Rounding(enum.Enum):
    """How the length of an arc follows from coordinates, and so in what units the problem counts."""

    TENTHS = "cut to one decimal"
    DOUBLE = "double precision"
    NEAREST = "rounded to the nearest whole number"
    UP = "rounded up to a whole number"
    DOWN = "cut to a whole number"
    AS_GIVEN = "a matrix of whole numbers"

    @property
    def decimals(self) -> int:
        """How many decimals a cost is printed with."""
        return {Rounding.TENTHS: 1, Rounding.DOUBLE: 2}.get(self, 0)


BY_OBJECTIVE = {Primary.DISTANCE: Rounding.TENTHS, Primary.VEHICLES: Rounding.DOUBLE}

_ROUND: dict[Rounding, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    Rounding.TENTHS: np.floor,
    # Up, so that whatever keeps a window in whole units keeps it in double precision too, and no detour turns shorter
    # than the straight way; a billionth is forgiven, lest an exact length become one unit more.
    Rounding.DOUBLE: lambda lengths: np.ceil(lengths - 1e-3),
    Rounding.NEAREST: lambda lengths: np.floor(lengths + 0.5),
    Rounding.UP: np.ceil,
    Rounding.DOWN: np.floor,
}


@dataclass(frozen=True, slots=True)
class Node:
    """A line of a file: a place and what is wanted there. ``demand`` below zero is taken off a vehicle that picked it
    up."""

    line: TextLine
    number: int
    x: float
    y: float
    demand: int = 0
    ready: Decimal = Decimal(0)
    due: Decimal | None = Decimal(0)
    """None: at no time too late."""
    service: Decimal = Decimal(0)


@dataclass(slots=True)
class ParsedInstance:
    """What an instance file holds, in the file's own units. The first node is the depot."""

    name: str
    nodes: list[Node]
    capacity: int
    fleet: int | None = None
    """None: as many vehicles as there are requests."""
    pairs: list[tuple[int, int]] = field(default_factory=list)
    """Pickup and delivery, as places in ``nodes``; without any, each node is a delivery of its own."""
    matrix: NDArray[np.int64] | None = None
    longest: int | None = None
    """How much longer than nothing a route may be."""
    rounding: Rounding = Rounding.TENTHS
    """What the file itself says of its coordinates; an objective given by name overrules it."""
    primary: Primary = Primary.DISTANCE


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem, and what its numbers mean in the file that it came from."""

    name: str
    problem: Problem
    rounding: Rounding
    scale: int
    """How many units of the problem are one of the file."""
    numbers: dict[tuple[str, int], int]
    """The file's number of each side of each request."""

    def cost(self, plan: Plan) -> float | int:
        """What the plan drives, in the file's units; double precision is summed from the coordinates themselves."""
        if self.rounding is Rounding.DOUBLE:
            return sum(math.dist(a, b) for route in self._ways(plan) for a, b in route)
        metres = sum(
            int(self.problem.profile_of(vehicle).metres[leg]) for vehicle, route in self._legs(plan) for leg in route
        )
        return metres if self.scale == 1 else metres / self.scale

    def cost_text(self, plan: Plan) -> str:
        """The cost as it is printed: one decimal, two, or none."""
        return f"{self.cost(plan):.{self.rounding.decimals}f}"

    def routes(self, plan: Plan) -> Iterator[str]:
        """The classical lines: ``Route #1: 5 3 7``."""
        for at, route in enumerate(plan.routes, 1):
            visits = " ".join(str(self.numbers[visit.request, visit.side]) for visit in route.visits)
            yield f"Route #{at}: {visits}"

    def _legs(self, plan: Plan) -> Iterator[tuple[Vehicle, list[tuple[int, int]]]]:
        vehicles = {vehicle.id: vehicle for vehicle in self.problem.vehicles}
        requests = {request.id: request for request in self.problem.requests}
        for route in plan.routes:
            vehicle = vehicles[route.vehicle]
            visited = (requests[visit.request].stops[visit.side].location for visit in route.visits)
            places = [vehicle.start, *visited, vehicle.end]
            yield vehicle, list(pairwise(places))

    def _ways(self, plan: Plan) -> Iterator[list[tuple[tuple[float, float], tuple[float, float]]]]:
        points = self.problem.points
        assert points is not None
        for _, legs in self._legs(plan):
            yield [(points[a], points[b]) for a, b in legs]


def build(parsed: ParsedInstance, objective: Primary | None = None) -> Instance:
    """The instance by the convention of ``objective``, or by the file's own when none is given."""
    rounding = Rounding.AS_GIVEN if parsed.matrix is not None else parsed.rounding
    if objective is not None and parsed.matrix is None:
        rounding = BY_OBJECTIVE[objective]
    primary = objective or parsed.primary
    xy = np.array([(node.x, node.y) for node in parsed.nodes], dtype=np.float64)
    latest = _latest(parsed, xy)
    scale = _scale(rounding, xy, latest)
    nodes = [replace(node, due=latest) if node.due is None else node for node in parsed.nodes]
    requests, numbers = _requests(parsed.pairs, nodes, scale)
    shift = _window(nodes[0], scale)
    capacity = Load(parsed.capacity)
    # All vehicles are alike: more of them than there are requests would stand still.
    fleet = len(requests) if parsed.fleet is None else min(parsed.fleet, len(requests))
    longest = None if parsed.longest is None else min(parsed.longest * scale, MAX_INSTANT_S)
    try:
        problem = Problem(
            (Profile(_rounded(nodes, xy, rounding, scale) if parsed.matrix is None else parsed.matrix),),
            tuple(requests),
            tuple(Vehicle(f"{at}", 0, 0, shift, capacity, max_duty_s=longest) for at in range(1, fleet + 1)),
            Objective(primary, travel_per_s=0, travel_per_m=1),
            tuple((node.x, node.y) for node in parsed.nodes),
        )
    except InvalidProblem as wrong:
        raise Malformed(None, str(wrong)) from wrong
    return Instance(parsed.name, problem, rounding, scale, numbers)


def _latest(parsed: ParsedInstance, xy: NDArray[np.float64]) -> Decimal:
    """When the last node is due; where one never is, a moment by which one vehicle could have seen them all."""
    dues = [node.due for node in parsed.nodes if node.due is not None]
    if len(dues) == len(parsed.nodes):
        return max(dues)
    longest = math.ceil(math.dist(xy.min(axis=0), xy.max(axis=0)) if parsed.matrix is None else parsed.matrix.max())
    services = sum(node.service for node in parsed.nodes)
    return max([*dues, Decimal(0)]) + math.ceil(services) + 2 * (longest + 1) * len(parsed.nodes)


def _scale(rounding: Rounding, xy: NDArray[np.float64], latest: Decimal) -> int:
    if rounding is Rounding.TENTHS:
        return 10
    if rounding is not Rounding.DOUBLE:
        return 1
    longest = math.dist(xy.min(axis=0), xy.max(axis=0))
    fits = (10**k for k in range(6, 0, -1) if longest * 10**k < UNREACHABLE - 1 and latest * 10**k <= MAX_INSTANT_S)
    return next(fits, 1)


def _rounded(nodes: list[Node], xy: NDArray[np.float64], rounding: Rounding, scale: int) -> NDArray[np.int32]:
    """Row after row, so that no matrix of doubles is held."""
    lengths = np.empty((len(xy), len(xy)), dtype=np.int32)
    for at, point in enumerate(xy):
        away = point - xy
        row = _ROUND[rounding](scale * np.sqrt((away * away).sum(axis=1)))
        if row.max() >= UNREACHABLE:
            furthest, away_from = nodes[int(row.argmax())], nodes[at].number
            raise furthest.line.wrong(
                f"node {furthest.number} is {row.max() / scale:.0f} from node {away_from}: too long to count with"
            )
        lengths[at] = row
    np.fill_diagonal(lengths, 0)
    lengths.flags.writeable = False
    return lengths


def _window(node: Node, scale: int) -> Window:
    ready = int((node.ready * scale).to_integral_value(ROUND_CEILING))
    assert node.due is not None
    due = int((node.due * scale).to_integral_value(ROUND_FLOOR))
    if ready < 0:
        raise node.line.wrong(f"node {node.number} is ready at {node.ready}, before 0")
    if due < ready:
        raise node.line.wrong(f"node {node.number} is due at {node.due}, before it is ready at {node.ready}")
    if due > MAX_INSTANT_S:
        raise node.line.wrong(f"node {node.number} is due at {node.due}: that is too late to count with")
    return Window(ready, due)


def _service(node: Node, scale: int) -> int:
    if node.service < 0:
        raise node.line.wrong(f"node {node.number} has service {node.service}, less than 0")
    service = int((node.service * scale).to_integral_value(ROUND_CEILING))
    if service > MAX_INSTANT_S:
        raise node.line.wrong(f"node {node.number} has service {node.service}: that is too long to count with")
    return service


def _requests(
    pairs: list[tuple[int, int]], nodes: list[Node], scale: int
) -> tuple[list[Request], dict[tuple[str, int], int]]:
    requests, numbers = [], {}
    if pairs:
        for first, second in pairs:
            name = f"{nodes[first].number}-{nodes[second].number}"
            load = Load(nodes[first].demand)
            pickup = Stop(first, (_window(nodes[first], scale),), _service(nodes[first], scale), collects=load)
            delivery = Stop(second, (_window(nodes[second], scale),), _service(nodes[second], scale), delivers=load)
            requests.append(Request(name, RequestKind.PAIRED, (pickup, delivery)))
            numbers[name, 0], numbers[name, 1] = nodes[first].number, nodes[second].number
        return requests, numbers
    for place, node in enumerate(nodes[1:], 1):
        if node.demand < 0:
            raise node.line.wrong(f"node {node.number} has demand {node.demand}, less than 0")
        stop = Stop(place, (_window(node, scale),), _service(node, scale), delivers=Load(node.demand))
        requests.append(Request(f"{node.number}", RequestKind.DELIVERY, (stop,)))
        numbers[f"{node.number}", 0] = node.number
    return requests, numbers


def pair_up(nodes: list[Node], partners: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs of a file that says of each node where it was picked up and where it goes, 0 for neither.

    Refused: a partner that is not there or does not agree, a pickup of nothing, demands that differ.
    """
    places = {node.number: place for place, node in enumerate(nodes)}
    pairs = []
    for place, (node, (pickup, delivery)) in enumerate(zip(nodes, partners, strict=True)):
        if place == 0:
            if pickup or delivery:
                raise node.line.wrong("the depot has a partner")
            continue
        if (pickup == 0) == (delivery == 0):
            raise node.line.wrong(f"node {node.number} names {pickup} as pickup and {delivery} as delivery: one is 0")
        other = places.get(pickup or delivery, 0)
        if other == 0:
            raise node.line.wrong(f"node {node.number} names partner {pickup or delivery}, which is no customer")
        if partners[other] != ((0, node.number) if pickup else (node.number, 0)):
            raise node.line.wrong(f"node {node.number} names partner {pickup or delivery}, which names another")
        if nodes[other].demand != -node.demand:
            raise node.line.wrong(f"node {node.number} has demand {node.demand}, its partner {nodes[other].demand}")
        if delivery:
            if node.demand < 0:
                raise node.line.wrong(f"node {node.number} picks up {node.demand}, less than 0")
            pairs.append((place, other))
    return pairs


def numbered_once(nodes: list[Node], last: int) -> None:
    """Refuses a number that comes twice, or a file without a depot, whose ``last`` line is then named."""
    if not nodes:
        raise Malformed(last, "the file ends where a node should follow: there is not even a depot")
    seen: set[int] = set()
    for node in nodes:
        if node.number in seen:
            raise node.line.wrong(f"node {node.number} comes twice")
        seen.add(node.number)
