"""Departure: an agent who leaves for good hands over projects, offers and tickets; a preview says to whom and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from agents.roster import Agent, Duty
from dispatch.assignment import apply_batch, staffing
from dispatch.assignment.absence import relief_of
from dispatch.assignment.propose import Move, Proposal, ShadowPrice
from dispatch.assignment.telling import tell_placed
from dispatch.cases.evaluation import Ticket, TicketState
from dispatch.cases.notify import day_of
from dispatch.cases.project import Project, ProjectMember, Referral
from dispatch.core.actor import Actor
from dispatch.core.errors import Stale

FOR_GOOD_WD = 250
"""Working days of the absence that the matching is told of: longer than any stand-in acts."""
REASON = "原代办员离岗"


@dataclass(frozen=True, slots=True)
class Departure:
    """Who would take over what, what would wait, and what else the agent leaves. Nothing is changed yet."""

    proposal: Proposal
    notices: int
    others: int
    tickets: tuple[str, ...]
    offers: int
    stood_in_for: tuple[str, ...]

    @property
    def moves(self) -> tuple[Move, ...]:
        return self.proposal.moves

    @property
    def waiting(self) -> tuple[Move, ...]:
        return self.proposal.waiting

    @property
    def fingerprint(self) -> str:
        """The same for the same handover from the same state."""
        waiting = sorted((move.project_id, move.role.value, move.counter) for move in self.waiting)
        rest = (self.proposal.fingerprint, waiting, self.tickets, self.offers)
        return sha256(repr(rest).encode()).hexdigest()[:16]


def propose_departure(session: Session, agent: Agent, *, at: datetime) -> Departure:
    """The fewest moves that leave the agent nothing, and what else has to go to somebody."""
    relief = relief_of(session, {agent.id: FOR_GOOD_WD}, at=at, reason=REASON)
    return Departure(
        relief.proposal, relief.notices, relief.others,
        tuple(ticket.ticket_no for ticket in _tickets(session, agent)), len(_offers(session, agent)),
        tuple(colleague.name for colleague in _covered(session, agent)),
    )  # fmt: skip


def hand_over(session: Session, agent: Agent, found: Departure, *, by: Actor, at: datetime) -> None:
    """Carry it out: all of it, or Stale and nothing."""
    applied = apply_batch.apply(session, found.proposal, by=by, at=at)
    if applied.stale or applied.full:
        raise Stale("a project changed meanwhile", user_message="情况有变化，请核对新的接办建议")
    for project_id in sorted({move.project_id for move in found.waiting}):
        project = session.get_one(Project, project_id, with_for_update=True)
        for member in project.members:
            if member.agent_id == agent.id and member.until is None:
                staffing.leave_waiting(session, project, member, by=by, at=at)
    for ticket in _tickets(session, agent):
        ticket.hand_to(None)
    for offer in _offers(session, agent):
        staffing.decline_referral(session, session.get_one(Project, offer.project_id), offer, at=at)
    for colleague in _covered(session, agent):
        colleague.stand_in_id = None
    session.execute(delete(Duty).where(Duty.agent_id == agent.id, Duty.starts_on > day_of(at)))
    session.execute(delete(ShadowPrice).where(ShadowPrice.agent_id == agent.id))
    agent.active, agent.stand_in_id = False, None
    session.flush()
    tell_placed(session, at=at)


def still_held(session: Session, agent: Agent) -> int:
    """How many projects the agent acts for, and how many open tickets are the agent's."""
    acting = select(func.count()).where(ProjectMember.agent_id == agent.id, ProjectMember.until.is_(None))
    return (session.scalar(acting) or 0) + len(_tickets(session, agent))


def _tickets(session: Session, agent: Agent) -> list[Ticket]:
    open_ones = select(Ticket).where(Ticket.owner_agent_id == agent.id, Ticket.state != TicketState.CALLED_BACK)
    return list(session.scalars(open_ones.order_by(Ticket.id)))


def _offers(session: Session, agent: Agent) -> list[Referral]:
    """First asks that wait for an answer, by the agent or to the agent."""
    mine = or_(Referral.to_agent_id == agent.id, Referral.from_agent_id == agent.id)
    waiting = (Referral.to_agent_id.is_not(None), Referral.accepted_at.is_(None), Referral.declined_at.is_(None))
    return list(session.scalars(select(Referral).where(mine, *waiting).order_by(Referral.id)))


def _covered(session: Session, agent: Agent) -> Iterable[Agent]:
    return session.scalars(select(Agent).where(Agent.stand_in_id == agent.id, Agent.active).order_by(Agent.id)).all()
