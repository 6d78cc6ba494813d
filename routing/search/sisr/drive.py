"""Driving a search through its phases: a first solution, fewer vehicles where they come first, then cost."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from routing.search.pace import Pace, SolveProgress
from routing.search.sisr.layout import *
from routing.search.sisr.savings import joined
from routing.search.sisr.search import Lines, Search

CHUNK_S = 0.04
COUNTED_CHUNK = 500
"""Iterations between two looks at the clock when iterations are what is counted: always as many, so that runs agree."""
COOLS_TO, COOLS_TO_PAIRED = 0.01, 0.05
"""The last temperature over the first. Pairs are as good as frozen at the second: colder time is lost to them."""
FLEET_SHARE = 0.5
"""Of the pace, for taking routes away, at most; all of it up to ``LARGE`` stops, where a late success is common."""
FLEET_SHARE_LARGE, LARGE = 0.12, 600
"""Beyond so many stops this share does, or so many times what it took to the last success: ways need the time more."""
FLEET_PATIENCE = 1.5
LONG_ROUTE, HOTTEST = 7.0, 30.0
"""Beyond ``LARGE`` stops too, long routes of pairs part in great heat only: the start is hotter by the square of the
stops a route over the first, and at most so many times."""
VERY_LONG_ROUTE, ROOMY, HOTTEST_SMALL = 30.0, 10.0, 10.0
"""Up to ``LARGE`` stops the same, at most so many times, where a route has so many stops and a vehicle holds so many
average loads at once: where it holds few the ways are bound to their order already, and great heat gains nothing."""
FLEET_COOLS_TO = 0.01
BETWEEN_REPORTS_S = 0.2
MEETINGS = 10
"""How often searches that work together go on from the best."""


class Drive:
    """A search, its pace, and who is told."""

    def __init__(
        self,
        search: Search,
        pace: Pace,
        *,
        fleet_first: bool,
        on_progress: Callable[[SolveProgress], None] | None = None,
        heat: float = 1.0,
        meet: Callable[[], None] | None = None,
        beside: Callable[[], None] | None = None,
    ) -> None:
        """``meet`` is called a few times on the way, ``beside`` between any two steps of annealing."""
        self.meet, self.beside = meet, beside
        self.hot, self.cold_start = search.model.hot * heat, heat >= 1.0
        self.search, self.pace, self.fleet_first, self.on_progress = search, pace, fleet_first, on_progress
        self.rate = 2000.0
        self.reported = 0.0

    def first(self) -> None:
        """Routes joined where that saves most, then one iteration that puts in greedily what is absent."""
        search = self.search
        S = search.model.S
        if S[NEARBY] and not S[PAIRS] and not self.fleet_first and not search.core.S[ACTIVE]:
            search.begin(joined(search.model))
        self._run(1, 1.0, 1.0)

    def improve(self) -> None:
        """Use up the pace."""
        begins = self.pace.share
        if self.fleet_first:
            begins = self._fewer_vehicles()
        self._anneal(begins, 1.0)

    def _anneal(self, begins: float, ends: float) -> None:
        hot, cools_to = self._heat()
        meets = [begins + (ends - begins) * at / MEETINGS for at in range(MEETINGS)] if self.meet else []
        while not self.pace.over and (share := self.pace.share) < ends:
            if self.meet and meets and share >= meets[0]:
                meets = [each for each in meets if each > share]
                self.meet()
            if self.beside:
                self.beside()
            step = self._chunk(ends)
            at = (share - begins) / max(1e-9, ends - begins)
            to = min(1.0, (share + self._share_of(step) - begins) / max(1e-9, ends - begins))
            self._run(step, hot * cools_to**at, hot * cools_to ** max(to, at))

    def _heat(self) -> tuple[float, float]:
        """The first temperature of annealing, and the last over it."""
        model = self.search.model
        if not model.S[PAIRS]:
            return self.hot, COOLS_TO
        hotter = 1.0
        if self.cold_start:
            a_route = model.stops / max(1, int(self.search.core.S[BEST_USED]))
            hotter = min(self._hottest(a_route), max(1.0, (a_route / LONG_ROUTE) ** 2))
        return self.hot * hotter, COOLS_TO_PAIRED / hotter

    def _hottest(self, a_route: float) -> float:
        model = self.search.model
        if model.stops > LARGE:
            return HOTTEST
        if not model.S[NEARBY] or a_route < VERY_LONG_ROUTE:
            return 1.0
        average = float(np.abs(model.N[: model.stops, CHANGE]).mean())
        holds = int(model.V[:, CAPACITY].max()) / max(1.0, average)
        return HOTTEST_SMALL if holds >= ROOMY else 1.0

    def _fewer_vehicles(self) -> float:
        """Take routes away while the rest can be made to hold everything. Returns the share of the pace used."""
        search, pace = self.search, self.pace
        S = search.core.S
        hot = self.hot
        until = FLEET_SHARE if search.model.stops <= LARGE else FLEET_SHARE_LARGE
        S[ABSENCE_RULE] = 1
        complete: Lines | None = None
        fewest = self._fewest()
        while not pace.over and pace.share < until:
            if search.complete:
                complete = search.best()
                if S[BEST_USED] <= fewest:
                    break
                until = min(FLEET_SHARE, max(until, FLEET_PATIENCE * pace.share))
                search.begin(self._without_a_route(complete))
                S[LIMIT] = S[USED]
                self._run(1, hot, hot)
                continue
            heat = hot * FLEET_COOLS_TO ** (pace.share / until)
            self._run(self._chunk(until), heat, heat)
        S[ABSENCE_RULE] = 0
        if search.complete:
            complete = search.best()
        if complete is not None:
            search.begin(complete)
            S[LIMIT] = S[USED]
        else:
            S[LIMIT] = len(search.model.V)
        return pace.share

    def _fewest(self) -> int:
        """No fewer vehicles without a prefix can carry the loads that begin or end at the depot."""
        N, V = self.search.model.N, self.search.model.V
        free = V[:, RUNNING] == 0
        if not free.any() or not free.all():
            return 1
        out = int(N[:, FROM_DEPOT].sum())
        back = int(np.maximum(0, N[:, FROM_DEPOT] + N[:, CHANGE])[N[:, MATE] < 0].sum())
        largest = max(1, int(V[:, CAPACITY].max()))
        return max(1, -(-max(out, back) // largest))

    def _without_a_route(self, lines: Lines) -> Lines:
        """Without the route whose requests were absent least often: the easiest to place elsewhere."""
        model, absences = self.search.model, self.search.core.Q[:, ABSENCES]
        used = [r for r, line in enumerate(lines) if line and model.V[r, RUNNING] == 0]
        easiest = min(used, key=lambda r: (int(absences[np.unique(model.N[lines[r], REQUEST])].sum()), r))
        return [[] if r == easiest else line for r, line in enumerate(lines)]

    def _chunk(self, ends: float) -> int:
        pace = self.pace
        if pace.max_iterations is not None:
            return max(1, min(COUNTED_CHUNK, pace.max_iterations - pace.iterations))
        left_s = max(0.0, ends * (pace.limit_s - pace.reserve_s) - pace.elapsed_s)
        return max(1, int(self.rate * min(CHUNK_S, left_s)))

    def _share_of(self, iterations: int) -> float:
        pace = self.pace
        if pace.max_iterations is not None:
            return iterations / max(1, pace.max_iterations)
        return iterations / self.rate / max(1e-9, pace.limit_s - pace.reserve_s)

    def _run(self, iterations: int, hot: float, cool: float) -> None:
        began = time.perf_counter()
        done = self.search.run(iterations, hot, cool)
        seconds = time.perf_counter() - began
        self.pace.iterations += done
        if iterations > 1:
            self.rate = 0.7 * self.rate + 0.3 * done / max(seconds, 1e-6)
        if self.on_progress is not None and began - self.reported > BETWEEN_REPORTS_S:
            self.reported = began
            self._report(self.on_progress)

    def _report(self, tell: Callable[[SolveProgress], None]) -> None:
        S = self.search.core.S
        cost = int(S[BEST_COST])
        if self.fleet_first:
            cost %= FEWER_FIRST
        unserved = len(self.search.model.Q) - len(
            {int(self.search.model.N[node, REQUEST]) for line in self.search.best() for node in line}
        )
        pace = self.pace
        tell(
            SolveProgress(
                pace.share, pace.elapsed_s, pace.iterations, cost * int(S[SCALE]), int(S[BEST_USED]), unserved
            )
        )
