"""Correcting: what was written down wrongly of a review is replaced or taken back, and everybody is told right."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Protocol

from annotated_types import Ge, Le
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Number, Rule, Why, Words
from dispatch.acts.deciding import OUTCOMES, settle_case, tell_decision, untold_decision
from dispatch.acts.evidence_keeping import settle_result
from dispatch.acts.recording import Happening, PaperStep, check_told_on, check_when, dated, recording_of
from dispatch.acts.review_result import ReviewResult, review_result
from dispatch.cases.case import Case
from dispatch.cases.lookups import lead_agent
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice
from dispatch.cases.project_order import check_order
from dispatch.cases.review import Review
from dispatch.cases.review_event import EVENT_LABEL, TURNS_OUT_AS, EventFacts, EventKind, ReviewEvent
from dispatch.cases.review_state import REVIEW_LABEL
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import ReviewEventId
from dispatch.core.localized_text import LocalizedText
from dispatch.core.special_procedure import PauseKind


class WrittenDown(Protocol):
    """What says who wrote it down, and when."""

    @property
    def id(self) -> int: ...
    @property
    def account_id(self) -> int | None: ...
    @property
    def recorded_at(self) -> datetime: ...


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectEvent(PaperStep):
    """An event of a review was written down wrongly (更正登记): what its paper really says, or that it never was.

    A field that is left out stays as it was. ``never_was``: there was no such paper. ``turns_out_as``: the decision
    was another one. The form of a joint filing is corrected for all that stand on it; ``never_was`` takes one off.
    An agent corrects what the agent wrote down today; a lead corrects anything."""

    event: ReviewEventId
    reason: Why
    never_was: bool = False
    turns_out_as: EventKind | None = None
    notice_no: Number = ""
    words: Words = ""
    kind: PauseKind | None = None
    until: CalendarDate | None = None
    maximum_wd: Annotated[int, Ge(1), Le(400)] | None = None
    rule: Rule = ""
    working_days: Annotated[int, Ge(1), Le(60)] | None = None
    notified_on: CalendarDate | None = None

    def perform(self, context: ActContext) -> ReviewResult:
        review, event = context.row(Review, self.review), context.row(ReviewEvent, self.event)
        check_may_correct(event, context.actor, context.at)
        facts = None if self.never_was else self._replaced(review, event, context)
        _correct_event(context, review, event, facts, reason=self.reason, when=self.when())
        if facts is not None and event.joint_group:
            _correct_form(context, review, event, facts, reason=self.reason, when=self.when())
        return review_result(review)

    def _replaced(self, review: Review, event: ReviewEvent, context: ActContext) -> EventFacts:
        """The event with what was given instead."""
        facts = event.facts()
        if self.turns_out_as is not None:
            if self.turns_out_as not in TURNS_OUT_AS or event.kind not in TURNS_OUT_AS:
                raise Refused(
                    f"{event.kind} cannot turn out as {self.turns_out_as}", user_message="该文书不能改为此种类"
                )
            facts = replace(facts, kind=self.turns_out_as)
        given: dict[str, Any] = {
            "document_no": self.notice_no, "words": self.words, "pause_kind": self.kind, "until": self.until,
            "maximum_wd": self.maximum_wd, "rule": self.rule, "working_days": self.working_days,
            "notified_on": self.notified_on, "document": self.document,
        }  # fmt: skip
        facts = replace(facts, **{name: value for name, value in given.items() if value})
        if self.on is None and self.second is None:
            return facts
        when = Happening(on=self.on or event.happened_on, second=self.second)
        moved = dated(facts, when, review, calendar_of(context.session), at=context.at)
        return replace(moved, document=facts.document)


def _correct_form(
    context: ActContext, review: Review, event: ReviewEvent, facts: EventFacts, *, reason: str, when: Happening
) -> None:
    """The other matters on the form of a joint filing: its day, number, place and scan are one for all.

    Raises Refused or WrongStage with the name of the matter that it does not fit."""
    told = {review.case_id}
    for other, theirs in _on_the_form(context.session, review, event):
        right = replace(
            theirs.facts(), happened_on=facts.happened_on, happened_at=facts.happened_at, words=facts.words,
            document_no=facts.document_no, document=facts.document,
        )  # fmt: skip
        try:
            _correct_event(context, other, theirs, right, reason=reason, when=when, is_told=other.case_id not in told)
        except (Refused, WrongStage) as error:
            words = LocalizedText(
                "%(matter)s：%(words)s", matter=other.matter.short_name, words=error.user_message
            )  # fmt: skip
            raise type(error)(f"{other.matter.code}: {error}", user_message=words) from error
        told.add(other.case_id)
        context.touch(Review, other.id)


def _on_the_form(session: Session, review: Review, event: ReviewEvent) -> list[tuple[Review, ReviewEvent]]:
    """The filings of the project's other matters that stand on the same form, locked."""
    of_project = select(Case.id).where(Case.project_id == review.case.project_id)
    found = select(ReviewEvent.review_id, ReviewEvent.id).join(Review, Review.id == ReviewEvent.review_id).where(
        Review.case_id.in_(of_project), Review.id != review.id, ReviewEvent.kind == EventKind.FILED,
        ReviewEvent.joint_group == event.joint_group, ReviewEvent.document_no == event.document_no,
    )  # fmt: skip
    events = {row.review_id: row.id for row in session.execute(found.order_by(ReviewEvent.id))}
    case_ids = select(Review.case_id).where(Review.id.in_(events))
    session.scalars(select(Case).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update()).all()
    locked = select(Review).where(Review.id.in_(events)).order_by(Review.id).with_for_update()
    others = session.scalars(locked.execution_options(populate_existing=True)).all()
    standing = [(one, {event.id: event for event in one.standing_events()}) for one in others]
    return [(one, stand[events[one.id]]) for one, stand in standing if events[one.id] in stand]


def _correct_event(
    context: ActContext, review: Review, event: ReviewEvent, facts: EventFacts | None, *, reason: str,
    when: Happening, is_told: bool = True,
) -> None:  # fmt: skip
    """Replace the event by ``facts``, or take it back; state, dates and case follow, and the enterprise is told.

    Raises WrongStage where it was corrected before or what stands would contradict itself."""
    session, by, at = context.session, context.actor, context.at
    if event.id not in {standing.id for standing in review.standing_events()}:
        raise WrongStage(f"event {event.id} was corrected already", user_message="这条登记已更正过，请刷新后再试")
    if facts == event.facts():
        raise Refused(f"event {event.id}: nothing is corrected", user_message="没有填写要更正的内容")
    calendar = calendar_of(session)
    if facts is not None:
        check_when(facts, replace(when, late_reason=when.late_reason or reason), calendar, by=by, at=at)
        check_told_on(facts, at)
        if facts.kind is not event.kind:
            check_order(session, review, facts, at=at)
    review.record(facts, recording_of(when, by=by, at=at, corrects=event.id, reason=reason), calendar)
    session.flush()
    settle_result(session, review, by=by, at=at, reason=reason)
    settle_case(session, session.get_one(Case, review.case_id), by=by, at=at)
    _tell_right(session, review, event, reason=reason, by=by, at=at, is_told=is_told)


def check_may_correct(event: WrittenDown, actor: Actor, at: datetime) -> None:
    """A lead corrects anything, an agent what the agent wrote down today. Raises Refused."""
    own_of_today = event.account_id == actor.account_id and day_of(event.recorded_at) == day_of(at)
    if actor.role is Role.AGENT and not own_of_today:
        raise Refused(
            f"event {event.id} is for a lead to correct", user_message="只能更正自己当天登记的内容，其余请组长更正"
        )


def _tell_right(
    session: Session, review: Review, event: ReviewEvent, *, reason: str, by: Actor, at: datetime, is_told: bool
) -> None:
    """A line that names what was wrong, and one notice of what is right, unless another matter's says it.

    A wrong decision that still waited to be told is not told at all."""
    case = session.get_one(Case, review.case_id)
    words = LocalizedText(
        "更正：%(matter)s此前登记的“%(was)s”有误（%(reason)s），现为：%(now)s", matter=review.matter.short_name,
        was=LocalizedText(EVENT_LABEL[event.kind]), reason=reason, now=LocalizedText(REVIEW_LABEL[review.state]),
    )  # fmt: skip
    add_timeline_event(
        session, case, kind="record_corrected", by=by, at=at, words=words, review_id=review.id, corrects=event.id
    )
    if untold_decision(session, case, event):
        if review.state in OUTCOMES:
            tell_decision(session, case, review, at=at)
        return
    if not is_told:
        return
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "record_corrected", at=at, key=str(event.id),
        values={
            "matter": review.matter.short_name, "result": LocalizedText(REVIEW_LABEL[review.state]),
            "agent": agent.name if agent else "",
        },
    )  # fmt: skip
