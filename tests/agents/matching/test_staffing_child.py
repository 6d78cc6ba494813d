"""The child process answers as the solvers do, and its end without an answer is an error that says so."""

import pytest

from agents.matching.hours import share_hours
from agents.matching.model import Weights
from agents.matching.staffing import WorkOffer
from agents.matching.staffing_child import TO_LOAD_S, SolverUnavailable, hours_in_child, teams_in_child
from agents.matching.teams import plan_teams
from tests.agents.matching.county import NETWORK, a_need, an_agent


def test_the_child_plans_the_same_teams():
    agents = [an_agent("land", skills=frozenset({"land"})), an_agent("fire", skills=frozenset({"fire"}))]
    question = [a_need(1, skills=frozenset({"land", "fire"}))], agents, NETWORK, Weights()
    assert teams_in_child(*question, limit_s=10) == plan_teams(*question, limit_s=10)


def test_the_child_shares_out_the_same_hours():
    question = {"a": 10, "b": 4}, [WorkOffer(1, "a", 8, 1), WorkOffer(2, "b", 4, 0)], {1: 100, 2: 50}
    assert hours_in_child(*question, limit_s=10) == share_hours(*question, limit_s=10)


def test_a_question_that_cannot_be_answered_is_no_answer():
    with pytest.raises(SolverUnavailable):
        hours_in_child({"a": 10}, [WorkOffer("unknown", "a", 8)], {1: 100}, limit_s=10)
    with pytest.raises(SolverUnavailable):
        hours_in_child({"a": 10}, [], {1: 100}, limit_s=0.01 - TO_LOAD_S)
