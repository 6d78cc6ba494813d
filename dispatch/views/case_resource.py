"""Cases as programs read them: plain values, the viewer first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session, joinedload

from agents.leave import acting_agent
from agents.roster import Agent
from db import now
from dispatch.acts.waiving import standing_waiver
from dispatch.cases.access_control import case_for, visible_cases
from dispatch.cases.case import Case, CaseEvent, Material
from dispatch.cases.evaluation import Evaluation, Grade
from dispatch.cases.fact_event import FactEvent
from dispatch.cases.notify import day_of
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.recorded_event import standing_events
from dispatch.cases.review import Review
from dispatch.cases.stages import LABEL, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.limit import limit_form
from dispatch.core.working_days import Calendar
from dispatch.custody.parcel import Parcel
from dispatch.views.loading import MATERIAL_PARTS, REVIEW_PARTS
from dispatch.views.resource_lists import holds
from routing.day.courier_stop import CourierStop


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A case of a list; ``id`` is for the cursor alone."""

    id: int
    case_no: str
    stage: str
    stage_words: str
    created_at: datetime
    project_no: str
    project: str
    enterprise: str
    committed_due_on: date | None
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class PromiseDates:
    """The three dates of a case, and how sure the expected one is."""

    legal_due_on: date | None
    committed_due_on: date | None
    expected_on: date | None
    expected_share: float | None
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class CaseAgent:
    """Who acts for the enterprise, and who stands in today."""

    name: str
    agent_no: str
    office_phone: str
    acting: str | None
    hotline: str


@dataclass(frozen=True, slots=True)
class CaseReview:
    """One matter of the case at its authority."""

    id: int
    matter: str
    name: str
    state: str
    authority: str
    counter: str
    statutory_limit: str | None
    committed_limit: str | None
    joint_group: str | None
    joint_no: str | None
    joint_due_at: datetime | None
    filed_at: datetime | None
    accepted_at: datetime | None
    acceptance_no: str | None
    legal_due_at: datetime | None
    committed_due_at: datetime | None
    due_is_provisional: bool
    decided_at: datetime | None
    decision_no: str | None
    lamp: str
    grade: int | None
    events: tuple[CaseReviewEvent, ...]


@dataclass(frozen=True, slots=True)
class CaseReviewEvent:
    """What happened to a matter by its paper, and when it was written down. ``corrects``: the event it replaces."""

    id: int
    kind: str
    happened_on: date
    happened_at: datetime | None
    recorded_at: datetime
    document_no: str
    corrects: int | None
    stands: bool


@dataclass(frozen=True, slots=True)
class CaseMaterial:
    """One paper of the case."""

    id: int
    name: str
    mode: str
    state: str
    defect: str | None
    deferrable: bool
    owed_by: date | None
    given_at: datetime | None
    waived_because: str | None
    events: tuple[CaseFact, ...]


@dataclass(frozen=True, slots=True)
class CaseFact:
    """What happened to a material or a result, and when it was written down. ``corrects``: the event it replaces."""

    id: int
    kind: str
    happened_on: date
    happened_at: datetime | None
    recorded_at: datetime
    document_no: str
    corrects: int | None
    stands: bool


@dataclass(frozen=True, slots=True)
class CaseParcel:
    """An envelope of the case and when a courier comes for it."""

    waybill: str
    leg: str
    state: str
    holder: str
    contents: list[str]
    payer: str
    seal_no: str | None
    day: date | None
    window: tuple[int, int | None] | None
    stop_id: int | None


@dataclass(frozen=True, slots=True)
class CaseParcelWithCode(CaseParcel):
    """What its enterprise reads: the code too, until it was used."""

    code: str | None


@dataclass(frozen=True, slots=True)
class CaseTimelineLine:
    """Something that happened to the case."""

    at: datetime
    kind: str
    stage: str
    actor: str
    words: str


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """One case with everything that a program may read of it."""

    case_no: str
    version: int
    stage: str
    stage_words: str
    stage_at: datetime
    project_no: str
    project: str
    outcome: str | None
    pickup_way: str
    delivery_way: str
    promise: PromiseDates
    agent: CaseAgent | None
    free: bool
    reviews: tuple[CaseReview, ...]
    materials: tuple[CaseMaterial, ...]
    delivery: tuple[CaseFact, ...]
    parcels: tuple[CaseParcel | CaseParcelWithCode, ...]
    timeline: tuple[CaseTimelineLine, ...]


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are asked for; ``q``: a part of a number, the project's or the enterprise's name."""

    stage: Stage | None = None
    project_no: str = ""
    q: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a row must meet."""
        found: list[ColumnElement[bool]] = []
        if self.stage is not None:
            found.append(Case.stage == self.stage)
        if self.project_no:
            found.append(Project.project_no == self.project_no)
        if self.q:
            named = (Case.case_no, Project.project_no, Project.name, Enterprise.name)
            found.append(holds(self.q, *named))  # type: ignore[arg-type]
        return found


def case_list(
    session: Session, viewer: Actor, *, after: tuple[datetime, int] | None, limit: int, which: CaseFilter
) -> list[CaseSummary]:
    """The newest cases first, ``limit`` and one more; ``after`` is the created_at and id of the last one shown."""
    query = (
        select(Case.id, Case.case_no, Case.stage, Case.created_at, Case.committed_due_on, Case.expected_on,
               Project.project_no, Project.name, Enterprise.name.label("enterprise"))
        .join(Project, Project.id == Case.project_id)
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .where(visible_cases(viewer), *which.conditions())
    )  # fmt: skip
    if after is not None:
        query = query.where(tuple_(Case.created_at, Case.id) < after)
    rows = session.execute(query.order_by(Case.created_at.desc(), Case.id.desc()).limit(limit + 1))
    return [
        CaseSummary(
            row.id, row.case_no, row.stage.value, LABEL[row.stage], row.created_at, row.project_no, row.name,
            row.enterprise, row.committed_due_on, row.expected_on,
        )
        for row in rows
    ]  # fmt: skip


def case_detail(session: Session, viewer: Actor, case_no: str) -> CaseDetail:
    """Stage, promise, agent card, reviews, parcels, materials and timeline of one case. Raises NotFound."""
    case = case_for(session, viewer, case_no, loaded=(joinedload(Case.project).joinedload(Project.members),))
    project = case.project
    at = now(session)
    return CaseDetail(
        case_no=case.case_no,
        version=case.version,
        stage=case.stage.value,
        stage_words=LABEL[case.stage],
        stage_at=case.stage_at,
        project_no=project.project_no,
        project=project.name,
        outcome=case.outcome.value if case.outcome else None,
        pickup_way=case.pickup_way.value,
        delivery_way=case.delivery_way.value,
        promise=PromiseDates(
            case.legal_due_on, case.committed_due_on, case.expected_on, case.expected_share, case.is_estimate
        ),
        agent=_agent(session, project, day_of(at)),
        free=True,
        reviews=_reviews(session, viewer, case, at),
        materials=_materials(session, case),
        delivery=_facts(case.facts),
        parcels=_parcels(session, viewer, case),
        timeline=_timeline(session, viewer, case),
    )


def _agent(session: Session, project: Project, today: date) -> CaseAgent | None:
    lead = project.lead
    if lead is None:
        return None
    agent = session.get_one(Agent, lead.agent_id)
    acting = acting_agent(session, agent, today)
    return CaseAgent(
        agent.name, agent.agent_no, agent.office_phone, acting.name if acting.id != agent.id else None, "12345"
    )


def _reviews(session: Session, viewer: Actor, case: Case, at: datetime) -> tuple[CaseReview, ...]:
    calendar = calendar_of(session)
    query = select(Review).where(Review.case_id == case.id).options(*REVIEW_PARTS).order_by(Review.id)
    reviews = session.scalars(query).unique()
    graded: dict[int, Grade] = {}
    if viewer.role is not Role.AGENT:  # the rated never see a grade beside its case
        found = session.execute(select(Evaluation.review_id, Evaluation.grade).where(Evaluation.case_id == case.id))
        graded = dict(found.all())
    return tuple(_review(review, graded.get(review.id), calendar, at) for review in reviews)


def _review(review: Review, grade: Grade | None, calendar: Calendar, at: datetime) -> CaseReview:
    return CaseReview(
        id=review.id,
        matter=review.matter.code,
        name=review.matter.name,
        state=review.state.value,
        authority=review.authority,
        counter=review.counter,
        statutory_limit=limit_form(review.statutory_limit),
        committed_limit=limit_form(review.committed_limit),
        joint_group=review.joint_group,
        joint_no=review.joint_no,
        joint_due_at=review.joint_due_at,
        filed_at=review.filed_at,
        accepted_at=review.accepted_at,
        acceptance_no=review.acceptance_no,
        legal_due_at=review.legal_due_at,
        committed_due_at=review.committed_due_at,
        due_is_provisional=review.is_provisional,
        decided_at=review.decided_at,
        decision_no=review.decision_no,
        lamp=review.lamp(calendar, at).value,
        grade=None if grade is None else int(grade),
        events=_events(review),
    )


def _events(review: Review) -> tuple[CaseReviewEvent, ...]:
    standing = {event.id for event in review.standing_events()}
    return tuple(
        CaseReviewEvent(
            e.id, e.kind.value, e.happened_on, e.happened_at, e.recorded_at, e.document_no, e.corrects,
            e.id in standing,
        )
        for e in review.events
    )  # fmt: skip


def _materials(session: Session, case: Case) -> tuple[CaseMaterial, ...]:
    query = select(Material).where(Material.case_id == case.id).options(*MATERIAL_PARTS).order_by(Material.id)
    return tuple(_material(material) for material in session.scalars(query).unique())


def _material(material: Material) -> CaseMaterial:
    waiver = standing_waiver(material)
    return CaseMaterial(
        material.id, material.name, material.mode.value, material.state.value, material.defect, material.deferrable,
        material.owed_by, material.given_at, None if waiver is None else waiver.words, _facts(material.facts),
    )  # fmt: skip


def _facts(facts: Sequence[FactEvent]) -> tuple[CaseFact, ...]:
    standing = {event.id for event in standing_events(facts)}
    return tuple(
        CaseFact(
            e.id, e.kind.value, e.happened_on, e.happened_at, e.recorded_at, e.document_no, e.corrects,
            e.id in standing,
        )
        for e in facts
    )  # fmt: skip


def _parcels(session: Session, viewer: Actor, case: Case) -> tuple[CaseParcel, ...]:
    rows = session.execute(
        select(Parcel, CourierStop)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(Parcel.case_id == case.id)
        .order_by(Parcel.id)
    )
    return tuple(_parcel(parcel, stop, viewer) for parcel, stop in rows)


def _parcel(parcel: Parcel, stop: CourierStop | None, viewer: Actor) -> CaseParcel:
    """Only the enterprise reads the code, until it was used."""
    window = None
    if stop is not None and stop.announced_opens_s is not None:
        window = (stop.announced_opens_s, stop.announced_closes_s)
    facts = (
        parcel.waybill, parcel.leg.value, parcel.state.value, parcel.holder.value, parcel.contents, parcel.payer.value,
        parcel.seal_no, None if stop is None else stop.on, window, parcel.stop_id,
    )  # fmt: skip
    return CaseParcelWithCode(*facts, parcel.code) if viewer.role is Role.ENTERPRISE else CaseParcel(*facts)


def _timeline(session: Session, viewer: Actor, case: Case) -> tuple[CaseTimelineLine, ...]:
    events = select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)
    if not viewer.is_staff:
        events = events.where(CaseEvent.internal.is_(False))
    return tuple(CaseTimelineLine(e.at, e.kind, e.stage.value, e.actor, e.words) for e in session.scalars(events))
