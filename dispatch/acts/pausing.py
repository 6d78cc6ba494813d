"""Pausing: what stops the legal clock of a review, lets it run again, or gives it more days."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from annotated_types import Ge, Le
from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Number, Rule, Words
from dispatch.acts.recording import JUST_NOW, Happening, PaperStep, record
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case
from dispatch.cases.derived import refresh_dates
from dispatch.cases.expected_dates import renew
from dispatch.cases.lookups import lead_agent
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, EventKind
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.legal_clock import EXTENSION_WD
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.core.special_procedure import PauseKind

MAXIMUM_PAUSE_WD = 20  # where the notice names no maximum of its own

PAUSE_WORDS = {
    "hearing": "听证",
    "tender": "招标",
    "auction": "拍卖",
    "inspection": "检验",
    "testing": "检测",
    "quarantine": "检疫",
    "appraisal": "鉴定",
    "expert_review": "专家评审",
    "publicity": "公示",
}


@dataclass(frozen=True, slots=True)
class PauseNotice:
    """What the written notice of a special procedure says."""

    kind: PauseKind
    notice_no: str
    until: date
    maximum_wd: int = MAXIMUM_PAUSE_WD
    rule: str = ""


@dataclass(frozen=True, slots=True)
class ExtensionNotice:
    """What the written notice of an extension says. ``notified_on``: without it the day of the approval."""

    working_days: int
    reason: str
    notice_no: str = ""
    notified_on: date | None = None


def _pause(
    session: Session, review: Review, notice: PauseNotice, *, by: Actor, at: datetime, when: Happening = JUST_NOW
) -> None:
    """A special procedure (特别程序) stops the legal clock; the enterprise is told why and until when."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    begun = EventFacts(
        kind=EventKind.PAUSED, document_no=notice.notice_no, pause_kind=notice.kind, until=notice.until,
        maximum_wd=notice.maximum_wd, rule=notice.rule,
    )  # fmt: skip
    record(session, review, begun, when, by=by, at=at)
    _tell_later(session, case, review, "paused", before, reason=PAUSE_WORDS[notice.kind.value], by=by, at=at)


def _resume(session: Session, review: Review, *, by: Actor, at: datetime, when: Happening = JUST_NOW) -> None:
    """The special procedure is over: the clock runs again."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    record(session, review, EventFacts(kind=EventKind.RESUMED), when, by=by, at=at)
    add_timeline_event(
        session,
        case,
        kind="resumed",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s特别程序结束，恢复计时", matter=review.matter.short_name),
        review_id=review.id,
        event_id=review.events[-1].id,
    )
    if review.committed_due_at != before:
        _tell_later(session, case, review, "late", before, reason="特别程序结束", by=by, at=at)
    else:
        renew(session, case, at=at, rebase=True, quiet=True)


def _extend(
    session: Session, review: Review, notice: ExtensionNotice, *, by: Actor, at: datetime, when: Happening = JUST_NOW
) -> None:
    """An extension (延期) that the authority's head approved on the day of ``when``."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    longer = EventFacts(
        kind=EventKind.EXTENDED, words=notice.reason, working_days=notice.working_days,
        document_no=notice.notice_no, notified_on=notice.notified_on or when.on or day_of(at),
    )  # fmt: skip
    record(session, review, longer, when, by=by, at=at)
    _tell_later(session, case, review, "extended", before, reason=notice.reason, by=by, at=at)


def _tell_later(
    session: Session,
    case: Case,
    review: Review,
    text: str,
    before: datetime | None,
    *,
    reason: str,
    by: Actor,
    at: datetime,
) -> None:
    refresh_dates(session, case)
    is_due, now_due = review.committed_due_at is not None, review.due_words()
    form = "%(matter)s：%(reason)s，应于%(day)s前办结" if is_due else "%(matter)s：%(reason)s，%(day)s"
    words = LocalizedText(form, matter=review.matter.short_name, reason=reason, day=now_due)
    add_timeline_event(
        session, case, kind=text, by=by, at=at, words=words, review_id=review.id, event_id=review.events[-1].id
    )
    if not is_due:  # without a limit there is no day that could have moved
        return
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, text, at=at, key=f"{review.id}:{review.version}",
        values={
            "matter": review.matter.short_name, "was": DayText(day_of(before)) if before else now_due,
            "now": now_due, "reason": reason, "agent": agent.name if agent else "",
        },
    )  # fmt: skip
    # The law moved it, and the enterprise has just been told why: from now on the case is measured by the new date.
    renew(session, case, at=at, rebase=True, quiet=True)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class PauseReview(PaperStep):
    """A special procedure (特别程序) stops the legal clock, from the day ``on`` of its notice until it is over."""

    kind: PauseKind | None = None
    until: CalendarDate | None = None
    notice_no: Number = ""
    maximum_wd: Annotated[int, Ge(1), Le(400)] = MAXIMUM_PAUSE_WD
    rule: Rule = ""

    def perform(self, context: ActContext) -> ReviewResult:
        if self.kind is None or self.until is None:
            raise Refused(
                "a pause needs its kind and its expected end", user_message="请选择特别程序种类和预计结束日期"
            )
        review = context.row(Review, self.review)
        notice = PauseNotice(self.kind, self.notice_no, self.until, self.maximum_wd, self.rule)
        _pause(context.session, review, notice, by=context.actor, at=context.at, when=self.when())
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeReview(PaperStep):
    """The special procedure is over on the day ``on``: the legal clock runs again."""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _resume(context.session, review, by=context.actor, at=context.at, when=self.when())
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendReview(PaperStep):
    """The authority extends its limit (延期), approved on the day ``on``. Administrative Licensing Law, art. 42.

    ``notified_on``: the day on which the applicant was told; without it the day of the approval."""

    working_days: Annotated[int, Ge(1), Le(60)] = EXTENSION_WD
    notice_no: Number = ""
    notified_on: CalendarDate | None = None
    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        notice = ExtensionNotice(self.working_days, self.words, self.notice_no, self.notified_on)
        _extend(context.session, review, notice, by=context.actor, at=context.at, when=self.when())
        return review_result(review)
