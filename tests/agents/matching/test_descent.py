"""Descent: never dearer, never over a room, and nothing is left that one shift or swap would save."""

from itertools import combinations

import numpy as np
import pytest

from agents.matching.descent import descend
from agents.matching.gap import Gap


def cost_of(gap, at):
    return int(gap.cost[at, np.arange(len(at))].sum())


def fits(gap, at):
    load = np.bincount(at, weights=gap.effort[at, np.arange(len(at))], minlength=len(gap.room))
    return bool((load <= gap.room).all())


@pytest.mark.parametrize("seed", range(5))
def test_a_descent_ends_where_no_shift_and_no_swap_saves(seed):
    rng = np.random.default_rng(seed)
    m, n = 4, 18
    first = rng.integers(0, m, n)
    effort = rng.integers(1, 30, (m, n))
    room = np.bincount(first, weights=effort[first, np.arange(n)], minlength=m).astype(np.int64) + 5
    gap = Gap(rng.integers(1, 60, (m, n)), effort, room)
    found = descend(gap, first)
    assert fits(gap, found) and cost_of(gap, found) <= cost_of(gap, first)
    for job in range(n):
        for agent in range(m):
            shifted = found.copy()
            shifted[job] = agent
            assert not fits(gap, shifted) or cost_of(gap, shifted) >= cost_of(gap, found)
    for one, two in combinations(range(n), 2):
        swapped = found.copy()
        swapped[one], swapped[two] = found[two], found[one]
        assert not fits(gap, swapped) or cost_of(gap, swapped) >= cost_of(gap, found)
