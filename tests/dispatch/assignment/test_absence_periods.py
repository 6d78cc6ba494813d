"""Spells: what prolongs what, and that a look at the days around is enough."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dispatch.assignment.absence_periods import (
    AROUND,
    SHORT_LEAVE_WD,
    absence_periods,
    is_long_absence,
    long_absent_ids,
    working_days,
)
from tests.dispatch.calendars import shipped_calendar

CALENDAR = shipped_calendar()
FIRST = date(2026, 1, 1)  # before the longest holiday


@st.composite
def leaves(draw):
    starts_on = FIRST + timedelta(days=draw(st.integers(0, 90)))
    return starts_on, starts_on + timedelta(days=draw(st.integers(0, 12)))


def test_a_holiday_between_two_leaves_joins_them_and_a_weekend_worked_does_not():
    before, after = (date(2026, 2, 12), date(2026, 2, 14)), (date(2026, 2, 24), date(2026, 2, 25))
    assert not CALENDAR.working_days_between(date(2026, 2, 14), date(2026, 2, 23))
    assert CALENDAR.is_workday(date(2026, 2, 14))  # a Saturday
    assert absence_periods([after, before], CALENDAR) == [(before[0], after[1])]
    assert working_days(CALENDAR, before[0], after[1]) == 5
    assert absence_periods([(before[0], date(2026, 2, 13)), after], CALENDAR) == [(before[0], date(2026, 2, 13)), after]


def test_as_many_days_as_are_looked_at_on_one_side_hold_more_work_than_a_short_leave():
    day, last = date(2025, 1, 1), date(2027, 12, 31) - AROUND
    while day <= last:
        assert working_days(CALENDAR, day, day + AROUND) > SHORT_LEAVE_WD, day
        day += timedelta(days=1)


@given(st.lists(leaves(), max_size=12), st.integers(0, 100))
def test_who_is_long_away_is_known_from_the_days_around(taken, day):
    on = FIRST + timedelta(days=day)
    whole = any(a <= on <= b and is_long_absence(CALENDAR, a, b) for a, b in absence_periods(taken, CALENDAR))
    near = [(7, a, b) for a, b in taken if a <= on + AROUND and b >= on - AROUND]
    assert long_absent_ids(near, on, CALENDAR) == long_absent_ids([(7, a, b) for a, b in taken], on, CALENDAR)
    assert (7 in long_absent_ids(near, on, CALENDAR)) == whole


@given(st.lists(leaves(), max_size=12))
def test_absences_hold_every_leave_and_lie_apart(taken):
    found = absence_periods(taken, CALENDAR)
    assert all(any(a <= starts and ends <= b for a, b in found) for starts, ends in taken)
    for (_, ends_on), (starts_on, _) in pairwise(found):
        assert CALENDAR.working_days_between(ends_on, starts_on - timedelta(days=1)) > 0
