"""Leave: the stand-in for a few days, else few moves, and the notices that they cost."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.matching.leave import relieve
from agents.matching.model import MatchingError
from tests.agents.matching.county import NETWORK, WEIGHTS, a_need, an_agent


def test_up_to_three_days_the_stand_in_acts_and_nothing_moves():
    agents = [an_agent("a", held=1, stand_in="b"), an_agent("b")]
    relief = relieve({"a": 3}, [a_need(1, current="a", told=True)], agents, NETWORK, WEIGHTS)
    assert relief.acting == {"a": "b"}
    assert relief.moves == ()
    assert relief.notices == 0


def test_a_longer_leave_moves_only_the_absent_agents_cases():
    agents = [an_agent("a", held=2), an_agent("b", held=1, capacity=9), an_agent("c", held=1, capacity=9)]
    needs = [a_need(1, current="a", told=True), a_need(2, current="a"), a_need(3, current="b"), a_need(4, current="c")]
    relief = relieve({"a": 4}, needs, agents, NETWORK, WEIGHTS)
    assert {m.need for m in relief.moves} == {1, 2}
    assert all(m.forced and m.agent in {"b", "c"} for m in relief.moves)
    assert relief.notices == 1


def test_a_stand_in_who_is_absent_too_helps_nobody():
    agents = [an_agent("a", held=1, stand_in="b"), an_agent("b", stand_in="a"), an_agent("c")]
    relief = relieve({"a": 2, "b": 2}, [a_need(1, current="a", told=True)], agents, NETWORK, WEIGHTS)
    assert relief.acting == {}
    assert [(m.need, m.agent) for m in relief.moves] == [(1, "c")]


def test_another_case_moves_only_where_one_would_wait_otherwise():
    land, both = frozenset({"land"}), frozenset({"land", "env"})
    agents = [
        an_agent("absent", held=1, skills=both),
        an_agent("able", held=1, capacity=1, skills=both),
        an_agent("free", capacity=1, skills=land),
    ]
    needs = [a_need(1, current="absent", told=True, skills=frozenset({"env"})), a_need(2, current="able", told=True)]
    relief = relieve({"absent": 10}, needs, agents, NETWORK, WEIGHTS)
    assert [(m.need, m.agent, m.forced) for m in relief.moves] == [(1, "able", True), (2, "free", False)]
    assert [m.need for m in relief.others] == [2]
    assert (relief.needed, relief.unforced) == (1, 0)
    assert relief.rescued == 1
    assert relief.notices == 2


@st.composite
def halls(draw):
    """Agents of one county with few slots, each holding needs it may take; the first is about to be absent."""
    skills = st.frozensets(st.sampled_from(["land", "env", "fire"]), min_size=1)
    agents = [an_agent(i, capacity=draw(st.integers(1, 2)), skills=draw(skills)) for i in range(4)]
    needs = []
    for agent in agents:
        held = draw(st.integers(0, agent.capacity))
        for _ in range(held):
            wanted = frozenset([draw(st.sampled_from(sorted(agent.skills)))])
            needs.append(a_need(len(needs), current=agent.id, told=draw(st.booleans()), skills=wanted))
        agents[agent.id] = replace(agent, held=held)
    return agents, needs


def fewest_of_all(agents, needs, absent):
    """Every way to share the needs out: the least that waits, then the fewest others that change hands."""
    best = None
    free = {a.id: a.capacity for a in agents if a.id != absent} | {None: len(needs)}
    able = [[a.id for a in agents if a.id != absent and n.skills <= a.skills] + [None] for n in needs]
    for choice in product(*able):
        if all(choice.count(a) <= room for a, room in free.items()):
            others = sum(c != n.current for c, n in zip(choice, needs, strict=True) if n.current != absent)
            best = min(best or (len(needs) + 1, 0), (choice.count(None), others))
    return best


@given(halls())
@settings(max_examples=60, deadline=None)
def test_no_relief_leaves_less_waiting_or_moves_fewer_others(hall):
    agents, needs = hall
    relief = relieve({0: 10}, needs, agents, NETWORK, WEIGHTS)
    waiting = sum(m.agent is None for m in relief.moves)
    assert (waiting, len(relief.others)) == fewest_of_all(agents, needs, 0)
    assert relief.unforced == 0


def test_a_first_ask_of_the_absent_agent_does_not_hold_the_case():
    agents = [an_agent("a", held=1), an_agent("b")]
    relief = relieve({"a": 9}, [a_need(1, current="a", first_ask="a")], agents, NETWORK, WEIGHTS)
    assert relief.moves[0].agent == "b"


def test_an_unknown_absence_is_named():
    with pytest.raises(MatchingError, match="nobody knows"):
        relieve({"ghost": 1}, [], [], NETWORK, WEIGHTS)
