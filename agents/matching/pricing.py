"""Shadow prices: what a slot at each agent costs the whole (greatest), what one more saves (least)."""

from __future__ import annotations

import numpy as np

from agents.matching.arrays import Ints


def greatest_shadow_prices(
    chosen: Ints,
    wait: Ints,
    arc_need: Ints,
    arc_agent: Ints,
    arc_cost: Ints,
    slot_start: Ints,
    slot_cost: Ints,
) -> Ints:
    """The shadow price of each agent's next slot, exact for an optimal ``chosen`` over the given arcs.

    A free slot costs its own marginal cost; a full agent's slot costs what the cheapest displacement costs: somebody
    there takes another agent's slot, or waits. ``arc_need`` must be sorted.
    """
    n, m = len(wait), len(slot_start) - 1
    load = np.bincount(chosen[chosen >= 0], minlength=m)
    free = np.diff(slot_start)
    nobody = int(wait.max(initial=0)) - min(0, int(arc_cost.min(initial=0)))
    # The last entry is the waiting list, an agent whose price is nothing and whose room has no end.
    price = np.full(m + 1, nobody, dtype=np.int64)
    open_ = np.flatnonzero(load < free)
    price[open_] = np.minimum(slot_cost[slot_start[open_] + load[open_]], nobody)
    price[m] = 0

    placed = chosen >= 0
    own = placed[arc_need] & (chosen[arc_need] == arc_agent)
    own_cost = np.zeros(n, dtype=np.int64)
    own_cost[arc_need[own]] = arc_cost[own]
    keep = placed[arc_need] & ~own
    rows = np.flatnonzero(placed)
    if not len(rows):
        return price[:m]
    need = np.concatenate([arc_need[keep], rows])
    agent = np.concatenate([arc_agent[keep], np.full(len(rows), m)])
    cost = np.concatenate([arc_cost[keep] - own_cost[arc_need[keep]], wait[rows] - own_cost[rows]])
    order = np.argsort(need, kind="stable")
    need, agent, cost = need[order], agent[order], cost[order]
    starts = np.flatnonzero(np.r_[True, need[1:] != need[:-1]])
    by_agent = np.argsort(chosen[rows], kind="stable")
    holder = chosen[rows][by_agent]
    holder_starts = np.flatnonzero(np.r_[True, holder[1:] != holder[:-1]])
    holders = holder[holder_starts]
    for _ in range(m + 2):
        leave = np.minimum.reduceat(cost + price[agent], starts)[by_agent]
        cheapest = np.minimum(price[holders], np.minimum.reduceat(leave, holder_starts))
        if np.array_equal(cheapest, price[holders]):
            return price[:m]
        price[holders] = cheapest
    raise ArithmeticError("the choice is not optimal over these arcs: a cycle of negative cost remains")


def least_need_values(
    chosen: Ints,
    wait: Ints,
    arc_need: Ints,
    arc_agent: Ints,
    arc_cost: Ints,
    slot_start: Ints,
    slot_cost: Ints,
) -> Ints:
    """Each need's value at the least shadow prices: what the whole would save without the need.

    A slot at agent j that comes free saves the greatest (value - cost of the pair) over the needs: where nobody waits
    and nobody is far from home, next to nothing.
    """
    n, m = len(wait), len(slot_start) - 1
    placed = np.flatnonzero(chosen >= 0)
    load = np.bincount(chosen[placed], minlength=m)
    price = np.zeros(m, dtype=np.int64)
    busy = np.flatnonzero(load > 0)
    price[busy] = slot_cost[slot_start[busy] + load[busy] - 1]
    own = chosen[arc_need] == arc_agent
    own_cost = np.zeros(n, dtype=np.int64)
    own_cost[arc_need[own]] = arc_cost[own]
    order = np.argsort(arc_agent, kind="stable")
    need, agent, cost = arc_need[order], arc_agent[order], arc_cost[order]
    starts = np.flatnonzero(np.r_[True, agent[1:] != agent[:-1]]) if len(agent) else np.zeros(0, dtype=np.int64)
    targets = agent[starts]
    value = wait.copy()
    for _ in range(m + 2):
        value[placed] = own_cost[placed] + price[chosen[placed]]
        if not len(agent):
            break
        dearest = np.maximum(price[targets], np.maximum.reduceat(value[need] - cost, starts))
        if np.array_equal(dearest, price[targets]):
            break
        price[targets] = dearest
    return value
