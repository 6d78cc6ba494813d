"""Questions and complaints as the enterprise sees them, and what was changed because somebody was not satisfied."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_projects, visible_tickets
from dispatch.cases.case import Case
from dispatch.cases.evaluation import TICKET_LABEL, Evaluation, Rectification, Ticket, TicketState
from dispatch.cases.project import Project
from dispatch.cases.review import Review
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor

IMPROVEMENTS = 10  # newest first


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A question or complaint (一号答): its number, its answer, until when."""

    ticket_no: str
    kind: str
    words: str
    opened_at: datetime
    due_at: datetime
    case_no: str | None
    reply: str | None
    answered_at: datetime | None
    is_open: bool


def tickets(session: Session, viewer: Actor, *, case_id: int | None = None) -> list[TicketRow]:
    """The enterprise's tickets, the newest first."""
    query = (
        select(Ticket, Case.case_no)
        .outerjoin(Case, Case.id == Ticket.case_id)
        .where(visible_tickets(viewer))
        .order_by(Ticket.id.desc())
        .limit(100)
    )
    if case_id is not None:
        query = query.where(Ticket.case_id == case_id)
    return [
        TicketRow(
            ticket.ticket_no, TICKET_LABEL[ticket.kind], ticket.words, ticket.opened_at, ticket.due_at, case_no,
            ticket.reply, ticket.answered_at, ticket.state is TicketState.OPEN,
        )
        for ticket, case_no in session.execute(query)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Improvement:
    """What a bad grade changed: the matter and the measure, never who rated or was rated."""

    matter: str
    measure: str
    on: datetime


def improvements(session: Session, viewer: Actor) -> list[Improvement]:
    """What was changed lately where the enterprise's projects are, because somebody was not satisfied."""
    homes = select(Project.home_division_id).where(visible_projects(viewer))
    query = (
        select(Matter.short_name, Rectification.measure, Rectification.rectified_at)
        .join(Evaluation, Evaluation.id == Rectification.evaluation_id)
        .join(Review, Review.id == Evaluation.review_id)
        .join(Matter, Matter.id == Review.matter_id)
        .join(Case, Case.id == Evaluation.case_id)
        .where(Case.division_id.in_(homes), Rectification.rectified_at.is_not(None), Rectification.measure.is_not(None))
        .order_by(Rectification.rectified_at.desc())
        .limit(IMPROVEMENTS)
    )
    return [Improvement(matter, measure or "", on) for matter, measure, on in session.execute(query) if on is not None]
