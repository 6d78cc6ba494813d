"""A parsed file turned into a Problem by a convention for distances."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

from routing.model.formats.instance import Instance
from routing.model.formats.numbered import Malformed
from routing.model.formats.parsed import Node, ParsedInstance, Rounding
from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import MAX_INSTANT_S, InvalidProblem, Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle

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


def build(parsed: ParsedInstance, objective: Primary | None = None) -> Instance:
    """The instance by the convention of ``objective``, or by the file's own when none is given."""
    rounding = Rounding.AS_GIVEN if parsed.matrix is not None else parsed.rounding
    if objective is not None and parsed.matrix is None:
        rounding = BY_OBJECTIVE[objective]
    primary = objective or parsed.primary
    xy = np.array([(node.x, node.y) for node in parsed.nodes], dtype=np.float64)
    latest = latest_due(parsed, xy)
    scale = _scale(rounding, xy, latest)
    nodes = [replace(node, due=latest) if node.due is None else node for node in parsed.nodes]
    requests, numbers = _requests(parsed.pairs, nodes, scale)
    shift = node_window(nodes[0], scale)
    capacity = Load(parsed.capacity)
    # All vehicles are alike: more of them than there are requests would stand still.
    fleet = len(requests) if parsed.fleet is None else min(parsed.fleet, len(requests))
    longest = None if parsed.longest is None else min(parsed.longest * scale, MAX_INSTANT_S)
    try:
        problem = Problem(
            (Profile(rounded_lengths(nodes, xy, rounding, scale) if parsed.matrix is None else parsed.matrix),),
            tuple(requests),
            tuple(Vehicle(f"{at}", 0, 0, shift, capacity, max_duty_s=longest) for at in range(1, fleet + 1)),
            Objective(primary, travel_per_s=0, travel_per_m=1),
            tuple((node.x, node.y) for node in parsed.nodes),
        )
    except InvalidProblem as wrong:
        raise Malformed(None, str(wrong)) from wrong
    return Instance(parsed.name, problem, rounding, scale, numbers)


def latest_due(parsed: ParsedInstance, xy: NDArray[np.float64]) -> Decimal:
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


def rounded_lengths(nodes: list[Node], xy: NDArray[np.float64], rounding: Rounding, scale: int) -> NDArray[np.int32]:
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


def node_window(node: Node, scale: int) -> Window:
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


def node_service(node: Node, scale: int) -> int:
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
            pickup = Stop(first, (node_window(nodes[first], scale),), node_service(nodes[first], scale), collects=load)
            delivery = Stop(
                second, (node_window(nodes[second], scale),), node_service(nodes[second], scale), delivers=load
            )
            requests.append(Request(name, RequestKind.PAIRED, (pickup, delivery)))
            numbers[name, 0], numbers[name, 1] = nodes[first].number, nodes[second].number
        return requests, numbers
    for place, node in enumerate(nodes[1:], 1):
        if node.demand < 0:
            raise node.line.wrong(f"node {node.number} has demand {node.demand}, less than 0")
        stop = Stop(place, (node_window(node, scale),), node_service(node, scale), delivers=Load(node.demand))
        requests.append(Request(f"{node.number}", RequestKind.DELIVERY, (stop,)))
        numbers[f"{node.number}", 0] = node.number
    return requests, numbers
