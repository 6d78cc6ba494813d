"""Acceptance: the authority accepts, asks for corrections, or does not accept."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import Number, Words
from dispatch.acts.case_dates import refresh_dates
from dispatch.acts.deciding import settle_decision
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case
from dispatch.cases.expected_dates import renew
from dispatch.cases.lookups import lead_agent
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.review import Review, ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.ids import ReviewId
from dispatch.core.localized_text import DayText, LocalizedText


def accept(session: Session, review: Review, *, notice_no: str, by: Actor, at: datetime, deemed: bool = False) -> None:
    """The authority's written acceptance (受理通知书), or five working days of its silence."""
    case, calendar = session.get_one(Case, review.case_id), calendar_of(session)
    review.accept(at=at, notice_no=notice_no, calendar=calendar, deemed=deemed)
    refresh_dates(session, case)
    if case.stage is Stage.SUBMITTED:
        case.move_to(Stage.UNDER_REVIEW, at=at, by=by.label)
    assert review.committed_due_at is not None
    promised = DayText(day_of(review.committed_due_at))
    words = LocalizedText(
        "%(matter)s视为受理，承诺%(day)s前办结" if deemed else "%(matter)s已受理，承诺%(day)s前办结",
        matter=review.matter.short_name, day=promised,
    )  # fmt: skip
    add_timeline_event(
        session, case, kind="accepted", by=by, at=at, words=words, review_id=review.id, notice_no=notice_no
    )
    queue_notice(
        session, case, "accepted", at=at, key=f"{review.id}:{review.version}",
        values={
            "matter": review.matter.short_name[:20], "day": DayText(day_of(at)), "authority": review.authority[:20],
            "due": promised,
        },
    )  # fmt: skip
    if review.survey_on is not None:
        add_timeline_event(
            session,
            case,
            kind="survey",
            by=by,
            at=at,
            words=LocalizedText("现场勘验%(day)s", day=DayText(review.survey_on)),
        )
    renew(session, case, at=at)


def ask_supplement(session: Session, review: Review, *, words: str, by: Actor, at: datetime) -> None:
    """The authority asks for corrections (补正), all at once and within five working days."""
    case = session.get_one(Case, review.case_id)
    review.ask_corrections(at=at, words=words, calendar=calendar_of(session))
    add_timeline_event(
        session,
        case,
        kind="supplement",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s需补正：%(words)s", matter=review.matter.short_name, words=words),
        review_id=review.id,
    )
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "correction", at=at, key=f"{review.id}:{review.version}",
        values={"count": "1", "agent": agent.name if agent else ""},
    )  # fmt: skip


def refuse_acceptance(session: Session, review: Review, *, reason: str, by: Actor, at: datetime) -> None:
    """The authority does not accept the filing (不予受理), with its reasons."""
    if not reason.strip():
        raise Refused("a refusal to accept needs its reasons", user_message="不予受理须说明理由")
    case = session.get_one(Case, review.case_id)
    review.move_to(ReviewState.NOT_ACCEPTED)
    review.decided_at, review.decision_reason = at, reason
    settle_decision(session, case, review, by=by, at=at)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReview:
    """The authority's written acceptance (受理通知书): its legal clock starts."""

    review: ReviewId
    version: int | None = None
    notice_no: Number = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        accept(context.session, review, notice_no=self.notice_no, by=context.actor, at=context.at)
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class AskSupplement:
    """The authority asks for corrections (补正), all at once."""

    review: ReviewId
    version: int | None = None
    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        ask_supplement(context.session, review, words=self.words, by=context.actor, at=context.at)
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseAcceptance:
    """The authority does not accept the filing (不予受理), with its reasons."""

    review: ReviewId
    version: int | None = None
    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        refuse_acceptance(context.session, review, reason=self.words, by=context.actor, at=context.at)
        return review_result(review)
