"""The messages of a case: what enterprise and office wrote to each other, what is new, and by when it is answered."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session, joinedload

from dispatch.cases.access_control import case_for
from dispatch.cases.case import Case
from dispatch.cases.case_message import answered_at
from dispatch.cases.due_moments import message_due
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.working_days import Calendar


@dataclass(frozen=True, slots=True)
class CaseMessageLine:
    """One message. ``words`` is empty where the other side took it back; ``answer_by``: still to be answered."""

    id: int
    is_theirs: bool
    is_mine: bool
    words: str
    written_at: datetime
    written_by: str
    read_at: datetime | None
    read_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    settled_at: datetime | None
    settled_because: str | None
    answer_by: datetime | None

    @property
    def is_new(self) -> bool:
        """The reader's side has not read it yet."""
        return not self.is_mine and self.read_at is None and self.withdrawn_at is None

    @property
    def may_withdraw(self) -> bool:
        return self.is_mine and self.read_at is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class CaseConversation:
    """Every message of a case, the earliest first, as one side reads it."""

    case_no: str
    unread: int
    last_id: int | None
    lines: tuple[CaseMessageLine, ...]

    @property
    def owed(self) -> tuple[CaseMessageLine, ...]:
        """What the office still answers."""
        return tuple(line for line in self.lines if line.answer_by is not None)


def case_messages(session: Session, viewer: Actor, case_no: str) -> CaseConversation:
    """The messages of a case. Raises NotFound."""
    case = case_for(session, viewer, case_no, loaded=[joinedload(Case.messages)])
    return conversation_of(viewer, case, calendar_of(session))


def conversation_of(viewer: Actor, case: Case, calendar: Calendar) -> CaseConversation:
    """The same, of a case that the viewer was given."""
    rows = case.messages
    is_enterprise = viewer.role is Role.ENTERPRISE
    lines = []
    for row in rows:
        is_mine = row.is_theirs is is_enterprise
        is_open = row.is_theirs and answered_at(row, rows) is None
        lines.append(CaseMessageLine(
            row.id, row.is_theirs, is_mine, row.words if is_mine or row.withdrawn_at is None else "",
            row.written_at, row.written_by, row.read_at, row.read_by, row.withdrawn_at, row.withdrawn_by,
            row.settled_at, row.settled_because,
            message_due(calendar, row.written_at) if is_open else None,
        ))  # fmt: skip
    unread = sum(line.is_new for line in lines)
    return CaseConversation(case.case_no, unread, lines[-1].id if lines else None, tuple(lines))
