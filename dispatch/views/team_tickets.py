"""Tickets as the team sees them, with their owners."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from agents.roster import Agent
from dispatch.cases.access_control import (
    visible_tickets,
)
from dispatch.cases.evaluation import Ticket, TicketState
from dispatch.core.actor import Actor
from dispatch.views.fact_lines import FactLine, fact_lines


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket, the name of its owner, and what was written down of it."""

    ticket: Ticket
    owner: str
    facts: tuple[FactLine, ...]


def tickets(session: Session, viewer: Actor, *, state: str = "", limit: int = 100) -> list[TicketLine]:
    """Tickets and their owners' names, open ones first."""
    query = (
        select(Ticket, Agent.name)
        .outerjoin(Agent, Agent.id == Ticket.owner_agent_id)
        .where(visible_tickets(viewer))
        .options(selectinload(Ticket.facts))
        .order_by(Ticket.state != TicketState.OPEN, Ticket.due_at)
    )
    if state:
        query = query.where(Ticket.state == TicketState(state))
    return [TicketLine(ticket, name or "—", fact_lines(ticket)) for ticket, name in session.execute(query.limit(limit))]
