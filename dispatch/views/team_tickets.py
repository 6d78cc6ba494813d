"""Tickets as the team sees them: who asks, about which case, whom to call, and who owns the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from agents.roster import Agent
from dispatch.cases.access_control import visible_agents, visible_cases, visible_tickets
from dispatch.cases.case import Case
from dispatch.cases.evaluation import Ticket, TicketKind, TicketState
from dispatch.cases.project import Contact, Enterprise
from dispatch.core.actor import Actor, Role
from dispatch.views.contact_strip import ContactStrip, contact_strips
from dispatch.views.fact_lines import FactLine, fact_lines
from notifications.phone import mask

TICKETS_PAGE = 30
MOST_OWNERS = 500
TICKET_SORT = {"": "待答复的在前", "due": "时限", "newest": "最新"}
ORDERS: dict[str, tuple[Any, ...]] = {
    "": (Ticket.state != TicketState.OPEN, Ticket.due_at, Ticket.id),
    "due": (Ticket.due_at, Ticket.id),
    "newest": (Ticket.id.desc(),),
}


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets and in which order: a key of TICKET_SORT."""

    state: TicketState | None = None
    kind: TicketKind | None = None
    from_12345: bool = False
    words: str = ""
    sort: str = ""


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket, its owner, who asks, its case's strip, and what was written down. A supervisor reads no number."""

    ticket: Ticket
    owner: str
    facts: tuple[FactLine, ...]
    enterprise: str
    person: str
    phone: str
    may_call: bool
    case_no: str
    strip: ContactStrip | None


@dataclass(frozen=True, slots=True)
class TicketList:
    """A page of tickets, and how many there are on all pages."""

    lines: Sequence[TicketLine]
    total: int


def tickets(
    session: Session, viewer: Actor, asked: TicketFilter, *, at: datetime, page: int = 1, size: int = TICKETS_PAGE
) -> TicketList:
    """Open ones first; a case that the viewer does not see is not named."""
    conditions = _conditions(viewer, asked)
    asker = (
        select(Contact.id).where(Contact.account_id == Ticket.filed_by, Contact.enterprise_id == Ticket.enterprise_id)
        .order_by(Contact.id.desc()).limit(1).correlate(Ticket).scalar_subquery()
    )  # fmt: skip
    query = (
        select(
            Ticket, Agent.name, Enterprise.name.label("enterprise"), Contact.name.label("person"),
            Contact.phone.label("contact_phone"), Case.case_no, Case.project_id,
        )
        .outerjoin(Agent, Agent.id == Ticket.owner_agent_id)
        .outerjoin(Enterprise, Enterprise.id == Ticket.enterprise_id)
        .outerjoin(Contact, Contact.id == asker)
        .outerjoin(Case, and_(Case.id == Ticket.case_id, visible_cases(viewer)))
        .where(*conditions)
        .options(selectinload(Ticket.facts))
        .order_by(*ORDERS[asked.sort])
    )  # fmt: skip
    rows = session.execute(query.offset((page - 1) * size).limit(size)).all()
    strips = contact_strips(session, viewer, {row.project_id for row in rows if row.project_id is not None}, at=at)
    may_call = viewer.role is not Role.SUPERVISOR
    lines = []
    for row in rows:
        phone = row.Ticket.phone or row.contact_phone or ""
        lines.append(TicketLine(
            row.Ticket, row.name or "—", fact_lines(row.Ticket), row.enterprise or "", row.person or "",
            phone if may_call or not phone else mask(phone), may_call, row.case_no or "", strips.get(row.project_id),
        ))  # fmt: skip
    return TicketList(lines, session.scalar(select(func.count()).select_from(Ticket).where(*conditions)) or 0)


def _conditions(viewer: Actor, asked: TicketFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [visible_tickets(viewer)]
    if asked.state is not None:
        conditions.append(Ticket.state == asked.state)
    if asked.kind is not None:
        conditions.append(Ticket.kind == asked.kind)
    if asked.from_12345:
        conditions.append(Ticket.from_12345.is_(True))
    if typed := asked.words.strip():
        named = select(Enterprise.id).where(Enterprise.name.contains(typed, autoescape=True))
        numbered = Ticket.ticket_no.contains(typed.upper(), autoescape=True)
        conditions.append(or_(numbered, Ticket.enterprise_id.in_(named)))
    return conditions


def owners(session: Session, viewer: Actor) -> tuple[tuple[int, str], ...]:
    """The agents to whom a ticket may be given, by name."""
    query = select(Agent.id, Agent.name).where(Agent.active, visible_agents(viewer)).order_by(Agent.pinyin, Agent.id)
    return tuple((row.id, row.name) for row in session.execute(query.limit(MOST_OWNERS)))
