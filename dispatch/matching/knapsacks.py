"""Knapsacks of a generalised assignment problem: prices on the jobs give a stronger bound than any on the hours.

Every agent picks, for itself, the jobs that pay best within its room (exactly, by dynamic programming over whole
hours). What the picks leave undone or do twice moves the prices. The bound is at least the linear relaxation's, and
what a pair would add to it when it is forced says which pairs cannot be in a better answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Function = TypeVar("Function", bound=Callable[..., Any])

STALLED = 12  # steps without a better bound before they get shorter
SHORTER = 0.7
LEAST_STRETCH = 0.001
STEPS = 1_200
PAYS = 1e-12  # less is no gain
HALVINGS = 16  # of the span in which an agent's price of an hour lies


def compiled(function: Function) -> Function:
    """Compiled by numba when it is first called, and kept for the next process where some folder can be written."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # neither the folder of this file nor the account's own takes a file
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


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
def _settle(effort: Ints, gain: Floats, jobs: Ints, k: int, room: int, taken: Flags) -> tuple[int, int, float]:
    """Takes the jobs that every best set has, keeps in ``jobs`` those that are open: how many, their room, the worth.

    With a price of an hour at which what still pays just fits, a set that forgoes more than the bound is above a known
    set cannot be a best one: that settles all jobs but those that pay about that price."""
    load = 0
    top = 0.0
    for q in range(k):
        load += effort[jobs[q]]
        top = max(top, gain[jobs[q]])
    low, price = 0.0, top + 1.0
    if load <= room:
        price = 0.0
    else:
        for _ in range(HALVINGS):
            middle = (low + price) / 2
            load = 0
            for q in range(k):
                if gain[jobs[q]] - middle * effort[jobs[q]] > 0.0:
                    load += effort[jobs[q]]
            if load <= room:
                price = middle
            else:
                low = middle
    known, bound, rest = 0.0, price * room, room
    for q in range(k):
        e, g = effort[jobs[q]], gain[jobs[q]]
        if g - price * e > 0.0:
            known += g
            bound += g - price * e
            rest -= e
    least, forgoes = 0.0, price / 4  # by one more job, beside the price of its hours
    while rest > 0 and forgoes < 64 * price:
        for q in range(k):
            e, g = effort[jobs[q]], gain[jobs[q]]
            lost = price * e - g
            if e <= rest and least <= lost < forgoes:
                known += g
                rest -= e
        least, forgoes = forgoes, 2.0 * forgoes
    apart = bound - known + 1e-9 * (1.0 + abs(bound))
    count, worth = 0, 0.0
    for q in range(k):
        j = jobs[q]
        pays = gain[j] - price * effort[j]
        if pays > apart:
            taken[j] = True
            worth += gain[j]
            room -= effort[j]
        elif pays >= -apart:
            jobs[count] = j
            count += 1
    return count, room, worth


@compiled
def _pick(
    cost: Floats,
    effort: Ints,
    room: Ints,
    price: Floats,
    table: Floats,
    jobs: Ints,
    ends: Ints,
    gain: Floats,
    picked: Flags,
) -> float:
    """The best set of every agent for itself, and what all sets are worth."""
    m, n = cost.shape
    worth = 0.0
    for i in range(m):
        wanted = 0
        for j in range(n):
            picked[i, j] = False
            gain[j] = price[j] - cost[i, j]
            if gain[j] > PAYS and effort[i, j] <= room[i]:
                jobs[wanted] = j
                wanted += 1
        k, left, sure = _settle(effort[i], gain, jobs, wanted, room[i], picked[i])
        worth += sure + _fill(table, effort[i], gain, jobs, k, left, 0, ends)
        h = ends[k]
        for q in range(k - 1, -1, -1):
            if table[q + 1, h] != table[q, h]:
                picked[i, jobs[q]] = True
                h -= effort[i, jobs[q]]
            h = min(h, ends[q])
    return worth


@compiled
def _force(
    cost: Floats,
    effort: Ints,
    room: Ints,
    price: Floats,
    table: Floats,
    jobs: Ints,
    ends: Ints,
    gain: Floats,
    back: Floats,
    found: Floats,
) -> None:
    """What the bound grows by when an agent is made to take a job, for every pair; infinite where it cannot."""
    m, n = cost.shape
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
        self.most = int(room.max(initial=0))
        self._table = np.empty((self.n + 1, self.most + 1))
        self._jobs, self._ends = np.empty(self.n, dtype=np.int64), np.empty(self.n + 1, dtype=np.int64)
        self._gain = np.empty(self.n)

    def pick(self, price: Floats) -> tuple[float, Flags]:
        """What all picks are worth together, and the picks: only what pays more than it costs is picked."""
        picked = np.empty((self.m, self.n), dtype=np.bool_)
        worth = _pick(self.cost, self.effort, self.room, price, self._table, self._jobs, self._ends, self._gain, picked)
        return float(worth), picked

    def bound(self, price: Floats) -> tuple[float, Flags]:
        """What no answer can cost less than, with the picks that say so."""
        worth, picked = self.pick(price)
        return float(price.sum()) - worth, picked

    def forced(self, price: Floats) -> Floats:
        """The bound once more for every pair, with the agent made to take the job."""
        bound, _ = self.bound(price)
        more, back = np.empty((self.m, self.n)), np.empty((2, self.most + 1))
        _force(self.cost, self.effort, self.room, price, self._table, self._jobs, self._ends, self._gain, back, more)
        return bound + more


def job_prices(sacks: Knapsacks, start: Floats, upper: float, *, ends_at: float, steps: int = STEPS) -> Priced:
    """Subgradient ascent from ``start``; ``upper`` is the cost of an answer. Stops when the steps have become short."""
    price = start.copy()
    best, best_price = -np.inf, price
    direction = np.zeros(sacks.n)
    stretch, stalled = 1.0, 0
    for _ in range(steps):
        value, picked = sacks.bound(price)
        if value > best + 1e-6:
            best, best_price, stalled = value, price.copy(), 0
        else:
            stalled += 1
            if stalled >= STALLED:
                stretch, stalled, price = stretch * SHORTER, 0, best_price.copy()
                direction[:] = 0.0
                value, picked = sacks.bound(price)
        lacking = 1.0 - picked.sum(axis=0)
        direction = lacking + 0.3 * direction
        square = float(direction @ direction)
        if square == 0.0 or stretch < LEAST_STRETCH or monotonic() > ends_at or upper - best < 1.0 - 1e-6:
            break
        price = price + stretch * max(upper - value, 0.5) / square * direction
    return Priced(best, best_price)
