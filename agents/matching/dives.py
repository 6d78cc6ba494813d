"""Dives: pairs that the knapsacks agree on are settled, the rest is priced again, until few jobs are left.

The mean of many picks near the best prices says how surely an agent takes a job. A dive settles the surest pairs, moves
the prices of the other jobs for a moment, and so on down; what is left in the end is small enough for HiGHS.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import numpy as np

from agents.matching.arrays import Floats, Ints
from agents.matching.gap import Gap
from agents.matching.knapsacks import Knapsacks

FIRST_STEPS, STEPS, LEAST_STEPS = 60, 30, 3  # of the prices, before the first pair is settled and between two rounds
HASTE = 0.7  # of the time left for the way down
SURE = 0.9  # share of the picks from which a pair may be settled
MOST, LEAST = 0.12, 0.04  # of the jobs left, settled in a round
MEMORY = 0.9  # how much of the mean of the picks stays in a step
STRETCH = 0.3
WAIVED = 0.5  # of the worth of the picks, which only lead the way
ABOVE = 1.001  # the prices aim at an answer so much dearer than the bound


@dataclass(frozen=True, slots=True)
class Dived:
    """Where a dive ended: the agent of each job, -1 for those that are left, and the room that is left to them."""

    agent: Ints
    left: Ints
    room: Ints


def dive(
    gap: Gap, price: Floats, bound: float, *, stop: int, rng: np.random.Generator, ends_at: float, wild: float = 0.02
) -> Dived:
    """Down from ``price`` until ``stop`` jobs are left. ``wild`` shakes the order in which pairs are settled."""
    m, n = gap.cost.shape
    left, room = np.arange(n), gap.room.copy()
    agent = np.full(n, -1, dtype=np.int64)
    paid = 0
    steps = FIRST_STEPS
    price = price.copy()
    share = np.zeros((m, n))
    while len(left) > stop and monotonic() < ends_at:
        began = monotonic()
        price = _priced(gap, left, room, price, bound * ABOVE - paid, steps, share)
        # What is left shrinks by a share in each round, and so does the time for a step.
        to_end_s = (monotonic() - began) / steps * STEPS / MOST
        steps = max(LEAST_STEPS, min(STEPS, int(STEPS * HASTE * (ends_at - monotonic()) / max(to_end_s, 1e-9))))
        most, least = max(1, int(MOST * len(left))), max(1, int(LEAST * len(left)))
        sure, who = share.max(axis=0), share.argmax(axis=0)
        order = np.argsort(-sure + wild * rng.random(len(left)), kind="stable")
        settled = np.zeros(len(left), dtype=bool)
        count = 0
        for k in order[: 2 * most].tolist():
            if count >= most or (count >= least and sure[k] < SURE):
                break
            i, job = int(who[k]), int(left[k])
            if gap.effort[i, job] <= room[i]:
                room[i] -= gap.effort[i, job]
                agent[job] = i
                paid += int(gap.cost[i, job])
                settled[k] = True
                count += 1
        if not count:
            break
        left, price, share = left[~settled], price[~settled], share[:, ~settled]
    return Dived(agent, left, room)


def _priced(gap: Gap, jobs: Ints, room: Ints, price: Floats, aim: float, steps: int, share: Floats) -> Floats:
    """Prices moved on by some steps; ``share`` becomes the fading mean of the picks."""
    sacks = Knapsacks(gap.cost[:, jobs], gap.effort[:, jobs], room)
    for _ in range(steps):
        value, picked = sacks.nearly(price, WAIVED)
        share *= MEMORY
        share += (1 - MEMORY) * picked
        lacking = 1.0 - picked.sum(axis=0)
        square = float(lacking @ lacking)
        if square == 0.0:
            break
        price = price + STRETCH * max(aim - value, 1.0) / square * lacking
    return price
