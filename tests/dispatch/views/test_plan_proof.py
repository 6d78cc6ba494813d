"""How good a plan could be at all, in a lead's words."""

from dispatch.views.plan_proof import WHY_UNPROVED, proof_words
from routing.model.plan import NoBound


def test_a_gap_is_told_in_percent_of_the_plan_and_none_as_the_best_there_is():
    assert proof_words({"bound": 992, "gap": 0.008, "no_bound": None}) == "已证明（OR-Tools）：任何排法最多再省 0.8%"
    assert proof_words({"bound": 1000, "gap": 0.0, "no_bound": None}) == "已证明（OR-Tools）：没有更省的排法"


def test_a_plan_without_a_bound_says_why_and_an_old_one_nothing():
    told = proof_words({"bound": None, "gap": None, "no_bound": "large"})
    assert told == "还能省多少没有证明：站点太多，整片区域无法求证"
    assert proof_words({"routes": []}) is None and proof_words(None) is None
    assert set(WHY_UNPROVED) == {why.value for why in NoBound}
