"""Contact notes: a call, a visit or a message with the enterprise is written down, and what was promised is kept."""

from dataclasses import dataclass
from datetime import date, datetime

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Name, Reason, SecondOfDay, Why
from dispatch.acts.recording import Happening, agreed_at
from dispatch.cases.case import Case
from dispatch.cases.contact_note import ContactNote, ContactWay
from dispatch.cases.notify import day_of
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import CaseNo, ContactNoteId
from dispatch.core.shanghai_time import in_shanghai

LONGEST_AHEAD_D = 366


@dataclass(frozen=True, slots=True)
class NotedContact:
    """A note, and what is left of it."""

    note_id: int
    happened_at: datetime
    follow_up_on: date | None
    followed_at: datetime | None


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class NoteContact:
    """What was said with the enterprise, or that nobody answered; with a day where somebody has to come back to it.

    ``is_theirs``: the enterprise began it. ``was_missed``: nobody answered. ``person``: with whom, by
    default the case's contact."""

    case: CaseNo
    words: Why
    way: ContactWay = ContactWay.PHONE
    is_theirs: bool = False
    was_missed: bool = False
    person: Name = ""
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""
    follow_up_on: CalendarDate | None = None

    def perform(self, context: ActContext) -> NotedContact:
        session, case = context.session, context.row(Case, self.case)
        ahead = None if self.follow_up_on is None else (self.follow_up_on - day_of(context.at)).days
        if ahead is not None and not 0 <= ahead <= LONGEST_AHEAD_D:
            raise Refused(f"to come back on {self.follow_up_on}", user_message="跟进日期应在今天起一年之内")
        if ahead is not None and case.has_ended:
            raise WrongStage(f"{case.case_no} has ended", user_message="办件已经结束，不能再约定跟进")
        note = ContactNote(
            case_id=case.id, way=self.way, is_theirs=self.is_theirs, was_missed=self.was_missed,
            person=self.person.strip() or case.contact.name, words=self.words.strip(),
            happened_at=self._happened_at(context, case), recorded_at=context.at, recorded_by=context.actor.label,
            follow_up_on=self.follow_up_on,
        )  # fmt: skip
        session.add(note)
        session.flush()
        return _noted(note)

    def _happened_at(self, context: ActContext, case: Case) -> datetime:
        when = Happening(on=self.on, second=self.second, late_reason=self.late_reason)
        first = in_shanghai(case.created_at).replace(hour=0, minute=0, second=0, microsecond=0)
        return agreed_at(
            self.way, when, calendar_of(context.session), not_before=first, by=context.actor, at=context.at
        )  # fmt: skip


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class SettleFollowUp:
    """Somebody came back to it. What came of it is a further note."""

    case: CaseNo
    contact_note: ContactNoteId

    def perform(self, context: ActContext) -> NotedContact:
        note = context.row(ContactNote, self.contact_note)
        if note.follow_up_on is None:
            raise Refused(f"note {note.id} leaves nothing", user_message="这条联系记录没有约定跟进")
        if note.followed_at is None:
            note.followed_at, note.followed_by = context.at, context.actor.label
        context.session.flush()
        return _noted(note)


def _noted(note: ContactNote) -> NotedContact:
    return NotedContact(note.id, note.happened_at, note.follow_up_on, note.followed_at)
