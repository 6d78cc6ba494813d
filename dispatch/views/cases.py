"""Cases and projects as programs read them: plain values, the viewer first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from agents.leave import acting_agent
from agents.network import Division, ServiceCentre
from agents.roster import Agent
from db import now
from dispatch.cases.access_control import case_for, parcel_for, project_for, visible_cases
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.evaluation import Evaluation
from dispatch.cases.notify import day_of
from dispatch.cases.project import Enterprise, Project, ProjectMember
from dispatch.cases.review import Review
from dispatch.cases.stages import LABEL, Stage
from dispatch.catalogue.catalog import Matter, calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.custody.custody import HOLDER_LABEL, Handover, Parcel
from routing.day.tables import FAIL_LABEL, CourierStop, StopAct, StopEvent


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


def project_detail(session: Session, viewer: Actor, project_no: str) -> dict[str, Any]:
    """A project with its team and cases. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    cases = session.execute(
        select(Case.case_no, Case.stage, Case.created_at).where(Case.project_id == project.id).order_by(Case.id)
    )
    team = session.execute(
        select(ProjectMember, Agent)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .where(ProjectMember.project_id == project.id, ProjectMember.until.is_(None))
        .order_by(ProjectMember.id)
    )
    return {
        "project_no": project.project_no, "project_code": project.project_code, "name": project.name,
        "family": project.family.value, "state": project.state.value, "version": project.version,
        "phase": project.phase, "investment_wan": project.investment_wan,
        "enterprise": session.get_one(Enterprise, project.enterprise_id).name,
        "division": session.get_one(Division, project.division_id).name,
        "created_at": project.created_at,
        "team": [
            {"role": member.role.value, "counter": member.counter, "agent_id": agent.id, "name": agent.name,
             "office_phone": agent.office_phone, "since": member.since}
            for member, agent in team
        ],
        "cases": [
            {"case_no": row.case_no, "stage": row.stage.value, "created_at": row.created_at}
            for row in cases
        ],
    }  # fmt: skip


def why(session: Session, viewer: Actor, project_no: str) -> dict[str, Any]:
    """Why this agent: the stored reason, and who acts now. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    lead = project.lead
    return {
        "project_no": project.project_no,
        "state": project.state.value,
        "agent_id": None if lead is None else lead.agent_id,
        "chosen_by": None if lead is None else lead.chosen_by,
        "locked": bool(lead and lead.locked),
        "reason": project.assignment_reason or {},
    }


@dataclass(frozen=True, slots=True)
class DoorProof:
    """Something that was kept at a door: when, at which handover or failed visit, of which envelope, its digest."""

    at: datetime
    words: str
    waybill: str
    digest: str


def door_proofs(session: Session, case: Case) -> list[DoorProof]:
    """Photos and signatures of this case's envelopes, and the digests of checked codes beside them. Oldest first."""
    links = session.execute(
        select(Handover, Parcel.waybill)
        .join(Parcel, Parcel.id == Handover.parcel_id)
        .where(Parcel.case_id == case.id, func.jsonb_array_length(Handover.proofs) > 0)
    )
    found = [
        DoorProof(link.at, f"{HOLDER_LABEL[link.from_holder]}交{HOLDER_LABEL[link.to_holder]}", waybill, digest)
        for link, waybill in links
        for digest in link.proofs
    ]
    stops = select(Parcel.stop_id).where(Parcel.case_id == case.id, Parcel.stop_id.is_not(None))
    before = select(CourierStop.retry_of_id).where(CourierStop.id.in_(stops), CourierStop.retry_of_id.is_not(None))
    of_case = set(session.scalars(select(Parcel.waybill).where(Parcel.case_id == case.id)))
    failed = session.scalars(
        select(StopEvent).where(
            or_(StopEvent.stop_id.in_(stops), StopEvent.stop_id.in_(before)), StopEvent.act == StopAct.FAILED
        )
    )
    found += [
        DoorProof(event.at, FAIL_LABEL[event.reason] if event.reason else "未办成", waybill, digest)
        for event in failed
        for waybill in event.waybills
        if waybill in of_case
        for digest in event.proofs
    ]
    return sorted(found, key=lambda proof: (proof.at, proof.digest))


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


def custody_of(session: Session, viewer: Actor, waybill: str) -> dict[str, Any]:
    """A parcel's whole chain. Raises NotFound."""
    parcel = parcel_for(session, viewer, waybill)
    links = session.scalars(select(Handover).where(Handover.parcel_id == parcel.id).order_by(Handover.seq))
    return {
        "waybill": parcel.waybill, "holder": parcel.holder.value, "length": parcel.chain_length,
        "head": bytes(parcel.chain_head).hex(),
        "links": [
            {
                "seq": link.seq, "at": link.at, "device_at": link.device_at, "action": link.action,
                "from": link.from_holder.value, "to": link.to_holder.value, "by": link.by, "proofs": link.proofs,
                "digest": bytes(link.digest).hex(),
            }
            for link in links
        ],
    }  # fmt: skip


def places(session: Session, *, parent: str | None, after: str | None, limit: int) -> list[Division]:
    """Divisions below ``parent`` (or the province), by code."""
    query = select(Division).where(Division.retired_on.is_(None)).order_by(Division.code)
    query = query.where(Division.parent_code == parent) if parent else query.where(Division.level <= 2)
    if after is not None:
        query = query.where(Division.code > after)
    return list(session.scalars(query.limit(limit + 1)))


def centres(session: Session) -> Sequence[ServiceCentre]:
    """All service centres, by number."""
    query = select(ServiceCentre).where(ServiceCentre.retired_on.is_(None)).order_by(ServiceCentre.centre_no)
    return session.scalars(query).all()
