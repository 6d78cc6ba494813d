"""Correcting: what was written down wrongly of a review is replaced or taken back, and everybody is told right."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from annotated_types import Ge, Le
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
from dispatch.cases.recorded_event import RecordedEvent
from dispatch.cases.review import Review
from dispatch.cases.review_event import EVENT_LABEL, TURNS_OUT_AS, EventFacts, EventKind, ReviewEvent
from dispatch.cases.review_state import REVIEW_LABEL
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import ReviewEventId
from dispatch.core.localized_text import LocalizedText
from dispatch.core.special_procedure import PauseKind


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectEvent(PaperStep):
    """An event of a review was written down wrongly (更正登记): what its paper really says, or that it never was.

    A field that is left out stays as it was. ``never_was``: there was no such paper. ``turns_out_as``: the decision
    was another one. An agent corrects what the agent wrote down today; a lead corrects anything."""

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
        _correct_event(
            context.session, review, event, facts, reason=self.reason, when=self.when(), by=context.actor,
            at=context.at,
        )  # fmt: skip
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


def _correct_event(
    session: Session, review: Review, event: ReviewEvent, facts: EventFacts | None, *, reason: str,
    when: Happening, by: Actor, at: datetime,
) -> None:  # fmt: skip
    """Replace the event by ``facts``, or take it back; state, dates and case follow, and the enterprise is told.

    Raises WrongStage where it was corrected before or what stands would contradict itself."""
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
    _tell_right(session, review, event, reason=reason, by=by, at=at)


def check_may_correct(event: RecordedEvent, actor: Actor, at: datetime) -> None:
    """A lead corrects anything, an agent what the agent wrote down today. Raises Refused."""
    own_of_today = event.account_id == actor.account_id and day_of(event.recorded_at) == day_of(at)
    if actor.role is Role.AGENT and not own_of_today:
        raise Refused(
            f"event {event.id} is for a lead to correct", user_message="只能更正自己当天登记的内容，其余请组长更正"
        )


def _tell_right(session: Session, review: Review, event: ReviewEvent, *, reason: str, by: Actor, at: datetime) -> None:
    """A line that names what was wrong, and one notice of what is right.

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
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "record_corrected", at=at, key=str(event.id),
        values={
            "matter": review.matter.short_name, "result": LocalizedText(REVIEW_LABEL[review.state]),
            "agent": agent.name if agent else "",
        },
    )  # fmt: skip
