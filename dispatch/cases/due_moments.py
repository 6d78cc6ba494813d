"""Due moments: by when the centre, its agents and the enterprise act, in working days of the calendar in force."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from dispatch.cases.evaluation import TicketKind
from dispatch.core.working_days import Calendar
from dispatch.path.seven_lists import ANSWER_WD, PRESCREEN_WD

ACCEPT_REFERRAL_WD = 1
CLOSE_UNRATED_WD = 15
ANSWER_MESSAGE_WD = 1
CALL_BACK_WD = 3
"""The centre's own promise: no rule sets a day for calling back."""
VERIFY_BAD_GRADE_WD = 1
RECTIFY_BAD_GRADE_WD = 15
ANSWER_TICKET_WD: Mapping[TicketKind, int] = MappingProxyType(
    {TicketKind.QUESTION: 1, TicketKind.HELP: 1, TicketKind.COMPLAINT: 5, TicketKind.SUGGESTION: 5}
)


def due(calendar: Calendar, at: datetime, working_days: int) -> datetime:
    """The close of the last of so many working days after the one on which ``at`` counts."""
    return calendar.closes_at(calendar.add_working_days(calendar.counts_as_filed_on(at), working_days))


def answer_due(calendar: Calendar, requested_at: datetime) -> datetime:
    """The centre answers a request."""
    return due(calendar, requested_at, ANSWER_WD)


def prescreen_due(calendar: Calendar, assigned_at: datetime) -> datetime:
    """The agent has prescreened a case that is the agent's, or came back corrected, since ``assigned_at``."""
    return due(calendar, assigned_at, PRESCREEN_WD)


def referral_due(calendar: Calendar, offered_at: datetime) -> datetime:
    """Who is asked to take a project over has answered."""
    return due(calendar, offered_at, ACCEPT_REFERRAL_WD)


def message_due(calendar: Calendar, written_at: datetime) -> datetime:
    """The office has answered what an enterprise wrote in its case."""
    return due(calendar, written_at, ANSWER_MESSAGE_WD)


def grade_due(calendar: Calendar, delivered_at: datetime) -> datetime:
    """The enterprise has graded; after that the case is closed without."""
    return due(calendar, delivered_at, CLOSE_UNRATED_WD)


def verify_grade_due(calendar: Calendar, graded_at: datetime) -> datetime:
    """Supervision has verified a bad grade."""
    return due(calendar, graded_at, VERIFY_BAD_GRADE_WD)


def rectify_grade_due(calendar: Calendar, graded_at: datetime) -> datetime:
    """What a bad grade was given for is mended."""
    return due(calendar, graded_at, RECTIFY_BAD_GRADE_WD)


def call_back_due(calendar: Calendar, answered_at: datetime) -> datetime:
    """Who complained, or came by the hotline, is called back about the answer."""
    return due(calendar, answered_at, CALL_BACK_WD)


def ticket_due(calendar: Calendar, kind: TicketKind, opened_at: datetime) -> datetime:
    """A question or complaint is answered."""
    return due(calendar, opened_at, ANSWER_TICKET_WD[kind])
