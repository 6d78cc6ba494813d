"""Answering: questions and complaints (12345) get a number, an owner, a due day, an answer and a call back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import division_with
from agents.roster import Agent
from dispatch.acts.act import APPLICANTS, LEADS, STAFF, Act, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Phone, Reason, SecondOfDay, Why, Words
from dispatch.acts.recording import JUST_NOW, Happening, record_fact
from dispatch.cases.case import Case
from dispatch.cases.due_moments import ticket_due
from dispatch.cases.evaluation import (
    TICKET_LABEL,
    Ticket,
    TicketKind,
    TicketState,
)
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.lookups import next_number
from dispatch.cases.notify import DeskKind, add_timeline_event, day_of, queue_desk_notice, queue_notice
from dispatch.cases.project import Enterprise, Project
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import AgentId, CaseNo, DivisionCode, TicketNo
from dispatch.core.localized_text import DayText, LocalizedText
from notifications import outbox


def _open_ticket(
    session: Session,
    *,
    kind: TicketKind,
    words: str,
    division_id: int,
    by: Actor,
    at: datetime,
    case: Case | None = None,
    phone: str | None = None,
    from_12345: bool = False,
    when: Happening = JUST_NOW,
) -> Ticket:
    """A ticket with its owner: the case's agent, but never the person complained about. ``when`` it came in."""
    lead = None if case is None else session.get_one(Project, case.project_id).lead
    about = lead.agent_id if lead is not None and kind is TicketKind.COMPLAINT else None
    ticket = Ticket(
        ticket_no=next_number(session, f"T{day_of(at):%Y%m%d}", width=4),
        kind=kind,
        division_id=division_id,
        enterprise_id=by.enterprise_id if case is None else session.get_one(Project, case.project_id).enterprise_id,
        case_id=None if case is None else case.id,
        about_agent_id=about,
        from_12345=from_12345,
        words=words,
        phone=phone,
        filed_by=by.account_id,
        opened_at=at,
        due_at=at,
    )
    ticket.hand_to(lead.agent_id if lead is not None and about is None else None)
    session.add(ticket)
    session.flush()
    record_fact(session, ticket, Fact(kind=FactKind.TICKET_RECEIVED), when, by=by, at=at)
    refresh_due(session, ticket)
    if case is not None:
        line = LocalizedText(
            "已登记%(kind)s %(number)s", kind=LocalizedText(TICKET_LABEL[kind]), number=ticket.ticket_no
        )
        add_timeline_event(session, case, kind="ticket", by=by, at=at, words=line, internal=about is not None)
    if kind is TicketKind.COMPLAINT:
        queue_desk_notice(
            session, kind=DeskKind.SUPERVISION, division_id=division_id, text="complaint_for_desk",
            key=f"desk:{ticket.ticket_no}", at=at,
            values={"ticket_no": ticket.ticket_no, "day": DayText(day_of(ticket.due_at))},
        )  # fmt: skip
    tell_asker(session, ticket, case, "ticket_received", at=at, day=DayText(day_of(ticket.due_at)))
    return ticket


def refresh_due(session: Session, ticket: Ticket) -> None:
    """An answer is due some working days after the ticket came in."""
    ticket.due_at = ticket_due(calendar_of(session), ticket.kind, ticket.opened_at)


def _answer(
    session: Session, ticket: Ticket, *, reply: str, by: Actor, at: datetime, when: Happening = JUST_NOW
) -> None:
    """The answer, and word to the person who asked."""
    told = record_fact(session, ticket, Fact(kind=FactKind.TICKET_ANSWERED, words=reply), when, by=by, at=at)
    tell_asker(session, ticket, None if ticket.case_id is None else session.get_one(Case, ticket.case_id),
               "ticket_answered", at=at, key=f"{ticket.ticket_no}:{told.id}")  # fmt: skip


def tell_asker(
    session: Session, ticket: Ticket, case: Case | None, text: str, *, at: datetime, key: str = "", **values: str
) -> None:
    """A notice to who asked, once for each ``key``."""
    key = key or ticket.ticket_no
    if case is not None and ticket.phone is None:
        queue_notice(session, case, text, at=at, key=key, values={"ticket_no": ticket.ticket_no, **values})
        return
    if ticket.phone:
        outbox.queue_message(session, outbox.NewMessage(
            event_key=f"{text}:{key}", text=text, to=ticket.phone,
            values={"ticket_no": ticket.ticket_no, **values}, at=at, division_id=ticket.division_id,
        ))  # fmt: skip


def tell_moved_answer(session: Session, ticket: Ticket, was: datetime, *, at: datetime) -> bool:
    """Whoever asked hears of another day by which the answer comes; whether it is another, and still to come."""
    day = day_of(ticket.due_at)
    if ticket.state is not TicketState.OPEN or day == day_of(was):
        return False
    case = None if ticket.case_id is None else session.get_one(Case, ticket.case_id)
    key = f"{ticket.ticket_no}:{day}:{at.timestamp():.0f}"
    tell_asker(session, ticket, case, "ticket_moved", at=at, key=key, day=DayText(day))
    return True


@dataclass(frozen=True, slots=True)
class TicketResult:
    """A ticket after a step: its number, its due moment and its state."""

    ticket_no: str
    due_at: datetime
    state: TicketState


@act(by=APPLICANTS | {Role.SUPERVISOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """Somebody asks or complains, about a case or a place; an enterprise that names neither asks its own county.

    ``phone``: who is answered where no case has a contact. ``on``, ``second``: when it came in, as the hotline says."""

    kind: TicketKind
    words: Annotated[str, MinLen(1), MaxLen(2000)]
    case_no: CaseNo | None = None
    area: DivisionCode | None = None
    phone: Phone | None = None
    from_12345: bool = False
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""

    def perform(self, context: ActContext) -> TicketResult:
        is_asker = context.actor.role is Role.ENTERPRISE
        if not self.words.strip():
            raise Refused("a ticket needs words", user_message="请写明内容")
        if is_asker and (self.on or day_of(context.at)) != day_of(context.at):
            raise Refused(f"asked on {self.on}, says the asker", user_message="收到日期由代办中心登记")
        case = None if self.case_no is None else context.row(Case, self.case_no)
        ticket = _open_ticket(
            context.session, kind=self.kind, words=self.words.strip(), division_id=self._division_id(context, case),
            by=context.actor, at=context.at, case=case, from_12345=self.from_12345 and not is_asker,
            # An enterprise that asks about its case is answered at the case's own contact, at no other number.
            phone=None if is_asker and case is not None else self.phone,
            when=Happening(on=self.on, second=self.second, late_reason=self.late_reason),
        )  # fmt: skip
        return _ticket_result(ticket)

    def _division_id(self, context: ActContext, case: Case | None) -> int:
        if case is not None:
            return case.division_id
        if self.area is not None:
            return division_with(context.session, self.area).id
        if context.actor.enterprise_id is None:
            raise Refused("a ticket needs a case or an area", user_message="请选择办件或所在区县")
        home = _home_division_id(context.session, context.actor.enterprise_id)
        if home is None:
            raise Refused("no place is known", user_message="您还没有项目，请直接拨打 12345")
        return home


def _home_division_id(session: Session, enterprise_id: int) -> int | None:
    """The county in which the enterprise's latest project is at home, else its own; None when neither is known."""
    of_projects = select(Project.home_division_id).where(Project.enterprise_id == enterprise_id)
    latest = session.scalar(of_projects.order_by(Project.id.desc()).limit(1))
    return latest if latest is not None else session.get_one(Enterprise, enterprise_id).division_id


def _when(step: "AnswerTicket | CallBackTicket") -> Happening:
    return Happening(on=step.on, second=step.second, late_reason=step.late_reason)


def _ticket_result(ticket: Ticket) -> TicketResult:
    return TicketResult(ticket.ticket_no, ticket.due_at, ticket.state)


@act(by=STAFF | {Role.SUPERVISOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTicket:
    """The answer to a question or a complaint, and word to the person who asked."""

    ticket: TicketNo
    words: Words = ""
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""

    def perform(self, context: ActContext) -> TicketResult:
        ticket = context.row(Ticket, self.ticket)
        _answer(context.session, ticket, reply=self.words.strip(), by=context.actor, at=context.at, when=_when(self))
        return _ticket_result(ticket)


@act(by=STAFF | {Role.SUPERVISOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class CallBackTicket:
    """The asker was called back about the answer (回访): what they said."""

    ticket: TicketNo
    words: Words = ""
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""

    def perform(self, context: ActContext) -> TicketResult:
        ticket = context.row(Ticket, self.ticket)
        fact = Fact(kind=FactKind.TICKET_CALLED_BACK, words=self.words.strip())
        record_fact(context.session, ticket, fact, _when(self), by=context.actor, at=context.at)
        return _ticket_result(ticket)


@act(by=LEADS | {Role.SUPERVISOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTicket:
    """A ticket goes to the agent who is to answer it, who hears of it; never to the one complained about.

    Without an agent it goes back to the team."""

    ticket: TicketNo
    agent_id: AgentId | None = None
    reason: Why

    def perform(self, context: ActContext) -> TicketResult:
        session, ticket = context.session, context.row(Ticket, self.ticket)
        if ticket.state is not TicketState.OPEN:
            raise WrongStage(f"ticket {ticket.ticket_no} is {ticket.state}", user_message="已经答复，不能再转办")
        agent = None if self.agent_id is None else context.row(Agent, self.agent_id)
        if agent is not None and not agent.active:
            raise Refused(f"agent {agent.id} has left", user_message="该代办员已离岗，请另选一位")
        was = ticket.owner_agent_id
        ticket.hand_to(None if agent is None else agent.id)
        session.flush()
        if agent is not None and agent.id != was:
            _tell_owner(session, ticket, agent, at=context.at)
        return _ticket_result(ticket)


def _tell_owner(session: Session, ticket: Ticket, agent: Agent, *, at: datetime) -> None:
    outbox.queue_message(session, outbox.NewMessage(
        event_key=f"ticket_for_agent:{ticket.ticket_no}:{agent.id}:{at.timestamp():.0f}", text="ticket_for_agent",
        to=agent.phone, values={"ticket_no": ticket.ticket_no, "day": DayText(day_of(ticket.due_at))}, at=at,
        division_id=ticket.division_id,
    ))  # fmt: skip


TICKET_STEPS: Mapping[str, type[Act[TicketResult]]] = MappingProxyType(
    {"answered": AnswerTicket, "called_back": CallBackTicket, "routed": RouteTicket}
)
"""The word by which a door names each step of a ticket."""
