"""Cases as programs read them: plain values, the viewer first."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from agents.leave import acting_agent
from agents.roster import Agent
from db import now
from dispatch.cases.access_control import case_for, visible_cases
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.evaluation import Evaluation
from dispatch.cases.notify import day_of
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.review import Review
from dispatch.cases.stages import LABEL, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor, Role
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import CourierStop


def case_list(
    session: Session, viewer: Actor, *, after: tuple[datetime, int] | None, limit: int, stage: Stage | None = None
) -> list[dict[str, Any]]:
    """The newest cases first, ``limit`` and one more; ``after`` is the created_at and id of the last one shown."""
    query = (
        select(Case.id, Case.case_no, Case.stage, Case.created_at, Case.committed_due_on, Case.expected_on,
               Project.project_no, Project.name, Enterprise.name.label("enterprise"))
        .join(Project, Project.id == Case.project_id)
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .where(visible_cases(viewer))
    )  # fmt: skip
    if stage is not None:
        query = query.where(Case.stage == stage)
    if after is not None:
        query = query.where(tuple_(Case.created_at, Case.id) < after)
    rows = session.execute(query.order_by(Case.created_at.desc(), Case.id.desc()).limit(limit + 1))
    return [
        {
            "id": row.id, "case_no": row.case_no, "stage": row.stage.value, "stage_words": LABEL[row.stage],
            "created_at": row.created_at, "project_no": row.project_no, "project": row.name,
            "enterprise": row.enterprise, "committed_due_on": row.committed_due_on, "expected_on": row.expected_on,
        }
        for row in rows
    ]  # fmt: skip


def case_detail(session: Session, viewer: Actor, case_no: str) -> dict[str, Any]:
    """Stage, promise, agent card, reviews, parcels, materials and timeline of one case. Raises NotFound."""
    case = case_for(session, viewer, case_no)
    project = session.get_one(Project, case.project_id)
    at = now(session)
    calendar = calendar_of(session)
    reviews = session.execute(
        select(Review, Matter)
        .join(Matter, Matter.id == Review.matter_id)
        .where(Review.case_id == case.id)
        .order_by(Review.id)
    ).all()
    parcels = session.execute(
        select(Parcel, CourierStop)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(Parcel.case_id == case.id)
        .order_by(Parcel.id)
    ).all()
    events = select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)
    if not viewer.is_staff:
        events = events.where(CaseEvent.internal.is_(False))
    graded = dict(
        session.execute(select(Evaluation.review_id, Evaluation.grade).where(Evaluation.case_id == case.id)).all()
    )
    return {
        "case_no": case.case_no, "version": case.version, "stage": case.stage.value, "stage_words": LABEL[case.stage],
        "stage_at": case.stage_at, "project_no": project.project_no, "project": project.name,
        "outcome": case.outcome.value if case.outcome else None,
        "pickup_way": case.pickup_way.value, "delivery_way": case.delivery_way.value,
        "promise": {
            "legal_due_on": case.legal_due_on, "committed_due_on": case.committed_due_on,
            "expected_on": case.expected_on, "expected_share": case.expected_share, "is_estimate": case.is_estimate,
        },
        "agent": _card(session, project, day_of(at)),
        "free": True,
        "reviews": [
            {
                "id": review.id, "matter": matter.code, "name": matter.name, "state": review.state.value,
                "authority": review.authority, "counter": review.counter, "statutory_wd": review.statutory_wd,
                "committed_wd": review.committed_wd, "filed_at": review.filed_at, "accepted_at": review.accepted_at,
                "acceptance_no": review.acceptance_no, "legal_due_at": review.legal_due_at,
                "committed_due_at": review.committed_due_at, "decided_at": review.decided_at,
                "decision_no": review.decision_no, "lamp": review.lamp(calendar, at).value,
                "grade": None if viewer.role is Role.AGENT else _grade(graded.get(review.id)),
            }
            for review, matter in reviews
        ],
        "materials": [
            {
                "id": m.id, "name": m.name, "mode": m.mode.value, "state": m.state.value, "defect": m.defect,
                "deferrable": m.deferrable, "owed_by": m.owed_by, "given_at": m.given_at,
            }
            for m in case.materials
        ],
        "parcels": [_parcel(parcel, stop, viewer) for parcel, stop in parcels],
        "timeline": [
            {"at": e.at, "kind": e.kind, "stage": e.stage.value, "actor": e.actor, "words": e.words}
            for e in session.scalars(events)
        ],
    }  # fmt: skip


def _grade(grade: Any) -> int | None:
    return None if grade is None else int(grade)


def _card(session: Session, project: Project, today: Any) -> dict[str, Any] | None:
    lead = project.lead
    if lead is None:
        return None
    agent = session.get_one(Agent, lead.agent_id)
    acting = acting_agent(session, agent, today)
    return {
        "name": agent.name, "agent_no": agent.agent_no, "office_phone": agent.office_phone,
        "acting": acting.name if acting.id != agent.id else None, "hotline": "12345",
    }  # fmt: skip


def _parcel(parcel: Parcel, stop: CourierStop | None, viewer: Actor) -> dict[str, Any]:
    """A courier never sees a code; everybody else who sees the case does, until it was used."""
    shown = {
        "waybill": parcel.waybill, "leg": parcel.leg.value, "state": parcel.state.value, "holder": parcel.holder.value,
        "contents": parcel.contents, "payer": parcel.payer.value, "seal_no": parcel.seal_no,
        "day": None if stop is None else stop.on,
        "window": None if stop is None or stop.announced_opens_s is None
        else [stop.announced_opens_s, stop.announced_closes_s],
        "stop_id": parcel.stop_id,
    }  # fmt: skip
    if viewer.role is Role.ENTERPRISE:
        shown["code"] = parcel.code
    return shown
