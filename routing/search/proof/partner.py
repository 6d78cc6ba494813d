"""The search's partner: a child process that recombines its routes and proves how good a plan can be at all."""

# ruff: noqa: F403, F405 - the names of columns are the core's vocabulary
from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from routing.model.plan import NoBound, Plan
from routing.model.problem import Primary, Problem
from routing.search.child import PROVER, Colleague
from routing.search.pace import Pace
from routing.search.proof.messages import BoundRaised, NoBoundBecause, PoolRows, ProofRequest, Recombined
from routing.search.sisr import compiled
from routing.search.sisr.layout import *
from routing.search.sisr.search import Lines, Search

log = logging.getLogger(__name__)

SHORTEST_LIMIT_S = 5.0
"""Below, the child process has hardly loaded OR-Tools when the time is up."""
POOLS_AT = (0.1, 0.4, 0.7)
"""Shares of the pace at which the pool goes to the partner, the first of them after a second at most."""


def why_alone(problem: Problem, pace: Pace) -> NoBound | None:
    """Why a search works alone; None where it has a partner."""
    if pace.max_iterations is not None:
        return NoBound.COUNTED
    if pace.limit_s < SHORTEST_LIMIT_S:
        return NoBound.SHORT
    if not problem.vehicles or not problem.requests:
        return NoBound.NOTHING
    return None if compiled.FOLDER is not None else NoBound.NOT_COMPILED


@contextmanager
def working_beside(problem: Problem, search: Search, pace: Pace, alone: NoBound | None) -> Iterator[Partner | Alone]:
    """A search's partner while it searches, or nobody and why."""
    if alone is not None:
        yield Alone(alone)
        return
    partner = Partner(problem, search, pace)
    try:
        yield partner
    finally:
        partner.end()


@dataclass(frozen=True, slots=True)
class Alone:
    """Nobody works beside the search."""

    why: NoBound

    def meet(self) -> None:
        """There is nobody to hear."""

    def sign(self, plan: Plan) -> Plan:
        """The plan with why it has no bound."""
        return replace(plan, no_bound=self.why)


class Partner:
    """One search's partner. It costs the search what copying the pool takes."""

    def __init__(self, problem: Problem, search: Search, pace: Pace, command: Sequence[str] = PROVER) -> None:
        self.search, self.pace = search, pace
        proves = problem.objective.primary is Primary.DISTANCE
        self.why: NoBound = NoBound.UNHEARD if proves else NoBound.VEHICLES_FIRST
        self.bound: int | None = None
        self.due = [min(POOLS_AT[0], 1.0 / pace.limit_s), *POOLS_AT[1:]]
        self.colleague = Colleague((problem, ProofRequest(pace.limit_s, proves)), command)

    def meet(self) -> None:
        """Between two steps of the search: hear what there is, and go on from a better set of routes."""
        for said in self.colleague.heard():
            self.heed(said)
        if self.due and self.pace.share >= self.due[0]:
            self.due = [share for share in self.due if share > self.pace.share]
            self.colleague.tell(pool_rows(self.search))

    def end(self) -> None:
        """The last words; then the child process is ended."""
        for said in self.colleague.heard():
            if not isinstance(said, Recombined):
                self.heed(said)
        if self.colleague.exit_code not in (None, 0):
            log.error("the process that proves ended with %s", self.colleague.exit_code)
        self.colleague.end()

    def sign(self, plan: Plan) -> Plan:
        """The plan with its bound, or why it has none. A bound above the plan is a fault, and is not stated."""
        if not plan.feasible:
            return replace(plan, no_bound=NoBound.UNSERVED_MUST)
        if self.bound is None:
            return replace(plan, no_bound=self.why)
        if self.bound > plan.cost.total:
            log.error("the bound %s is above the cost %s of a plan: it is not stated", self.bound, plan.cost.total)
            return replace(plan, no_bound=NoBound.UNHEARD)
        return replace(plan, bound=self.bound, no_bound=None)

    def heed(self, said: object) -> None:
        """Take in what the child process says. A plan that is proved the best there is ends the search."""
        if isinstance(said, BoundRaised):
            self.bound = said.bound
            S = self.search.core.S
            best_there_is = S[BEST_PENALTY] == 0 and S[BEST_COST] <= said.core_bound
            self.pace.stopped |= bool(best_there_is) and S[SCALE] == 1 and not len(self.search.hopeless)
        elif isinstance(said, NoBoundBecause):
            self.why = said.reason
        elif isinstance(said, Recombined):
            self._take(said)

    def _take(self, recombined: Recombined) -> None:
        """Go on from the routes where they are better than the best so far."""
        search = self.search
        best, rank = search.best(), search.rank
        search.begin([line if search.stands(v, line) else [] for v, line in enumerate(recombined.lines)])
        if search.rank >= rank:
            search.begin(best)
        else:
            log.info("recombined: %s is better than %s", search.rank, rank)


def pool_rows(search: Search) -> PoolRows:
    """What a search knows, for its partner."""
    core, best = search.core, search.best()
    kept = core.pooled[:, POOLED_LENGTH] > 0
    rows = core.pooled[kept]
    return PoolRows(
        best, int(core.S[BEST_COST]), _costs(search, best),
        rows[:, POOLED_BY], rows[:, POOLED_COST], rows[:, POOLED_LENGTH], core.pooled_stops[kept],
    )  # fmt: skip


def _costs(search: Search, best: Lines) -> list[int]:
    """What each route of the best costs; what time costs in all stands with the first."""
    model = search.model
    costs = []
    for v, line in enumerate(best):
        legs = [int(model.V[v, START]), *line, int(model.V[v, END])]
        running = bool(model.V[v, RUNNING])
        arcs = int(model.C[model.V[v, CLASS]][legs[:-1], legs[1:]].sum(dtype=int))
        costs.append(arcs * (running or bool(line)) + int(model.V[v, FIXED]) * (bool(line) and not running))
    first = next((v for v, line in enumerate(best) if line), 0)
    costs[first] += max(0, int(search.core.S[BEST_COST]) - sum(costs))
    return costs
