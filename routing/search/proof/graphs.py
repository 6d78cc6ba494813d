"""What one kind of vehicle may drive, as graphs for labels: the relaxation of a problem that a bound is made of."""

# ruff: noqa: F403, F405 - the names of columns are the core's vocabulary
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.search.proof import labels
from routing.search.proof.labels import FAR, MEMORY, Graph, Masks
from routing.search.sisr.layout import *
from routing.search.sisr.model import Model

Truths = NDArray[np.bool_]
UNIT = 256
"""Parts of a unit of cost in which duals are whole numbers."""
FEWEST_BUCKETS, MOST_BUCKETS = 64, 400
STEPS = 1024
"""Steps of time of a sweep, or more where a leg is shorter than a step."""
NO_LEG = 1 << 40
"""Seconds of a leg that may not be driven."""


@dataclass(eq=False)
class KindGraph:
    """One kind of vehicle: its graph, and how many there are."""

    vehicles: list[int]
    graph: Graph
    base: Ints
    """Costs before any stop is worth something, in parts of a unit."""
    idle: int
    """What a vehicle on duty costs that visits nothing more, in parts of a unit; 0 for others. It is in no route."""
    loads: Ints
    """By stop the load that binds most; the graph heeds it once it is ``weigh``ed."""
    shortest: int
    """Seconds of the shortest leg between two stops, with the service before it."""
    weighed: bool = False

    @property
    def steps(self) -> int:
        return int(self.graph.settings[labels.HOME] // self.graph.settings[labels.STEP]) + 1

    @property
    def buckets(self) -> int:
        return int(self.graph.settings[labels.HOME] // self.graph.settings[labels.WIDTH]) + 1

    @property
    def limit(self) -> int:
        """How many routes there may be."""
        return len(self.vehicles)

    def price(self, worth: Ints) -> None:
        """Reduced costs where each stop is worth so much."""
        stops = len(worth)
        np.subtract(self.base[:, :stops], worth, out=self.graph.costs[:, :stops])

    def overloads(self, line: Sequence[int]) -> bool:
        """Whether a route breaks the load that is not heeded yet."""
        return not self.weighed and int(self.loads[list(line)].sum()) > int(self.graph.settings[labels.CAPACITY])

    def weigh(self) -> None:
        """Heed the load from now on."""
        self.weighed = True
        self.graph.loads[:] = self.loads


def graphs_of(model: Model) -> list[KindGraph]:
    """A graph for each kind of vehicle."""
    rank, shift = _neighbourhoods(nearest_of(model))
    kinds: dict[int, list[int]] = {}
    for v, kind in enumerate(model.V[:, KIND].tolist()):
        kinds.setdefault(kind, []).append(v)
    return [_graph(model, members, rank, shift) for members in kinds.values()]


def nearest_of(model: Model) -> Ints:
    """By stop the stops that it remembers: itself, then the nearest."""
    n = model.stops
    way = np.minimum(model.C[0], model.CT[0])[:n, :n].astype(np.int64)
    way[np.arange(n), np.arange(n)] = -1
    return np.argsort(way, axis=1, kind="stable")[:, : min(MEMORY, n)]


def _neighbourhoods(near: Ints) -> tuple[Masks, Masks]:
    """The rank of each stop in each neighbourhood, and what one stop still remembers of another's memory."""
    n, width = near.shape
    rank = np.full((n, n), 255, dtype=np.uint8)
    rank[np.arange(n)[:, None], near] = np.arange(width, dtype=np.uint8)[None, :]
    bits = np.zeros((n, n, MEMORY), dtype=np.uint8)
    for r in range(width):
        ranks = rank[:, near[:, r]].T  # of two stops: the rank, at the second, of the first's r-th neighbour
        bits[:, :, r] = np.where(ranks < MEMORY, np.left_shift(1, ranks % MEMORY), 0)
    shift = np.zeros((n, n, 1 << MEMORY), dtype=np.uint8)
    for mask in range(1, 1 << MEMORY):
        lowest = (mask & -mask).bit_length() - 1
        np.bitwise_or(shift[:, :, mask & (mask - 1)], bits[:, :, lowest], out=shift[:, :, mask])
    return rank, shift


def _graph(model: Model, members: list[int], rank: Masks, shift: Masks) -> KindGraph:
    n, row = model.stops, model.V[members[0]]
    length = max(0, int(row[HOME]) - int(row[LEAVES]))
    base, ways, drivable = _legs(model, row)
    idle = 0
    if row[RUNNING]:
        idle = int(base[n + 1, n])
        base[n + 1] -= idle
    else:
        base[n + 1] += int(row[FIXED]) % FEWER_FIRST * UNIT
    spans = [_spans(model, node, int(row[LEAVES]), length) for node in range(n)]
    may = (model.MAY[members[0]][model.N[:n, REQUEST]] == 1) & np.array([bool(each) for each in spans], dtype=bool)
    spans = [each or [(0, -1)] for each in spans]
    allowed = np.zeros((n + 2, n + 2), dtype=bool)
    allowed[:n, :n] = may[:, None] & may[None, :]
    allowed[n + 1, :n] = allowed[:n, n] = may
    np.fill_diagonal(allowed, False)
    opens = np.array([each[0][0] for each in spans] + [0, 0], dtype=np.int64)
    closes = np.array([each[-1][1] for each in spans] + [length, 0], dtype=np.int64)
    allowed &= drivable & (opens[:, None] + ways <= closes[None, :])
    legs = ways[:n, :n][allowed[:n, :n]]
    shortest = int(legs.min()) if legs.size else 1
    width = max(1, min(shortest, length // FEWEST_BUCKETS), length // MOST_BUCKETS + 1)
    step = max(1, min(shortest, length // STEPS + 1))
    loads, capacity = _binding_load(model, row, may)
    arcs = [np.flatnonzero(allowed[i, :n]) for i in (*range(n), n, n + 1)]
    graph = Graph(
        costs=np.ascontiguousarray(np.where(allowed, base, FAR >> 2)),
        ways=np.ascontiguousarray(np.where(allowed, ways, NO_LEG)),
        windows=np.array([span for each in spans for span in each], dtype=np.int64).reshape(-1, 2),
        first=np.cumsum([0, *map(len, spans)]).astype(np.int64),
        span=np.stack([opens[:n], closes[:n]], axis=1),
        loads=np.zeros(n, dtype=np.int64),
        arcs=np.concatenate(arcs).astype(np.int64),
        arc_at=np.cumsum([0, *map(len, arcs)]).astype(np.int64),
        rank=rank,
        shift=shift,
        settings=np.array([0, length, capacity, width, step], dtype=np.int64),
    )
    return KindGraph(members, graph, graph.costs.copy(), idle, loads, shortest)


def _legs(model: Model, row: Ints) -> tuple[Ints, Ints, Truths]:
    """Costs in parts of a unit and seconds between starts of service, and which legs can be driven: stops, the end,
    then the start."""
    n, k = model.stops, int(row[CLASS])
    order = np.array([*range(n), int(row[END]), int(row[START])])
    cost = model.C[k][np.ix_(order, order)].astype(np.int64)
    ways = model.T[k][np.ix_(order, order)].astype(np.int64)
    drivable = (cost < NO_WAY) & (ways < NO_WAY)
    ways[:n] += model.N[:n, SERVICE][:, None]
    duty = int(model.S[DUTY_PRICE]) * ways // int(model.S[SCALE])
    return (cost + duty) * UNIT, ways, drivable


def _spans(model: Model, node: int, leaves: int, length: int) -> list[tuple[int, int]]:
    """The windows of a stop within a shift, counted from when it begins."""
    if model.N[node, OPENS] >= INF:
        return []
    first, count = int(model.N[node, WINDOW]), int(model.N[node, WINDOWS])
    spans = [(max(0, o - leaves), min(length, c - leaves)) for o, c in model.WIN[first : first + count].tolist()]
    return [(opens, closes) for opens, closes in spans if opens <= closes]


def _binding_load(model: Model, row: Ints, may: Truths) -> tuple[Ints, int]:
    """Of single stops the load of which there is most beside its capacity: what goes out or what comes in, in pieces
    or grams."""
    N = model.N[: model.stops]
    alone = may & (N[:, MATE] < 0)
    fullest, chosen = 1.0, (np.zeros(model.stops, dtype=np.int64), 0)
    if row[RUNNING]:
        return chosen
    for out, change, holds in ((FROM_DEPOT, CHANGE, CAPACITY), (FROM_DEPOT_2, CHANGE_2, CAPACITY_2)):
        for load in (N[:, out], N[:, out] + N[:, change]):
            kept = np.where(alone, load, 0)
            full = float(kept.sum()) / max(1, int(row[holds]))
            if full > fullest:
                fullest, chosen = full, (kept.astype(np.int64), int(row[holds]))
    return chosen
