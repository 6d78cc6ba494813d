"""Named rows: how the row behind each type of id is found for an actor, and in which order rows are locked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.access_control import (
    area_for,
    case_for,
    handover_list_for,
    message_for,
    parcel_for,
    plan_for,
    project_for,
    rectification_for,
    review_for,
    run_for,
    stop_for,
    ticket_for,
    visible_agents,
    visible_couriers,
    visible_enterprises,
    visible_projects,
)
from dispatch.cases.case import Case, Material
from dispatch.cases.evaluation import Rectification, Ticket
from dispatch.cases.project import Contact, Enterprise, Project, Referral
from dispatch.cases.review import Review
from dispatch.core import ids
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound
from dispatch.custody.handover_list import HandoverList
from dispatch.custody.parcel import Parcel
from notifications.message import Message
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan

Find = Callable[[Session, Actor, Any], object]


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A noun that commands name: its rank in the order of locking, and how one is found. Raises NotFound."""

    noun: type
    rank: int
    find: Find


def _material(session: Session, actor: Actor, material_id: int) -> Material:
    material = session.get(Material, material_id)
    if material is None:
        raise NotFound(f"no material {material_id}")
    case_no = session.scalars(select(Case.case_no).where(Case.id == material.case_id)).one()
    case_for(session, actor, case_no, lock=True)
    return material


def _agent(session: Session, actor: Actor, agent_id: int) -> Agent:
    agent = session.scalar(select(Agent).where(Agent.id == agent_id, visible_agents(actor)))
    if agent is None:
        raise NotFound(f"no agent {agent_id} for this actor")
    return agent


def _referral(session: Session, actor: Actor, referral_id: int) -> Referral:
    found = session.scalar(
        select(Referral)
        .join(Project, Project.id == Referral.project_id)
        .where(Referral.id == referral_id, visible_projects(actor))
        .with_for_update(of=Referral)
    )
    if found is None:
        raise NotFound(f"no referral {referral_id} for this actor")
    return found


def _courier(session: Session, actor: Actor, courier_id: int) -> Courier:
    courier = session.scalar(select(Courier).where(Courier.id == courier_id, visible_couriers(actor)))
    if courier is None:
        raise NotFound(f"no courier {courier_id} for this actor")
    return courier


def _enterprise(session: Session, actor: Actor, enterprise_id: int) -> Enterprise:
    found = session.scalar(select(Enterprise).where(Enterprise.id == enterprise_id, visible_enterprises(actor)))
    if found is None:
        raise NotFound(f"no enterprise {enterprise_id} for this actor")
    return found


def _contact(session: Session, actor: Actor, contact_id: int) -> Contact:
    found = session.scalar(
        select(Contact)
        .join(Enterprise, Enterprise.id == Contact.enterprise_id)
        .where(Contact.id == contact_id, visible_enterprises(actor))
    )
    if found is None:
        raise NotFound(f"no contact {contact_id} for this actor")
    return found


ROWS: dict[object, NamedRow] = {
    ids.ProjectNo: NamedRow(Project, 0, lambda session, actor, no: project_for(session, actor, no, lock=True)),
    ids.CaseNo: NamedRow(Case, 1, lambda session, actor, no: case_for(session, actor, no, lock=True)),
    ids.MaterialId: NamedRow(Material, 2, _material),
    ids.ReviewId: NamedRow(Review, 3, review_for),
    ids.Waybill: NamedRow(Parcel, 4, lambda session, actor, waybill: parcel_for(session, actor, waybill, lock=True)),
    ids.StopId: NamedRow(CourierStop, 5, lambda session, actor, stop_id: stop_for(session, actor, stop_id, lock=True)),
    ids.RunId: NamedRow(CourierRun, 6, run_for),
    ids.PlanId: NamedRow(DayPlan, 7, plan_for),
    ids.ListNo: NamedRow(HandoverList, 4, handover_list_for),
    ids.CourierId: NamedRow(Courier, 7, _courier),
    ids.AgentId: NamedRow(Agent, 8, _agent),
    ids.EnterpriseId: NamedRow(Enterprise, 9, _enterprise),
    ids.ContactId: NamedRow(Contact, 10, _contact),
    ids.ReferralId: NamedRow(Referral, 2, _referral),
    ids.RectificationId: NamedRow(Rectification, 3, rectification_for),
    ids.MessageId: NamedRow(Message, 12, message_for),
    ids.TicketNo: NamedRow(Ticket, 11, ticket_for),
    ids.AreaCode: NamedRow(Division, 13, area_for),
}
"""Locked in this order: project, case, material, review, parcel, stop, run, plan, agent, then what nobody waits for."""

OWNED_BY: dict[type, str] = {Project: "project_id", Case: "case_id", Enterprise: "enterprise_id"}
"""The foreign key by which other rows belong to a noun: what is named beside its owner must belong to it."""
