"""The working-day clock against two independent calendars, a slow recount, and the cases that lawyers argue about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import chinese_calendar
import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.core.legal_clock import Extension, Lamp, LegalClock
from dispatch.core.limit import DayUnit, Limit
from dispatch.core.opening_hours import MonthDay, SeasonHours
from dispatch.core.shanghai_time import utc
from dispatch.core.special_procedure import Pause, PauseKind
from dispatch.core.statutory_holidays import LUNAR_DAYS, estimated_holidays, estimated_workdays
from dispatch.core.statutory_limits import correction_due_at, deemed_accepted_on, delivery_due_at
from dispatch.core.three_clocks import ClockOf, Span, three_clocks
from dispatch.core.working_days import Calendar, CalendarMissing, PublishedDay
from tests.dispatch.calendars import shipped_calendar

DATA = Path(__file__).parents[3] / "dispatch" / "data"


CALENDAR = shipped_calendar()
DATES = st.dates(date(2025, 1, 10), date(2027, 10, 30))


def a_pause(starts_on: date, ended_on: date | None = None, **changes) -> Pause:
    facts = {
        "kind": PauseKind.EXPERT_REVIEW,
        "notice": "武行审告〔2026〕12号",
        "starts_on": starts_on,
        "expected_end_on": ended_on or starts_on + timedelta(days=6),
        "maximum_wd": 60,
        "ended_on": ended_on,
    }
    return Pause(**{**facts, **changes})


# --- the calendar ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_published_years_agree_with_an_independent_calendar_day_by_day(year):
    on = date(year, 1, 1)
    while on.year == year:
        assert CALENDAR.is_workday(on) == chinese_calendar.is_workday(on), on
        on += timedelta(days=1)


def test_the_provisional_year_knows_the_statutory_days_and_says_that_it_is_an_estimate():
    statutory = holidays.China(years=2027)
    on = date(2027, 1, 1)
    while on.year == 2027:
        assert CALENDAR.is_workday(on) == (on.weekday() < 5 and on not in statutory), on
        on += timedelta(days=1)
    assert CALENDAR.is_estimate(date(2026, 12, 20), date(2027, 1, 4))
    assert not CALENDAR.is_estimate(date(2026, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize("year", [2024, 2028, 2031, 2060])
def test_a_year_without_a_calendar_is_estimated_and_says_so(year):
    assert CALENDAR.is_estimate(date(year, 3, 1), date(year, 3, 2))
    spring = LUNAR_DAYS[year][0]
    assert not any(CALENDAR.is_workday(spring + timedelta(days=n)) for n in range(-1, 3))
    assert not CALENDAR.is_workday(date(year, 10, 1))
    assert CALENDAR.working_days_between(date(year - 1, 12, 31), date(year, 12, 31)) in range(244, 252)


def test_the_shipped_estimate_is_the_programs_own():
    shipped = {on for on, name in estimated_holidays(2027).items()}
    assert {on for on in shipped if CALENDAR.is_workday(on)} == set()
    assert list(estimated_workdays(2027)) == CALENDAR.workdays_after(date(2026, 12, 31), date(2027, 12, 31))


@pytest.mark.parametrize("year", range(2027, 2060))
def test_the_estimate_agrees_with_the_library_that_knows_the_lunar_calendar(year):
    known = {on: name for on, name in holidays.China(years=year).items() if on.year == year and on.weekday() < 5}
    mine = {on for on in estimated_holidays(year) if on.weekday() < 5}
    # Where the Mid-autumn festival falls into the week of October the library makes a day good that the rule does not.
    assert mine ^ set(known) <= {date(2039, 10, 6)}


def test_only_beyond_all_that_can_be_estimated_no_calendar_reaches():
    for ask, year in (
        (lambda: CALENDAR.is_workday(date(2101, 1, 3)), 2101),
        (lambda: CALENDAR.next_workday(date(1999, 5, 1)), 1999),
    ):
        with pytest.raises(CalendarMissing, match=str(year)) as error:
            ask()
        assert error.value.year == year
    with pytest.raises(CalendarMissing, match="2101"):
        CALENDAR.add_working_days(date(2100, 12, 30), 40)
    with pytest.raises(CalendarMissing, match="1999"):
        CALENDAR.add_working_days(date(2000, 1, 4), -40)


def test_a_year_between_two_imported_ones_is_estimated_and_not_jumped_over():
    days = [
        PublishedDay(
            date(year, 1, 1) + timedelta(days=n), is_workday=(date(year, 1, 1) + timedelta(days=n)).weekday() < 5
        )
        for year in (2030, 2032)
        for n in range(366 if year == 2032 else 365)
    ]
    calendar = Calendar.of(days)
    assert calendar.add_working_days(date(2030, 12, 31), 1) == date(2031, 1, 2)
    assert calendar.is_estimate(date(2031, 1, 2), date(2031, 1, 2))
    assert not calendar.is_estimate(date(2032, 1, 2), date(2032, 1, 2))


def test_half_a_year_and_a_day_given_twice_are_refused():
    half = [PublishedDay(date(2030, 1, 1) + timedelta(days=n), is_workday=True) for n in range(180)]
    with pytest.raises(ValueError, match="2030-06-30"):
        Calendar.of(half)
    with pytest.raises(ValueError, match="twice"):
        Calendar.of([half[0], half[0]])


@given(DATES, st.integers(0, 40))
def test_adding_working_days_agrees_with_counting_them_one_by_one(start, days):
    try:
        end = CALENDAR.add_working_days(start, days)
    except CalendarMissing:
        return
    on, left = start, days
    while left or not CALENDAR.is_workday(on):
        on += timedelta(days=1)
        left = max(0, left - CALENDAR.is_workday(on)) if left else 0
    assert end == on
    if days:
        assert CALENDAR.working_days_between(start, end) == days


@given(DATES, DATES, DATES)
def test_working_days_between_adds_up_and_changes_sign(a, b, c):
    between = CALENDAR.working_days_between
    assert between(a, b) + between(b, c) == between(a, c)
    assert between(a, b) == -between(b, a)


@given(DATES, st.integers(1, 30))
def test_going_back_undoes_going_forward_from_a_working_day(start, days):
    try:
        from_workday = CALENDAR.first_workday_from(start)
        assert CALENDAR.add_working_days(CALENDAR.add_working_days(from_workday, days), -days) == from_workday
    except CalendarMissing:
        return


def test_a_make_up_saturday_counts_and_the_week_of_national_day_does_not():
    assert chinese_calendar.is_workday(date(2026, 10, 10))
    assert CALENDAR.add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert CALENDAR.working_days_between(date(2026, 10, 8), date(2026, 10, 11)) == 2


# --- opening hours --------------------------------------------------------------------------------------------------

SUMMER = SeasonHours(
    sessions=((time(9), time(12)), (time(14), time(17, 30))), season_from=MonthDay(6, 1), season_to=MonthDay(9, 30)
)
WINTER = SeasonHours(
    sessions=((time(9), time(12)), (time(13), time(16, 30))), season_from=MonthDay(11, 1), season_to=MonthDay(2, 28)
)
OWN = SeasonHours(sessions=((time(8, 30), time(20)),), centre="SC042")
YEAR = SeasonHours(sessions=((time(9), time(12)), (time(13, 30), time(17))))


def test_a_season_beats_the_year_and_a_centre_beats_both():
    calendar = shipped_calendar((YEAR, SUMMER, WINTER, OWN))
    assert calendar.closes_at(date(2026, 7, 1)).time() == time(17, 30)
    assert calendar.closes_at(date(2026, 4, 1)).time() == time(17)
    assert calendar.closes_at(date(2026, 1, 15)).time() == time(16, 30)
    assert calendar.closes_at(date(2026, 12, 15)).time() == time(16, 30)
    assert calendar.closes_at(date(2026, 7, 1), "SC042").time() == time(20)


def test_filed_after_closing_or_on_a_rest_day_counts_as_the_next_working_day():
    friday = date(2026, 3, 13)
    assert CALENDAR.counts_as_filed_on(utc(friday, time(17))) == friday
    assert CALENDAR.counts_as_filed_on(utc(friday, time(17, 0, 1))) == date(2026, 3, 16)
    assert CALENDAR.counts_as_filed_on(utc(date(2026, 3, 14), time(10))) == date(2026, 3, 16)
    assert CALENDAR.counts_as_filed_on(utc(friday, time(6))) == friday


def test_the_day_is_jiangsu_s_day_whatever_zone_the_instant_is_written_in():
    late_in_london = datetime(2026, 3, 12, 23, 30, tzinfo=UTC)  # 07:30 on the 13th in Jiangsu
    assert CALENDAR.counts_as_filed_on(late_in_london) == date(2026, 3, 13)
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR.counts_as_filed_on(datetime(2026, 3, 12, 9))  # noqa: DTZ001


def test_opening_hours_must_go_forward():
    with pytest.raises(ValueError, match="forward"):
        SeasonHours(sessions=((time(9), time(12)), (time(11), time(17))))
    with pytest.raises(LookupError, match="opening hours"):
        shipped_calendar((SUMMER,)).closes_at(date(2026, 1, 15))


def test_two_sessions_of_a_day_may_not_touch():
    with pytest.raises(ValueError, match="forward"):
        SeasonHours(sessions=((time(9), time(12)), (time(12), time(17))))


@pytest.mark.parametrize(
    ("on", "closes"),
    [
        (date(2026, 5, 31), time(17)),
        (date(2026, 6, 1), time(17, 30)),
        (date(2026, 9, 30), time(17, 30)),
        (date(2026, 10, 1), time(17)),
        (date(2026, 10, 31), time(17)),
        (date(2026, 11, 1), time(16, 30)),
        (date(2026, 12, 31), time(16, 30)),
        (date(2026, 2, 28), time(16, 30)),
        (date(2026, 3, 1), time(17)),
    ],
)
def test_a_season_holds_from_its_first_to_its_last_day(on, closes):
    assert shipped_calendar((YEAR, SUMMER, WINTER, OWN)).closes_at(on).time() == closes


def test_a_centre_without_hours_of_its_own_keeps_the_general_ones():
    calendar = shipped_calendar((YEAR, SUMMER, WINTER, OWN))
    assert calendar.closes_at(date(2026, 4, 1), "SC099").time() == time(17)
    assert calendar.closes_at(date(2026, 7, 1), "SC099").time() == time(17, 30)


# --- the legal clock ------------------------------------------------------------------------------------------------

MONDAY = date(2026, 3, 2)


def test_day_one_is_the_next_working_day_and_the_limit_ends_at_close_of_business():
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5))
    assert clock.days_used(CALENDAR, utc(date(2026, 3, 3), time(10))) == 1
    assert clock.due_at(CALENDAR, MONDAY) == utc(date(2026, 3, 9), time(17))
    evening = LegalClock(utc(MONDAY, time(18)), Limit(5))
    assert evening.due_at(CALENDAR, MONDAY) == utc(date(2026, 3, 10), time(17))


def test_the_lamp_turns_amber_with_two_days_left_and_red_after_closing_on_the_last():
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5))
    assert [
        clock.lamp(CALENDAR, utc(date(2026, 3, day), at))
        for day, at in [(4, time(16)), (5, time(9)), (9, time(17)), (9, time(17, 1)), (10, time(9))]
    ] == [Lamp.GREEN, Lamp.AMBER, Lamp.AMBER, Lamp.RED, Lamp.RED]
    assert clock.days_left(CALENDAR, utc(date(2026, 3, 9), time(9))) == 0
    assert clock.days_left(CALENDAR, utc(date(2026, 3, 11), time(9))) == -2


def test_a_decision_in_time_stays_green_for_ever():
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5), decided_at=utc(date(2026, 3, 9), time(16)))
    assert clock.lamp(CALENDAR, utc(date(2026, 6, 1), time(9))) is Lamp.GREEN
    assert clock.days_used(CALENDAR, utc(date(2026, 6, 1), time(9))) == 5
    late = LegalClock(utc(MONDAY, time(10)), Limit(5), decided_at=utc(date(2026, 3, 10), time(9)))
    assert late.lamp(CALENDAR, utc(date(2026, 6, 1), time(9))) is Lamp.RED


def test_a_day_on_which_any_pause_stands_does_not_count_and_overlapping_pauses_count_once():
    pauses = (
        a_pause(date(2026, 3, 4), date(2026, 3, 6)),
        a_pause(date(2026, 3, 6), date(2026, 3, 10), kind=PauseKind.TESTING),
    )
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5), pauses=pauses)
    assert clock.due_on(CALENDAR, MONDAY) == date(2026, 3, 16)  # 3rd counts; 4th-10th stand still; 11, 12, 13, 16


def test_an_open_pause_is_taken_to_end_as_expected_then_today_but_never_beyond_its_maximum():
    pause = a_pause(date(2026, 3, 4), None, expected_end_on=date(2026, 3, 6), maximum_wd=5)
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5), pauses=(pause,))
    assert clock.due_on(CALENDAR, date(2026, 3, 4)) == date(2026, 3, 12)
    assert clock.due_on(CALENDAR, date(2026, 3, 9)) == date(2026, 3, 13)
    assert clock.due_on(CALENDAR, date(2026, 3, 10)) == date(2026, 3, 16)
    assert clock.due_on(CALENDAR, date(2026, 3, 25)) == date(2026, 3, 16)
    assert pause.is_over_maximum(CALENDAR, date(2026, 3, 11))
    assert not clock.is_provisional(CALENDAR, MONDAY)


def test_pauses_are_told_apart_into_what_stood_and_what_is_expected():
    pauses = (
        a_pause(date(2026, 3, 4), date(2026, 3, 5)),
        a_pause(date(2026, 3, 10), None, expected_end_on=date(2026, 3, 13)),
    )
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5), pauses=pauses)
    assert clock.pauses_wd(CALENDAR, date(2026, 3, 11)) == (4, 2)
    assert clock.pauses_wd(CALENDAR, date(2026, 3, 16)) == (7, 0)


def test_a_pause_that_begins_on_the_acceptance_day_takes_only_the_days_after_it():
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5), pauses=(a_pause(MONDAY, date(2026, 3, 4)),))
    assert clock.due_on(CALENDAR, MONDAY) == date(2026, 3, 11)
    assert clock.pauses_wd(CALENDAR, date(2026, 3, 11)) == (2, 0)
    assert clock.days_used(CALENDAR, utc(date(2026, 3, 5), time(10))) == 1


def test_a_pause_on_the_first_day_moves_the_limit_by_that_day():
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5), pauses=(a_pause(date(2026, 3, 3), date(2026, 3, 3)),))
    assert clock.due_on(CALENDAR, MONDAY) == date(2026, 3, 10)
    assert clock.days_used(CALENDAR, utc(date(2026, 3, 3), time(12))) == 0


def test_a_limit_in_calendar_days_that_ends_inside_a_pause_ends_after_it():
    saturday = LegalClock(utc(MONDAY, time(10)), Limit(5, DayUnit.CALENDAR))
    assert saturday.due_on(CALENDAR, MONDAY) == date(2026, 3, 9)
    paused = replace(saturday, pauses=(a_pause(date(2026, 3, 9), date(2026, 3, 10)),))
    assert paused.due_on(CALENDAR, MONDAY) == date(2026, 3, 11)


def test_an_extension_adds_its_days_only_when_it_was_told_in_time():
    in_time = Extension(date(2026, 3, 6), date(2026, 3, 9), "材料需核实")
    assert LegalClock(utc(MONDAY, time(10)), Limit(5), extension=in_time).due_on(CALENDAR, MONDAY) == date(2026, 3, 23)
    late = LegalClock(
        utc(MONDAY, time(10)), Limit(5), extension=Extension(date(2026, 3, 9), date(2026, 3, 10), "材料需核实")
    )
    assert late.due_on(CALENDAR, MONDAY) == date(2026, 3, 9)
    clock = LegalClock(utc(MONDAY, time(10)), Limit(5))
    assert not clock.is_too_late_to_extend(CALENDAR, utc(date(2026, 3, 9), time(17)))
    assert clock.is_too_late_to_extend(CALENDAR, utc(date(2026, 3, 9), time(17, 1)))


def test_a_limit_in_calendar_days_that_ends_on_a_rest_day_moves_to_the_next_working_day():
    clock = LegalClock(utc(date(2026, 9, 24), time(10)), Limit(7, DayUnit.CALENDAR))
    assert clock.due_on(CALENDAR, MONDAY) == date(2026, 10, 8)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"notice": " "}, "notice"),
        ({"maximum_wd": 0}, "maximum"),
        ({"expected_end_on": date(2026, 1, 1)}, "expected to end"),
        ({"ended_on": date(2026, 1, 1), "expected_end_on": date(2026, 3, 6)}, "have ended"),
        ({"kind": PauseKind.PUBLICITY}, "publicity"),
    ],
)
def test_a_pause_without_its_facts_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        a_pause(date(2026, 3, 4), **changes)


def test_a_site_visit_is_no_pause():
    with pytest.raises(ValueError, match="site_visit"):
        PauseKind("site_visit")


def test_a_clock_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="before the acceptance"):
        LegalClock(utc(MONDAY, time(10)), Limit(5), decided_at=utc(MONDAY, time(9)))
    with pytest.raises(ValueError, match="cannot be -1"):
        Limit(-1)
    with pytest.raises(ValueError, match="notified"):
        Extension(date(2026, 3, 6), date(2026, 3, 5), "x")


PAUSES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(
        lambda p: a_pause(MONDAY + timedelta(days=p[0]), MONDAY + timedelta(days=p[0] + p[1]))
    ),
    max_size=4,
)


@settings(max_examples=60)
@given(st.integers(1, 40), PAUSES, st.sampled_from(DayUnit))
def test_the_due_day_is_the_one_a_slow_recount_finds(limit, pauses, unit):
    clock = LegalClock(utc(MONDAY, time(10)), Limit(limit, unit), pauses=tuple(pauses))
    stands = {p.starts_on + timedelta(days=n) for p in pauses for n in range((p.ended_on - p.starts_on).days + 1)}
    on, counted = MONDAY, 0
    while counted < limit:
        on += timedelta(days=1)
        counted += on not in stands and (unit is DayUnit.CALENDAR or CALENDAR.is_workday(on))
    if unit is DayUnit.CALENDAR:
        while on in stands or not CALENDAR.is_workday(on):
            on += timedelta(days=1)
    assert clock.due_on(CALENDAR, MONDAY) == on


@settings(max_examples=60)
@given(st.integers(1, 40), PAUSES, st.integers(0, 120))
def test_used_and_left_make_the_limit_until_it_is_overdue(limit, pauses, days_later):
    clock = LegalClock(utc(MONDAY, time(10)), Limit(limit), pauses=tuple(pauses))
    now = utc(MONDAY + timedelta(days=days_later), time(12))
    if not clock.is_overdue(CALENDAR, now):
        assert clock.days_used(CALENDAR, now) + clock.days_left(CALENDAR, now) == limit
    else:
        assert clock.lamp(CALENDAR, now) is Lamp.RED


@settings(max_examples=60)
@given(st.integers(1, 40), PAUSES, PAUSES)
def test_more_pauses_never_make_a_limit_end_sooner(limit, some, more):
    few = LegalClock(utc(MONDAY, time(10)), Limit(limit), pauses=tuple(some))
    many = LegalClock(utc(MONDAY, time(10)), Limit(limit), pauses=tuple(some + more))
    assert few.due_on(CALENDAR, MONDAY) <= many.due_on(CALENDAR, MONDAY)


# --- before acceptance, after the decision --------------------------------------------------------------------------


def test_five_days_without_a_word_count_as_acceptance_from_the_day_of_receipt():
    filed = utc(date(2026, 3, 6), time(18))  # Friday after closing: counts as Monday the 9th
    assert correction_due_at(CALENDAR, filed) == utc(date(2026, 3, 16), time(17))
    assert deemed_accepted_on(CALENDAR, filed) == date(2026, 3, 9)


def test_the_paper_is_owed_ten_days_after_the_decision():
    assert delivery_due_at(CALENDAR, utc(MONDAY, time(10))) == utc(date(2026, 3, 16), time(17))


def test_a_decision_after_closing_counts_as_made_on_the_next_working_day():
    friday = date(2026, 3, 6)
    assert delivery_due_at(CALENDAR, utc(friday, time(17))) == utc(date(2026, 3, 20), time(17))
    assert delivery_due_at(CALENDAR, utc(friday, time(17, 1))) == utc(date(2026, 3, 23), time(17))


def test_each_working_day_belongs_to_one_of_three_clocks():
    spans = [
        Span(ClockOf.AUTHORITY, MONDAY, date(2026, 3, 5)),
        Span(ClockOf.AUTHORITY, date(2026, 3, 4), date(2026, 3, 6)),
        Span(ClockOf.NOT_COUNTED, date(2026, 3, 5), date(2026, 3, 10)),
        Span(ClockOf.ENTERPRISE, date(2026, 3, 10), date(2026, 3, 12)),
    ]
    clocks = three_clocks(CALENDAR, MONDAY, date(2026, 3, 13), spans)
    assert (clocks.approval_wd, clocks.not_counted_wd, clocks.enterprise_wd) == (4, 2, 3)
    assert clocks.elapsed_wd == CALENDAR.working_days_between(MONDAY, date(2026, 3, 13))
