"""Contact notes: a call, a visit or a message with the enterprise is written down, and what was promised is kept."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Name, Reason, SecondOfDay, Why
from dispatch.acts.correcting import check_may_correct
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
        _check_follow_up(case, self.follow_up_on, day_of(context.at))
        note = ContactNote(
            case_id=case.id, way=self.way, is_theirs=self.is_theirs, was_missed=self.was_missed,
            person=self.person.strip() or case.contact.name, words=self.words.strip(),
            happened_at=_happened_at(
                context, case, self.way, Happening(on=self.on, second=self.second, late_reason=self.late_reason)
            ),
            recorded_at=context.at, recorded_by=context.actor.label, account_id=context.actor.account_id,
            late_reason=self.late_reason.strip() or None, follow_up_on=self.follow_up_on,
        )  # fmt: skip
        session.add(note)
        session.flush()
        return _noted(note)


def _check_follow_up(case: Case, on: date | None, first: date) -> None:
    """Somebody comes back within a year, while the case runs. Raises Refused or WrongStage."""
    if on is None:
        return
    if not 0 <= (on - first).days <= LONGEST_AHEAD_D:
        raise Refused(f"to come back on {on}", user_message="跟进日期应在今天起一年之内")
    if case.has_ended:
        raise WrongStage(f"{case.case_no} has ended", user_message="办件已经结束，不能再约定跟进")


def _happened_at(context: ActContext, case: Case, way: ContactWay, when: Happening) -> datetime:
    first = in_shanghai(case.created_at).replace(hour=0, minute=0, second=0, microsecond=0)
    return agreed_at(way, when, calendar_of(context.session), not_before=first, by=context.actor, at=context.at)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class SettleFollowUp:
    """Somebody came back to it, today or on the day that is given. What came of it is a further note."""

    case: CaseNo
    contact_note: ContactNoteId
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""

    def perform(self, context: ActContext) -> NotedContact:
        note = context.row(ContactNote, self.contact_note)
        if note.replaced_at is not None:
            raise WrongStage(f"note {note.id} was corrected", user_message=CORRECTED_ALREADY)
        if note.follow_up_on is None:
            raise Refused(f"note {note.id} leaves nothing", user_message="这条联系记录没有约定跟进")
        if note.followed_at is None:
            when = Happening(on=self.on, second=self.second, late_reason=self.late_reason)
            note.followed_at = agreed_at(
                note.way, when, calendar_of(context.session), not_before=note.happened_at, by=context.actor,
                at=context.at,
            )  # fmt: skip
            note.followed_by = context.actor.label
        context.session.flush()
        return _noted(note)


CORRECTED_ALREADY = "这条联系记录已更正过，请刷新后再试"


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectContactNote:
    """A contact was written down wrongly (更正登记): what was really said, when and with whom, or that it never was.

    What is left out stays as it was. ``not_followed``: nobody has come back to it yet; ``nothing_left``: there is
    nothing to come back to. An agent corrects what the agent wrote down today; a lead corrects anything."""

    case: CaseNo
    contact_note: ContactNoteId
    reason: Why
    never_was: bool = False
    words: Reason = ""
    way: ContactWay | None = None
    is_theirs: bool | None = None
    was_missed: bool | None = None
    person: Name = ""
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    follow_up_on: CalendarDate | None = None
    nothing_left: bool = False
    not_followed: bool = False

    def perform(self, context: ActContext) -> NotedContact:
        session, note = context.session, context.row(ContactNote, self.contact_note)
        check_may_correct(note, context.actor, context.at)
        if note.replaced_at is not None:
            raise WrongStage(f"note {note.id} was corrected", user_message=CORRECTED_ALREADY)
        right = None if self.never_was else self._right(context, context.row(Case, self.case), note)
        note.replaced_at, note.replaced_by = context.at, context.actor.label
        note.correction_reason = self.reason.strip()
        if right is not None:
            session.add(right)
        session.flush()
        return _noted(right or note)

    def _right(self, context: ActContext, case: Case, note: ContactNote) -> ContactNote:
        """The row that stands instead. Raises Refused where it says the same."""
        given: dict[str, Any] = {
            "words": self.words.strip() or None, "way": self.way, "is_theirs": self.is_theirs,
            "was_missed": self.was_missed, "person": self.person.strip() or None, "follow_up_on": self.follow_up_on,
        }  # fmt: skip
        was = {name: getattr(note, name) for name in SAID}
        says = was | {name: value for name, value in given.items() if value is not None}
        if self.on is not None or self.second is not None:
            when = Happening(on=self.on or day_of(note.happened_at), second=self.second, late_reason=self.reason)
            says["happened_at"] = _happened_at(context, case, says["way"], when)
        if self.nothing_left:
            says |= {"follow_up_on": None, "followed_at": None, "followed_by": None}
        elif self.not_followed:
            says |= {"followed_at": None, "followed_by": None}
        if says == was:
            raise Refused(f"note {note.id}: nothing is corrected", user_message="没有填写要更正的内容")
        if says["follow_up_on"] != was["follow_up_on"]:
            _check_follow_up(case, says["follow_up_on"], day_of(note.recorded_at))
        return ContactNote(
            case_id=note.case_id, corrects=note.id, recorded_at=context.at, recorded_by=context.actor.label,
            account_id=context.actor.account_id, late_reason=note.late_reason, **says,
        )  # fmt: skip


SAID = (
    "way", "is_theirs", "was_missed", "person", "words", "happened_at", "follow_up_on", "followed_at", "followed_by",
)  # fmt: skip
"""What a note says; the rest is of its writing down."""


def _noted(note: ContactNote) -> NotedContact:
    return NotedContact(note.id, note.happened_at, note.follow_up_on, note.followed_at)
