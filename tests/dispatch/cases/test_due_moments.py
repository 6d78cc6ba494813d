"""Due moments, by days counted by hand in the calendar of 2026: as a working day closes, never inside it."""

from collections.abc import Callable
from datetime import date, datetime, time

import pytest

from dispatch.cases import due_moments
from dispatch.cases.evaluation import TicketKind
from dispatch.core.shanghai_time import utc
from dispatch.core.working_days import Calendar
from tests.dispatch.calendars import shipped_calendar

CALENDAR = shipped_calendar()
MONDAY = date(2026, 3, 16)  # three weeks before 清明, which takes Monday the sixth of April
CLOSES = time(17)
DueMoment = Callable[[Calendar, datetime], datetime]

OF_MONDAY: tuple[tuple[DueMoment, date], ...] = (
    (due_moments.answer_due, date(2026, 3, 17)),
    (due_moments.prescreen_due, date(2026, 3, 18)),
    (due_moments.referral_due, date(2026, 3, 17)),
    (due_moments.verify_grade_due, date(2026, 3, 17)),
    (due_moments.grade_due, date(2026, 4, 7)),
    (due_moments.rectify_grade_due, date(2026, 4, 7)),
)
TICKETS = {
    TicketKind.QUESTION: date(2026, 3, 17),
    TicketKind.HELP: date(2026, 3, 17),
    TicketKind.COMPLAINT: date(2026, 3, 23),
    TicketKind.SUGGESTION: date(2026, 3, 23),
}


@pytest.mark.parametrize(("due", "on"), OF_MONDAY, ids=[due.__name__ for due, _ in OF_MONDAY])
def test_what_a_monday_begins_is_due_as_so_many_working_days_close(due: DueMoment, on: date) -> None:
    assert due(CALENDAR, utc(MONDAY, time(10))) == utc(on, CLOSES)


@pytest.mark.parametrize(("due", "on"), OF_MONDAY, ids=[due.__name__ for due, _ in OF_MONDAY])
def test_what_begins_after_closing_or_on_a_rest_day_counts_for_the_next_working_day(due: DueMoment, on: date) -> None:
    for rest in (
        utc(date(2026, 3, 13), time(17, 1)),
        utc(date(2026, 3, 14), time(9)),
        utc(date(2026, 3, 15), time(23)),
    ):
        assert due(CALENDAR, rest) == utc(on, CLOSES)


@pytest.mark.parametrize("kind", TicketKind)
def test_a_question_has_a_day_and_a_complaint_five(kind: TicketKind) -> None:
    assert due_moments.ticket_due(CALENDAR, kind, utc(MONDAY, time(10))) == utc(TICKETS[kind], CLOSES)


def test_no_working_day_at_all_is_the_close_of_the_day_itself() -> None:
    assert due_moments.due(CALENDAR, utc(MONDAY, time(16, 59)), 0) == utc(MONDAY, CLOSES)
