"""The batch: rules kept, wishes in their order, the cheapest matching with its proof."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.matching.batch import answer, match, solve
from agents.matching.candidate_matrix import build_candidate_matrix
from agents.matching.certificate import check
from agents.matching.model import MatchingAgent, MatchingError, NetworkPlace, Weights
from agents.matching.rules import cosine, road_hm
from tests.agents.matching.county import NETWORK, WEIGHTS, a_need, an_agent, cheapest, problems

QUICK = settings(max_examples=60, deadline=None)


def placed(needs, agents, weights=WEIGHTS):
    matching = match(needs, agents, NETWORK, weights)
    assert check(needs, agents, NETWORK, weights, matching) == []
    assert matching.certificate.proven
    return matching.assigned


@QUICK
@given(problems(max_needs=4, max_agents=4))
def test_no_combination_is_cheaper_than_the_matching(problem):
    needs, agents = problem
    matching = match(needs, agents, NETWORK, WEIGHTS)
    assert matching.objective == cheapest(needs, agents, NETWORK, WEIGHTS)
    assert matching.certificate.bound == matching.objective
    assert check(needs, agents, NETWORK, WEIGHTS, matching) == []


@QUICK
@given(problems(max_needs=9, max_agents=8))
def test_few_arcs_and_pricing_find_what_all_arcs_find(problem):
    needs, agents = problem
    question = build_candidate_matrix(needs, agents, NETWORK, WEIGHTS)
    priced = answer(question, solve(question, whole=0, nearest=1), NETWORK, WEIGHTS)
    assert priced.certificate.proven
    assert priced.objective == match(needs, agents, NETWORK, WEIGHTS).objective


@QUICK
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(problem, random):
    needs, agents = problem
    first = match(needs, agents, NETWORK, WEIGHTS)
    random.shuffle(needs)
    random.shuffle(agents)
    assert match(needs, agents, NETWORK, WEIGHTS) == first


@QUICK
@given(problems(), st.permutations(range(5)))
def test_other_names_for_the_agents_do_not_change_the_objective(problem, names):
    needs, agents = problem
    name = {i: f"agent-{names[i]}" for i in range(5)} | {99: "agent-99", None: None}
    renamed = [
        replace(n, current=name[n.current], first_ask=name[n.first_ask],
                previous=frozenset(map(name.get, n.previous)), bans=frozenset(map(name.get, n.bans)))
        for n in needs
    ]  # fmt: skip
    others = [replace(a, id=name[a.id]) for a in agents]
    assert match(renamed, others, NETWORK, WEIGHTS).objective == match(needs, agents, NETWORK, WEIGHTS).objective


@QUICK
@given(problems(), st.sampled_from(sorted(NETWORK)))
def test_one_more_idle_agent_never_makes_it_worse(problem, node):
    needs, agents = problem
    before = match(needs, agents, NETWORK, WEIGHTS).objective
    assert match(needs, [*agents, an_agent("idle", node)], NETWORK, WEIGHTS).objective <= before


@QUICK
@given(problems(), st.integers(2, 7))
def test_costs_that_are_all_multiplied_multiply_the_objective(problem, factor):
    needs, agents = problem
    before = match(needs, agents, NETWORK, WEIGHTS).objective
    assert match(needs, agents, NETWORK, WEIGHTS.scaled(factor)).objective == factor * before


def test_the_nearest_station_takes_the_case():
    assert placed([a_need(1, "V1")], [an_agent("hall", "K1"), an_agent("village", "V1")]) == {1: "village"}


def test_a_lead_stays_in_its_home_county_unless_escalated():
    agents = [an_agent("next county", "K2"), an_agent("city", "C"), an_agent("province", "P")]
    assert placed([a_need(1)], agents) == {}
    assert placed([a_need(1, escalated=True)], agents) == {1: "city"}


def test_a_liaison_sits_where_the_counter_is():
    assert placed([a_need(1, "C", "liaison")], [an_agent("county", "K1"), an_agent("city", "C")]) == {1: "city"}


def test_skill_language_leave_and_ban_are_kept():
    agents = [
        an_agent("unskilled", skills=frozenset()),
        an_agent("away", languages=frozenset({"en"}), away=True),
        an_agent("banned", languages=frozenset({"en"})),
        an_agent("silent"),
        an_agent("fit", "V1", languages=frozenset({"en"})),
    ]
    assert placed([a_need(1, "K1", language="en", bans=frozenset({"banned"}))], agents) == {1: "fit"}


def test_the_first_agent_asked_owns_the_case_even_where_another_is_nearer():
    agents = [an_agent("asked", "K1"), an_agent("near", "V1"), an_agent("busy", "V1", capacity=1, held=1)]
    assert placed([a_need(1, "V1", first_ask="asked")], agents) == {1: "asked"}
    assert placed([a_need(1, "V1", first_ask="busy")], agents) == {}


def test_a_lock_beats_priority_and_takes_its_slot_first():
    agents = [an_agent("only", capacity=1)]
    assert placed([a_need(1, lock="only"), a_need(2, priority=9)], agents) == {1: "only"}


def test_the_urgent_case_is_served_and_the_other_waits():
    assert placed([a_need(1, priority=1), a_need(2, priority=3)], [an_agent("only", capacity=1)]) == {2: "only"}


def test_a_told_enterprise_keeps_its_agent_though_a_nearer_one_is_free():
    agents = [an_agent("far", "K1", held=1), an_agent("near", "V1")]
    assert placed([a_need(1, "V1", current="far", told=True)], agents) == {1: "far"}


def test_a_told_case_moves_when_that_ends_a_waiting():
    agents = [an_agent("able", capacity=1, held=1), an_agent("other", skills=frozenset({"land"}))]
    needs = [a_need(1, current="able", told=True), a_need(2, skills=frozenset({"env"}))]
    assert placed(needs, agents) == {1: "other", 2: "able"}


def test_an_escalation_outweighs_any_road():
    agents = [an_agent("hall", "K1"), an_agent("far town", "T1", lon=119.9, lat=31.5, stars=0)]
    assert placed([a_need(1, "T1")], agents) == {1: "far town"}


def test_the_agent_who_knows_the_enterprise_goes_before_an_equal():
    assert placed([a_need(1, "K1", previous=frozenset({"b"}))], [an_agent("a"), an_agent("b")]) == {1: "b"}


def test_the_load_spreads_by_share_of_capacity():
    agents = [an_agent("small", capacity=4), an_agent("large", capacity=8)]
    given_to = list(placed([a_need(i, "K1") for i in range(6)], agents).values())
    assert (given_to.count("small"), given_to.count("large")) == (2, 4)


@pytest.mark.parametrize(
    ("code", "needs", "agents"),
    [
        ("infeasible_lock", [a_need(1, lock="a", skills=frozenset({"fire"}))], [an_agent("a")]),
        ("infeasible_lock", [a_need(i, lock="a") for i in range(3)], [an_agent("a")]),
        ("unknown_agent", [a_need(1, lock="nobody")], [an_agent("a")]),
        ("twice", [a_need(1), a_need(1)], []),
        ("twice", [], [an_agent("a"), an_agent("a")]),
        ("held_too_small", [a_need(1, current="a")], [an_agent("a")]),
    ],
)
def test_what_cannot_be_matched_is_named(code, needs, agents):
    with pytest.raises(MatchingError) as caught:
        match(needs, agents, NETWORK, WEIGHTS)
    assert caught.value.code == code and caught.value.facts


def test_a_cycle_in_the_network_is_named_with_its_path():
    network = {"A": NetworkPlace("B", 4, 118.0, 32.0), "B": NetworkPlace("A", 4, 118.0, 32.0)}
    with pytest.raises(MatchingError, match="cycle") as caught:
        match([], [MatchingAgent("a", "A", 4, 1, 0, 118.0, 32.0)], network, WEIGHTS)
    assert caught.value.facts["path"] == ["A", "B", "A"]


def test_a_negative_capacity_is_named():
    with pytest.raises(MatchingError) as caught:
        an_agent("a", capacity=-1)
    assert (caught.value.code, caught.value.facts) == ("negative_capacity", {"agent": "a", "capacity": -1})


def test_weights_whose_order_is_not_kept_are_refused():
    with pytest.raises(MatchingError, match="escalation"):
        Weights(escalation=100)


def test_road_distances_are_close_to_the_globe():
    assert cosine(60.0) == pytest.approx(0.5, abs=1e-12)
    # Nanjing to Suzhou: 191.0 km on the ellipsoid, with the detour 248 km.
    assert road_hm(118.78, 32.04, 120.62, 31.32) == pytest.approx(2490, abs=20)
