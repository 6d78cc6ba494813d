"""Reach: which projects, cases, parcels and stops a viewer may see. Absent and not yours answer alike."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, false, literal, or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ExecutableOption

from agents.network import Division, ServiceCentre, UnknownDivision, division_with, subtree_condition
from agents.roster import Agent, Duty
from db import Base
from dispatch.cases.case import Case
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.contact_note import ContactNote
from dispatch.cases.courier_report import CourierReport
from dispatch.cases.courier_word import CourierWord
from dispatch.cases.evaluation import Evaluation, Ticket
from dispatch.cases.project import Contact, Enterprise, Project, ProjectMember, Referral
from dispatch.cases.project_batch import ProjectBatch
from dispatch.cases.saved_view import SavedView
from dispatch.cases.visit_word import VisitWord
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound
from dispatch.core.shanghai_time import in_shanghai
from dispatch.custody.handover_list import HandoverList
from dispatch.custody.parcel import Parcel
from dispatch.custody.roadside_pass import RoadsidePass
from notifications.message import Message
from notifications.webhooks.subscription import SubscriptionState, WebhookSubscription
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopEvent
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan
from routing.day.roster import ShiftRule


def within(viewer: Actor, division_column: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a row's division lies in the viewer's subtree: a path test, never a code prefix."""
    if viewer.role in {Role.OPERATOR, Role.SYSTEM}:
        return true()
    if viewer.division_path is None:
        return false()
    return division_column.in_(select(Division.id).where(subtree_condition(viewer.division_path)))


def visible_projects(viewer: Actor) -> ColumnElement[bool]:
    """Operator all, lead and supervisor the subtree, agent own, offered and station's, enterprise own, courier none."""
    match viewer.role:
        case Role.OPERATOR | Role.SYSTEM:
            return true()
        case Role.LEAD | Role.SUPERVISOR:
            return within(viewer, Project.home_division_id)  # type: ignore[arg-type]
        case Role.AGENT:
            mine = select(ProjectMember.project_id).where(
                ProjectMember.agent_id == viewer.agent_id, ProjectMember.replaced_at.is_(None)
            )
            station = select(Agent.division_id).where(Agent.id == viewer.agent_id).scalar_subquery()
            # A stand-in sees what the absent agent holds.
            covered = (
                select(ProjectMember.project_id)
                .join(Agent, Agent.id == ProjectMember.agent_id)
                .where(Agent.stand_in_id == viewer.agent_id, ProjectMember.until.is_(None))
            )
            # A colleague to whom the project is offered reads it before taking it over.
            offered = select(Referral.project_id).where(
                Referral.to_agent_id == viewer.agent_id, Referral.accepted_at.is_(None), Referral.declined_at.is_(None)
            )
            return or_(
                Project.id.in_(mine), Project.id.in_(covered), Project.id.in_(offered), Project.division_id == station
            )
        case Role.ENTERPRISE:
            own = Project.enterprise_id == viewer.enterprise_id
            return and_(own, Project.filed_by == viewer.account_id) if viewer.sees_own_only else own
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


def visible_numbers(viewer: Actor, number_hash: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Whether a number's hash is that of somebody told of a visible case, or of a contact of a visible enterprise."""
    if viewer.role in {Role.OPERATOR, Role.SYSTEM}:
        return true()
    told = select(Message.to_hash).where(visible_messages(viewer), Message.to_hash.is_not(None))
    known = select(Contact.phone_hash).where(visible_contacts(viewer))
    return or_(number_hash.in_(told), number_hash.in_(known))


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


def visible_absences(viewer: Actor) -> ColumnElement[bool]:
    """Those of visible agents."""
    return Duty.agent_id.in_(select(Agent.id).where(visible_agents(viewer)))


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


def visible_contacts(viewer: Actor) -> ColumnElement[bool]:
    """The persons of visible enterprises who have not left; who sees only its own finds itself alone."""
    if viewer.sees_own_only:
        return and_(Contact.enterprise_id == viewer.enterprise_id, Contact.account_id == viewer.account_id)
    visible = select(Enterprise.id).where(visible_enterprises(viewer))
    return and_(Contact.enterprise_id.in_(visible), Contact.left_at.is_(None))


def visible_shift_rules(viewer: Actor) -> ColumnElement[bool]:
    """Those of visible couriers."""
    return ShiftRule.courier_id.in_(select(Courier.id).where(visible_couriers(viewer)))


def visible_couriers(viewer: Actor) -> ColumnElement[bool]:
    """A lead's subtree; a courier sees itself."""
    if viewer.role is Role.COURIER:
        return Courier.id == viewer.courier_id
    if viewer.role in {Role.AGENT, Role.ENTERPRISE}:
        return false()
    return within(viewer, Courier.division_id)  # type: ignore[arg-type]


def visible_centres(viewer: Actor) -> ColumnElement[bool]:
    """Up and down the levels: the centres of the viewer's subtree, and those of the places above it."""
    if viewer.role in {Role.OPERATOR, Role.SYSTEM}:
        return true()
    if viewer.division_path is None:
        return false()
    above = Division.code.in_(viewer.division_path.split("."))
    reach = select(Division.id).where(or_(subtree_condition(viewer.division_path), above))
    return ServiceCentre.division_id.in_(reach)


def visible_courier_reports(viewer: Actor) -> ColumnElement[bool]:
    """A courier its own, a lead and supervisor the subtree, an operator all."""
    match viewer.role:
        case Role.COURIER:
            return CourierReport.courier_id == viewer.courier_id
        case Role.AGENT | Role.ENTERPRISE:
            return false()
        case _:
            return within(viewer, CourierReport.division_id)  # type: ignore[arg-type]


def visible_passes(viewer: Actor) -> ColumnElement[bool]:
    """A courier those to give or to take, a lead and supervisor the subtree, an operator all."""
    match viewer.role:
        case Role.COURIER:
            return or_(RoadsidePass.giver_id == viewer.courier_id, RoadsidePass.receiver_id == viewer.courier_id)
        case Role.AGENT | Role.ENTERPRISE:
            return false()
        case _:
            return within(viewer, RoadsidePass.division_id)  # type: ignore[arg-type]


def visible_courier_words(viewer: Actor) -> ColumnElement[bool]:
    """A courier those said to itself, a lead and supervisor the subtree, an operator all."""
    match viewer.role:
        case Role.COURIER:
            return CourierWord.courier_id == viewer.courier_id
        case Role.AGENT | Role.ENTERPRISE:
            return false()
        case _:
            return within(viewer, CourierWord.division_id)  # type: ignore[arg-type]


def visible_visit_words(viewer: Actor) -> ColumnElement[bool]:
    """What leads and supervisors see of the visits in their subtree; an operator all."""
    if viewer.role not in {Role.LEAD, Role.SUPERVISOR, Role.OPERATOR, Role.SYSTEM}:
        return false()
    return within(viewer, VisitWord.division_id)  # type: ignore[arg-type]


def visible_subscriptions(viewer: Actor) -> ColumnElement[bool]:
    """One's own; an operator those of all, who may stop one but reads no other's key."""
    living = WebhookSubscription.state != SubscriptionState.ENDED
    if viewer.role in {Role.OPERATOR, Role.SYSTEM}:
        return living
    return and_(living, WebhookSubscription.account_id == viewer.account_id)


def visible_saved_views(viewer: Actor) -> ColumnElement[bool]:
    """One's own."""
    return SavedView.account_id == viewer.account_id


def visible_lists(viewer: Actor) -> ColumnElement[bool]:
    """A courier's own handover lists; of a query that joins the centre, those of the subtree's centres."""
    if viewer.role is Role.COURIER:
        return HandoverList.courier_id == viewer.courier_id
    return within(viewer, ServiceCentre.division_id)  # type: ignore[arg-type]


def visible_tickets(viewer: Actor) -> ColumnElement[bool]:
    """An enterprise its own; an agent those it owns, never those about itself; a lead the subtree."""
    match viewer.role:
        case Role.ENTERPRISE:
            own = Ticket.enterprise_id == viewer.enterprise_id
            return and_(own, Ticket.filed_by == viewer.account_id) if viewer.sees_own_only else own
        case Role.AGENT:
            return Ticket.owner_agent_id == viewer.agent_id
        case Role.COURIER:
            return false()
        case _:
            return within(viewer, Ticket.division_id)  # type: ignore[arg-type]


def visible_messages(viewer: Actor) -> ColumnElement[bool]:
    """A lead's and supervisor's subtree, an agent's own cases, an operator's everything."""
    of_cases = Message.case_id.in_(select(Case.id).where(visible_cases(viewer)))
    if viewer.role is Role.AGENT:
        return of_cases
    return or_(within(viewer, Message.division_id), of_cases)  # type: ignore[arg-type]


def visible_rectifications(viewer: Actor) -> ColumnElement[bool]:
    """A rated agent sees those about itself; everybody else those of visible cases."""
    if viewer.role is Role.AGENT:
        return Evaluation.agent_id == viewer.agent_id
    return Evaluation.case_id.in_(select(Case.id).where(visible_cases(viewer)))


def visible_contact_notes(viewer: Actor) -> ColumnElement[bool]:
    """Notes on visible cases; the enterprise reads none."""
    if not viewer.is_staff:
        return false()
    return ContactNote.case_id.in_(select(Case.id).where(visible_cases(viewer)))


def visible_batches(viewer: Actor) -> ColumnElement[bool]:
    """An enterprise's own, those that the account filed itself, and those with a project in sight of the staff."""
    if viewer.role is Role.ENTERPRISE:
        own = ProjectBatch.enterprise_id == viewer.enterprise_id
        return and_(own, ProjectBatch.account_id == viewer.account_id) if viewer.sees_own_only else own
    return ProjectBatch.id.in_(select(Project.batch_id).where(visible_projects(viewer)))


def visible_case_messages(viewer: Actor) -> ColumnElement[bool]:
    """Those of visible cases, for both sides."""
    return CaseMessage.case_id.in_(select(Case.id).where(visible_cases(viewer)))


# ---------------------------------------------------------------- finding one to act on

Row = TypeVar("Row")


def the_one(
    session: Session, query: Select[Row], named: str, *, lock: type[Base] | None = None,
    loaded: Sequence[ExecutableOption] = (),
) -> Row:  # fmt: skip
    """The row that the query finds, locked where ``lock`` names its noun. Raises NotFound."""
    if lock is not None:
        query = query.with_for_update(of=lock).execution_options(populate_existing=True)
    found = session.scalars(query.options(*loaded)).unique().one_or_none() if loaded else session.scalar(query)
    if found is None:
        raise NotFound(f"no {named} for this viewer")
    return found


def project_for(
    session: Session, viewer: Actor, project_no: str, *, lock: bool = False, loaded: Sequence[ExecutableOption] = ()
) -> Project:
    """The project, locked when it is to be changed, with what else is ``loaded`` with it. Raises NotFound."""
    query = select(Project).where(Project.project_no == project_no, visible_projects(viewer))
    return the_one(session, query, f"project {project_no}", lock=Project if lock else None, loaded=loaded)


def case_for(
    session: Session, viewer: Actor, case_no: str, *, lock: bool = False, loaded: Sequence[ExecutableOption] = ()
) -> Case:
    """The case, locked when it is to be changed, with what else is ``loaded`` with it. Raises NotFound."""
    query = select(Case).where(Case.case_no == case_no, visible_cases(viewer))
    return the_one(session, query, f"case {case_no}", lock=Case if lock else None, loaded=loaded)


def parcel_for(session: Session, viewer: Actor, waybill: str, *, lock: bool = False) -> Parcel:
    """The parcel, with its case locked first when it is to be changed. Raises NotFound."""
    query = select(Parcel).where(Parcel.waybill == waybill, visible_parcels(viewer))
    parcel = the_one(session, query, f"parcel {waybill}")
    if lock:
        session.get_one(Case, parcel.case_id, with_for_update=True, populate_existing=True)
        session.refresh(parcel, with_for_update=True)
    return parcel


def stop_for(session: Session, viewer: Actor, stop_id: int, *, lock: bool = False) -> CourierStop:
    """The stop; its cases and parcels are locked before it. Raises NotFound."""
    query = select(CourierStop).where(CourierStop.id == stop_id, visible_stops(viewer))
    stop = the_one(session, query, f"stop {stop_id}")
    if lock:
        lock_parcels(session, select(Parcel.id).where(Parcel.stop_id == stop_id))
        session.refresh(stop, with_for_update=True)
    return stop


def reported_stop(session: Session, courier_id: int, stop_id: int, at: datetime) -> tuple[CourierStop, bool] | None:
    """The stop that a courier's phone names, locked, and whether it is still on a run of that courier.

    What is reported is judged by the run of its own time: a stop that any plan of its day, committed by then, gave to
    this courier is known, though the plan in force gives it to another one or to nobody."""
    lock_parcels(session, select(Parcel.id).where(Parcel.stop_id == stop_id))
    stop = session.get(CourierStop, stop_id, with_for_update=True, populate_existing=True)
    if stop is None:
        return None
    holder = session.scalar(select(CourierRun.courier_id).where(CourierRun.id == stop.run_id))
    if holder == courier_id:
        return stop, True
    plans = (
        select(DayPlan.result)
        .join(CourierRun, CourierRun.plan_id == DayPlan.id)
        .where(CourierRun.courier_id == courier_id, CourierRun.on == in_shanghai(at).date())
        .where(or_(DayPlan.committed_at.is_(None), DayPlan.committed_at <= at))
    )
    for result in session.scalars(plans):
        for route in (result or {}).get("routes", ()):
            if route["courier_id"] == courier_id and any(visit["stop_id"] == stop_id for visit in route["visits"]):
                return stop, False
    return None


def stop_of_event(session: Session, event_id: uuid.UUID) -> int | None:
    """The stop of an act that came before, in the record or on the desk."""
    at_door = select(StopEvent.stop_id).where(StopEvent.event_id == event_id)
    on_desk = select(CourierReport.stop_id).where(CourierReport.event_id == event_id)
    return session.scalar(at_door) or session.scalar(on_desk)


def lock_parcels(session: Session, parcels: Select[int]) -> None:
    """The cases of these parcels, then the parcels: everybody locks in this order."""
    cases = select(Parcel.case_id).where(Parcel.id.in_(parcels))
    session.scalars(select(Case).where(Case.id.in_(cases)).order_by(Case.id).with_for_update()).all()
    session.scalars(select(Parcel).where(Parcel.id.in_(parcels)).order_by(Parcel.id).with_for_update()).all()


def area_for(session: Session, viewer: Actor, code: str) -> Division:
    """An area that the viewer works for. Raises NotFound."""
    try:
        division = division_with(session, code)
    except UnknownDivision as error:
        raise NotFound(str(error)) from error
    if not session.scalar(select(within(viewer, literal(division.id)))):
        raise NotFound(f"area {code} is not this viewer's")
    return division


def plan_for(session: Session, viewer: Actor, plan_id: int) -> DayPlan:
    """The plan. Raises NotFound."""
    return the_one(session, select(DayPlan).where(DayPlan.id == plan_id, visible_plans(viewer)), f"plan {plan_id}")


def run_for(session: Session, viewer: Actor, run_id: int) -> CourierRun:
    """A run of this courier, locked. Raises NotFound."""
    query = select(CourierRun).where(CourierRun.id == run_id, CourierRun.courier_id == viewer.courier_id)
    return the_one(session, query, f"run {run_id}", lock=CourierRun)
