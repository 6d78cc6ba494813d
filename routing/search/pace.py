"""Pace: how much of a solve's time or iterations is used, and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SolveProgress:
    """How a solve stands; what a page shows while it waits."""

    share: float
    """Of the time or the iterations, 0 to 1."""
    seconds: float
    iterations: int
    cost: int
    """Of the terms of the best plan so far, without what is unserved."""
    vehicles: int
    unserved: int


@dataclass(slots=True)
class Pace:
    """One solve's budget. With ``max_iterations`` its share follows iterations, so that a run repeats bit for bit."""

    limit_s: float
    max_iterations: int | None = None
    should_stop: Callable[[], bool] | None = None
    reserve_s: float = 0.0
    """Kept back for turning the result into a checked plan."""
    iterations: int = 0
    started: float = field(default_factory=time.perf_counter)
    stopped: bool = False

    @property
    def elapsed_s(self) -> float:
        """Seconds since the solve began."""
        return time.perf_counter() - self.started

    @property
    def share(self) -> float:
        """How much of the time or of the iterations is used, from 0 to 1."""
        by_time = self.elapsed_s / max(1e-9, self.limit_s - self.reserve_s)
        if self.max_iterations is None:
            return min(1.0, by_time)
        return min(1.0, self.iterations / max(1, self.max_iterations))

    @property
    def over(self) -> bool:
        """Whether to stop: the time or the iterations are used up, or ``should_stop`` says so."""
        if self.should_stop is not None and self.should_stop():
            self.stopped = True
        if self.max_iterations is not None and self.iterations >= self.max_iterations:
            return True
        return self.stopped or self.elapsed_s >= self.limit_s - self.reserve_s
