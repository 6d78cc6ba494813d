"""Case messages: either side writes inside the case, the other is told once until it reads, and the office answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated

from annotated_types import MaxLen, MinLen
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import APPLICANTS, STAFF, Act, ActContext, act
from dispatch.acts.act_fields import Why
from dispatch.cases.case import Case
from dispatch.cases.case_message import CaseMessage, answered_at
from dispatch.cases.due_moments import message_due
from dispatch.cases.lookups import lead_agent
from dispatch.cases.notify import (
    DeskKind,
    day_of,
    queue_agent_notice,
    queue_desk_notice,
    queue_notice,
    sms_case_number,
    withdraw_agent_notice,
    withdraw_desk_notice,
    withdraw_notice,
)
from dispatch.cases.project import Project
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Role
from dispatch.core.canonical import visible_text
from dispatch.core.errors import Refused, Stale, WrongStage
from dispatch.core.ids import CaseMessageId, CaseNo
from dispatch.core.localized_text import DayText

Letter = Annotated[str, MinLen(1), MaxLen(1000)]
"""What one side writes to the other."""
TO_ENTERPRISE = "message_written"
TO_OFFICE = "message_for_agent"


@dataclass(frozen=True, slots=True)
class CaseMessageResult:
    """A message after a step, and until when the office answers it; None where nothing is left to answer."""

    message_id: int
    written_at: datetime
    answer_by: datetime | None


@dataclass(frozen=True, slots=True)
class MessagesRead:
    """How many messages of the other side were new."""

    read: int


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCaseMessage:
    """A message to the other side. It is told by SMS, once until it has read; the office's answers what stands open.

    ``seen``: the last message that the writer read; what came after it is read first."""

    case: CaseNo
    words: Letter
    seen: CaseMessageId | None = None

    def perform(self, context: ActContext) -> CaseMessageResult:
        session, case = context.session, context.row(Case, self.case)
        words = "\n".join(visible_text(line) for line in self.words.strip().splitlines()).strip()
        if not words:
            raise Refused("a message needs words", user_message="请写明内容", field="words")
        is_theirs = context.actor.role is Role.ENTERPRISE
        if self.seen is not None and any(one.id > self.seen for one in _unread(session, case, is_theirs=not is_theirs)):
            raise Stale(f"there is more than message {self.seen}", user_message="对方刚刚又写了一条，请看过再发")
        is_first = not _unread(session, case, is_theirs=is_theirs)
        _mark_read(context, case)
        message = CaseMessage(
            case_id=case.id, is_theirs=is_theirs, words=words, written_at=context.at, written_by=context.actor.label
        )
        session.add(message)
        session.flush()
        if is_first:
            _tell(session, case, message, at=context.at)
        return _result(session, message)


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCaseMessages:
    """This side has read what the other one wrote; ``seen``: as far as this message."""

    case: CaseNo
    seen: CaseMessageId | None = None

    def perform(self, context: ActContext) -> MessagesRead:
        return MessagesRead(_mark_read(context, context.row(Case, self.case), until=self.seen))


@act(by={Role.ENTERPRISE})
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawEnterpriseMessage:
    """The enterprise takes back what the office has not read. What was read is put right by a further message."""

    case: CaseNo
    case_message: CaseMessageId

    def perform(self, context: ActContext) -> CaseMessageResult:
        message = context.row(CaseMessage, self.case_message)
        return _withdraw(context, context.row(Case, self.case), message, is_theirs=True)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawOfficeMessage:
    """The office takes back what the enterprise has not read; what it answered is open again."""

    case: CaseNo
    case_message: CaseMessageId

    def perform(self, context: ActContext) -> CaseMessageResult:
        message = context.row(CaseMessage, self.case_message)
        return _withdraw(context, context.row(Case, self.case), message, is_theirs=False)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class SettleCaseMessage:
    """A message of the enterprise needs no written answer: it was answered by phone, or it only says thanks."""

    case: CaseNo
    case_message: CaseMessageId
    reason: Why

    def perform(self, context: ActContext) -> CaseMessageResult:
        message = context.row(CaseMessage, self.case_message)
        if not message.is_theirs:
            raise Refused(f"message {message.id} is the office's", user_message="只有企业的留言需要答复")
        _mark_read(context, context.row(Case, self.case))
        if answered_at(message, _conversation(context.session, message.case_id)) is None:
            message.settled_at, message.settled_by = context.at, context.actor.label
            message.settled_because = visible_text(self.reason)
        context.session.flush()
        return _result(context.session, message)


MESSAGE_STEPS: Mapping[str, type[Act[CaseMessageResult]]] = MappingProxyType(
    {"taken_back": WithdrawOfficeMessage, "settled": SettleCaseMessage}
)
"""The word by which a door names each step that the office takes on a message."""


def _withdraw(context: ActContext, case: Case, message: CaseMessage, *, is_theirs: bool) -> CaseMessageResult:
    session = context.session
    if message.is_theirs is not is_theirs:
        raise Refused(f"message {message.id} is the other side's", user_message="只能撤回己方的留言")
    if message.withdrawn_at is not None:
        return _result(session, message)
    if message.read_at is not None:
        raise WrongStage(f"message {message.id} was read", user_message="对方已经读过，请再写一条更正")
    message.withdrawn_at, message.withdrawn_by = context.at, context.actor.label
    session.flush()
    if _take_back(session, case, message) and (left := _unread(session, case, is_theirs=is_theirs)):
        _tell(session, case, left[0], at=context.at)
    return _result(session, message)


def _conversation(session: Session, case_id: int) -> Sequence[CaseMessage]:
    return session.scalars(select(CaseMessage).where(CaseMessage.case_id == case_id).order_by(CaseMessage.id)).all()


def _unread(session: Session, case: Case, *, is_theirs: bool) -> Sequence[CaseMessage]:
    """What one side wrote and the other has not read, the earliest first."""
    query = select(CaseMessage).where(
        CaseMessage.case_id == case.id, CaseMessage.is_theirs.is_(is_theirs),
        CaseMessage.read_at.is_(None), CaseMessage.withdrawn_at.is_(None),
    )  # fmt: skip
    return session.scalars(query.order_by(CaseMessage.id)).all()


def _mark_read(context: ActContext, case: Case, *, until: int | None = None) -> int:
    """The other side's messages, as far as ``until``, are read by who acts."""
    unread = _unread(context.session, case, is_theirs=context.actor.role is not Role.ENTERPRISE)
    new = [message for message in unread if until is None or message.id <= until]
    for message in new:
        message.read_at, message.read_by = context.at, context.actor.label
    context.session.flush()
    return len(new)


def _tell(session: Session, case: Case, message: CaseMessage, *, at: datetime) -> None:
    """Word to the other side: to the case's contact, or to who acts for the case today, else to the team's desk."""
    key = _key(message)
    if not message.is_theirs:
        queue_notice(session, case, TO_ENTERPRISE, at=at, key=key)
        return
    due = message_due(calendar_of(session), message.written_at)
    values = {"case_no": sms_case_number(case.case_no), "day": DayText(day_of(due))}
    agent, project = lead_agent(session, case, at), session.get_one(Project, case.project_id)
    if agent is not None:
        queue_agent_notice(session, agent, project, text=TO_OFFICE, key=key, at=at, values=values)
    else:
        queue_desk_notice(
            session, kind=DeskKind.LEAD, division_id=project.home_division_id, text=TO_OFFICE, key=key, at=at,
            values=values, case_id=case.id,
        )  # fmt: skip


def _take_back(session: Session, case: Case, message: CaseMessage) -> bool:
    """The word of it, where nobody has heard it yet; whether there was one."""
    key = _key(message)
    if not message.is_theirs:
        return withdraw_notice(session, case, TO_ENTERPRISE, key=key)
    project = session.get_one(Project, case.project_id)
    was_for_agent = withdraw_agent_notice(session, project, text=TO_OFFICE, key=key)
    return was_for_agent or withdraw_desk_notice(session, text=TO_OFFICE, key=key)


def _key(message: CaseMessage) -> str:
    return f"message{message.id}"


def _result(session: Session, message: CaseMessage) -> CaseMessageResult:
    is_open = message.is_theirs and answered_at(message, _conversation(session, message.case_id)) is None
    due = message_due(calendar_of(session), message.written_at) if is_open else None
    return CaseMessageResult(message.id, message.written_at, due)
