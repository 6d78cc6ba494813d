"""The demo's projects: every stage of the path is shown, and every goal has its steps."""

from web.demo.case_plans import CASE_PLANS, Goal, Variation
from web.demo.case_steps import STEPS


def test_every_goal_has_its_steps():
    assert set(STEPS) == set(Goal) - {Goal.REQUESTED, Goal.NOBODY_FITS}


def test_every_goal_and_every_variation_is_shown():
    assert {plan.goal for plan in CASE_PLANS} == set(Goal)
    assert {plan.variation for plan in CASE_PLANS} == {None, *Variation}
