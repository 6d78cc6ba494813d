"""One case as its agent or lead sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from agents.network import Division, ServiceCentre, subtree_condition
from agents.roster import Agent
from dispatch.acts.waiving import may_ask_again, standing_waiver, why_not_waived
from dispatch.cases.access_control import case_for, visible_centres
from dispatch.cases.case import Case, CaseEvent, Material
from dispatch.cases.notify import day_of
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.project_order import NOTHING_FIRST, OpenPrerequisites, is_relieved, prerequisites_on
from dispatch.cases.project_path import ProjectPath, project_path
from dispatch.cases.review import Review
from dispatch.cases.review_event import EVENT_LABEL, TURNS_OUT_AS, EventKind, ReviewEvent
from dispatch.cases.review_state import UNFILED
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor
from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import law_words, promise_words
from dispatch.core.working_days import Calendar
from dispatch.custody.handover import Handover, Holder
from dispatch.custody.parcel import Leg, Parcel
from dispatch.views.case_contacts import CaseContacts, contacts_of
from dispatch.views.case_lines import what_next
from dispatch.views.case_messages import CaseConversation, conversation_of
from dispatch.views.case_time_limits import commitment_in_words
from dispatch.views.fact_lines import FactLine, fact_lines
from dispatch.views.joint_groups import joint_words
from dispatch.views.loading import CASE_PARTS, MATERIAL_PARTS, REVIEW_PARTS
from routing.day.courier_stop import CourierStop, StopState


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One matter of the case, its lamp, the working days that are left, and what was written down of it."""

    review: Review
    matter: Matter
    lamp: Lamp
    left_wd: int | None
    events: tuple[EventLine, ...]
    first: OpenPrerequisites
    is_relieved: bool

    @property
    def is_unfiled(self) -> bool:
        return self.review.state in UNFILED

    @property
    def joint(self) -> str:
        return joint_words(self.review)

    @property
    def law(self) -> str:
        return law_words(self.review.statutory_limit)

    @property
    def promise(self) -> str:
        return promise_words(self.review.committed_limit)


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event as it was written down. ``stands``: no later one corrects it."""

    event: ReviewEvent
    label: str
    stands: bool
    turns_out_as: dict[str, str]


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """One material of the case, and what was written down of it."""

    material: Material
    facts: tuple[FactLine, ...]
    waived_because: str | None
    may_waive: bool
    may_ask_again: bool


@dataclass(frozen=True, slots=True)
class ParcelLine:
    """An envelope, the courier's stop that it waits for, and everyone who held it."""

    parcel: Parcel
    stop: CourierStop | None
    chain: list[Handover]

    @property
    def awaits_papers(self) -> bool:
        """Whether it goes to a door, has not left for it, and may still have to be waited for."""
        return (
            self.stop is not None and self.stop.state in {StopState.OPEN, StopState.PLANNED}
            and self.parcel.leg is Leg.DELIVERY and self.parcel.holder is not Holder.COURIER
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TeamCasePage:
    """Everything about one case that its agent or lead needs."""

    case: Case
    project: Project
    enterprise: Enterprise
    agent: Agent | None
    reviews: list[ReviewLine]
    path: ProjectPath | None
    materials: list[MaterialLine]
    parcels: list[ParcelLine]
    events: list[CaseEvent]
    next_act: str
    delegated: bool
    kept: str  # how probably the commitment is kept; empty while nothing is promised
    centres: list[ServiceCentre]  # where papers may be sent on to
    contacts: CaseContacts
    messages: CaseConversation
    delivery: tuple[FactLine, ...]  # what was written down of the results' coming home

    @property
    def is_more_to_file(self) -> bool:
        return any(line.is_unfiled for line in self.reviews)


def case_page(session: Session, viewer: Actor, case_no: str, *, at: datetime) -> TeamCasePage:
    """One case. Raises NotFound."""
    case = case_for(session, viewer, case_no, loaded=CASE_PARTS)
    project = case.project
    lead = project.lead
    path, calendar = project_path(session, project, at=at), calendar_of(session)
    return TeamCasePage(
        case=case,
        project=project,
        enterprise=project.enterprise,
        agent=None if lead is None else session.get(Agent, lead.agent_id),
        reviews=_reviews(session, case, calendar, at, path),
        path=path,
        materials=_materials(session, case, viewer),
        parcels=_parcels(session, case),
        events=list(
            session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id.desc()))
        ),
        next_act=what_next(case),
        delegated=project.delegation_on(day_of(at)) is not None,
        kept=commitment_in_words(session, case),
        contacts=contacts_of(session, viewer, case),
        messages=conversation_of(viewer, case, calendar),
        centres=_centres(session, viewer, session.get_one(Division, project.home_division_id)),
        delivery=fact_lines(case),
    )


def _centres(session: Session, viewer: Actor, home: Division) -> list[ServiceCentre]:
    """The centres above and below the project's home, the highest first."""
    levels = or_(Division.code.in_(home.path.split(".")), subtree_condition(home.path))
    query = select(ServiceCentre).join(Division, Division.id == ServiceCentre.division_id)
    return list(session.scalars(query.where(levels, visible_centres(viewer)).order_by(Division.path).limit(60)))


def _materials(session: Session, case: Case, viewer: Actor) -> list[MaterialLine]:
    query = select(Material).where(Material.case_id == case.id).options(*MATERIAL_PARTS).order_by(Material.id)
    return [_material(case, row, viewer) for row in session.scalars(query).unique()]


def _material(case: Case, row: Material, viewer: Actor) -> MaterialLine:
    waiver = standing_waiver(row)
    return MaterialLine(
        row, fact_lines(row),
        waived_because=None if waiver is None else waiver.words,
        may_waive=why_not_waived(case, row, viewer.role) is None,
        may_ask_again=waiver is not None and may_ask_again(case, row),
    )  # fmt: skip


def _reviews(
    session: Session, case: Case, calendar: Calendar, at: datetime, path: ProjectPath | None
) -> list[ReviewLine]:
    query = select(Review).where(Review.case_id == case.id).options(*REVIEW_PARTS).order_by(Review.id)
    waits = {} if path is None or case.decided_at is not None else prerequisites_on(path)
    return [
        ReviewLine(
            review,
            review.matter,
            review.lamp(calendar, at),
            _left(review, calendar, at),
            _events(review),
            waits.get(review.matter.code, NOTHING_FIRST),
            is_relieved(review, EventKind.FILED, day_of(at)),
        )
        for review in session.scalars(query).unique()
    ]


def _events(review: Review) -> tuple[EventLine, ...]:
    """The newest first."""
    standing = {event.id for event in review.standing_events()}
    return tuple(
        EventLine(
            event, EVENT_LABEL[event.kind], event.id in standing,
            {kind.value: EVENT_LABEL[kind] for kind in sorted(TURNS_OUT_AS - {event.kind})}
            if event.kind in TURNS_OUT_AS
            else {},
        )
        for event in reversed(review.events)
    )  # fmt: skip


def _left(review: Review, calendar: Calendar, at: datetime) -> int | None:
    return None if review.is_decided else review.clocks().days_left(calendar, at)


def _parcels(session: Session, case: Case) -> list[ParcelLine]:
    rows = session.execute(
        select(Parcel, CourierStop)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(Parcel.case_id == case.id)
        .options(joinedload(Parcel.handovers))
        .order_by(Parcel.id)
    )
    return [ParcelLine(parcel, stop, list(parcel.handovers)) for parcel, stop in rows.unique()]
