"""One case as its agent or lead sees it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.roster import Agent
from dispatch.cases.access_control import (
    case_for,
)
from dispatch.cases.case import Case, CaseEvent, Material
from dispatch.cases.notify import day_of
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.review import Review
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor
from dispatch.core.legal_clock import Lamp
from dispatch.core.working_days import Calendar
from dispatch.custody.handover import Handover
from dispatch.custody.parcel import Parcel
from dispatch.views.case_lines import what_next
from routing.day.courier_stop import CourierStop


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One matter of the case, its lamp and the working days that are left."""

    review: Review
    matter: Matter
    lamp: Lamp
    left_wd: int | None


@dataclass(frozen=True, slots=True)
class ParcelLine:
    """An envelope, the courier's stop that it waits for, and everyone who held it."""

    parcel: Parcel
    stop: CourierStop | None
    chain: list[Handover]


@dataclass(frozen=True, slots=True)
class TeamCasePage:
    """Everything about one case that its agent or lead needs."""

    case: Case
    project: Project
    enterprise: Enterprise
    agent: Agent | None
    reviews: list[ReviewLine]
    materials: list[Material]
    parcels: list[ParcelLine]
    events: list[CaseEvent]
    next_act: str
    delegated: bool


def case_page(session: Session, viewer: Actor, case_no: str, *, at: datetime) -> TeamCasePage:
    """One case. Raises NotFound."""
    case = case_for(session, viewer, case_no)
    project = session.get_one(Project, case.project_id)
    lead = project.lead
    return TeamCasePage(
        case=case,
        project=project,
        enterprise=session.get_one(Enterprise, project.enterprise_id),
        agent=None if lead is None else session.get(Agent, lead.agent_id),
        reviews=_reviews(session, case, at),
        materials=list(case.materials),
        parcels=_parcels(session, case),
        events=list(
            session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id.desc()))
        ),
        next_act=what_next(case),
        delegated=project.delegation_on(day_of(at)) is not None,
    )


def _reviews(session: Session, case: Case, at: datetime) -> list[ReviewLine]:
    calendar = calendar_of(session)
    rows = session.execute(
        select(Review, Matter)
        .join(Matter, Matter.id == Review.matter_id)
        .where(Review.case_id == case.id)
        .order_by(Review.id)
    )
    return [
        ReviewLine(review, matter, review.lamp(calendar, at), _left(review, calendar, at)) for review, matter in rows
    ]


def _left(review: Review, calendar: Calendar, at: datetime) -> int | None:
    clock = review.committed_clock()
    return None if clock is None or review.is_decided else clock.days_left(calendar, at)


def _parcels(session: Session, case: Case) -> list[ParcelLine]:
    rows = session.execute(
        select(Parcel, CourierStop)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(Parcel.case_id == case.id)
        .order_by(Parcel.id)
    ).all()
    chains: dict[int, list[Handover]] = {}
    for link in session.scalars(
        select(Handover)
        .where(Handover.parcel_id.in_([parcel.id for parcel, _ in rows]))
        .order_by(Handover.parcel_id, Handover.seq)
    ):
        chains.setdefault(link.parcel_id, []).append(link)
    return [ParcelLine(parcel, stop, chains.get(parcel.id, [])) for parcel, stop in rows]
