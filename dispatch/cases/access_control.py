"""Reach: which projects, cases, parcels and stops a viewer may see. Absent and not yours answer alike."""

from sqlalchemy import ColumnElement, false, literal, or_, select, true
from sqlalchemy.orm import Session

from agents.network import Division, ServiceCentre, UnknownDivision, division_with, subtree_condition
from agents.roster import Agent
from dispatch.cases.case import Case
from dispatch.cases.evaluation import Evaluation, Rectification, Ticket
from dispatch.cases.project import Enterprise, Project, ProjectMember
from dispatch.cases.review import Review
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound
from dispatch.custody.handover_list import HandoverLine, HandoverList
from dispatch.custody.parcel import Parcel
from notifications.message import Message
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan


def within(viewer: Actor, division_column: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a row's division lies in the viewer's subtree: a path test, never a code prefix."""
    if viewer.role in {Role.OPERATOR, Role.SYSTEM}:
        return true()
    if viewer.division_path is None:
        return false()
    return division_column.in_(select(Division.id).where(subtree_condition(viewer.division_path)))


def visible_projects(viewer: Actor) -> ColumnElement[bool]:
    """Operator all, lead and supervisor the subtree, agent own and station's, enterprise its own, courier none."""
    match viewer.role:
        case Role.OPERATOR | Role.SYSTEM:
            return true()
        case Role.LEAD | Role.SUPERVISOR:
            return within(viewer, Project.home_division_id)  # type: ignore[arg-type]
        case Role.AGENT:
            mine = select(ProjectMember.project_id).where(ProjectMember.agent_id == viewer.agent_id)
            station = select(Agent.division_id).where(Agent.id == viewer.agent_id).scalar_subquery()
            # A stand-in sees what the absent agent holds.
            covered = (
                select(ProjectMember.project_id)
                .join(Agent, Agent.id == ProjectMember.agent_id)
                .where(Agent.stand_in_id == viewer.agent_id, ProjectMember.until.is_(None))
            )
            return or_(Project.id.in_(mine), Project.id.in_(covered), Project.division_id == station)
        case Role.ENTERPRISE:
            return Project.enterprise_id == viewer.enterprise_id
        case _:
            return false()


def visible_cases(viewer: Actor) -> ColumnElement[bool]:
    """The cases of the projects that the viewer may see."""
    if viewer.role in {Role.OPERATOR, Role.SYSTEM}:
        return true()
    return Case.project_id.in_(select(Project.id).where(visible_projects(viewer)))


def visible_stops(viewer: Actor) -> ColumnElement[bool]:
    """A courier the stops of own runs, a lead those of the subtree, an enterprise those of its parcels."""
    match viewer.role:
        case Role.COURIER:
            return CourierStop.run_id.in_(select(CourierRun.id).where(CourierRun.courier_id == viewer.courier_id))
        case Role.ENTERPRISE | Role.AGENT:
            own = select(Parcel.stop_id).join(Case, Case.id == Parcel.case_id).where(visible_cases(viewer))
            return CourierStop.id.in_(own)
        case _:
            return within(viewer, CourierStop.division_id)  # type: ignore[arg-type]


def visible_plans(viewer: Actor) -> ColumnElement[bool]:
    """Plans belong to leads, supervisors and operators."""
    if viewer.role not in {Role.LEAD, Role.SUPERVISOR, Role.OPERATOR, Role.SYSTEM}:
        return false()
    return within(viewer, DayPlan.division_id)  # type: ignore[arg-type]


def visible_parcels(viewer: Actor) -> ColumnElement[bool]:
    """Those of visible cases; a courier's are those at the stops of own runs."""
    if viewer.role is Role.COURIER:
        return Parcel.stop_id.in_(select(CourierStop.id).where(visible_stops(viewer)))
    return Parcel.case_id.in_(select(Case.id).where(visible_cases(viewer)))


def visible_agents(viewer: Actor) -> ColumnElement[bool]:
    """An agent sees the colleagues of the own station, a lead the subtree."""
    match viewer.role:
        case Role.OPERATOR | Role.SYSTEM:
            return true()
        case Role.LEAD | Role.SUPERVISOR:
            return within(viewer, Agent.division_id)  # type: ignore[arg-type]
        case Role.AGENT:
            station = select(Agent.division_id).where(Agent.id == viewer.agent_id).scalar_subquery()
            return or_(Agent.id == viewer.agent_id, Agent.division_id == station)
        case _:
            return false()


def visible_enterprises(viewer: Actor) -> ColumnElement[bool]:
    """An enterprise itself; staff those registered within their subtree, and those whose projects they see."""
    match viewer.role:
        case Role.OPERATOR | Role.SYSTEM:
            return true()
        case Role.ENTERPRISE:
            return Enterprise.id == viewer.enterprise_id
        case Role.LEAD | Role.SUPERVISOR | Role.AGENT:
            known = select(Project.enterprise_id).where(visible_projects(viewer))
            return or_(within(viewer, Enterprise.division_id), Enterprise.id.in_(known))  # type: ignore[arg-type]
        case _:
            return false()


def visible_couriers(viewer: Actor) -> ColumnElement[bool]:
    """A lead's subtree; a courier sees itself."""
    if viewer.role is Role.COURIER:
        return Courier.id == viewer.courier_id
    if viewer.role in {Role.AGENT, Role.ENTERPRISE}:
        return false()
    return within(viewer, Courier.division_id)  # type: ignore[arg-type]


def visible_lists(viewer: Actor) -> ColumnElement[bool]:
    """A courier's own handover lists; of a query that joins the centre, those of the subtree's centres."""
    if viewer.role is Role.COURIER:
        return HandoverList.courier_id == viewer.courier_id
    return within(viewer, ServiceCentre.division_id)  # type: ignore[arg-type]


def visible_tickets(viewer: Actor) -> ColumnElement[bool]:
    """An enterprise its own; an agent those it owns, never those about itself; a lead the subtree."""
    match viewer.role:
        case Role.ENTERPRISE:
            return Ticket.enterprise_id == viewer.enterprise_id
        case Role.AGENT:
            return Ticket.owner_agent_id == viewer.agent_id
        case Role.COURIER:
            return false()
        case _:
            return within(viewer, Ticket.division_id)  # type: ignore[arg-type]


def visible_messages(viewer: Actor) -> ColumnElement[bool]:
    """A lead's and supervisor's subtree, an agent's own cases, an operator's everything."""
    if viewer.role is Role.AGENT:
        return Message.case_id.in_(select(Case.id).where(visible_cases(viewer)))
    return or_(
        within(viewer, Message.division_id),  # type: ignore[arg-type]
        Message.case_id.in_(select(Case.id).where(visible_cases(viewer))),
    )


def visible_rectifications(viewer: Actor) -> ColumnElement[bool]:
    """A rated agent sees those about itself; everybody else those of visible cases."""
    if viewer.role is Role.AGENT:
        return Evaluation.agent_id == viewer.agent_id
    return Evaluation.case_id.in_(select(Case.id).where(visible_cases(viewer)))


# ---------------------------------------------------------------- finding one to act on


def project_for(session: Session, viewer: Actor, project_no: str, *, lock: bool = False) -> Project:
    """The project, locked when it is to be changed. Raises NotFound."""
    query = select(Project).where(Project.project_no == project_no, visible_projects(viewer))
    if lock:
        query = query.with_for_update(of=Project).execution_options(populate_existing=True)
    project = session.scalar(query)
    if project is None:
        raise NotFound(f"no project {project_no} for this viewer")
    return project


def case_for(session: Session, viewer: Actor, case_no: str, *, lock: bool = False) -> Case:
    """The case, locked when it is to be changed. Raises NotFound."""
    query = select(Case).where(Case.case_no == case_no, visible_cases(viewer))
    if lock:
        query = query.with_for_update(of=Case).execution_options(populate_existing=True)
    case = session.scalar(query)
    if case is None:
        raise NotFound(f"no case {case_no} for this viewer")
    return case


def review_for(session: Session, viewer: Actor, review_id: int) -> Review:
    """The review, with its case locked first: rows are locked in one order. Raises NotFound."""
    case_no = session.scalar(select(Case.case_no).join(Review, Review.case_id == Case.id).where(Review.id == review_id))
    if case_no is None:
        raise NotFound(f"no review {review_id}")
    case_for(session, viewer, case_no, lock=True)
    return session.get_one(Review, review_id, with_for_update=True, populate_existing=True)


def parcel_for(session: Session, viewer: Actor, waybill: str, *, lock: bool = False) -> Parcel:
    """The parcel, with its case locked first when it is to be changed. Raises NotFound."""
    found = session.execute(
        select(Parcel.id, Case.id.label("case_id"))
        .join(Case, Case.id == Parcel.case_id)
        .where(Parcel.waybill == waybill, visible_parcels(viewer))
    ).first()
    if found is None:
        raise NotFound(f"no parcel {waybill} for this viewer")
    if lock:
        session.get_one(Case, found.case_id, with_for_update=True, populate_existing=True)
    return session.get_one(Parcel, found.id, with_for_update=lock or None, populate_existing=lock)


def stop_for(session: Session, viewer: Actor, stop_id: int, *, lock: bool = False) -> CourierStop:
    """The stop; its cases and parcels are locked before it. Raises NotFound."""
    seen = session.scalar(select(CourierStop.id).where(CourierStop.id == stop_id, visible_stops(viewer)))
    if seen is None:
        raise NotFound(f"no stop {stop_id} for this viewer")
    if lock:
        parcels = select(Parcel.case_id).where(Parcel.stop_id == stop_id)
        session.scalars(select(Case).where(Case.id.in_(parcels)).order_by(Case.id).with_for_update()).all()
        session.scalars(select(Parcel).where(Parcel.stop_id == stop_id).order_by(Parcel.id).with_for_update()).all()
    return session.get_one(CourierStop, stop_id, with_for_update=lock or None, populate_existing=lock)


def ticket_for(session: Session, viewer: Actor, ticket_no: str) -> Ticket:
    """The ticket, locked. Raises NotFound."""
    ticket = session.scalar(
        select(Ticket).where(Ticket.ticket_no == ticket_no, visible_tickets(viewer)).with_for_update(of=Ticket)
    )
    if ticket is None:
        raise NotFound(f"no ticket {ticket_no} for this viewer")
    return ticket


def handover_list_for(session: Session, viewer: Actor, list_no: str) -> HandoverList:
    """The list, to be signed; the cases and parcels of its lines are locked before it. Raises NotFound."""
    found = session.scalar(
        select(HandoverList.id)
        .join(ServiceCentre, ServiceCentre.id == HandoverList.centre_id)
        .where(HandoverList.list_no == list_no, visible_lists(viewer))
    )
    if found is None:
        raise NotFound(f"no handover list {list_no} for this viewer")
    parcels = select(HandoverLine.parcel_id).where(HandoverLine.list_id == found)
    cases = select(Parcel.case_id).where(Parcel.id.in_(parcels))
    session.scalars(select(Case).where(Case.id.in_(cases)).order_by(Case.id).with_for_update()).all()
    session.scalars(select(Parcel).where(Parcel.id.in_(parcels)).order_by(Parcel.id).with_for_update()).all()
    return session.get_one(HandoverList, found, with_for_update=True, populate_existing=True)


def area_for(session: Session, viewer: Actor, code: str) -> Division:
    """An area that the viewer may plan. Raises NotFound."""
    try:
        division = division_with(session, code)
    except UnknownDivision as error:
        raise NotFound(str(error)) from error
    if not session.scalar(select(within(viewer, literal(division.id)))):
        raise NotFound(f"area {code} is not this viewer's")
    return division


def plan_for(session: Session, viewer: Actor, plan_id: int) -> DayPlan:
    """The plan. Raises NotFound."""
    plan = session.scalar(select(DayPlan).where(DayPlan.id == plan_id, visible_plans(viewer)))
    if plan is None:
        raise NotFound(f"no plan {plan_id} for this viewer")
    return plan


def run_for(session: Session, viewer: Actor, run_id: int) -> CourierRun:
    """A run of this courier, locked. Raises NotFound."""
    run = session.scalar(
        select(CourierRun).where(CourierRun.id == run_id, CourierRun.courier_id == viewer.courier_id).with_for_update()
    )
    if run is None:
        raise NotFound(f"no run {run_id} for this viewer")
    return run


def message_for(session: Session, viewer: Actor, message_id: int) -> Message:
    """The message, locked. Raises NotFound."""
    message = session.scalar(
        select(Message).where(Message.id == message_id, visible_messages(viewer)).with_for_update(of=Message)
    )
    if message is None:
        raise NotFound(f"no message {message_id} for this viewer")
    return message


def rectification_for(session: Session, viewer: Actor, rectification_id: int) -> Rectification:
    """The rectification, its case locked before it. Raises NotFound."""
    case_id = session.scalar(
        select(Evaluation.case_id)
        .join(Rectification, Rectification.evaluation_id == Evaluation.id)
        .where(Rectification.id == rectification_id, visible_rectifications(viewer))
    )
    if case_id is None:
        raise NotFound(f"no rectification {rectification_id} for this viewer")
    session.get_one(Case, case_id, with_for_update=True)
    return session.get_one(Rectification, rectification_id, with_for_update=True, populate_existing=True)
