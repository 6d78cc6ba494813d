"""Answers: questions and complaints (12345) get an owner and a due day; bad grades a rectification."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.network import division_with
from dispatch.acts.act import APPLICANTS, ActContext, act
from dispatch.acts.act_fields import Phone, Words
from dispatch.cases.case import Case
from dispatch.cases.evaluation import (
    TICKET_LABEL,
    Evaluation,
    Rectification,
    RectificationState,
    Ticket,
    TicketKind,
    TicketState,
)
from dispatch.cases.lookups import due, next_number
from dispatch.cases.notify import DeskKind, add_timeline_event, day_of, queue_desk_notice, queue_notice
from dispatch.cases.project import Project
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused
from dispatch.core.ids import CaseNo, DivisionCode, RectificationId, TicketNo
from dispatch.core.localized_text import DayText, LocalizedText
from notifications import outbox

ANSWER_WD = {TicketKind.QUESTION: 1, TicketKind.HELP: 1, TicketKind.COMPLAINT: 5, TicketKind.SUGGESTION: 5}


def open_ticket(
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
) -> Ticket:
    """A ticket with its owner: the case's agent, but never the person complained about."""
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
        opened_at=at,
        due_at=due(calendar_of(session), at, ANSWER_WD[kind]),
    )
    ticket.hand_to(lead.agent_id if lead is not None and about is None else None)
    session.add(ticket)
    session.flush()
    if case is not None:
        said = LocalizedText(
            "已登记%(kind)s %(number)s", kind=LocalizedText(TICKET_LABEL[kind]), number=ticket.ticket_no
        )
        add_timeline_event(session, case, kind="ticket", by=by, at=at, words=said, internal=about is not None)
    if kind is TicketKind.COMPLAINT:
        queue_desk_notice(
            session, kind=DeskKind.SUPERVISION, division_id=division_id, text="complaint_for_desk",
            key=f"desk:{ticket.ticket_no}", at=at,
            values={"ticket_no": ticket.ticket_no, "day": DayText(day_of(ticket.due_at))},
        )  # fmt: skip
    _tell_asker(session, ticket, case, "ticket_received", at=at, day=DayText(day_of(ticket.due_at)))
    return ticket


def answer(session: Session, ticket: Ticket, *, reply: str, by: Actor, at: datetime) -> None:
    """The answer, and word to the person who asked."""
    ticket.answer(at=at, reply=reply)
    _tell_asker(session, ticket, None if ticket.case_id is None else session.get_one(Case, ticket.case_id),
                "ticket_answered", at=at)  # fmt: skip


def _tell_asker(session: Session, ticket: Ticket, case: Case | None, text: str, *, at: datetime, **values: str) -> None:
    if case is not None and ticket.phone is None:
        queue_notice(session, case, text, at=at, key=ticket.ticket_no, values={"ticket_no": ticket.ticket_no, **values})
        return
    if ticket.phone:
        outbox.queue_message(session, outbox.NewMessage(
            event_key=f"{text}:{ticket.ticket_no}", text=text, to=ticket.phone,
            values={"ticket_no": ticket.ticket_no, **values}, at=at, division_id=ticket.division_id,
        ))  # fmt: skip


def rectify(
    session: Session, rectification: Rectification, state: RectificationState, *, words: str, by: Actor, at: datetime
) -> None:
    """One step of a rectification (整改). The last one, the call back, tells the enterprise what changed."""
    is_rated = by.agent_id is not None and by.agent_id == rectification.evaluation.agent_id
    if is_rated and state is not RectificationState.APPEALED:
        raise Refused("the rated person may only appeal", user_message="被评价人只能提出申诉")
    rectification.move_to(state, at=at, words=words)
    if state is RectificationState.ANSWERED:
        case = session.get_one(Case, rectification.evaluation.case_id)
        queue_notice(session, case, "rectified", at=at, key=str(rectification.id), values={"result": words[:20]})


def shrunk_grade(session: Session, agent_id: int, *, prior: float = 4.5, weight: int = 20) -> tuple[float, int]:
    """An agent's mean grade pulled towards ``prior`` as by ``weight`` grades (2 cases do not outrank 200), and n."""
    row = session.execute(
        select(func.coalesce(func.sum(Evaluation.grade), 0), func.count()).where(
            Evaluation.agent_id == agent_id, Evaluation.withdrawn_at.is_(None)
        )
    ).one()
    total, n = int(row[0]), int(row[1])
    return (prior * weight + total) / (weight + n), n


@dataclass(frozen=True, slots=True)
class TicketResult:
    """A ticket after a step: its number, its due moment and its state."""

    ticket_no: str
    due_at: datetime
    state: TicketState


@act(by=APPLICANTS | {Role.SUPERVISOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """A question, a complaint, a request or a suggestion, about a case or a place; ``phone``: who is to be answered."""

    kind: TicketKind
    words: Annotated[str, MinLen(1), MaxLen(2000)]
    case_no: CaseNo | None = None
    area: DivisionCode | None = None
    phone: Phone | None = None
    from_12345: bool = False

    def perform(self, context: ActContext) -> TicketResult:
        case = None if self.case_no is None else context.row(Case, self.case_no)
        if case is None and self.area is None:
            raise Refused("a ticket needs a case or an area", user_message="请选择办件或所在区县")
        division_id = case.division_id if case is not None else division_with(context.session, self.area or "").id
        ticket = open_ticket(
            context.session, kind=self.kind, words=self.words, division_id=division_id, by=context.actor,
            at=context.at, case=case, phone=self.phone,
            from_12345=self.from_12345 and context.actor.role is not Role.ENTERPRISE,
        )  # fmt: skip
        return TicketResult(ticket.ticket_no, ticket.due_at, ticket.state)


@act(by={Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTicket:
    """An open ticket is answered; one that is answered is called back."""

    ticket: TicketNo
    words: Words = ""

    def perform(self, context: ActContext) -> TicketResult:
        ticket = context.row(Ticket, self.ticket)
        if ticket.state is TicketState.OPEN:
            answer(context.session, ticket, reply=self.words, by=context.actor, at=context.at)
        else:
            ticket.call_back(at=context.at, words=self.words)
        return TicketResult(ticket.ticket_no, ticket.due_at, ticket.state)


@act(by={Role.AGENT, Role.SUPERVISOR, Role.OPERATOR})
@dataclass(frozen=True, slots=True, kw_only=True)
class RectifyGrade:
    """One step of a rectification (整改): what was found, done or answered; the rated person may only appeal."""

    rectification: RectificationId
    step: RectificationState
    words: Words = ""

    def perform(self, context: ActContext) -> int:
        rectification = context.row(Rectification, self.rectification)
        rectify(context.session, rectification, self.step, words=self.words, by=context.actor, at=context.at)
        return rectification.id
