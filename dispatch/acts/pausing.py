"""Pausing: what stops the legal clock of a review, lets it run again, or gives it more days."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from annotated_types import Ge, Le
from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Number, Rule, Words
from dispatch.acts.case_dates import refresh_dates
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case
from dispatch.cases.expected_dates import renew
from dispatch.cases.lookups import lead_agent
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.review import Review, ReviewPause
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.ids import ReviewId
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


def pause(session: Session, review: Review, pause: ReviewPause, *, by: Actor, at: datetime) -> None:
    """A special procedure (特别程序) stops the legal clock; the enterprise is told why and until when."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    review.pause(pause, at=at, calendar=calendar_of(session))
    _tell_later(session, case, review, "paused", before, reason=PAUSE_WORDS[pause.kind.value], by=by, at=at)


def resume(session: Session, review: Review, *, on: date, by: Actor, at: datetime) -> None:
    """The special procedure is over: the clock runs again."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    review.resume(on=on, at=at, calendar=calendar_of(session))
    add_timeline_event(
        session,
        case,
        kind="resumed",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s特别程序结束，恢复计时", matter=review.matter.short_name),
    )
    if review.committed_due_at != before:
        _tell_later(session, case, review, "late", before, reason="特别程序结束", by=by, at=at)
    else:
        renew(session, case, at=at, rebase=True, quiet=True)


def extend(
    session: Session, review: Review, *, working_days: int, approved_on: date, reason: str, by: Actor, at: datetime
) -> None:
    """An extension (延期) that the authority's head approved."""
    case, before = session.get_one(Case, review.case_id), review.committed_due_at
    review.extend(
        working_days=working_days, approved_on=approved_on, reason=reason, at=at, calendar=calendar_of(session)
    )
    _tell_later(session, case, review, "extended", before, reason=reason, by=by, at=at)


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
    assert review.committed_due_at is not None
    now_due = DayText(day_of(review.committed_due_at))
    words = LocalizedText(
        "%(matter)s：%(reason)s，预计%(day)s前办结", matter=review.matter.short_name, reason=reason, day=now_due
    )
    add_timeline_event(session, case, kind=text, by=by, at=at, words=words, review_id=review.id)
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, text, at=at, key=f"{review.id}:{review.version}",
        values={
            "matter": review.matter.short_name[:20], "was": DayText(day_of(before)) if before else now_due,
            "now": now_due, "reason": reason[:20], "agent": agent.name if agent else "",
        },
    )  # fmt: skip
    # The law moved it, and the enterprise has just been told why: from now on the case is measured by the new date.
    renew(session, case, at=at, rebase=True, quiet=True)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class PauseReview:
    """A special procedure (特别程序) stops the legal clock, from the day ``on`` of its notice until it is over."""

    review: ReviewId
    version: int | None = None
    kind: PauseKind | None = None
    until: CalendarDate | None = None
    notice_no: Number = ""
    on: CalendarDate | None = None
    maximum_wd: Annotated[int, Ge(1), Le(400)] = MAXIMUM_PAUSE_WD
    rule: Rule = ""

    def perform(self, context: ActContext) -> ReviewResult:
        if self.kind is None or self.until is None:
            raise Refused(
                "a pause needs its kind and its expected end", user_message="请选择特别程序种类和预计结束日期"
            )
        review = context.row(Review, self.review)
        notice = ReviewPause(
            kind=self.kind, notice_no=self.notice_no, starts_on=self.on or day_of(context.at),
            expected_end_on=self.until, maximum_wd=self.maximum_wd, rule=self.rule,
        )  # fmt: skip
        pause(context.session, review, notice, by=context.actor, at=context.at)
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeReview:
    """The special procedure is over on the day ``on``: the legal clock runs again."""

    review: ReviewId
    version: int | None = None
    on: CalendarDate | None = None

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        resume(context.session, review, on=self.on or day_of(context.at), by=context.actor, at=context.at)
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendReview:
    """The authority extends its limit (延期), approved on the day ``on``. Administrative Licensing Law, art. 42."""

    review: ReviewId
    version: int | None = None
    working_days: Annotated[int, Ge(1), Le(60)] = EXTENSION_WD
    on: CalendarDate | None = None
    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        extend(
            context.session, review, working_days=self.working_days, approved_on=self.on or day_of(context.at),
            reason=self.words, by=context.actor, at=context.at,
        )  # fmt: skip
        return review_result(review)
