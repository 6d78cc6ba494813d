"""HiGHS on a part of a generalised assignment problem: some agents, some jobs, some of their pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from agents.matching.arrays import Flags, Ints
from agents.matching.gap import Gap

OPTIMAL, INFEASIBLE = 0, 2  # scipy's numbers
LOOSE_GAP = 0.02  # how far from the best a loose answer may be


@dataclass(frozen=True, slots=True)
class Edges:
    """The pairs that may be used: ``allowed[i, j]`` for ``agents[i]`` and ``jobs[j]``."""

    gap: Gap
    agents: Ints
    jobs: Ints
    allowed: Flags


def solve_edges(
    edges: Edges, now: Ints | None, *, limit_s: float, loose: bool = False, better: bool = False
) -> tuple[int, Ints | None]:
    """HiGHS's status, and each job's agent when there is an answer: jobs that are not in ``edges`` stay as ``now``.

    ``better``: only an answer that costs less than ``now`` is looked for."""
    gap, agents, jobs = edges.gap, edges.agents, edges.jobs
    m, n = gap.cost.shape
    i, j = np.nonzero(edges.allowed)
    if not len(i):
        return INFEASIBLE, None
    who, what = agents[i], jobs[j]
    used = np.zeros(m, dtype=np.int64)
    if now is not None:
        others = np.setdiff1d(np.arange(n), jobs)
        np.add.at(used, now[others], gap.effort[now[others], others])
    room = (gap.room - used)[agents]
    k = np.arange(len(i))
    once = sparse.csr_array((np.ones(len(k)), (j, k)), shape=(len(jobs), len(k)))
    hours = sparse.csr_array((gap.effort[who, what].astype(float), (i, k)), shape=(len(agents), len(k)))
    paid = gap.cost[who, what].astype(float)
    rules = [LinearConstraint(once, 1, 1), LinearConstraint(hours, -np.inf, room)]
    if better and now is not None:
        rules.append(LinearConstraint(paid[None, :], -np.inf, float(gap.cost[now[jobs], jobs].sum()) - 1))
    result = milp(
        paid,
        constraints=rules,
        integrality=np.ones(len(k)),
        bounds=Bounds(0, 1),
        options={"time_limit": max(0.05, limit_s), "mip_rel_gap": LOOSE_GAP if loose else 0.0},
    )
    if result.x is None:
        return int(result.status), None
    found = np.zeros(n, dtype=np.int64) if now is None else now.copy()
    on = result.x > 0.5
    found[what[on]] = who[on]
    return int(result.status), found
