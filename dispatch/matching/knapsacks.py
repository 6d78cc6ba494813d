"""Knapsacks of a generalised assignment problem: prices on the jobs give a stronger bound than any on the hours.

Every agent picks, for itself, the jobs that pay best within its room (exactly, by dynamic programming over whole hours,
all agents at once). What the picks leave undone or do twice moves the prices. The bound is at least the linear
relaxation's, and what a pair would add to it when it is forced says which pairs cannot be in a better answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

STALLED = 12  # steps without a better bound before they get shorter
SHORTER = 0.6
LEAST_STRETCH = 0.004


@dataclass(frozen=True, slots=True)
class Priced:
    """The best bound found, and the prices of the jobs that give it."""

    bound: float
    price: Floats


class Knapsacks:
    """The picking problem of every agent, for any prices of the jobs."""

    def __init__(self, cost: Ints, effort: Ints, room: Ints) -> None:
        self.cost, self.effort, self.room = cost.astype(np.float64), effort, room
        self.m, self.n = cost.shape
        self.most = int(room.max(initial=0))
        self.hours = np.arange(self.most + 1)[None, :]

    def pick(self, price: Floats) -> tuple[float, Flags]:
        """What all picks are worth together, and the picks: only what pays more than it costs is picked."""
        gain = price[None, :] - self.cost
        gain[self.effort > self.room[:, None]] = 0.0
        jobs = np.flatnonzero((gain > 1e-12).any(axis=0))
        value = np.zeros((self.m, self.most + 1))
        taken = np.zeros((len(jobs), self.m, self.most + 1), dtype=bool)
        for k, j in enumerate(jobs.tolist()):
            self._take(value, gain[:, j], j, taken[k])
        here = self.room.copy()
        picked = np.zeros((self.m, self.n), dtype=bool)
        agents = np.arange(self.m)
        for k in range(len(jobs) - 1, -1, -1):
            on = taken[k, agents, here]
            picked[on, jobs[k]] = True
            here[on] -= self.effort[on, jobs[k]]
        return float(value[agents, self.room].sum()), picked

    def _take(self, value: Floats, gain: Floats, j: int, taken: Flags) -> None:
        """One more job may be picked: the best value for every room, and where it is picked."""
        effort = self.effort[:, j]
        wanting = np.flatnonzero(gain > 1e-12)
        if not len(wanting):
            return
        source = self.hours - effort[wanting, None]
        fits = source >= 0
        np.maximum(source, 0, out=source)
        offer = value[wanting[:, None], source] + gain[wanting, None]
        better = fits & (offer > value[wanting])
        taken[wanting] = better
        value[wanting] = np.where(better, offer, value[wanting])

    def bound(self, price: Floats) -> tuple[float, Flags]:
        """What no answer can cost less than, with the picks that say so."""
        worth, picked = self.pick(price)
        return float(price.sum()) - worth, picked

    def forced(self, price: Floats) -> Floats:
        """The bound once more for every pair, with the agent made to take the job."""
        gain = np.maximum(price[None, :] - self.cost, 0.0)
        gain[self.effort > self.room[:, None]] = 0.0
        real = price[None, :] - self.cost
        before = np.zeros((self.n + 1, self.m, self.most + 1))
        for j in range(self.n):
            before[j + 1] = before[j]
            self._better(before[j + 1], gain[:, j], j)
        after = np.zeros((self.m, self.most + 1))
        best = before[self.n, np.arange(self.m), self.room]
        found = np.full((self.m, self.n), np.inf)
        total = float(price.sum()) - float(best.sum())
        for j in range(self.n - 1, -1, -1):
            left = self.room - self.effort[:, j]
            able = np.flatnonzero(left >= 0)
            if len(able):
                # One part of what is left goes to the jobs before, the rest to those after.
                other = left[able, None] - self.hours
                inside = other >= 0
                np.maximum(other, 0, out=other)
                both = np.where(inside, before[j][able] + after[able[:, None], other], -np.inf).max(axis=1)
                found[able, j] = total + best[able] - (both + real[able, j])
            self._better(after, gain[:, j], j)
        return found

    def _better(self, value: Floats, gain: Floats, j: int) -> None:
        wanting = np.flatnonzero(gain > 1e-12)
        if len(wanting):
            source = self.hours - self.effort[wanting, j][:, None]
            offer = np.where(source >= 0, value[wanting[:, None], np.maximum(source, 0)] + gain[wanting, None], 0.0)
            value[wanting] = np.maximum(value[wanting], offer)


def job_prices(sacks: Knapsacks, start: Floats, upper: float, *, ends_at: float, steps: int = 400) -> Priced:
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
