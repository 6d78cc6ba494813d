"""One case at once: a free slot, the next slot's own cost, and what the last batch found scarce."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.matching.batch import match
from agents.matching.online import pair_costs, place_one
from agents.matching.rules import bar, pair_terms
from tests.agents.matching.county import NETWORK, WEIGHTS, a_need, an_agent, problems


def test_the_less_loaded_of_two_equals_takes_the_case():
    agents = [an_agent("a", capacity=4, held=2), an_agent("b", capacity=4, held=1)]
    assert place_one(a_need(1), agents, NETWORK, WEIGHTS, {}).agent == "b"


def test_a_full_agent_gets_nothing():
    choice = place_one(a_need(1), [an_agent("a", capacity=1, held=1)], NETWORK, WEIGHTS, {})
    assert choice.agent is None
    assert choice.terms.waiting == WEIGHTS.waiting


def test_a_slot_that_many_wait_for_is_not_the_first_to_go():
    agents = [an_agent("scarce", "T1"), an_agent("other", "K1")]
    assert place_one(a_need(1), agents, NETWORK, WEIGHTS, {}).agent == "scarce"
    choice = place_one(a_need(1), agents, NETWORK, WEIGHTS, {"scarce": 1_000_000})
    assert choice.agent == "other"
    assert choice.runners_up[0].agent == "scarce"


def test_scarcity_is_seen_where_somebody_waits_and_only_there():
    full = [an_agent("expert", capacity=1, skills=frozenset({"land", "fire"})), an_agent("other", "V1")]
    needs = [a_need(1, skills=frozenset({"fire"})), a_need(2, skills=frozenset({"fire"}))]
    waiting = match(needs, full, NETWORK, WEIGHTS)
    assert waiting.scarcity["expert"] > WEIGHTS.waiting // 2
    assert match(needs[:1], full, NETWORK, WEIGHTS).scarcity == {}


@settings(max_examples=60, deadline=None)
@given(problems(max_needs=1))
def test_a_single_new_case_goes_where_the_batch_would_send_it(problem):
    needs, agents = problem
    for need in needs:
        if need.current is None and need.first_ask is None:
            alone = match([need], agents, NETWORK, WEIGHTS)
            choice = place_one(need, agents, NETWORK, WEIGHTS, {})
            assert choice.cost == alone.objective
            assert (choice.agent is None) == (alone.agent_of(need.id) is None)


@settings(max_examples=60, deadline=None)
@given(problems())
def test_whoever_is_proposed_may_take_the_case_and_has_room(problem):
    needs, agents = problem
    for need in needs:
        choice = place_one(need, agents, NETWORK, WEIGHTS, {})
        if choice.agent is not None:
            agent = next(a for a in agents if a.id == choice.agent)
            assert bar(need, agent, NETWORK) is None
            assert agent.held < agent.capacity


@settings(max_examples=200, deadline=None)
@given(problems(), st.sampled_from([None, None, 0, 1]))
def test_a_cost_found_for_one_need_after_another_agent_is_what_the_rules_say_of_each_pair(problem, lock):
    needs, agents = problem
    for need in (replace(one, lock=lock) for one in needs):
        cost_of = pair_costs(need, NETWORK, WEIGHTS)
        for agent in agents:
            barred = bar(need, agent, NETWORK) is not None
            assert cost_of(agent) == (None if barred else pair_terms(need, agent, NETWORK, WEIGHTS).total)


def test_of_equals_the_first_by_the_stable_key_is_taken_whatever_their_order():
    agents = [an_agent(i) for i in (30, 4, 200, 11, 7)]
    choice = place_one(a_need(1), agents, NETWORK, WEIGHTS, {})
    assert [choice.agent, *(other.agent for other in choice.runners_up)] == [4, 7, 11]
