"""Opening hours: a season's edges and length, the sessions of a day, and the hours where no centre says otherwise."""

from datetime import date, time

import pytest

from dispatch.core.opening_hours import STANDARD_HOURS, MonthDay, SeasonHours

MORNING = ((time(9), time(12)),)


def season(first: MonthDay, last: MonthDay) -> SeasonHours:
    return SeasonHours(sessions=MORNING, season_from=first, season_to=last)


@pytest.mark.parametrize(("month", "day"), [(13, 1), (4, 31), (2, 30), (0, 1)])
def test_a_day_that_no_year_has_is_refused(month: int, day: int) -> None:
    with pytest.raises(ValueError, match=r"day|month"):
        MonthDay(month, day)


def test_the_leap_day_is_a_day_and_may_begin_or_end_a_season() -> None:
    leap = MonthDay(2, 29)
    assert season(leap, MonthDay(3, 1)).season_length == 2
    assert season(MonthDay(2, 28), leap).season_length == 2
    assert season(leap, leap).covers(date(2028, 2, 29))
    assert not season(leap, leap).covers(date(2027, 3, 1))


def test_hours_without_a_season_hold_all_year() -> None:
    all_year = SeasonHours(sessions=MORNING)
    for on in (date(2026, 1, 1), date(2026, 12, 31), date(2028, 2, 29)):
        assert all_year.covers(on)
    assert all_year.season_length == 366
    assert all_year.centre is None


def test_a_season_of_one_day_holds_on_that_day_alone() -> None:
    labour_day = season(MonthDay(5, 1), MonthDay(5, 1))
    assert labour_day.season_length == 1
    assert [labour_day.covers(date(2026, 5, day)) for day in (1, 2)] == [True, False]
    assert not labour_day.covers(date(2026, 4, 30))


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (MonthDay(6, 1), MonthDay(9, 30), 122),
        (MonthDay(11, 1), MonthDay(2, 28), 120),
        (MonthDay(12, 31), MonthDay(1, 1), 2),
        (MonthDay(1, 1), MonthDay(12, 31), 366),
    ],
)
def test_the_length_of_a_season_counts_both_ends_and_runs_over_the_new_year(
    first: MonthDay, last: MonthDay, days: int
) -> None:
    assert season(first, last).season_length == days


def test_a_day_without_sessions_is_no_opening() -> None:
    with pytest.raises(ValueError, match="at least one session"):
        SeasonHours(sessions=())


def test_the_counters_open_with_the_first_session_and_close_with_the_last() -> None:
    hours = SeasonHours(sessions=((time(8, 30), time(11, 30)), (time(14), time(17, 30))))
    assert (hours.opens, hours.closes) == (time(8, 30), time(17, 30))


def test_the_standard_hours_are_nine_to_twelve_and_half_past_one_to_five() -> None:
    (standard,) = STANDARD_HOURS
    assert standard.sessions == ((time(9), time(12)), (time(13, 30), time(17)))
