"""Budget rules at their limits: how many texts a day, when the next may go, and which texts become one."""

from datetime import timedelta

import pytest

from notifications.budget import Merge, PendingText, SentText, allowed_at, plan_merges, remaining
from notifications.message import Priority
from notifications.settings import NoticeSettings
from notifications.text_catalogue import Catalogue, Pair, Text
from tests.notifications.builders import TEN

RULES = NoticeSettings(identical_a_day=2, different_a_day=4, kept_for_urgent=1)
A, B, C, D, E, NEW = (bytes([i]) for i in range(6))


def sent(body: bytes, hours_ago: int) -> SentText:
    return SentText(body, TEN - timedelta(hours=hours_ago))


def frees(hours_ago: int):
    """The moment at which a text of so many hours ago leaves the window."""
    return TEN - timedelta(hours=hours_ago) + RULES.day


def next_progress(*gone: SentText, body: bytes = NEW, ahead: int = 0):
    return allowed_at(gone, body, Priority.PROGRESS, ahead, RULES)


# ---------------------------------------------------------------- when a text may go


def test_the_second_identical_text_goes_and_the_third_waits_for_the_first_to_leave():
    assert next_progress(body=A) is None
    assert next_progress(sent(A, 9), body=A) is None
    assert next_progress(sent(A, 1), sent(A, 9), body=A) == frees(9)


def test_after_three_identical_texts_two_must_leave():
    assert next_progress(sent(A, 9), sent(A, 1), sent(A, 5), body=A) == frees(5)


def test_the_third_different_text_of_progress_goes_and_the_fourth_waits():
    assert next_progress(sent(A, 3), sent(B, 2)) is None
    assert next_progress(sent(A, 1), sent(B, 3), sent(C, 2)) == frees(3)


def test_after_four_different_texts_progress_waits_for_two_to_leave():
    assert next_progress(sent(A, 4), sent(B, 3), sent(C, 2), sent(D, 1)) == frees(3)


@pytest.mark.parametrize("priority", [Priority.CODE, Priority.COURIER, Priority.DEFECT])
def test_what_is_urgent_may_use_the_fourth_text_but_no_fifth(priority):
    three = [sent(A, 4), sent(B, 3), sent(C, 2)]
    assert allowed_at(three, NEW, priority, 0, RULES) is None
    assert allowed_at([*three, sent(D, 1)], NEW, priority, 0, RULES) == frees(4)


@pytest.mark.parametrize("priority", [Priority.PROGRESS, Priority.SURVEY])
def test_progress_and_surveys_leave_the_fourth_text_to_what_is_urgent(priority):
    three = [sent(A, 4), sent(B, 3), sent(C, 2)]
    assert allowed_at(three, NEW, priority, 0, RULES) == frees(4)


def test_a_text_that_went_once_is_not_a_different_one_again():
    assert next_progress(sent(A, 4), sent(B, 3), sent(C, 2), body=A) is None
    assert next_progress(sent(A, 4), sent(B, 3), sent(C, 2), sent(D, 1), body=D) is None


def test_what_has_legal_effect_waits_for_nothing_but_its_own_like():
    full = [sent(A, 4), sent(B, 3), sent(C, 2), sent(D, 1)]
    assert allowed_at(full, NEW, Priority.PROGRESS, 5, RULES, is_legal=True) is None
    assert allowed_at([*full, sent(NEW, 9), sent(NEW, 2)], NEW, Priority.SURVEY, 0, RULES, is_legal=True) == frees(9)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)])
def test_a_repeated_text_leaves_the_window_with_its_latest_sending(order):
    gone = [sent(A, 20), sent(A, 1), sent(B, 10), sent(C, 5)]
    assert next_progress(*(gone[i] for i in order)) == frees(10)


def test_texts_that_go_first_count_too():
    assert next_progress(sent(A, 3), sent(B, 2), ahead=0) is None
    assert next_progress(sent(B, 2), sent(A, 3), ahead=1) == frees(3)
    assert next_progress(sent(A, 3), ahead=1) is None
    assert next_progress(sent(A, 3), ahead=2) == frees(3)


def test_texts_that_go_first_hold_nothing_back_while_the_window_is_empty():
    assert next_progress(ahead=9) is None


def test_each_limit_is_the_settings_own():
    rules = NoticeSettings(identical_a_day=1, different_a_day=2, kept_for_urgent=0, day=timedelta(hours=1))
    first = sent(A, 0)
    assert allowed_at([first], A, Priority.PROGRESS, 0, rules) == TEN + timedelta(hours=1)
    assert allowed_at([first], B, Priority.SURVEY, 0, rules) is None
    assert allowed_at([first, sent(B, 0)], C, Priority.SURVEY, 0, rules) == TEN + timedelta(hours=1)


def test_what_remains_of_the_day_is_one_less_for_each_different_text():
    assert remaining([], RULES) == 3
    assert remaining([sent(A, 1), sent(A, 2), sent(B, 3)], RULES) == 1
    assert remaining([sent(body, 1) for body in (A, B, C, D)], RULES) == -1


# ---------------------------------------------------------------- which texts become one


def a_text(
    name: str, *, replaces: bool = False, digest: str | None = None, placeholders=(), priority=Priority.PROGRESS
):
    return Text(name, "", priority, {}, tuple(placeholders), replaces=replaces, digest=digest)


CATALOGUE = Catalogue(
    {
        text.name: text
        for text in (
            a_text("due_moved", replaces=True),
            a_text("assigned"),
            a_text("pickup", priority=Priority.COURIER),
            a_text("assigned_pickup", digest="news_of_case"),
            a_text("stage", digest="news_of_case"),
            a_text("review", digest="news_of_case", priority=Priority.SURVEY),
            a_text("project", digest="projects"),
            a_text("projects", placeholders=["count"], priority=Priority.SURVEY),
            a_text("news_of_case", placeholders=["case_no", "count"]),
            a_text("news", placeholders=["count"]),
            a_text("plain"),
        )
    },
    {},
    (Pair("assigned", "pickup", "assigned_pickup"),),
)
FIRST_CASE, OTHER_CASE = 1, 2


def waits(number: int, text: str, case: int | None = FIRST_CASE, *, locale: str = "zh", weight: int = 1) -> PendingText:
    return PendingText(number, text, case, locale, weight)


def merged(*waiting: PendingText, most: int = 1) -> list[Merge]:
    return plan_merges(waiting, most, CATALOGUE)


def test_nothing_is_merged_while_all_fit():
    two = waits(1, "due_moved"), waits(2, "due_moved")
    assert merged(*two, most=2) == []
    assert merged(*two, most=1) == [Merge(2, (1,), None, 2)]


@pytest.mark.parametrize("most", [-3, 0])
def test_one_text_always_goes_however_little_remains(most):
    assert merged(waits(1, "due_moved"), most=most) == []
    assert merged(waits(1, "due_moved"), waits(2, "plain"), most=most) == []
    assert merged(waits(1, "due_moved"), waits(2, "due_moved"), most=most) == [Merge(2, (1,), None, 2)]


def test_the_newest_replaces_the_older_ones_whatever_order_they_come_in():
    assert merged(waits(3, "due_moved"), waits(1, "due_moved"), waits(2, "due_moved")) == [Merge(3, (1, 2), None, 3)]


@pytest.mark.parametrize(
    "other",
    [
        waits(2, "due_moved", OTHER_CASE),
        waits(2, "due_moved", locale="en"),
        waits(2, "plain"),
    ],
)
def test_only_the_same_text_of_the_same_case_and_language_is_replaced(other):
    assert merged(waits(1, "due_moved"), other) == []


def test_a_text_that_replaces_nothing_stays_beside_its_like():
    assert merged(waits(1, "plain"), waits(2, "plain")) == []


def test_texts_of_no_case_are_not_replaced():
    assert merged(waits(1, "due_moved", None), waits(2, "due_moved", None)) == []


def test_each_case_is_replaced_for_itself():
    plan = merged(
        waits(1, "plain"),
        waits(2, "due_moved"),
        waits(3, "due_moved", OTHER_CASE),
        waits(4, "due_moved"),
        waits(5, "due_moved", OTHER_CASE),
    )
    assert plan == [Merge(4, (2,), None, 2), Merge(5, (3,), None, 2)]


def test_two_texts_of_a_pair_become_its_text_and_the_second_carries_it():
    assert merged(waits(1, "assigned"), waits(2, "pickup")) == [Merge(2, (1,), "assigned_pickup", 2)]
    assert merged(waits(1, "pickup"), waits(2, "assigned")) == [Merge(1, (2,), "assigned_pickup", 2)]


@pytest.mark.parametrize(
    "pickup",
    [
        waits(2, "pickup", OTHER_CASE),
        waits(2, "pickup", locale="en"),
        waits(2, "plain"),
    ],
)
def test_only_two_texts_of_one_case_and_language_are_a_pair(pickup):
    assert merged(waits(1, "assigned"), pickup) == []


def test_a_pair_needs_a_case():
    assert merged(waits(1, "assigned", None), waits(2, "pickup", None)) == []


def test_with_two_first_texts_nobody_knows_which_one_is_meant():
    assert merged(waits(1, "assigned"), waits(2, "assigned"), waits(3, "pickup")) == []


def test_a_pairs_text_is_news_of_its_case_where_the_catalogue_says_so():
    plan = merged(waits(1, "assigned"), waits(2, "pickup"), waits(3, "stage"))
    assert plan == [Merge(2, (1,), "assigned_pickup", 2), Merge(3, (2,), "news_of_case", 3)]


def test_no_pair_is_made_once_replacing_was_enough():
    plan = merged(waits(1, "due_moved"), waits(2, "due_moved"), waits(3, "assigned"), waits(4, "pickup"), most=3)
    assert plan == [Merge(2, (1,), None, 2)]


def test_the_news_of_a_case_become_one_text_for_the_case():
    plan = merged(
        waits(1, "stage"), waits(2, "stage", OTHER_CASE), waits(3, "review"), waits(4, "review", OTHER_CASE), most=2
    )
    assert plan == [Merge(3, (1,), "news_of_case", 2), Merge(4, (2,), "news_of_case", 2)]


def test_a_single_news_of_a_case_keeps_its_own_words():
    assert merged(waits(1, "stage"), waits(2, "plain")) == []


def test_news_of_no_case_have_no_case_to_name():
    plan = merged(waits(1, "stage", None), waits(2, "stage", None), waits(3, "stage"), most=1)
    assert plan == [Merge(3, (1, 2), "news", 3)]


def test_a_digest_that_names_no_case_stands_for_several_and_for_none():
    plan = merged(waits(1, "project", None), waits(2, "project"), waits(3, "project", OTHER_CASE))
    assert plan == [Merge(3, (1, 2), "projects", 3)]


def test_languages_are_never_mixed():
    assert merged(waits(1, "project"), waits(2, "project", locale="en")) == []
    assert merged(waits(1, "stage"), waits(2, "stage", locale="en")) == []
    assert merged(waits(1, "stage"), waits(2, "stage", OTHER_CASE, locale="en")) == []


def test_as_a_last_resort_the_news_of_all_cases_become_one_text():
    plan = merged(
        waits(1, "stage"),
        waits(2, "stage"),
        waits(3, "stage", OTHER_CASE),
        waits(4, "news"),
        waits(5, "news_of_case", 3),
    )
    assert plan == [Merge(2, (1,), "news_of_case", 2), Merge(5, (2, 3, 4), "news", 5)]


def test_news_of_several_cases_stay_apart_while_they_fit():
    waiting = waits(1, "stage"), waits(2, "stage"), waits(3, "stage", OTHER_CASE)
    assert merged(*waiting, most=2) == [Merge(2, (1,), "news_of_case", 2)]


def test_what_is_no_news_is_never_put_among_the_news():
    assert merged(waits(1, "stage"), waits(2, "plain"), waits(3, "stage", OTHER_CASE)) == [Merge(3, (1,), "news", 2)]
    assert merged(waits(1, "stage"), waits(2, "project", OTHER_CASE)) == []


def test_a_message_stands_for_itself_until_it_carries_others():
    two = [PendingText(number, "stage", FIRST_CASE, "zh") for number in (1, 2)]
    assert merged(*two) == [Merge(2, (1,), "news_of_case", 2)]


def test_a_merge_counts_what_each_message_stands_for():
    assert merged(waits(1, "stage", weight=3), waits(2, "stage", weight=2)) == [Merge(2, (1,), "news_of_case", 5)]
    plan = merged(waits(1, "stage"), waits(2, "stage"), waits(3, "stage", OTHER_CASE, weight=4))
    assert plan[-1] == Merge(3, (2,), "news", 6)
