"""Labels: the cheapest ways through one direction of a graph, by time, load and what may not come again (ng-routes).

A label is a partial route that has just reached a stop: when, at what reduced cost, with what load, and which stops of
the neighbourhood of the place where it stands it remembers. One label dominates another at the same stop when it is no
later, no dearer, no heavier and remembers nothing that the other forgot (Baldacci, Mingozzi and Roberti, Operations
Research 59(5), 2011). Costs are whole numbers, so that a bound made of them is exact.
"""

# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of these tuples.
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.search.sisr.compiled import entry, part

Ints = NDArray[np.int64]
Cells = NDArray[np.int32]
Masks = NDArray[np.uint8]

FAR: Final = 1 << 60
"""A cost that no route reaches."""
MEMORY: Final = 8
"""Stops in the largest neighbourhood, the stop itself among them: one bit of a mask each."""

# Columns of the state.
MADE: Final = 0  # labels made so far
BUCKET: Final = 1  # the next bucket to be worked on
WORKED: Final = 2  # extensions tried
BEST: Final = 3  # least reduced cost of a whole route
ENDS: Final = 4  # of them kept
BUCKETS: Final = 5  # in use
STATE_WIDTH: Final = 6

# What a pass says of itself.
ENDED: Final = 0
CUT: Final = 1
FULL: Final = 2


class Graph(NamedTuple):
    """One direction of what one kind of vehicle may drive: the last node is where it begins, the one before it ends.

    ``ways`` are seconds between two starts of service; instants count from the begin of the shift.
    """

    costs: Ints
    ways: Ints
    windows: Ints
    """By row: opens, closes."""
    first: Ints
    """By stop: its first row of ``windows``; one number more than stops."""
    span: Ints
    """By stop: when the first of its windows opens, and when the last closes."""
    loads: Ints
    arcs: Ints
    """The stops that may follow, node by node."""
    arc_at: Ints
    rank: Masks
    """By two stops: the rank of the second in the neighbourhood of the first, 255 where it is not in it."""
    shift: Masks
    """By two stops and mask: what the second still remembers of what the first did."""
    settings: Ints
    """Leaves, home, capacity, seconds a bucket, seconds a bucket of a completion."""


LEAVES: Final = 0
HOME: Final = 1
CAPACITY: Final = 2
WIDTH: Final = 3
STEP: Final = 4


class Labels(NamedTuple):
    """Room for the labels of one pass."""

    at: Ints
    cost: Ints
    load: Cells
    node: Cells
    parent: Cells
    following: Cells
    mask: Masks
    head: Cells
    """By stop and bucket: its first label, -1 without one."""
    tail: Cells
    least: Ints
    """By stop and bucket: the least cost in it."""
    low: Ints
    """By stop and bucket: the least cost up to it."""
    done: Cells
    """By stop: the last label of the present bucket that was extended."""
    ends: Ints
    """Labels behind which a whole route costs less than nothing."""
    state: Ints


@part
def opens_at(graph, stop, at):
    """The earliest service at or after an instant at which the last window is not closed yet."""
    if graph.first[stop + 1] == graph.first[stop] + 1:
        return max(at, graph.span[stop, 0])
    for row in range(graph.first[stop], graph.first[stop + 1]):
        if at <= graph.windows[row, 1]:
            return max(at, graph.windows[row, 0])
    return FAR


@part
def dominated(labels, stop, bucket, at, cost, load, mask, itself):
    """Whether another label of the stop is as good in everything."""
    for b in range(bucket, -1, -1):
        if labels.low[stop, b] > cost:
            return False
        if labels.least[stop, b] > cost:
            continue
        other = labels.head[stop, b]
        while other >= 0:
            if (
                labels.cost[other] <= cost
                and labels.at[other] <= at
                and labels.load[other] <= load
                and labels.mask[other] & ~mask == 0
                and other != itself
                and (
                    other < itself
                    or labels.cost[other] < cost
                    or labels.at[other] < at
                    or labels.load[other] < load
                    or labels.mask[other] != mask
                )
            ):
                return True
            other = labels.following[other]
    return False


@part
def insert(graph, labels, stop, at, cost, load, mask, parent, end, below):
    """Keep a label; False where there is no room."""
    state = labels.state
    made = state[MADE]
    if made >= labels.at.shape[0]:
        return False
    state[MADE] = made + 1
    labels.at[made] = at
    labels.cost[made] = cost
    labels.load[made] = load
    labels.node[made] = stop
    labels.parent[made] = parent
    labels.following[made] = -1
    labels.mask[made] = mask
    bucket = at // graph.settings[WIDTH]
    if labels.head[stop, bucket] < 0:
        labels.head[stop, bucket] = made
    else:
        labels.following[labels.tail[stop, bucket]] = made
    labels.tail[stop, bucket] = made
    labels.least[stop, bucket] = min(labels.least[stop, bucket], cost)
    b = bucket
    while b < labels.state[BUCKETS] and labels.low[stop, b] > cost:
        labels.low[stop, b] = cost
        b += 1
    if at + graph.ways[stop, end] <= graph.settings[HOME]:
        whole = cost + graph.costs[stop, end]
        state[BEST] = min(state[BEST], whole)
        if whole < below and state[ENDS] < labels.ends.shape[0]:
            labels.ends[state[ENDS], 0] = whole
            labels.ends[state[ENDS], 1] = made
            state[ENDS] += 1
    return True


@part
def follow(graph, labels, cheapest, second, after, i, at, cost, load, mask, parent, below):
    """Every extension of one label. Returns False where there is no room for more."""
    stops = graph.first.shape[0] - 1
    width = graph.settings[WIDTH]
    step = graph.settings[STEP]
    for a in range(graph.arc_at[i], graph.arc_at[i + 1]):
        j = graph.arcs[a]
        reaches = at + graph.ways[i, j]
        if reaches > graph.span[j, 1]:
            continue
        heavier = load + graph.loads[j]
        if heavier > graph.settings[CAPACITY]:
            continue
        dearer = cost + graph.costs[i, j]
        reaches = opens_at(graph, j, reaches)
        rest = cheapest[j, reaches // step]
        if after[j, reaches // step] == i:
            rest = second[j, reaches // step]
        if dearer + rest >= below:
            continue
        remembers = 1
        if i < stops:
            r = graph.rank[i, j]
            if r < MEMORY and (mask >> r) & 1:
                continue
            remembers = graph.shift[i, j, mask] | 1
        if dominated(labels, j, reaches // width, reaches, dearer, heavier, remembers, 1 << 31):
            continue
        if not insert(graph, labels, j, reaches, dearer, heavier, remembers, parent, stops, below):
            return False
    return True


@entry
def clear(labels, buckets):
    """Forget everything."""
    state = labels.state
    state[MADE] = 0
    state[BUCKET] = -1
    state[WORKED] = 0
    state[BEST] = FAR
    state[ENDS] = 0
    state[BUCKETS] = buckets
    for j in range(labels.head.shape[0]):
        for b in range(buckets):
            labels.head[j, b] = -1
            labels.least[j, b] = FAR
            labels.low[j, b] = FAR


@entry
def extend(graph, labels, cheapest, second, after, below, patience):
    """Extend labels, bucket after bucket, where the whole route may cost less than ``below``.

    What the rest of the way costs at least comes from ``sweep``. It is cut after
    ``patience`` extensions, and goes on from there when it is called again.
    """
    state = labels.state
    stops = graph.first.shape[0] - 1
    if state[BUCKET] < 0:
        state[BUCKET] = 0
        leaves = graph.settings[LEAVES]
        if not follow(graph, labels, cheapest, second, after, stops + 1, leaves, 0, 0, 0, -1, below):
            return FULL
        for j in range(stops):
            labels.done[j] = -1
    buckets = state[BUCKETS]
    until = state[WORKED] + patience
    while state[BUCKET] < buckets:
        b = state[BUCKET]
        again = True
        while again:
            again = False
            for i in range(stops):
                now = labels.head[i, b]
                if labels.done[i] >= 0:
                    now = labels.following[labels.done[i]]
                while now >= 0:
                    again = True
                    labels.done[i] = now
                    if not dominated(
                        labels, i, b, labels.at[now], labels.cost[now], labels.load[now], labels.mask[now], now
                    ):
                        state[WORKED] += graph.arc_at[i + 1] - graph.arc_at[i]
                        if not follow(
                            graph, labels, cheapest, second, after, i, labels.at[now], labels.cost[now],
                            labels.load[now], labels.mask[now], now, below,
                        ):  # fmt: skip
                            return FULL
                    now = labels.following[now]
        for i in range(stops):
            labels.done[i] = -1
        state[BUCKET] += 1
        if state[WORKED] >= until and state[BUCKET] < buckets:
            return CUT
    return ENDED


@entry
def sweep(graph, cheapest, second, after):
    """By stop and step of time: what the rest of a way costs at least that begins there then, and not less long after.

    A way may come back to a stop, but not at once: ``second`` is the least cost of those that go on with another stop
    than ``after``. What begins within a step is taken to begin with it. Returns the least cost of a whole route.
    """
    step = graph.settings[STEP]
    home = graph.settings[HOME]
    stops = graph.first.shape[0] - 1
    for k in range(home // step, -1, -1):
        for i in range(stops):
            best = FAR
            other = FAR
            follows = -1
            at = max(k * step, graph.span[i, 0])
            if at <= graph.span[i, 1]:
                if at + graph.ways[i, stops] <= home:
                    best = graph.costs[i, stops]
                for a in range(graph.arc_at[i], graph.arc_at[i + 1]):
                    j = graph.arcs[a]
                    reaches = at + graph.ways[i, j]
                    if reaches > graph.span[j, 1]:
                        continue
                    reaches = opens_at(graph, j, reaches) // step
                    rest = cheapest[j, reaches]
                    if after[j, reaches] == i:
                        rest = second[j, reaches]
                    rest += graph.costs[i, j]
                    if rest < best:
                        other = best
                        best = rest
                        follows = j
                    elif rest < other:
                        other = rest
            cheapest[i, k] = min(best, FAR)
            second[i, k] = min(other, FAR)
            after[i, k] = follows
    least = FAR
    for a in range(graph.arc_at[stops + 1], graph.arc_at[stops + 2]):
        j = graph.arcs[a]
        reaches = graph.ways[stops + 1, j]
        if reaches <= graph.span[j, 1]:
            least = min(least, graph.costs[stops + 1, j] + cheapest[j, opens_at(graph, j, reaches) // step])
    return least
