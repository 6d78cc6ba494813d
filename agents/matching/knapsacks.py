"""Knapsacks of a generalised assignment problem: prices on the jobs give a stronger bound than any on the hours.

Every agent picks, for itself, the jobs that pay best within its room (best_set.py). What the picks leave undone or do
twice moves the prices. The bound is at least the linear relaxation's, and what a pair would add to it when it is forced
(by a table over whole hours) says which pairs cannot be in a better answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import numpy as np

from agents.matching.arrays import Flags, Floats, Ints
from agents.matching.best_set import PAYS, best_sets
from agents.matching.compiling import compiled

STALLED = 12  # steps without a better bound before they get shorter
SHORTER = 0.7
LEAST_STRETCH = 0.001
STEPS = 1_200
EXACT = 1e-9  # worth that is lost in rounding anyway
NEARLY = 0.02  # worth that does not matter on the way to the best prices


@compiled
def _fill(table: Floats, effort: Ints, gain: Floats, jobs: Ints, k: int, room: int, margin: int, ends: Ints) -> float:
    """Row q of the table: the best worth of the first q jobs in h hours, where h can matter at all.

    Too many hours are like all that the first q jobs could use (``ends[q]``); with fewer than what the later jobs leave
    over (and ``margin``) no full room is reached."""
    later = 0
    for q in range(k):
        later += effort[jobs[q]]
    most = min(room, later)
    table[0, 0] = 0.0
    ends[0] = 0
    used = 0
    for q in range(k):
        e = effort[jobs[q]]
        g = gain[jobs[q]]
        used += e
        later -= e
        last = min(most, used)
        first = max(0, most - margin - later)
        old = table[q]
        new = table[q + 1]
        full = old[ends[q]]
        for h in range(ends[q] + 1, last + 1):
            old[h] = full
        for h in range(first, min(e, last + 1)):
            new[h] = old[h]
        for h in range(max(e, first), last + 1):
            kept = old[h]
            taken = old[h - e] + g
            new[h] = taken if taken > kept else kept
        ends[q + 1] = last
    best: float = table[k, ends[k]]
    return best


@compiled
def _force(cost: Floats, effort: Ints, room: Ints, price: Floats, found: Floats) -> None:
    """What the bound grows by when an agent is made to take a job, for every pair; infinite where it cannot."""
    m, n = cost.shape
    jobs, ends, gain = np.empty(n, np.int64), np.empty(n + 1, np.int64), np.empty(n)
    table, back = np.empty((n + 1, room.max() + 1)), np.empty((2, room.max() + 1))
    for i in range(m):
        r = room[i]
        k = 0
        margin = 0
        for j in range(n):
            gain[j] = price[j] - cost[i, j]
            found[i, j] = np.inf
            if effort[i, j] <= r:
                margin = max(margin, effort[i, j])
                if gain[j] > PAYS:
                    jobs[k] = j
                    k += 1
        best = _fill(table, effort[i], gain, jobs, k, r, margin, ends)
        for j in range(n):
            if gain[j] <= PAYS and effort[i, j] <= r:
                found[i, j] = best - table[k, min(r - effort[i, j], ends[k])] - gain[j]
        # Backwards: the best of the jobs after q in h hours, beside the best of those before it.
        back[0, 0] = 0.0
        after = 0
        here = 0
        for q in range(k - 1, -1, -1):
            j = jobs[q]
            e = effort[i, j]
            left = r - e
            top = -np.inf
            for h in range(max(0, left - after), min(left, ends[q]) + 1):
                both = table[q, h] + back[here, left - h]
                if both > top:
                    top = both
            if top == -np.inf:  # all the others fit beside it
                top = table[q, min(left, ends[q])] + back[here, after]
            found[i, j] = best - top - gain[j]
            full = back[here, after]
            last = min(r, after + e)
            for h in range(after + 1, last + 1):
                back[here, h] = full
            for h in range(min(e, last + 1)):
                back[1 - here, h] = back[here, h]
            for h in range(e, last + 1):
                kept = back[here, h]
                taken = back[here, h - e] + gain[j]
                back[1 - here, h] = taken if taken > kept else kept
            after = last
            here = 1 - here


@dataclass(frozen=True, slots=True)
class Priced:
    """The best bound found, and the prices of the jobs that give it."""

    bound: float
    price: Floats


class Knapsacks:
    """The picking problem of every agent, for any prices of the jobs."""

    def __init__(self, cost: Ints, effort: Ints, room: Ints) -> None:
        self.cost = np.ascontiguousarray(cost, dtype=np.float64)
        self.effort = np.ascontiguousarray(effort, dtype=np.int64)
        self.room = np.ascontiguousarray(room, dtype=np.int64)
        self.m, self.n = cost.shape

    def pick(self, price: Floats, waived: float = EXACT) -> tuple[float, Flags]:
        """What all picks are worth together, and the picks: only what pays more than it costs is picked.

        With ``waived`` they may be worth so much less than the best."""
        picked = np.empty((self.m, self.n), dtype=np.bool_)
        worth = best_sets(self.cost, self.effort, self.room, price, waived / max(1, self.m), picked)
        return float(worth), picked

    def bound(self, price: Floats) -> tuple[float, Flags]:
        """What no answer can cost less than, with the picks that say so."""
        worth, picked = self.pick(price)
        return float(price.sum()) - worth, picked

    def nearly(self, price: Floats, waived: float) -> tuple[float, Flags]:
        """At most ``waived`` above ``bound()``, and much quicker where many jobs pay alike; with the picks."""
        worth, picked = self.pick(price, waived)
        return float(price.sum()) - worth, picked

    def forced(self, price: Floats) -> Floats:
        """The bound once more for every pair, with the agent made to take the job."""
        bound, _ = self.bound(price)
        more = np.empty((self.m, self.n))
        _force(self.cost, self.effort, self.room, price, more)
        return bound + more


def job_prices(sacks: Knapsacks, start: Floats, upper: float, *, ends_at: float, steps: int = STEPS) -> Priced:
    """Subgradient ascent from ``start``; ``upper`` is the cost of an answer. Stops when the steps have become short."""
    price = start.copy()
    best, best_price = -np.inf, price
    direction = np.zeros(sacks.n)
    stretch, stalled = 1.0, 0
    for _ in range(steps):
        value, picked = sacks.nearly(price, NEARLY)
        if value > best + 1e-6:
            best, best_price, stalled = value, price.copy(), 0
        else:
            stalled += 1
            if stalled >= STALLED:
                stretch, stalled, price = stretch * SHORTER, 0, best_price.copy()
                direction[:] = 0.0
                value, picked = sacks.nearly(price, NEARLY)
        lacking = 1.0 - picked.sum(axis=0)
        direction = lacking + 0.3 * direction
        square = float(direction @ direction)
        if square == 0.0 or stretch < LEAST_STRETCH or monotonic() > ends_at or upper - best < 1.0 - 1e-6:
            break
        price = price + stretch * max(upper - value, 0.5) / square * direction
    return Priced(sacks.bound(best_price)[0], best_price)
