"""Acceptance: the authority accepts, asks for corrections, or does not accept."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import Number, Words
from dispatch.acts.deciding import settle_decision
from dispatch.acts.recording import JUST_NOW, Happening, PaperStep, record
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case
from dispatch.cases.derived import refresh_dates
from dispatch.cases.expected_dates import renew
from dispatch.cases.lookups import lead_agent
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.recorded_event import Recording
from dispatch.cases.review import Review
from dispatch.cases.review_event import EventFacts, EventKind
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM, Actor
from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.core.shanghai_time import in_shanghai


def _accept(
    session: Session, review: Review, *, notice_no: str, by: Actor, at: datetime, when: Happening = JUST_NOW
) -> None:
    """The authority's written acceptance (受理通知书)."""
    record(session, review, EventFacts(kind=EventKind.ACCEPTED, document_no=notice_no), when, by=by, at=at)
    _tell_accepted(session, review, by=by, at=at)


def accept_silently(session: Session, review: Review, *, at: datetime) -> None:
    """The authority was silent for five working days: the matter counts as accepted (视为受理)."""
    assert review.correction_due_at is not None
    ended = in_shanghai(review.correction_due_at)
    silence = Recording(at=at, by=SYSTEM.label)
    facts = EventFacts(kind=EventKind.DEEMED_ACCEPTED, happened_on=ended.date(), happened_at=ended)
    review.record(facts, silence, calendar_of(session))
    session.flush()
    _tell_accepted(session, review, by=SYSTEM, at=at)


def _tell_accepted(session: Session, review: Review, *, by: Actor, at: datetime) -> None:
    case = session.get_one(Case, review.case_id)
    refresh_dates(session, case)
    if case.stage is Stage.SUBMITTED:
        case.move_to(Stage.UNDER_REVIEW, at=at, by=by.label)
    assert review.accepted_at is not None
    is_due, due = review.committed_due_at is not None, review.due_words()
    form = "%(matter)s视为受理" if review.deemed_accepted else "%(matter)s已受理"
    accepted = LocalizedText(form, matter=review.matter.short_name)
    words = LocalizedText(
        "%(accepted)s，应于%(day)s前办结" if is_due else "%(accepted)s，%(day)s", accepted=accepted, day=due
    )
    add_timeline_event(
        session,
        case,
        kind="accepted",
        by=by,
        at=at,
        words=words,
        review_id=review.id,
        event_id=review.events[-1].id,
        notice_no=review.acceptance_no,
    )
    queue_notice(
        session, case, "accepted" if is_due else "accepted_no_limit", at=at, key=f"{review.id}:{review.version}",
        values={
            "matter": review.matter.short_name, "day": DayText(day_of(review.accepted_at)),
            "authority": review.authority, **({"due": due} if is_due else {}),
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


def _ask_supplement(
    session: Session, review: Review, *, words: str, by: Actor, at: datetime, notice_no: str = "",
    when: Happening = JUST_NOW,
) -> None:  # fmt: skip
    """The authority asks for corrections (补正), all at once and within five working days."""
    case = session.get_one(Case, review.case_id)
    asked = EventFacts(kind=EventKind.SUPPLEMENT_ASKED, words=words, document_no=notice_no)
    record(session, review, asked, when, by=by, at=at)
    refresh_dates(session, case)
    add_timeline_event(
        session,
        case,
        kind="supplement",
        by=by,
        at=at,
        words=LocalizedText("%(matter)s需补正：%(words)s", matter=review.matter.short_name, words=words),
        review_id=review.id,
        event_id=review.events[-1].id,
    )
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "correction", at=at, key=f"{review.id}:{review.version}",
        values={"count": "1", "agent": agent.name if agent else ""},
    )  # fmt: skip


def _refuse_acceptance(
    session: Session, review: Review, *, reason: str, by: Actor, at: datetime, notice_no: str = "",
    when: Happening = JUST_NOW,
) -> None:  # fmt: skip
    """The authority does not accept the filing (不予受理), with its reasons."""
    case = session.get_one(Case, review.case_id)
    refused = EventFacts(kind=EventKind.NOT_ACCEPTED, words=reason, document_no=notice_no)
    record(session, review, refused, when, by=by, at=at)
    settle_decision(session, case, review, by=by, at=at)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptReview(PaperStep):
    """The authority's written acceptance (受理通知书): its legal clock starts."""

    notice_no: Number = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _accept(context.session, review, notice_no=self.notice_no, by=context.actor, at=context.at, when=self.when())
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class AskSupplement(PaperStep):
    """The authority asks for corrections (补正), all at once."""

    notice_no: Number = ""
    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _ask_supplement(
            context.session, review, words=self.words, notice_no=self.notice_no, by=context.actor, at=context.at,
            when=self.when(),
        )  # fmt: skip
        return review_result(review)


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseAcceptance(PaperStep):
    """The authority does not accept the filing (不予受理), with its reasons."""

    notice_no: Number = ""
    words: Words = ""

    def perform(self, context: ActContext) -> ReviewResult:
        review = context.row(Review, self.review)
        _refuse_acceptance(
            context.session, review, reason=self.words, notice_no=self.notice_no, by=context.actor, at=context.at,
            when=self.when(),
        )  # fmt: skip
        return review_result(review)
