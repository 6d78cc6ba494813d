"""The batch as a minimum-cost flow: a need sends one unit, agents take as many as they have slots, the rest waits."""

from __future__ import annotations

import numpy as np
from ortools.graph.python import min_cost_flow

from agents.matching.arrays import Ints


class NoFlow(RuntimeError):
    """The flow solver gave no optimum; with a waiting arc for every need this means numbers beyond its range."""


def cheapest_flow(
    wait: Ints, arc_need: Ints, arc_agent: Ints, arc_cost: Ints, slot_start: Ints, slot_cost: Ints
) -> Ints:
    """The agent of each need, or -1 for the waiting list, at the least total cost over the given arcs: exact."""
    n, m = len(wait), len(slot_start) - 1
    chosen = np.full(n, -1, dtype=np.int64)
    if n == 0 or len(arc_need) == 0:
        return chosen
    # No agent can use more slots than there are needs that may have it.
    wanted_by = np.bincount(arc_agent, minlength=m)
    free = np.minimum(np.diff(slot_start), wanted_by)
    slot_agent = np.repeat(np.arange(m), free)
    nth = np.arange(len(slot_agent)) - np.repeat(np.cumsum(free) - free, free)
    sink = n + m
    tail = np.concatenate([arc_need, np.arange(n), n + slot_agent])
    head = np.concatenate([n + arc_agent, np.full(n + len(slot_agent), sink)])
    cost = np.concatenate([arc_cost, wait, slot_cost[slot_start[:-1][slot_agent] + nth]])
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(tail, head, np.ones(len(tail), dtype=np.int64), cost)
    flow.set_nodes_supplies(np.arange(n + m + 1), np.concatenate([np.ones(n), np.zeros(m), [-n]]).astype(np.int64))
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise NoFlow(f"the flow solver says {status}")
    used = np.flatnonzero(flow.flows(arcs[: len(arc_need)]))
    chosen[arc_need[used]] = arc_agent[used]
    return chosen
