"""Proof: how near a bound comes to a plan, in seconds of the processor, and what a check of other code says of it.

Importing it loads OR-Tools.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from routing.model.bound_check import bound_objections
from routing.model.plan import NoBound
from routing.model.problem import Problem
from routing.search.pace import Pace
from routing.search.proof.bounding import Bounding
from routing.search.proof.partner import pool_rows
from routing.search.proof.relaxation import relaxed
from routing.search.sisr.drive import Drive
from routing.search.sisr.layout import SCALE
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search


@dataclass(frozen=True, slots=True)
class ProofRun:
    """A plan's cost, and what was proved after so many seconds each."""

    cost: int
    vehicles: int
    bounds: tuple[int | None, ...]
    objections: tuple[str, ...]

    def gaps_pct(self) -> list[float | None]:
        """By mark, how much dearer the plan is than what is proved, in percent of the plan."""
        return [None if bound is None else 100 * (self.cost - bound) / max(1, self.cost) for bound in self.bounds]


def proof_run(problem: Problem, *, search_s: float, marks_s: Sequence[float], seed: int = 0, checks: bool) -> ProofRun:
    """Search for so long, then prove for as long as the last mark says, both in seconds of the processor."""
    search = Search(model_of(problem), seed, pools=True)
    pace = Pace(search_s, started=time.process_time())
    Drive(search, pace, fleet_first=False).first()
    hot = search.model.hot
    while (share := (time.process_time() - pace.started) / search_s) < 1:
        search.run(200, hot * 0.01**share, hot * 0.01**share)
    cost, vehicles = search.rank[1], sum(map(bool, search.best()))
    began = time.process_time()
    relaxation = relaxed(problem)
    if isinstance(relaxation, NoBound):
        return ProofRun(cost, vehicles, (None,) * len(marks_s), (relaxation.value,))
    rows = pool_rows(search)
    bounding = Bounding(relaxation, rows.cost)
    bounding.take_in(rows)
    bounds: list[int | None] = []
    going_on = True
    for mark in marks_s:
        while going_on and time.process_time() - began < mark:
            going_on = bounding.step()
        bounds.append(relaxation.whole_bound(bounding.bound))
    objections = bound_objections(problem, bounding.certificate()) if checks else []
    return ProofRun(cost * int(relaxation.model.S[SCALE]), vehicles, tuple(bounds), tuple(objections))
