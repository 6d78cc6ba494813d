"""Deciding: the authority's decision on a matter, at once on a commitment, and the verification afterwards."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.slots import release_slot
from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Number, Words
from dispatch.acts.evidence_keeping import settle_result
from dispatch.acts.recording import JUST_NOW, Happening, PaperStep, record
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case
from dispatch.cases.derived import decided_at, outcome_of, refresh_dates
from dispatch.cases.expected_dates import renew, reopen
from dispatch.cases.lookups import lead_agent, reviews_of
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice, withdraw_notice
from dispatch.cases.project import Project
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, EventKind, ReviewEvent
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.localized_text import DayText, ListText, LocalizedText
from dispatch.path.applicability import BY_COMMITMENT

DECISION_OF = {
    ReviewState.GRANTED: EventKind.GRANTED,
    ReviewState.DENIED: EventKind.DENIED,
    ReviewState.RETURNED: EventKind.RETURNED,
}

OUTCOMES = {
    ReviewState.GRANTED: ("准予许可", "decided"),
    ReviewState.DENIED: ("不予许可", "denied"),
    ReviewState.NOT_ACCEPTED: ("不予受理", "not_accepted"),
    ReviewState.RETURNED: ("退办", "returned"),
}
"""What an outcome is called on the timeline, and the text that tells it: rights hang on all but the first."""


def decide(
    session: Session,
    review: Review,
    *,
    outcome: ReviewState,
    decision_no: str,
    by: Actor,
    at: datetime,
    reason: str = "",
    when: Happening = JUST_NOW,
) -> None:
    """The authority's decision. The case is decided with its last review; a denial never reads as success."""
    case = session.get_one(Case, review.case_id)
    owed = [m.name for m in case.materials if m.is_owed and m.matter_id == review.matter_id]
    if outcome is ReviewState.GRANTED and owed:
        raise Refused(
            f"deferred materials are missing: {owed}",
            user_message=LocalizedText("容缺材料未补齐，不能作出决定：%(names)s", names=ListText(owed)),
        )
    decision = EventFacts(kind=DECISION_OF[outcome], document_no=decision_no, words=reason)
    record(session, review, decision, when, by=by, at=at)
    settle_decision(session, case, review, by=by, at=at)


def _grant_on_commitment(
    session: Session, review: Review, *, decision_no: str, verify_by: date, by: Actor, at: datetime,
    when: Happening = JUST_NOW,
) -> None:  # fmt: skip
    """Decided at once on a written commitment (告知承诺), where the catalogue allows it; verified afterwards."""
    if review.matter.code not in BY_COMMITMENT:
        raise Refused(f"{review.matter.code} is not decided on commitment", user_message="该事项不适用告知承诺")
    case = session.get_one(Case, review.case_id)
    granted = EventFacts(kind=EventKind.GRANTED_ON_COMMITMENT, document_no=decision_no, until=verify_by)
    record(session, review, granted, when, by=by, at=at)
    if case.stage is Stage.SUBMITTED:
        case.move_to(Stage.UNDER_REVIEW, at=at, by=by.label)
    settle_decision(session, case, review, by=by, at=at)


def _verify_commitment(
    session: Session, review: Review, *, holds: bool, reason: str, by: Actor, at: datetime, when: Happening = JUST_NOW
) -> None:
    """What the verification found; a commitment that was false costs the decision, and the enterprise is told."""
    if not holds and not reason.strip():
        raise Refused("a revocation needs its reasons", user_message="撤销决定须说明理由")
    case = session.get_one(Case, review.case_id)
    verdict = EventKind.COMMITMENT_VERIFIED if holds else EventKind.DECISION_REVOKED
    record(session, review, EventFacts(kind=verdict, words=reason), when, by=by, at=at)
    words = (
        LocalizedText("承诺经核查属实") if holds else LocalizedText("承诺不实，决定已撤销：%(reason)s", reason=reason)
    )
    add_timeline_event(session, case, kind="verified" if holds else "decision_revoked", by=by, at=at,
         words=LocalizedText("%(matter)s：%(words)s", matter=review.matter.short_name, words=words),
         review_id=review.id, event_id=review.events[-1].id)  # fmt: skip
    if not holds:
        settle_result(session, review, by=by, at=at, reason=reason)
        queue_notice(
            session, case, "commitment_revoked", at=at, key=decision_key(review.events[-1]),
            values={"matter": review.matter.short_name, "day": DayText(review.events[-1].happened_on)},
        )  # fmt: skip


def settle_decision(session: Session, case: Case, review: Review, *, by: Actor, at: datetime) -> None:
    words, _ = OUTCOMES[review.state]
    decided = LocalizedText("%(matter)s：%(words)s", matter=review.matter.short_name, words=LocalizedText(words))
    add_timeline_event(
        session, case, kind="decided", by=by, at=at, words=decided, review_id=review.id, event_id=review.events[-1].id
    )
    settle_result(session, review, by=by, at=at)
    tell_decision(session, case, review, at=at)
    _release_liaison(session, case, review, at=at)
    settle_case(session, case, by=by, at=at)


def decision_key(event: ReviewEvent) -> str:
    """What tells the notices of a matter's decisions apart: a decision that was taken back may be taken again."""
    return f"event:{event.id}"


def tell_decision(session: Session, case: Case, review: Review, *, at: datetime) -> None:
    """The text of the outcome that the matter's last event brought."""
    event, agent = review.events[-1], lead_agent(session, case, at)
    on = event.happened_on if review.decided_at is None else day_of(review.decided_at)
    queue_notice(
        session, case, OUTCOMES[review.state][1], at=at, key=decision_key(event),
        values={
            "matter": review.matter.short_name, "day": DayText(on), "agent": agent.name if agent else "",
        },
    )  # fmt: skip


def untold_decision(session: Session, case: Case, event: ReviewEvent) -> bool:
    """Take the notice of a decision back that nobody has heard; whether there was one."""
    return any(withdraw_notice(session, case, text, key=decision_key(event)) for _, text in OUTCOMES.values())


def settle_case(session: Session, case: Case, *, by: Actor, at: datetime) -> None:
    """The case follows its reviews: decided with the last of them, and under review again when a decision falls."""
    reviews = reviews_of(session, case)
    ended_at = decided_at(reviews)
    if ended_at is None and case.decided_at is not None:
        if case.stage is not Stage.DECIDED:
            raise WrongStage(
                f"case {case.case_no} is {case.stage}: its result is on its way",
                user_message="结果已安排送达或已送达，不能撤回决定；请更正为正确的决定",
            )
        case.step_back(Stage.UNDER_REVIEW, at=at, by=by.label)
        case.outcome = case.decided_at = None
        reopen(session, case)
    elif ended_at is not None:
        case.outcome, case.decided_at = outcome_of(reviews), ended_at
        if case.stage in UNDECIDED:
            case.move_to(Stage.DECIDED, at=at, by=by.label)
            add_timeline_event(session, case, kind="all_decided", by=by, at=at, words="全部事项已办结")
    refresh_dates(session, case)
    renew(session, case, at=at)


UNDECIDED = frozenset({Stage.SUBMITTED, Stage.UNDER_REVIEW})


def _release_liaison(session: Session, case: Case, review: Review, *, at: datetime) -> None:
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
class _Decision(PaperStep):
    """What a written decision says: its number, and its reasons where the law asks for them."""

    notice_no: Number = ""
    words: Words = ""

    def decided(self, context: ActContext, outcome: ReviewState) -> ReviewResult:
        review = context.row(Review, self.review)
        decide(
            context.session, review, outcome=outcome, decision_no=self.notice_no, reason=self.words, by=context.actor,
            at=context.at, when=self.when(),
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
class GrantOnCommitment(PaperStep):
    """Decided at once on a written commitment (告知承诺), verified by the day ``until``."""

    notice_no: Number = ""
    until: CalendarDate | None = None

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _grant_on_commitment(
            context.session, review, decision_no=self.notice_no, verify_by=self.until or day_of(context.at),
            by=context.actor, at=context.at, when=self.when(),
        )  # fmt: skip
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmCommitment(PaperStep):
    """The verification afterwards finds that the commitment holds."""

    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _verify_commitment(
            context.session, review, holds=True, reason=self.words, by=context.actor, at=context.at, when=self.when()
        )
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDecision(PaperStep):
    """The commitment was false: the decision is revoked (撤销决定), with the reason."""

    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _verify_commitment(
            context.session, review, holds=False, reason=self.words, by=context.actor, at=context.at, when=self.when()
        )
        return review_result(review)
