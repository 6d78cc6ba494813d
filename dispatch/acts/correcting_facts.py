"""Correcting facts: what was written down wrongly of a material, ticket, letter or result is replaced, and told."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import STAFF, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Digest, Name, Number, Reason, SecondOfDay, Why, Words
from dispatch.acts.answering import refresh_due, tell_asker, tell_moved_answer
from dispatch.acts.correcting import check_may_correct
from dispatch.acts.correcting_ends import settle_delivery, settle_letter
from dispatch.acts.evidence_keeping import settle_paper
from dispatch.acts.papers import correct
from dispatch.acts.recording import Happening, check_when, happened, recording_of
from dispatch.acts.voiding_ends import check_unsigned, void_delivery, void_revocation
from dispatch.cases.case import MATERIAL_LABEL, Case, Material, MaterialState
from dispatch.cases.fact_event import FACT_LABEL, Fact, FactEvent, FactKind
from dispatch.cases.lookups import lead_agent
from dispatch.cases.notify import add_timeline_event, queue_notice
from dispatch.cases.noun_record import RecordedNoun, add_event
from dispatch.cases.project import Delegation
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import FactEventId
from dispatch.core.localized_text import LocalizedText
from dispatch.path.edits import Relief

STEPS_OF_A_CASE = frozenset(
    {FactKind.MATERIAL_PASSED, FactKind.MATERIAL_MENDED, FactKind.MATERIAL_NOT_NEEDED, FactKind.MATERIAL_WAIVED}
)
"""Nothing on paper: the case itself goes another step, or its matters were put right."""
BEFORE_PRESCREEN = frozenset({FactKind.MATERIAL_LOOKED_UP, FactKind.MATERIAL_HELD, FactKind.MATERIAL_DEFERRED})
"""Taken back, these leave a material wanting: only while the case still asks for materials."""
ASKS = frozenset({Stage.REQUESTED, Stage.ASSIGNED, Stage.CORRECTION})


@dataclass(frozen=True, slots=True)
class CorrectedFact:
    """The noun of a corrected event, and the state that it is in now."""

    of: str
    state: str


@act(by=STAFF)
@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectFact:
    """An event of a material or a ticket was written down wrongly (更正登记): what is right, or that it never was.

    A field that is left out stays as it was. ``never_was``: it did not happen. An agent corrects what the agent wrote
    down today; a lead corrects anything."""

    fact: FactEventId
    reason: Why
    never_was: bool = False
    on: CalendarDate | None = None
    second: SecondOfDay | None = None
    notice_no: Number = ""
    words: Words = ""
    until: CalendarDate | None = None
    document: Digest | None = None
    media_type: Name = ""
    filename: Reason = ""
    late_reason: Reason = ""

    def perform(self, context: ActContext) -> CorrectedFact:
        session, event = context.session, context.row(FactEvent, self.fact)
        check_may_correct(event, context.actor, context.at)
        noun: RecordedNoun | None = event.material or event.ticket or event.delivered_case or event.delegation
        assert noun is not None  # the database holds every event to one noun
        right = None if self.never_was else self._replaced(event, context)
        _check_kind(event, noun, right)
        when = Happening(late_reason=self.late_reason or self.reason)
        if right is not None:
            check_when(right, when, calendar_of(session), by=context.actor, at=context.at)
        else:
            _take_back(context, event, noun, self.reason)
        recording = recording_of(when, by=context.actor, at=context.at, corrects=event.id, reason=self.reason)
        add_event(noun, right, recording)
        session.flush()
        if isinstance(noun, Material):
            _settle_material(session, noun, event, reason=self.reason, by=context.actor, at=context.at)
            return CorrectedFact(noun.name, noun.state.value)
        if isinstance(noun, Case):
            settle_delivery(session, noun, event, reason=self.reason, by=context.actor, at=context.at)
            return CorrectedFact(noun.case_no, noun.stage.value)
        if isinstance(noun, Delegation):
            settle_letter(session, noun, event, reason=self.reason, by=context.actor, at=context.at)
            state = "revoked" if noun.revoked_at else "signed" if noun.signed_at else "void"
            return CorrectedFact(noun.project.project_no, state)
        was = noun.due_at
        refresh_due(session, noun)
        if tell_moved_answer(session, noun, was, at=context.at):
            return CorrectedFact(noun.ticket_no, noun.state.value)
        case = None if noun.case_id is None else session.get_one(Case, noun.case_id)
        tell_asker(session, noun, case, "ticket_corrected", at=context.at, key=f"{noun.ticket_no}:{event.id}")
        return CorrectedFact(noun.ticket_no, noun.state.value)

    def _replaced(self, event: FactEvent, context: ActContext) -> Fact:
        """The event with what was given instead. Raises Refused where that is nothing."""
        was = event.fact()
        given: dict[str, Any] = {
            "document_no": self.notice_no, "words": self.words.strip(), "until": self.until,
            "document": self.document, "media_type": self.media_type, "filename": self.filename,
        }  # fmt: skip
        right = replace(was, **{name: value for name, value in given.items() if value})
        if self.on is not None or self.second is not None:
            when = Happening(on=self.on or event.happened_on, second=self.second)
            on, exactly = happened(when, None, calendar_of(context.session), at=context.at)
            right = replace(right, happened_on=on, happened_at=exactly)
        if right == was:
            raise Refused(f"event {event.id}: nothing is corrected", user_message="没有填写要更正的内容")
        return right


def _check_kind(event: FactEvent, noun: RecordedNoun, right: Fact | None) -> None:
    """Raises WrongStage where this event is not put right so."""
    if event.kind in STEPS_OF_A_CASE:
        raise WrongStage(f"{event.kind} is a step of its case", user_message="这一步随办件办理，不能单独更正")
    if right is not None:
        return
    if event.kind is FactKind.TICKET_RECEIVED:
        raise WrongStage("a ticket has come in", user_message="已登记的工单不能作废，请答复说明")
    if isinstance(noun, Material) and event.kind in BEFORE_PRESCREEN and noun.case.stage not in ASKS:
        raise WrongStage(
            f"{event.kind} taken back while the case is {noun.case.stage}",
            user_message="预审已通过，不能再作废这条登记",
        )


def _take_back(context: ActContext, event: FactEvent, noun: RecordedNoun, reason: str) -> None:
    """What never was leaves nothing behind. Raises WrongStage with the name of what stands on it."""
    session = context.session
    if isinstance(noun, Case):
        void_delivery(session, noun, event, by=context.actor, at=context.at)
    elif isinstance(noun, Delegation) and event.kind is FactKind.DELEGATION_SIGNED:
        check_unsigned(session, noun, event)
    elif isinstance(noun, Delegation):
        void_revocation(session, noun, event, reason=reason, by=context.actor, at=context.at)


def _settle_material(
    session: Session, material: Material, event: FactEvent, *, reason: str, by: Actor, at: datetime
) -> None:
    """What follows from a corrected material: its matter's relief, its case, and who was told wrongly."""
    case = material.case
    case.version += 1
    case.changed_by = by.label
    settle_relief(session, material)
    settle_paper(session, material, reason=reason, by=by, at=at)
    words = LocalizedText(
        "更正：“%(name)s”此前登记的“%(was)s”有误（%(reason)s），现为：%(now)s", name=material.name,
        was=LocalizedText(FACT_LABEL[event.kind]), reason=reason, now=LocalizedText(MATERIAL_LABEL[material.state]),
    )  # fmt: skip
    add_timeline_event(session, case, kind="record_corrected", by=by, at=at, words=words, fact=event.id)
    agent = lead_agent(session, case, at)
    queue_notice(
        session, case, "record_corrected", at=at, key=f"fact:{event.id}",
        values={
            "matter": material.name[:20], "result": LocalizedText(MATERIAL_LABEL[material.state]),
            "agent": agent.name if agent else "",
        },
    )  # fmt: skip
    is_mended = all(one.state is not MaterialState.DEFECTIVE for one in case.materials)
    if event.kind is FactKind.MATERIAL_REFUSED and case.stage is Stage.CORRECTION and is_mended:
        correct(session, case, by=by, at=at)


def settle_relief(session: Session, material: Material) -> None:
    """容缺 stands on a matter while one of its materials may follow, unless another relief does."""
    case = material.case
    review = session.scalar(
        select(Review).where(Review.case_id == case.id, Review.matter_id == material.matter_id).limit(1)
    )
    deferred = [m for m in case.materials if m.matter_id == material.matter_id and m.state is MaterialState.DEFERRED]
    if review is None:
        return
    if review.relief is Relief.DEFERRED and not deferred:
        review.relief = None
    elif review.relief is None and deferred:
        review.relief = Relief.DEFERRED
