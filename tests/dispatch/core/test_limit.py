"""Limits: none, at once, working days and calendar days are told apart in form, words, comparison and last day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.core.limit import (
    IMMEDIATE,
    DayUnit,
    Limit,
    due_words,
    last_day,
    law_words,
    limits_words,
    minimum_words,
    promise_words,
    read_limit,
)
from tests.dispatch.calendars import shipped_calendar

CALENDAR = shipped_calendar()
LIMITS = st.just(IMMEDIATE) | st.builds(Limit, st.integers(1, 60), st.sampled_from(DayUnit))
DAYS = st.dates(date(2026, 1, 1), date(2027, 6, 30)).map(CALENDAR.first_workday_from)


@given(LIMITS)
def test_a_form_is_read_back_as_what_it_was(limit: Limit) -> None:
    assert read_limit(str(limit)) == limit
    assert read_limit("") is read_limit(None) is None


@pytest.mark.parametrize("form", ["0", "0wd", "0cal", "5", "-1wd", "5 wd", "5days", "即时", "1000wd", "5WD", "none"])
def test_nought_and_everything_else_is_no_limit(form: str) -> None:
    with pytest.raises(ValueError, match="is no limit"):
        read_limit(form)


def test_at_once_is_of_no_unit() -> None:
    with pytest.raises(ValueError, match="calendar"):
        Limit(0, DayUnit.CALENDAR)


def test_each_has_its_words() -> None:
    assert [law_words(read_limit(form)) for form in ("", "immediate", "7wd", "30cal")] == [
        "法律未规定时限", "即时", "7个工作日", "30日（自然日）",
    ]  # fmt: skip
    assert promise_words(None) == "部门未另作承诺"
    assert minimum_words(Limit(30, DayUnit.CALENDAR)) == "法定最短30日（自然日）"
    assert limits_words(IMMEDIATE, IMMEDIATE) == "即时"
    assert limits_words(None, Limit(1)) == "承诺：1个工作日；法定：法律未规定时限"
    assert due_words(date(2027, 1, 8), is_provisional=True) == "1月8日（暂定）"


@given(DAYS, LIMITS)
def test_the_last_day_is_the_one_that_counting_finds(start: date, limit: Limit) -> None:
    on, left = start, limit.days
    while left:
        on += timedelta(days=1)
        left -= limit.unit is DayUnit.CALENDAR or CALENDAR.is_workday(on)
    while not CALENDAR.is_workday(on):
        on += timedelta(days=1)
    assert last_day(CALENDAR, start, limit) == on


@pytest.mark.parametrize(
    ("promise", "law", "is_longer"),
    [
        ("5wd", "5wd", False), ("6wd", "5wd", True), ("21wd", "30cal", False), ("22wd", "30cal", True),
        ("30cal", "30cal", False), ("31cal", "30cal", True), ("immediate", "1wd", False), ("1wd", "immediate", True),
        ("10cal", "7wd", False), ("12cal", "7wd", True),
    ],
)  # fmt: skip
def test_a_promise_is_compared_with_the_law_to_the_laws_favour(promise: str, law: str, is_longer: bool) -> None:
    assert Limit.read(promise).is_longer_than(Limit.read(law)) is is_longer
