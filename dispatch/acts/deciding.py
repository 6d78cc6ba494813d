"""Deciding: the authority's decision on a matter, at once on a commitment, and the verification afterwards."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.slots import release_slot
from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Number, Words
from dispatch.acts.case_dates import refresh_dates
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case, Outcome
from dispatch.cases.expected_dates import renew
from dispatch.cases.lookups import reviews_of
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.project import Project
from dispatch.cases.review import Review, ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.ids import ReviewId
from dispatch.core.localized_text import DayText, ListText, LocalizedText
from dispatch.path.applicability import BY_COMMITMENT


def decide(
    session: Session,
    review: Review,
    *,
    outcome: ReviewState,
    decision_no: str,
    by: Actor,
    at: datetime,
    reason: str = "",
) -> None:
    """The authority's decision. The case is decided with its last review; a denial never reads as success."""
    case = session.get_one(Case, review.case_id)
    owed = [m.name for m in case.materials if m.is_owed and m.matter_id == review.matter_id]
    if outcome is ReviewState.GRANTED and owed:
        raise Refused(
            f"deferred materials are missing: {owed}",
            user_message=LocalizedText("容缺材料未补齐，不能作出决定：%(names)s", names=ListText(owed)),
        )
    review.decide(outcome, at=at, decision_no=decision_no, reason=reason, calendar=calendar_of(session))
    settle_decision(session, case, review, by=by, at=at)


def grant_on_commitment(
    session: Session, review: Review, *, decision_no: str, verify_by: date, by: Actor, at: datetime
) -> None:
    """Decided at once on a written commitment (告知承诺), where the catalogue allows it; verified afterwards."""
    if review.matter.code not in BY_COMMITMENT:
        raise Refused(f"{review.matter.code} is not decided on commitment", user_message="该事项不适用告知承诺")
    case = session.get_one(Case, review.case_id)
    review.grant_on_commitment(at=at, decision_no=decision_no, verify_by=verify_by, calendar=calendar_of(session))
    if case.stage is Stage.SUBMITTED:
        case.move_to(Stage.UNDER_REVIEW, at=at, by=by.label)
    settle_decision(session, case, review, by=by, at=at)


def verify_commitment(session: Session, review: Review, *, holds: bool, reason: str, by: Actor, at: datetime) -> None:
    """What the verification found; a commitment that was false costs the decision, and the enterprise is told."""
    if not holds and not reason.strip():
        raise Refused("a revocation needs its reasons", user_message="撤销决定须说明理由")
    case = session.get_one(Case, review.case_id)
    review.verify(holds=holds, at=at)
    words = (
        LocalizedText("承诺经核查属实") if holds else LocalizedText("承诺不实，决定已撤销：%(reason)s", reason=reason)
    )
    add_timeline_event(session, case, kind="verified" if holds else "decision_revoked", by=by, at=at,
         words=LocalizedText("%(matter)s：%(words)s", matter=review.matter.short_name, words=words),
         review_id=review.id)  # fmt: skip
    if not holds:
        queue_notice(
            session, case, "commitment_revoked", at=at, key=str(review.id),
            values={"matter": review.matter.short_name[:20], "day": DayText(day_of(at))},
        )  # fmt: skip


def settle_decision(session: Session, case: Case, review: Review, *, by: Actor, at: datetime) -> None:
    session.flush()
    words = {
        ReviewState.GRANTED: "准予许可",
        ReviewState.DENIED: "不予许可",
        ReviewState.NOT_ACCEPTED: "不予受理",
        ReviewState.RETURNED: "退办",
    }[review.state]
    decided = LocalizedText("%(matter)s：%(words)s", matter=review.matter.short_name, words=LocalizedText(words))
    add_timeline_event(session, case, kind="decided", by=by, at=at, words=decided, review_id=review.id)
    queue_notice(
        session, case, "decided", at=at, key=str(review.id),
        values={"matter": review.matter.short_name[:20], "day": DayText(day_of(at))},
    )  # fmt: skip
    release_liaison(session, case, review, at=at)
    reviews = reviews_of(session, case)
    if all(r.is_decided for r in reviews):
        granted = sum(r.state is ReviewState.GRANTED for r in reviews)
        case.outcome = Outcome.GRANTED if granted == len(reviews) else Outcome.PARTLY if granted else Outcome.DENIED
        case.decided_at = at
        case.move_to(Stage.DECIDED, at=at, by=by.label)
        add_timeline_event(session, case, kind="all_decided", by=by, at=at, words="全部事项已办结")
    refresh_dates(session, case)
    renew(session, case, at=at)


def release_liaison(session: Session, case: Case, review: Review, *, at: datetime) -> None:
    """A liaison's slot is free once the last review at that counter is decided."""
    project = session.get_one(Project, case.project_id)
    for member in project.liaisons:
        if member.counter != review.counter:
            continue
        open_reviews = session.scalar(
            select(func.count())
            .select_from(Review)
            .join(Case, Case.id == Review.case_id)
            .where(
                Case.project_id == project.id,
                Review.counter == member.counter,
                Review.decided_at.is_(None),
                Review.state != ReviewState.WITHDRAWN,
            )
        )
        if not open_reviews:
            member.until = at
            release_slot(session, member.agent_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """What a written decision says: its number, and its reasons where the law asks for them."""

    review: ReviewId
    version: int | None = None
    notice_no: Number = ""
    words: Words = ""

    def decided(self, context: ActContext, outcome: ReviewState) -> ReviewResult:
        review = context.row(Review, self.review)
        decide(
            context.session, review, outcome=outcome, decision_no=self.notice_no, reason=self.words, by=context.actor,
            at=context.at,
        )  # fmt: skip
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class GrantReview(_Decision):
    """The authority grants the matter (准予许可)."""

    def perform(self, context: ActContext) -> ReviewResult:
        return self.decided(context, ReviewState.GRANTED)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class DenyReview(_Decision):
    """The authority denies the matter (不予许可), with its reasons and the rights of review."""

    def perform(self, context: ActContext) -> ReviewResult:
        return self.decided(context, ReviewState.DENIED)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnReview(_Decision):
    """The matter is returned (退办): a deferred material did not come in time."""

    def perform(self, context: ActContext) -> ReviewResult:
        return self.decided(context, ReviewState.RETURNED)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class GrantOnCommitment:
    """Decided at once on a written commitment (告知承诺), verified by the day ``until``."""

    review: ReviewId
    version: int | None = None
    notice_no: Number = ""
    until: CalendarDate | None = None

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        grant_on_commitment(
            context.session, review, decision_no=self.notice_no, verify_by=self.until or day_of(context.at),
            by=context.actor, at=context.at,
        )  # fmt: skip
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmCommitment:
    """The verification afterwards finds that the commitment holds."""

    review: ReviewId
    version: int | None = None
    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        verify_commitment(context.session, review, holds=True, reason=self.words, by=context.actor, at=context.at)
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDecision:
    """The commitment was false: the decision is revoked (撤销决定), with the reason."""

    review: ReviewId
    version: int | None = None
    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        verify_commitment(context.session, review, holds=False, reason=self.words, by=context.actor, at=context.at)
        return review_result(review)
