"""Dives: what is settled keeps the rooms, and everything else is left."""

from time import monotonic

import numpy as np
import pytest

from agents.matching.dives import dive
from agents.matching.gap import Gap, hour_prices
from agents.matching.gap_search import solve_gap
from agents.matching.knapsacks import Knapsacks, job_prices


def a_tight_gap(seed, m=5, n=40):
    rng = np.random.default_rng(seed)
    effort = rng.integers(5, 26, (m, n))
    return Gap(rng.integers(10, 51, (m, n)), effort, effort.sum(axis=1) * 8 // (10 * m))


@pytest.mark.parametrize("seed", range(4))
def test_a_dive_settles_within_the_rooms_and_leaves_the_rest(seed):
    gap = a_tight_gap(seed)
    _, hour = hour_prices(gap)
    start = (gap.cost + hour[:, None] * gap.effort).min(axis=0)
    priced = job_prices(Knapsacks(gap.cost, gap.effort, gap.room), start, 2_000.0, ends_at=monotonic() + 60)
    down = dive(gap, priced.price, priced.bound, stop=10, rng=np.random.default_rng(seed), ends_at=monotonic() + 60)
    assert sorted(down.left) == sorted(np.flatnonzero(down.agent < 0))
    assert len(down.left) < 40
    jobs = np.flatnonzero(down.agent >= 0)
    load = np.bincount(down.agent[jobs], weights=gap.effort[down.agent[jobs], jobs], minlength=5)
    assert (load + down.room == gap.room).all()
    assert (down.room >= 0).all()


def test_a_tight_problem_is_answered_and_its_bound_holds_when_it_is_proven():
    gap = a_tight_gap(3, m=3, n=20)
    found = solve_gap(gap, limit_s=60.0)
    assert found.proven
    assert found.cost == found.bound
    assert (np.bincount(found.agent, weights=gap.effort[found.agent, np.arange(20)], minlength=3) <= gap.room).all()
