"""The independent check catches every false claim."""

from dataclasses import replace

from agents.matching.batch import match
from agents.matching.certificate import check
from tests.agents.matching.county import NETWORK, WEIGHTS, a_need, an_agent

AGENTS = [an_agent("near", "V1", capacity=1), an_agent("hall", "K1"), an_agent("else", "K2")]
NEEDS = [a_need(1, "V1"), a_need(2, "V1"), a_need(3, "T1")]


def said(change):
    matching = match(NEEDS, AGENTS, NETWORK, WEIGHTS)
    assert check(NEEDS, AGENTS, NETWORK, WEIGHTS, matching) == []
    return " ".join(check(NEEDS, AGENTS, NETWORK, WEIGHTS, change(matching)))


def with_agent(matching, need, agent):
    return replace(matching, choices={**matching.choices, need: replace(matching.choices[need], agent=agent)})


def test_an_agent_who_may_not_take_the_need_is_seen():
    assert "may not take it" in said(lambda m: with_agent(m, 1, "else"))


def test_an_overfull_agent_is_seen():
    assert "has room for 1" in said(lambda m: with_agent(with_agent(m, 1, "near"), 2, "near"))


def test_a_missing_choice_is_seen():
    assert "not one for each" in said(lambda m: replace(m, choices={1: m.choices[1]}))


def test_a_wrong_objective_is_seen():
    assert "objective" in said(lambda m: replace(m, objective=m.objective - 1))


def test_a_worse_matching_that_claims_to_be_the_best_is_seen():
    assert "proven is said" in said(lambda m: with_agent(m, 1, None))


def test_prices_that_prove_nothing_are_seen():
    free = said(lambda m: replace(m, certificate=replace(m.certificate, prices={})))
    assert "bound" in free


def test_a_kept_lock_is_part_of_the_check():
    needs = [a_need(1, lock="hall"), a_need(2)]
    matching = match(needs, AGENTS, NETWORK, WEIGHTS)
    assert check(needs, AGENTS, NETWORK, WEIGHTS, matching) == []
    assert "locked" in " ".join(check(needs, AGENTS, NETWORK, WEIGHTS, with_agent(matching, 1, None)))
