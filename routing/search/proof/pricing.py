"""Pricing: what a dual proves, and the routes that it lacks."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from routing.search.proof import labels
from routing.search.proof.fleets import DualPoint
from routing.search.proof.graphs import UNIT, KindGraph, graphs_of
from routing.search.sisr.layout import Ints
from routing.search.sisr.model import model_of
from routing.search.sisr.warm import two_stops

ROOM = 1_200_000
"""Labels of one pass."""
ENDS = 60_000
PATIENCE, MOST_PATIENCE = 1 << 21, 1 << 27
"""Extensions of one pass; a pass that is cut proves what the sweep before it did. One that was cut and found little
is given more the next time."""
LOOKED_AT, BEHIND_ONE = 4000, 4
"""Cheapest routes looked at, and how many with the same last stop are taken of each hundred."""


class Pricing:
    """The graphs of a problem's kinds of vehicles, with room to work in."""

    def __init__(self, kinds: Sequence[KindGraph], stops: int) -> None:
        self.kinds, self.stops = kinds, stops
        steps, buckets = max(k.steps for k in kinds), max(k.buckets for k in kinds)
        ints, cells = np.int64, np.int32
        self.tables = [np.zeros((stops, steps), ints), np.zeros((stops, steps), ints)]
        self.tables += [np.zeros((stops, steps), cells)]
        self.room = labels.Labels(
            np.zeros(ROOM, ints), np.zeros(ROOM, ints), np.zeros(ROOM, cells), np.zeros(ROOM, cells),
            np.zeros(ROOM, cells), np.zeros(ROOM, cells), np.zeros(ROOM, np.uint8),
            np.zeros((stops, buckets), cells), np.zeros((stops, buckets), cells),
            np.zeros((stops, buckets), ints), np.zeros((stops, buckets), ints),
            np.zeros(stops, cells), np.zeros((ENDS, 2), ints), np.zeros(labels.STATE_WIDTH, ints),
        )  # fmt: skip
        self.exact = True
        """Whether no pass of the last look was cut."""
        self.patience = PATIENCE

    def cheapest_alone(self) -> DualPoint:
        """Where no stop is worth anything: every vehicle in use costs its shortest way at least."""
        return self.sweep(np.zeros(self.stops, dtype=np.int64))

    def sweep(self, worth: Ints) -> DualPoint:
        """What the duals prove over ways that may come back to a stop, though not at once."""
        least = []
        for kind in self.kinds:
            kind.price(worth)
            least.append(min(int(labels.sweep(kind.graph, *self.tables)), labels.FAR >> 20))
        return DualPoint(worth, tuple(least))

    def look(self, worth: Ints, below: Sequence[int], most: int) -> tuple[DualPoint, list[tuple[int, tuple[int, ...]]]]:
        """What the duals prove, and at most so many routes whose reduced cost is ``below`` that of their kind."""
        least, found = [], []
        self.exact = True
        for at, (kind, limit) in enumerate(zip(self.kinds, below, strict=True)):
            kind.price(worth)
            low = int(labels.sweep(kind.graph, *self.tables))
            if low >= limit:
                least.append(min(low, labels.FAR >> 20))
                continue
            labels.clear(self.room, kind.buckets)
            cheapest, second, after = self.tables
            ended = labels.extend(kind.graph, self.room, cheapest, second, after, int(limit), self.patience)
            state = self.room.state
            if ended == labels.ENDED:
                least.append(min(int(state[labels.BEST]), int(limit)))
            else:
                least.append(low)
                self.exact = False
            found += [(at, line) for line in self._routes(most)]
        if not self.exact and len(found) < most // 2:
            self.patience = min(MOST_PATIENCE, 2 * self.patience)
        return DualPoint(worth, tuple(least)), found

    def _routes(self, most: int) -> list[tuple[int, ...]]:
        """The cheapest routes found, no more of them behind the same last stop than behind others."""
        room = self.room
        ends = room.ends[: int(room.state[labels.ENDS])]
        order = np.argsort(ends[:, 0], kind="stable")[:LOOKED_AT]
        behind = np.zeros(self.stops, dtype=np.int64)
        seen: set[tuple[int, ...]] = set()
        routes: list[tuple[int, ...]] = []
        for end in ends[order, 1].tolist():
            last = int(room.node[end])
            if behind[last] >= BEHIND_ONE * (1 + len(routes) // 100):
                continue
            line = []
            while end >= 0:
                line.append(int(room.node[end]))
                end = int(room.parent[end])
            key = tuple(sorted(line))
            if key in seen:
                continue
            seen.add(key)
            behind[last] += 1
            routes.append(tuple(line[::-1]))
            if len(routes) >= most:
                break
        return routes

    def cost(self, kind: int, line: Sequence[int]) -> float:
        """What a route costs, in units, over a vehicle that stays idle."""
        nodes = [self.stops + 1, *line, self.stops]
        base = self.kinds[kind].base
        return float(base[nodes[:-1], nodes[1:]].sum()) / UNIT


def warm_up() -> None:
    """Compile what prices, or load it from its cache; at once when that was done before."""
    if _warm:
        return
    model = model_of(two_stops(), neighbours=0)
    Pricing(graphs_of(model), model.stops).look(np.full(model.stops, 10 * UNIT, dtype=np.int64), [1 << 40], 1)
    _warm.append(True)


_warm: list[bool] = []
