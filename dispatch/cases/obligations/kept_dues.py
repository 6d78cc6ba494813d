"""Kept dues: the due moments that rows keep for those who read many are derived from their events and the calendar."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch.cases.case import Case
from dispatch.cases.due_moments import (
    answer_due,
    grade_due,
    prescreen_due,
    rectify_grade_due,
    referral_due,
    ticket_due,
    verify_grade_due,
)
from dispatch.cases.evaluation import Rectification, Ticket
from dispatch.cases.obligations.case_facts import CaseFacts
from dispatch.cases.project import Referral
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of

DuedNoun = type[Case] | type[Referral] | type[Rectification] | type[Ticket]


@dataclass(frozen=True, slots=True)
class StaleDue:
    """A due moment that a row keeps otherwise than its events and the calendar say."""

    noun: DuedNoun
    id: int
    column: str
    kept: datetime | None
    derived: datetime | None


def stale_dues(facts: CaseFacts) -> Iterator[StaleDue]:
    """Those of a case, of its project's referrals and of its bad grades."""
    case, calendar = facts.case, facts.calendar
    assigned_at = facts.entered(Stage.ASSIGNED)
    wanted: list[tuple[DuedNoun, int, str, datetime | None, datetime | None]] = [
        (Case, case.id, "answer_by", case.answer_by, answer_due(calendar, case.created_at)),
        (
            Case, case.id, "prescreen_by", case.prescreen_by,
            None if assigned_at is None else prescreen_due(calendar, assigned_at),
        ),
        (
            Case, case.id, "close_by", case.close_by,
            None if case.delivered_at is None else grade_due(calendar, case.delivered_at),
        ),
    ]  # fmt: skip
    for offer in facts.referrals:
        accept_by = referral_due(calendar, offer.offered_at)
        wanted.append((Referral, offer.id, "accept_by", offer.accept_by, accept_by))
    for one in facts.rectifications:
        verify_by, rectify_by = verify_grade_due(calendar, one.opened_at), rectify_grade_due(calendar, one.opened_at)
        wanted.append((Rectification, one.id, "verify_by", one.verify_by, verify_by))
        wanted.append((Rectification, one.id, "rectify_by", one.rectify_by, rectify_by))
    yield from (StaleDue(*one) for one in wanted if one[3] != one[4])


def stale_ticket_dues(session: Session) -> Iterator[StaleDue]:
    """Those of all tickets."""
    calendar = calendar_of(session)
    query = select(Ticket.id, Ticket.kind, Ticket.opened_at, Ticket.due_at).order_by(Ticket.id)
    for row in session.execute(query):
        derived = ticket_due(calendar, row.kind, row.opened_at)
        if row.due_at != derived:
            yield StaleDue(Ticket, row.id, "due_at", row.due_at, derived)


def keep_dues(session: Session, stale: Sequence[StaleDue]) -> None:
    """These rows keep what was derived."""
    for one in stale:
        changed = update(one.noun).where(one.noun.id == one.id).values({one.column: one.derived})
        session.execute(changed.execution_options(synchronize_session="fetch"))
