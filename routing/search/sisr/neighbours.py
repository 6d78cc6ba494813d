"""Neighbours: which stops lie near each other in place and time, and the orders in which absent requests go back."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.search.sisr.layout import *

BLOCK = 32
"""Stops whose neighbours are looked for together."""
WAIT_SHARE = 5
"""Seconds of waiting that keep two stops apart like one unit of cost."""


def near_stops(C: Cells, CT: Cells, stops: int, neighbours: int) -> tuple[Cells, float]:
    """For each stop itself and its neighbours, nearest first (-1 behind the last), and a starting temperature."""
    width = min(stops, neighbours)
    near = np.full((stops, width), -1, dtype=np.int32)
    if not width:
        return near, 1.0
    reach = []
    for rows in _blocks(stops):
        way = np.minimum(C[rows, :stops], CT[rows, :stops])
        way[np.arange(len(way)), np.arange(rows.start, rows.stop)] = -1
        order, ways = _nearest(way, width)
        near[rows] = np.where(ways < DEAREST_ARC, order, -1)
        for line in ways:
            others = line[1:11][line[1:11] < DEAREST_ARC]
            if len(others):
                reach.append(float(others.mean()))
    return near, max(1.0, 3.0 * float(np.mean(reach))) if reach else 1.0


def beside_stops(N: Ints, C: Cells, T: Cells, CT: Cells, TT: Cells, stops: int, neighbours: int) -> tuple[Cells, Cells]:
    """For each stop those that may well come just before it and just after it: near in place and in time."""
    width = min(max(0, stops - 1), neighbours)
    before = np.full((stops, width), -1, dtype=np.int32)
    after = before.copy()
    opens, closes, service = N[:stops, OPENS], N[:stops, CLOSES], N[:stops, SERVICE]
    for rows in _blocks(stops if width else 0):
        here = rows, np.newaxis
        for table, arc, way, first, then in (
            (before, CT[rows, :stops], TT[rows, :stops], slice(None), here),
            (after, C[rows, :stops], T[rows, :stops], here, slice(None)),
        ):
            soonest = opens[first] + service[first] + way
            wait = np.maximum(0, opens[then] - (closes[first] + service[first] + way))
            cost = arc + wait // WAIT_SHARE
            cost[(soonest > closes[then]) | (arc >= DEAREST_ARC)] = INF
            cost[np.arange(len(cost)), np.arange(rows.start, rows.stop)] = INF
            nearest, costs = _nearest(cost, width)
            table[rows] = np.where(costs < INF, nearest, -1)
    return before, after


def _blocks(stops: int) -> Iterator[slice]:
    """Some stops at a time: few calls, and arrays that stay in the processor's cache."""
    for start in range(0, stops, BLOCK):
        yield slice(start, min(start + BLOCK, stops))


def _nearest(cost: NDArray[np.integer[Any]], width: int) -> tuple[NDArray[np.intp], NDArray[np.integer[Any]]]:
    """In each row so many columns that cost least, cheapest first and equal ones in their order, and their costs."""
    if width < cost.shape[1]:
        columns = np.argpartition(cost, width - 1, axis=1)[:, :width]
    else:
        columns = np.broadcast_to(np.arange(cost.shape[1]), cost.shape)
    costs = np.take_along_axis(cost, columns, axis=1)
    order = np.lexsort((columns, costs), axis=1)
    return np.take_along_axis(columns, order, axis=1), np.take_along_axis(costs, order, axis=1)


def putting_back(N: Ints, Q: Ints, C: Cells, V: Ints) -> Cells:
    """By request: the group of its priority, then its rank in each order."""
    first = Q[:, FIRST]
    second = np.where(Q[:, SECOND] >= 0, Q[:, SECOND], first)
    load = np.abs(N[:, FROM_DEPOT]) + np.abs(N[:, CHANGE])
    load_2 = np.abs(N[:, FROM_DEPOT_2]) + np.abs(N[:, CHANGE_2])
    amount = load / max(1, load.max(initial=1)) + load_2 / max(1, load_2.max(initial=1))
    home = C[V[0, START]] if len(V) else np.zeros(len(N), dtype=np.int32)
    far = np.maximum(home[first], home[second])
    width = np.minimum((N[first, CLOSES] - N[first, OPENS]), (N[second, CLOSES] - N[second, OPENS]))
    orders = (-Q[:, PENALTY], -amount[first], -far, far, width, N[first, OPENS], -N[second, CLOSES])
    ranks = np.zeros((len(orders), len(Q)), dtype=np.int32)
    for row, values in zip(ranks, orders, strict=True):
        row[np.argsort(values, kind="stable")] = np.arange(len(Q))
    # Equal penalties are one group.
    _, groups = np.unique(-Q[:, PENALTY], return_inverse=True)
    ranks[0] = groups
    return ranks
