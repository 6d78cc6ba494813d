"""One case as its agent or lead sees it."""

from dataclasses import dataclass, field
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
from dispatch.custody.handover import Handover
from dispatch.custody.parcel import Parcel
from dispatch.views.case_lines import what_next
from routing.day.courier_stop import CourierStop


@dataclass(frozen=True, slots=True)
class TeamCasePage:
    """Everything about one case that its agent or lead needs."""

    case: Case
    project: Project
    enterprise: Enterprise
    agent: Agent | None
    reviews: list[tuple[Review, Matter, Lamp, int | None]]
    materials: list[Material]
    parcels: list[tuple[Parcel, CourierStop | None]]
    chains: dict[int, list[Handover]]
    events: list[CaseEvent]
    next_act: str
    delegated: bool
    owed: list[Material] = field(default_factory=list)


def case_page(session: Session, viewer: Actor, case_no: str, *, at: datetime) -> TeamCasePage:
    """One case. Raises NotFound."""
    case = case_for(session, viewer, case_no)
    project = session.get_one(Project, case.project_id)
    calendar = calendar_of(session)
    reviews = []
    for review, matter in session.execute(
        select(Review, Matter)
        .join(Matter, Matter.id == Review.matter_id)
        .where(Review.case_id == case.id)
        .order_by(Review.id)
    ):
        clock = review.committed_clock()
        left = None if clock is None or review.is_decided else clock.days_left(calendar, at)
        reviews.append((review, matter, review.lamp(calendar, at), left))
    parcels = session.execute(
        select(Parcel, CourierStop)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(Parcel.case_id == case.id)
        .order_by(Parcel.id)
    ).all()
    chains: dict[int, list[Handover]] = {}
    for link in session.scalars(
        select(Handover)
        .where(Handover.parcel_id.in_([p.id for p, _ in parcels]))
        .order_by(Handover.parcel_id, Handover.seq)
    ):
        chains.setdefault(link.parcel_id, []).append(link)
    lead = project.lead
    materials = list(case.materials)
    return TeamCasePage(
        case=case,
        project=project,
        enterprise=session.get_one(Enterprise, project.enterprise_id),
        agent=None if lead is None else session.get(Agent, lead.agent_id),
        reviews=reviews,
        materials=materials,
        parcels=[(parcel, stop) for parcel, stop in parcels],
        chains=chains,
        events=list(
            session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id.desc()))
        ),
        next_act=what_next(case),
        delegated=project.delegation_on(day_of(at)) is not None,
        owed=[m for m in materials if m.is_owed],
    )
