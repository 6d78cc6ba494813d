"""Descent: one job to another agent, or two jobs changed about, while that saves cost and keeps the rooms."""

from __future__ import annotations

import numpy as np

from agents.matching.arrays import Ints
from agents.matching.compiling import compiled
from agents.matching.gap import Gap


def descend(gap: Gap, agent: Ints) -> Ints:
    """``agent``, which must keep the rooms, bettered until no such change saves anything."""
    jobs = np.arange(len(agent))
    agent = agent.astype(np.int64)
    load = np.bincount(agent, weights=gap.effort[agent, jobs], minlength=len(gap.room)).astype(np.int64)
    cost, effort = np.ascontiguousarray(gap.cost), np.ascontiguousarray(gap.effort)
    _descend(cost, np.ascontiguousarray(cost.T), effort, np.ascontiguousarray(effort.T), gap.room - load, agent)
    return agent


@compiled
def _descend(cost: Ints, cost_of: Ints, effort: Ints, effort_of: Ints, slack: Ints, agent: Ints) -> None:
    """``cost_of`` and ``effort_of`` are the same by job: each loop reads along its rows."""
    m, n = cost.shape
    quiet = 0  # jobs in turn for which nothing saves
    j = 0
    while quiet < n:
        a = agent[j]
        best, with_job, to = 0, -1, -1
        for i in range(m):
            saved = cost_of[j, a] - cost_of[j, i]
            if saved > best and effort_of[j, i] <= slack[i]:
                best, to = saved, i
        for k in range(n):
            b = agent[k]
            saved = cost_of[j, a] - cost_of[j, b] + cost[b, k] - cost[a, k]
            if (
                saved > best
                and effort[a, k] - effort_of[j, a] <= slack[a]
                and effort_of[j, b] - effort[b, k] <= slack[b]
            ):
                best, with_job, to = saved, k, b
        quiet += 1
        if to >= 0:
            quiet = 0
            slack[a] += effort_of[j, a]
            slack[to] -= effort_of[j, to]
            agent[j] = to
            if with_job >= 0:
                slack[to] += effort[to, with_job]
                slack[a] -= effort[a, with_job]
                agent[with_job] = a
        j = (j + 1) % n
