"""Columns: the routes that the master problem may choose from, from the search's pool and from pricing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from routing.search.sisr.layout import Ints

Reals = NDArray[np.float64]


class Columns:
    """Routes by number: kind of vehicle, cost, and the stops that it visits, in order."""

    def __init__(self) -> None:
        self.kinds: list[int] = []
        self.costs: list[float] = []
        self.visits: list[tuple[int, ...]] = []
        self._known: dict[tuple[int, tuple[int, ...]], int] = {}
        self._arrays: tuple[Ints, Ints, Reals, Ints] | None = None

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, kind: int, cost: float, visits: Sequence[int]) -> int | None:
        """The number of a route that is new; None where one that visits the same stops costs no more."""
        key = kind, tuple(sorted(visits))
        known = self._known.get(key)
        if known is not None and self.costs[known] <= cost:
            return None
        number = len(self.kinds)
        self._known[key] = number
        self.kinds.append(kind)
        self.costs.append(cost)
        self.visits.append(tuple(visits))
        self._arrays = None
        return number

    def number(self, kind: int, visits: Sequence[int]) -> int:
        """The number of the route of that kind that visits just these stops, in whatever order."""
        return self._known[kind, tuple(sorted(visits))]

    def reduced(self, worth: Reals, by_kind: Reals) -> Reals:
        """What each costs beyond what its stops and its vehicle are worth."""
        nodes, starts, costs, kinds = self._flat()
        reduced: Reals = costs - np.add.reduceat(worth[nodes], starts) - by_kind[kinds]
        return reduced

    def _flat(self) -> tuple[Ints, Ints, Reals, Ints]:
        if self._arrays is None:
            lengths = np.array([len(line) for line in self.visits], dtype=np.int64)
            nodes = np.fromiter((node for line in self.visits for node in line), np.int64, int(lengths.sum()))
            starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
            self._arrays = nodes, starts, np.array(self.costs), np.array(self.kinds, dtype=np.int64)
        return self._arrays
