"""The generalised assignment problem: its nouns, and the price of an hour of each agent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.matching.arrays import Floats, Ints
from agents.matching.model import MatchingError

PRICE_STEPS = 700


@dataclass(frozen=True, slots=True)
class Gap:
    """Agent i does job j at ``cost[i, j]`` and spends ``effort[i, j]`` of its ``room[i]``."""

    cost: Ints
    effort: Ints
    room: Ints

    def __post_init__(self) -> None:
        if self.cost.shape != self.effort.shape or self.room.shape != self.cost.shape[:1]:
            raise MatchingError("bad_shape", f"costs are {self.cost.shape}, efforts {self.effort.shape}, "
                                f"rooms {self.room.shape}")  # fmt: skip
        if (short := np.flatnonzero(self.room < 0)).size:
            raise MatchingError("negative_capacity", f"agent {short[0]} has room {self.room[short[0]]}",
                                agent=int(short[0]), capacity=int(self.room[short[0]]))  # fmt: skip
        if (self.effort < 0).any():
            i, j = np.argwhere(self.effort < 0)[0]
            raise MatchingError("negative_effort", f"job {j} gives back effort at agent {i}", agent=int(i), job=int(j))


@dataclass(frozen=True, slots=True)
class GapAnswer:
    """The agent of each job, the cost, and a lower bound on any cost; ``agent`` is None when none was found."""

    agent: Ints | None
    cost: int | None
    bound: int
    proven: bool

    @property
    def gap(self) -> float | None:
        """How far above the bound the answer is, as a share of the bound."""
        if self.cost is None:
            return None
        return (self.cost - self.bound) / max(1, abs(self.bound))


def hour_prices(gap: Gap) -> tuple[float, Floats]:
    """A lower bound and what an hour of each agent is worth, by subgradient ascent; the bound is close to the LP's."""
    m, n = gap.cost.shape
    jobs = np.arange(n)
    cost, effort = gap.cost.astype(np.float64), gap.effort.astype(np.float64)
    price = np.zeros(m)
    best, best_price = -np.inf, price
    stretch, stalled = 0.04, 0
    for _ in range(PRICE_STEPS):
        reduced = cost + price[:, None] * effort
        at = reduced.argmin(axis=0)
        value = float(reduced[at, jobs].sum() - price @ gap.room)
        over = np.bincount(at, weights=effort[at, jobs], minlength=m) - gap.room
        if value > best + 1e-9 * max(1.0, abs(best)) or best == -np.inf:
            best, best_price, stalled = value, price.copy(), 0
        else:
            stalled += 1
            if stalled >= 15:
                stretch, stalled, price = stretch * 0.7, 0, best_price.copy()
        square = float(over @ over)
        if square == 0.0:
            break
        price = np.maximum(0.0, price + stretch * max(abs(best), 1.0) / square * over)
    return best, best_price
