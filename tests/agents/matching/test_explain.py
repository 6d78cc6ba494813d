"""Explanations: the terms add up, the runner-up really lost, and the change that is named places the case."""

import pytest
from hypothesis import given, settings

from agents.matching.batch import match
from agents.matching.explain import ChangeKind, explain
from agents.matching.model import MatchingError
from agents.matching.rules import Bar
from tests.agents.matching.county import NETWORK, WEIGHTS, a_need, an_agent, problems


def explained(needs, agents, need_id=1):
    matching = match(needs, agents, NETWORK, WEIGHTS)
    return explain(need_id, needs, agents, NETWORK, WEIGHTS, matching)


def after(change, needs, agents):
    return match(*change.apply(needs, agents), NETWORK, WEIGHTS).agent_of(change.need)


@settings(max_examples=40, deadline=None)
@given(problems())
def test_the_change_that_is_named_places_the_case(problem):
    needs, agents = problem
    matching = match(needs, agents, NETWORK, WEIGHTS)
    for need in matching.waiting:
        found = explain(need, needs, agents, NETWORK, WEIGHTS, matching)
        assert found.change is not None
        assert after(found.change, needs, agents) is not None


@settings(max_examples=40, deadline=None)
@given(problems())
def test_forcing_the_runner_up_costs_what_was_said_at_least(problem):
    needs, agents = problem
    matching = match(needs, agents, NETWORK, WEIGHTS)
    for need in needs:
        rivals = matching.choices[need.id].runners_up
        assert all(r.agent != matching.agent_of(need.id) and r.lost_by >= 0 for r in rivals)
        if rivals:
            others = frozenset(a.id for a in agents) - {rivals[0].agent}
            banned = [n if n.id != need.id else _only(n, others) for n in needs]
            forced = match(banned, agents, NETWORK, WEIGHTS)
            if forced.agent_of(need.id) is not None:
                assert forced.objective >= matching.objective + rivals[0].lost_by


def _only(need, others):
    facts = {name: getattr(need, name) for name in need.__slots__}
    return type(need)(**(facts | {"bans": others}))


def test_a_served_case_shows_its_load_its_road_and_its_rival():
    agents = [an_agent("near", "V1", capacity=10, held=5), an_agent("hall", "K1", stars=5)]
    found = explained([a_need(1, "V1")], agents)
    assert (found.agent, found.load, found.capacity, found.road_hm) == ("near", 6, 10, 0)
    assert found.rival.agent == "hall"
    assert found.rival.differences["escalation"] == 2 * WEIGHTS.escalation
    assert found.rival.differences["stars"] < 0
    assert sum(found.rival.differences.values()) + found.rival.scarcity == found.rival.lost_by


def test_nobody_with_the_skill_asks_for_one_more_agent_in_the_county():
    needs = [a_need(1, "V1", skills=frozenset({"fire"}))]
    found = explained(needs, [an_agent("a"), an_agent("b", away=True)])
    assert found.bars == {Bar.SKILL: 1, Bar.AWAY: 1}
    assert found.change.step is ChangeKind.ADD_AGENTS
    assert [(a.node, a.skills) for a in found.change.newcomers] == [("K1", frozenset({"fire"}))]


def test_a_free_city_agent_is_allowed_before_anybody_is_hired():
    needs, agents = [a_need(1)], [an_agent("city", "C")]
    found = explained(needs, agents)
    assert found.change.step is ChangeKind.ESCALATE
    assert after(found.change, needs, agents) == "city"


def test_a_handover_comes_first_where_the_first_agent_asked_is_full():
    needs, agents = [a_need(1, first_ask="full")], [an_agent("full", capacity=1, held=1), an_agent("free")]
    found = explained(needs, agents)
    assert found.only_by_order is Bar.FIRST_ASK
    assert found.change.step is ChangeKind.ACCEPT_HANDOVER


def test_as_many_agents_are_asked_for_as_the_queue_before_the_case_needs():
    agents = [an_agent("small", capacity=1, held=1)]
    needs = [a_need(1), *[a_need(i, priority=2) for i in range(2, 6)]]
    found = explained(needs, agents)
    assert len(found.change.newcomers) == 5


def test_an_agent_back_from_leave_places_the_case():
    found = explained([a_need(1)], [an_agent("a", away=True)])
    assert (found.change.step, found.change.agent) == (ChangeKind.RETURN, "a")


def test_a_need_that_is_not_there_is_named():
    with pytest.raises(MatchingError, match="not in the matching"):
        explained([a_need(1)], [], 2)
