"""Knapsacks: a bound that no answer beats, as a whole and with any pair forced."""

from itertools import product
from time import monotonic

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.matching.knapsacks import Knapsacks, job_prices


@st.composite
def sacks(draw):
    """Up to three agents and five jobs, with prices."""
    m, n = draw(st.integers(1, 3)), draw(st.integers(1, 5))

    def whole(low, high, *shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(st.integers(low, high), min_size=size, max_size=size))).reshape(shape)

    return Knapsacks(whole(0, 20, m, n), whole(0, 6, m, n), whole(0, 12, m)), whole(0, 25, n).astype(float)


def answers(one):
    """Every complete answer that keeps the rooms, with its cost."""
    jobs = np.arange(one.n)
    for agents in product(range(one.m), repeat=one.n):
        at = np.array(agents)
        if (np.bincount(at, weights=one.effort[at, jobs], minlength=one.m) <= one.room).all():
            yield at, float(one.cost[at, jobs].sum())


@given(sacks())
@settings(max_examples=80, deadline=None)
def test_picks_fit_are_the_best_and_bound_every_answer(drawn):
    one, price = drawn
    worth, picked = one.pick(price)
    assert ((picked * one.effort).sum(axis=1) <= one.room).all()
    assert np.isclose(worth, (picked * (price[None, :] - one.cost)).sum())
    for i in range(one.m):
        sets = (np.array(s, dtype=bool) for s in product([False, True], repeat=one.n))
        best = max((price - one.cost[i])[s].sum() for s in sets if one.effort[i][s].sum() <= one.room[i])
        assert np.isclose(best, (picked[i] * (price - one.cost[i])).sum())
    bound, _ = one.bound(price)
    assert all(bound <= cost + 1e-9 for _, cost in answers(one))


@given(sacks())
@settings(max_examples=80, deadline=None)
def test_a_forced_pair_costs_at_least_what_was_said(drawn):
    one, price = drawn
    said = one.forced(price)
    assert (said >= one.bound(price)[0] - 1e-9).all()
    for at, cost in answers(one):
        assert (said[at, np.arange(one.n)] <= cost + 1e-9).all()


@given(sacks())
@settings(max_examples=40, deadline=None)
def test_prices_only_get_better_and_never_pass_the_best_answer(drawn):
    one, price = drawn
    costs = [cost for _, cost in answers(one)]
    upper = min(costs, default=100.0)
    found = job_prices(one, price, upper, ends_at=monotonic() + 60, steps=40)
    assert found.bound >= one.bound(price)[0] - 1e-9
    assert all(found.bound <= cost + 1e-9 for cost in costs)
    assert np.isclose(one.bound(found.price)[0], found.bound)
