"""Weekly hours: never exceeded, the bound below every answer, small problems solved to the end."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.matching.gap import Gap, hour_prices
from agents.matching.gap_search import solve_gap
from agents.matching.hours import share_hours
from agents.matching.model import MatchingError
from agents.matching.staffing import WorkOffer


def a_gap(cost, effort, room):
    return Gap(*(np.array(x, dtype=np.int64) for x in (cost, effort, room)))


def least(gap):
    m, n = gap.cost.shape
    found = None
    for agents in product(range(m), repeat=n):
        used = [sum(gap.effort[i, j] for j, a in enumerate(agents) if a == i) for i in range(m)]
        if all(u <= r for u, r in zip(used, gap.room, strict=True)):
            cost = sum(int(gap.cost[a, j]) for j, a in enumerate(agents))
            found = cost if found is None else min(found, cost)
    return found


@st.composite
def gaps(draw):
    m, n = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    grid = st.lists(st.lists(st.integers(1, 9), min_size=n, max_size=n), min_size=m, max_size=m)
    return a_gap(draw(grid), draw(grid), draw(st.lists(st.integers(0, 20), min_size=m, max_size=m)))


@settings(max_examples=40, deadline=None)
@given(gaps())
def test_small_problems_are_solved_exactly_and_bounded(gap):
    best = least(gap)
    found = solve_gap(gap, limit_s=60.0)
    assert found.cost == best
    if best is not None:
        assert found.proven
        assert hour_prices(gap)[0] <= best + 1e-6
        load = np.bincount(found.agent, weights=gap.effort[found.agent, np.arange(len(found.agent))])
        assert (load <= gap.room[: len(load)]).all()


def test_a_larger_problem_keeps_its_rooms_and_its_bound():
    rng = np.random.default_rng(7)
    effort = rng.integers(5, 26, (8, 60))
    gap = Gap(rng.integers(10, 51, (8, 60)), effort, effort.sum(axis=1) * 8 // 80)
    found = solve_gap(gap, limit_s=2.0)
    assert found.bound <= found.cost
    load = np.bincount(found.agent, weights=effort[found.agent, np.arange(60)], minlength=8)
    assert (load <= gap.room).all()


def test_a_project_that_fits_no_week_waits():
    offers = [WorkOffer(1, "a", 8, 1), WorkOffer(2, "a", 6, 1), WorkOffer(2, "b", 6, 0)]
    plan = share_hours({"a": 10, "b": 4}, offers, {1: 100, 2: 50})
    assert plan.agent == {1: "a"}
    assert plan.waiting == (2,)
    assert plan.hours_left == {"a": 2, "b": 4}
    assert (plan.cost, plan.bound) == (51, 51) and plan.proven


def test_a_project_or_an_agent_that_is_not_listed_is_named():
    for project, agent in [(2, "a"), (1, "z")]:
        with pytest.raises(MatchingError, match="not in the lists"):
            share_hours({"a": 10}, [WorkOffer(project, agent, 1)], {1: 100})


def test_a_week_without_projects_leaves_all_hours():
    assert share_hours({"a": 10}, [], {}).hours_left == {"a": 10}


def test_negative_room_and_effort_are_named():
    with pytest.raises(MatchingError, match="agent 1 has room -2"):
        a_gap([[1], [1]], [[1], [1]], [3, -2])
    with pytest.raises(MatchingError, match="job 0"):
        a_gap([[1]], [[-1]], [3])
