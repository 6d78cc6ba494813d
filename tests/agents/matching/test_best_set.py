"""The best set: as good as the best of all sets, also where many jobs pay alike, but for what is waived."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.matching.best_set import best_set


@st.composite
def sacks(draw):
    """Up to nine jobs that each fit alone; few different gains and efforts, so that many pay alike."""
    room = draw(st.integers(0, 25))
    pairs = st.tuples(st.integers(0, min(room, 9)), st.sampled_from([0.5, 1.0, 2.0, 3.5, 4.0, 6.0, 9.0]))
    jobs = draw(st.lists(pairs, max_size=9))
    effort = np.array([e for e, _ in jobs], dtype=np.int64)
    return effort, np.array([g for _, g in jobs], dtype=float), room


@given(sacks(), st.sampled_from([1e-9, 1.0]))
@settings(max_examples=200, deadline=None)
def test_no_set_within_the_room_is_worth_more(drawn, waived):
    effort, gain, room = drawn
    n = len(gain)
    taken = np.zeros(n, dtype=bool)
    worth = best_set(effort, gain, np.arange(n), n, room, waived, taken)
    assert effort[taken].sum() <= room
    assert np.isclose(worth, gain[taken].sum())
    sets = (np.array(s, dtype=bool) for s in product([False, True], repeat=n))
    best = max(gain[s].sum() for s in sets if effort[s].sum() <= room)
    assert best - waived - 1e-6 <= worth <= best + 1e-6


def test_many_jobs_and_a_wide_room_need_no_table():
    rng = np.random.default_rng(1)
    n, room = 400, 4_000
    effort, gain = rng.integers(1, 100, n), rng.random(n) * 100
    taken = np.zeros(n, dtype=bool)
    worth = best_set(effort, gain, np.arange(n), n, room, 1e-9, taken)
    table = np.zeros(room + 1)
    for e, g in zip(effort, gain, strict=True):
        table[e:] = np.maximum(table[e:], table[: room + 1 - e] + g)
    assert effort[taken].sum() <= room
    assert np.isclose(worth, table[room])
