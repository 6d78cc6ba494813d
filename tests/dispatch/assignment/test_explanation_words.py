"""The words of an explanation: by what the runner-up lost, and the smallest change that would place a need."""

import pytest

from agents.matching.explain import ChangeKind, Rival, SmallestChange
from agents.matching.model import Need
from dispatch.assignment.explanation import CLOSE, TERM_WORDS, change_words, lost_words

NEED = Need(1, "lead", 1, "320412000000", 119.9, 31.7)
SKILLED = Need(1, "lead", 1, "320412000000", 119.9, 31.7, skills=frozenset({"land"}))
NAMES = {7: "李四"}


def rival(lost_by: int, *, scarcity: int = 0, **differences: int) -> Rival:
    return Rival(7, None, lost_by, differences, scarcity)  # type: ignore[arg-type]


@pytest.mark.parametrize("term", sorted(CLOSE))
def test_a_wish_in_which_the_runner_up_is_worse_is_named_with_the_points(term: str):
    said = lost_words(rival(12, **{term: 3}))
    assert TERM_WORDS[term] in said
    assert "12" in said
    assert TERM_WORDS[term] not in lost_words(rival(12, **{term: -3}))


def test_a_slot_that_others_need_more_is_named_as_such():
    assert "名额宽裕程度" in lost_words(rival(5, scarcity=5))
    assert "名额宽裕程度" not in lost_words(rival(5, scarcity=-5))


def test_points_are_said_only_where_there_are_some():
    term = min(CLOSE)
    assert lost_words(rival(0, **{term: 3})).endswith("总代价相同")
    assert lost_words(rival(4)) == "条件相当，代价高4分"
    assert lost_words(rival(0)) == "条件相当，总代价相同"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (ChangeKind.ACCEPT_HANDOVER, "首问代办员的转办被接受，即可派件"),
        (ChangeKind.LIFT_BAN, "解除对李四的排除，即可派件"),
        (ChangeKind.ESCALATE, "允许上级（市、省）代办员承办，即可派件"),
        (ChangeKind.RETURN, "李四返岗，即可派件"),
        (ChangeKind.ADD_AGENTS, "武进区增加0名代办员，即可派件"),
    ],
)
def test_each_change_is_said_and_the_handover_that_must_come_first(step: ChangeKind, words: str):
    change = SmallestChange(1, step, agent=7)
    assert change_words(change, NEED, NAMES, "武进区") == words
    after = SmallestChange(1, step, after_handover=True, agent=7)
    first = "" if step is ChangeKind.ACCEPT_HANDOVER else "首问代办员的转办被接受后，"
    assert change_words(after, NEED, NAMES, "武进区") == first + words


def test_newcomers_are_wanted_with_the_skills_of_the_need():
    said = change_words(SmallestChange(1, ChangeKind.ADD_AGENTS), SKILLED, NAMES, "武进区")
    assert said.startswith("武进区增加0名熟悉")
