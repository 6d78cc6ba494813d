"""The prover: in the child process, it raises a bound and recombines the pool's routes whenever a pool comes in."""

# ruff: noqa: F403, F405 - the names of columns are the core's vocabulary
from __future__ import annotations

import queue
from collections.abc import Callable

import numpy as np

from routing.model.problem import Primary, Problem
from routing.search.proof.bounding import Bounding
from routing.search.proof.graphs import UNIT
from routing.search.proof.messages import BoundRaised, NoBoundBecause, PoolRows, ProofRequest, Recombined
from routing.search.proof.recombine import MOST_ROUTES, recombined
from routing.search.proof.relaxation import Relaxation, relaxed
from routing.search.sisr.layout import *

SHARE_RECOMBINING, LONGEST_RECOMBINING_S = 0.1, 10.0
"""Of the limit, for one recombination."""


class Prover:
    """One problem's proof and recombinations."""

    def __init__(
        self,
        problem: Problem,
        request: ProofRequest,
        incoming: queue.SimpleQueue[PoolRows | None],
        tell: Callable[[object], None],
    ) -> None:
        self.problem, self.request, self.incoming, self.tell = problem, request, incoming, tell
        self.told, self.pools = -1, 0
        self.full_cost: dict[int, tuple[float, tuple[int, ...]]] = {}
        """By column of the search's own: what it costs by every rule, and in which order of stops."""

    def run(self) -> None:
        """Until nothing is left to be gained, or the process ends."""
        relaxation = relaxed(self.problem)
        if not isinstance(relaxation, Relaxation):
            self.tell(NoBoundBecause(relaxation))
            return
        self.relaxation = relaxation
        self.kind_of = relaxation.kind_of
        pool = self.incoming.get()
        if pool is None:
            return
        self.bounding = Bounding(relaxation, pool.cost % FEWER_FIRST)
        while pool is not None:
            self._learn(pool)
            if len(self.full_cost) and self.pools:
                self._recombine(pool)
            self.pools += 1
            pool = self._prove_until_the_next()

    def _prove_until_the_next(self) -> PoolRows | None:
        going_on = self.request.proves
        while going_on:
            going_on = self.bounding.step()
            bound = self.relaxation.whole_bound(self.bounding.bound)
            if bound > self.told:
                self.told = bound
                self.tell(BoundRaised(bound, self.bounding.bound + self.relaxation.idle))
            try:
                return self.incoming.get_nowait()
            except queue.Empty:
                continue
        return self.incoming.get()

    def _learn(self, pool: PoolRows) -> None:
        """The pool's routes become columns; what they cost by every rule is remembered for recombining."""
        self.bounding.take_in(pool)
        for v, cost, line in pool.routes:
            number = self.bounding.columns.number(self.kind_of[v], line)
            full = float(cost % FEWER_FIRST) - self.relaxation.kinds[self.kind_of[v]].idle / UNIT
            if full < self.full_cost.get(number, (np.inf, ()))[0]:
                self.full_cost[number] = full, line

    def _recombine(self, pool: PoolRows) -> None:
        """Tell of a set of routes that costs less than the plan so far, where there is one among those that are
        worth looking at."""
        bounding = self.bounding
        answer = bounding.optimum()
        if answer is None:
            return
        begin = [bounding.columns.number(self.kind_of[v], line) for v, line in enumerate(pool.best) if line]
        reduced = bounding.columns.reduced(answer.worth, answer.by_kind)
        worth_looking = sorted(self.full_cost, key=lambda number: reduced[number])[:MOST_ROUTES]
        fleet_first = self.problem.objective.primary is Primary.VEHICLES
        chosen = recombined(
            bounding.columns,
            {number: self.full_cost[number][0] for number in dict.fromkeys([*worth_looking, *begin])},
            prices=self.relaxation.prices,
            limits=bounding.limits,
            most=len(begin) if fleet_first else sum(bounding.limits),
            begin=begin,
            limit_s=min(LONGEST_RECOMBINING_S, SHARE_RECOMBINING * self.request.limit_s),
        )
        if chosen is not None and set(chosen) != set(begin):
            self.tell(Recombined(self._lines(chosen)))

    def _lines(self, chosen: list[int]) -> list[list[int]]:
        """Each route to a vehicle of its kind; a stop that is in two of them stays in the first."""
        lines: list[list[int]] = [[] for _ in self.relaxation.model.V]
        free = [list(kind.vehicles) for kind in self.relaxation.kinds]
        held: set[int] = set()
        for number in chosen:
            line = [stop for stop in self.full_cost[number][1] if stop not in held]
            held.update(line)
            lines[free[self.bounding.columns.kinds[number]].pop(0)] = line
        return lines
