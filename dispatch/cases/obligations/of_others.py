"""Of others: what is owed beside cases: of tickets, the coming year's calendar, couriers' further shifts."""

from collections.abc import Collection, Iterator
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.cases.due_moments import call_back_due, ticket_due
from dispatch.cases.evaluation import Ticket, TicketKind
from dispatch.cases.obligations.obligation import ObligationKind, Owed, OwnerKind, Subject
from dispatch.cases.obligations.of_case import end_of
from dispatch.catalogue.calendar_tables import CalendarDay
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.shanghai_time import utc
from dispatch.core.working_days import Calendar, DayStatus
from routing.day.couriers import Courier, Shift

NOTICE_COMES = (11, 1)
"""Month and day from which the State Council's notice of the coming year is looked for."""
EVER = utc(date(2000, 1, 1), time(0))
"""The program does not know since when a courier works: one without a shift lacks it since ever."""
SHIFTS_AHEAD = timedelta(days=10)
"""So long before a courier's last shift the further ones are asked for."""


def tickets_owed(session: Session, ids: Collection[int] | None) -> list[Owed]:
    """Each ticket is answered by its day, by its owner; without one by the team. ``ids`` None: every ticket."""
    calendar = calendar_of(session)
    query = select(
        Ticket.id, Ticket.kind, Ticket.case_id, Ticket.division_id, Ticket.owner_agent_id, Ticket.opened_at,
        Ticket.answered_at, Ticket.called_back_at, Ticket.from_12345,
    )  # fmt: skip
    if ids is not None:
        query = query.where(Ticket.id.in_(ids))
    return [owed for row in session.execute(query) for owed in _of_ticket(row, calendar)]


def _of_ticket(row: Any, calendar: Calendar) -> Iterator[Owed]:
    """Its answer; and after that a call back, where somebody complained or came by the hotline."""
    owner: dict[str, Any] = {
        "subject": Subject.TICKET, "subject_id": row.id, "division_id": row.division_id,
        "owner_kind": OwnerKind.TEAM if row.owner_agent_id is None else OwnerKind.PERSON,
        "owner_id": row.division_id if row.owner_agent_id is None else row.owner_agent_id,
    }  # fmt: skip
    yield Owed(
        kind=ObligationKind.TICKET, **owner, due_at=ticket_due(calendar, row.kind, row.opened_at),
        opened_by="ticket.opened", opened_at=row.opened_at,
        closed_by=None if row.answered_at is None else "ticket.answered", closed_at=row.answered_at,
    )  # fmt: skip
    if row.answered_at is not None and (row.from_12345 or row.kind is TicketKind.COMPLAINT):
        yield Owed(
            kind=ObligationKind.CALL_BACK, **owner, due_at=call_back_due(calendar, row.answered_at),
            opened_by="ticket.answered", opened_at=row.answered_at,
            closed_by=None if row.called_back_at is None else "ticket.called_back", closed_at=row.called_back_at,
        )  # fmt: skip


def calendar_owed(session: Session) -> list[Owed]:
    """The first year that is not published yet is imported before it begins, from the day its notice may come."""
    last = session.scalar(select(func.max(CalendarDay.day)).where(CalendarDay.status == DayStatus.PUBLISHED))
    if last is None:
        return []
    return [
        Owed(
            kind=ObligationKind.CALENDAR, subject=Subject.YEAR, subject_id=last.year + 1, owner_kind=OwnerKind.TEAM,
            due_at=end_of(date(last.year, 12, 31)), opened_by="calendar.published",
            opened_at=utc(date(last.year, *NOTICE_COMES), time(0)),
        )
    ]  # fmt: skip


def shifts_owed(session: Session, ids: Collection[int] | None) -> list[Owed]:
    """A courier who works has shifts; before the last one is over, further ones are entered. Without any: at once."""
    query = (
        select(Courier.id, Courier.division_id, func.max(Shift.on).label("last"))
        .outerjoin(Shift, Shift.courier_id == Courier.id)
        .where(Courier.active)
        .group_by(Courier.id)
    )
    if ids is not None:
        query = query.where(Courier.id.in_(ids))
    return [
        Owed(
            kind=ObligationKind.SHIFTS, subject=Subject.COURIER, subject_id=row.id, division_id=row.division_id,
            owner_kind=OwnerKind.TEAM, owner_id=row.division_id,
            due_at=None if row.last is None else end_of(row.last),
            opened_by="courier.entered" if row.last is None else "shift.entered",
            opened_at=EVER if row.last is None else utc(row.last - SHIFTS_AHEAD, time(0)),
        )
        for row in session.execute(query)
    ]  # fmt: skip
