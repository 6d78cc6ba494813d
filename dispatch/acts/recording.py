"""Recording: an event enters the record with the day of its paper and the moment of its writing down."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session

from dispatch.acts.act import ActContext
from dispatch.acts.act_fields import CalendarDate, Digest, Reason, SecondOfDay
from dispatch.cases.fact_event import Fact, FactEvent
from dispatch.cases.lookups import moment
from dispatch.cases.notify import day_of
from dispatch.cases.noun_record import RecordedNoun, add_event
from dispatch.cases.project import TeamRole
from dispatch.cases.project_order import check_order
from dispatch.cases.recorded_event import Recording
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, ReviewEvent
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused
from dispatch.core.ids import ReviewId
from dispatch.core.shanghai_time import utc
from dispatch.core.working_days import Calendar

UNEXPLAINED_WD = 1  # an event written down later than this many working days needs its reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """When something happened by its paper: a day, the second of it where the hour matters. Nothing: just now."""

    on: date | None = None
    second: int | None = None
    late_reason: str = ""
    document: str | None = None


JUST_NOW = Happening()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperStep:
    """What each step of a review takes: which review, the day (and second) on its paper, a scan of it."""

    review: ReviewId
    version: int | None = None
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""
    document: Digest | None = None

    def when(self) -> Happening:
        """When it happened, as the command says."""
        return Happening(on=self.on, second=self.second, late_reason=self.late_reason, document=self.document)


class Dated(Protocol):
    """An event of any noun, as far as its day goes."""

    @property
    def kind(self) -> StrEnum: ...
    @property
    def happened_on(self) -> date: ...
    @property
    def happened_at(self) -> datetime | None: ...


def happened(when: Happening, centre: str | None, calendar: Calendar, *, at: datetime) -> tuple[date, datetime | None]:
    """The day, and the moment where one is known; ``at``: now, ``centre``: whose hours its counter keeps.

    What is said to be of today while the counter is open is of now; in the evening only the day is known."""
    if when.on is None and when.second is None:
        return day_of(at), at
    on = when.on or day_of(at)
    exactly = None if when.second is None else moment(on, when.second)
    if exactly is None and on == day_of(at) and calendar.is_workday(on):
        exactly = at if at <= calendar.closes_at(on, centre) else None
    return on, exactly


def dated(facts: EventFacts, when: Happening, review: Review, calendar: Calendar, *, at: datetime) -> EventFacts:
    """The review's event with its day, its moment where one is known, and its scan; ``at``: now."""
    on, exactly = happened(when, review.centre_no, calendar, at=at)
    return replace(facts, happened_on=on, happened_at=exactly, document=when.document)


def check_when(event: Dated, when: Happening, calendar: Calendar, *, by: Actor, at: datetime) -> None:
    """Not in the future; a reason when it is written down more than a working day later. Raises Refused."""
    today = day_of(at)
    if event.happened_on > today or (event.happened_at is not None and event.happened_at > at):
        raise Refused(f"{event.kind} on {event.happened_on} is still to come", user_message="文书日期不能晚于今天")
    late = calendar.working_days_between(event.happened_on, today) > UNEXPLAINED_WD
    if late and not when.late_reason.strip() and by.role is not Role.SYSTEM:
        raise Refused(
            f"{event.kind} on {event.happened_on} is written down on {today} without a reason",
            user_message="补登超过一个工作日的文书，请填写补登原因",
        )


def check_told_on(facts: EventFacts, at: datetime) -> None:
    """An extension is not told in the future. Raises Refused."""
    if facts.notified_on is not None and facts.notified_on > day_of(at):
        raise Refused(f"{facts.kind} is told on {facts.notified_on}", user_message="告知日期不能晚于今天")


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What was agreed by word: no paper says it."""

    kind: StrEnum
    happened_on: date
    happened_at: datetime | None


def agreed_at(
    kind: StrEnum, when: Happening, calendar: Calendar, *, not_before: datetime, by: Actor, at: datetime
) -> datetime:
    """The moment from which it holds: a day alone begins with its first hour, or with what it follows on.

    Raises Refused for a day that cannot be."""
    on, exactly = happened(when, None, calendar, at=at)
    check_when(_Agreed(kind, on, exactly), when, calendar, by=by, at=at)
    moment_of_day = not_before if on == day_of(not_before) else utc(on, time(0))
    since = moment_of_day if exactly is None else exactly
    if since < not_before:
        raise Refused(f"{kind} since {since}, before {not_before}", user_message="不能早于项目提出或上一次接办的时间")
    return since


@dataclass(frozen=True, slots=True, kw_only=True)
class WordOfMouth:
    """When a step was agreed by word, where it is written down later: the day, the second of it, why so late."""

    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    late_reason: Reason = ""

    def agreed(self, context: ActContext, *, not_before: datetime) -> datetime:
        """The moment; now where nothing is said. Raises Refused for one that cannot be."""
        when = Happening(on=self.on, second=self.second, late_reason=self.late_reason)
        calendar = calendar_of(context.session)
        return agreed_at(
            TeamRole.LEAD, when, calendar, not_before=not_before, by=context.actor, at=context.at
        )  # fmt: skip


def recording_of(
    when: Happening, *, by: Actor, at: datetime, corrects: int | None = None, reason: str = ""
) -> Recording:
    """Who writes it down now, why so late, and instead of which event with which reason."""
    return Recording(
        at=at, by=by.label, account_id=by.account_id, late_reason=when.late_reason.strip(), corrects=corrects,
        correction_reason=reason.strip(),
    )  # fmt: skip


def record(
    session: Session, review: Review, facts: EventFacts, when: Happening = JUST_NOW, *, by: Actor, at: datetime
) -> ReviewEvent:
    """Write an event of the review down, and let everything follow from it.

    Raises Refused for a day that cannot be or a matter before its turn, and WrongStage or Refused where it does not fit
    what stands."""
    calendar = calendar_of(session)
    event = dated(facts, when, review, calendar, at=at)
    check_when(event, when, calendar, by=by, at=at)
    check_told_on(event, at)
    check_order(session, review, event, at=at)
    row = review.record(event, recording_of(when, by=by, at=at), calendar)
    session.flush()
    return row


def record_fact(
    session: Session, noun: RecordedNoun, fact: Fact, when: Happening = JUST_NOW, *, by: Actor, at: datetime
) -> FactEvent:
    """Write an event of a material or a ticket down, and let everything follow from it.

    Raises Refused for a day that cannot be, and WrongStage or Refused where it does not fit what stands."""
    calendar = calendar_of(session)
    on, exactly = happened(when, None, calendar, at=at)
    fact = replace(fact, happened_on=on, happened_at=exactly, document=fact.document or when.document)
    check_when(fact, when, calendar, by=by, at=at)
    row = add_event(noun, fact, recording_of(when, by=by, at=at))
    session.flush()
    return row
