"""Named rows: how the row behind each type of id is found for an actor, and in which order rows are locked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from agents.network import Division, ServiceCentre
from agents.roster import Agent, Duty
from db import Base
from dispatch.cases.access_control import (
    area_for,
    case_for,
    lock_parcels,
    parcel_for,
    plan_for,
    project_for,
    run_for,
    stop_for,
    the_one,
    visible_absences,
    visible_agents,
    visible_batches,
    visible_case_messages,
    visible_centres,
    visible_contact_notes,
    visible_contacts,
    visible_courier_reports,
    visible_courier_words,
    visible_couriers,
    visible_enterprises,
    visible_lists,
    visible_messages,
    visible_passes,
    visible_projects,
    visible_rectifications,
    visible_shift_rules,
    visible_subscriptions,
    visible_tickets,
    visible_visit_words,
)
from dispatch.cases.case import Case, Material
from dispatch.cases.case_message import CaseMessage
from dispatch.cases.contact_note import ContactNote
from dispatch.cases.courier_report import CourierReport
from dispatch.cases.courier_word import CourierWord
from dispatch.cases.evaluation import Evaluation, Rectification, Ticket
from dispatch.cases.fact_event import FactEvent
from dispatch.cases.project import Contact, Delegation, Enterprise, Project, ProjectMember, Referral
from dispatch.cases.project_batch import ProjectBatch
from dispatch.cases.review import Review
from dispatch.cases.review_event import ReviewEvent
from dispatch.cases.visit_word import VisitWord
from dispatch.core import ids
from dispatch.core.actor import Actor
from dispatch.custody.handover_list import HandoverLine, HandoverList
from dispatch.custody.parcel import Parcel
from dispatch.custody.roadside_pass import RoadsidePass
from notifications.message import Message
from notifications.webhooks.delivery import WebhookDelivery
from notifications.webhooks.subscription import WebhookSubscription
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan
from routing.day.roster import ShiftRule

Find = Callable[[Session, Actor, Any], object]


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A noun that commands name: its rank in the order of locking, and how one is found. Raises NotFound."""

    noun: type
    rank: int
    find: Find


def _material(session: Session, actor: Actor, material_id: int) -> Material:
    query = select(Case.case_no).join(Material, Material.case_id == Case.id).where(Material.id == material_id)
    case_for(session, actor, the_one(session, query, f"material {material_id}"), lock=True)
    return session.get_one(Material, material_id)


def _review(session: Session, actor: Actor, review_id: int) -> Review:
    query = select(Case.case_no).join(Review, Review.case_id == Case.id).where(Review.id == review_id)
    case_for(session, actor, the_one(session, query, f"review {review_id}"), lock=True)
    return session.get_one(Review, review_id, with_for_update=True, populate_existing=True)


def _review_event(session: Session, actor: Actor, event_id: int) -> ReviewEvent:
    event = the_one(session, select(ReviewEvent).where(ReviewEvent.id == event_id), f"event {event_id}")
    _review(session, actor, event.review_id)
    return event


def _fact_event(session: Session, actor: Actor, event_id: int) -> FactEvent:
    event = the_one(session, select(FactEvent).where(FactEvent.id == event_id), f"event {event_id}")
    if event.material_id is not None:
        _material(session, actor, event.material_id)
    elif event.delivered_case_id is not None:
        of_case = select(Case.case_no).where(Case.id == event.delivered_case_id)
        case_for(session, actor, the_one(session, of_case, f"event {event_id}"), lock=True)
    elif event.delegation_id is not None:
        of_letter = select(Project.project_no).join(Delegation).where(Delegation.id == event.delegation_id)
        project_for(session, actor, the_one(session, of_letter, f"event {event_id}"), lock=True)
    else:
        query = select(Ticket).where(Ticket.id == event.ticket_id, visible_tickets(actor))
        the_one(session, query, f"event {event_id}", lock=Ticket)
    return event


def _assignment(session: Session, actor: Actor, assignment_id: int) -> ProjectMember:
    of_visible = select(ProjectMember).join(Project, Project.id == ProjectMember.project_id)
    query = of_visible.where(visible_projects(actor), ProjectMember.id == assignment_id)
    return the_one(session, query, f"assignment {assignment_id}", lock=ProjectMember)


def _referral(session: Session, actor: Actor, referral_id: int) -> Referral:
    of_visible = select(Referral).join(Project, Project.id == Referral.project_id).where(visible_projects(actor))
    return the_one(session, of_visible.where(Referral.id == referral_id), f"referral {referral_id}", lock=Referral)


def _rectification(session: Session, actor: Actor, rectification_id: int) -> Rectification:
    query = (
        select(Evaluation.case_id)
        .join(Rectification, Rectification.evaluation_id == Evaluation.id)
        .where(Rectification.id == rectification_id, visible_rectifications(actor))
    )
    case_id = the_one(session, query, f"rectification {rectification_id}")
    session.get_one(Case, case_id, with_for_update=True)
    return session.get_one(Rectification, rectification_id, with_for_update=True, populate_existing=True)


def _handover_list(session: Session, actor: Actor, list_no: str) -> HandoverList:
    query = (
        select(HandoverList)
        .join(ServiceCentre, ServiceCentre.id == HandoverList.centre_id)
        .where(HandoverList.list_no == list_no, visible_lists(actor))
    )
    sheet = the_one(session, query, f"handover list {list_no}")
    lock_parcels(session, select(HandoverLine.parcel_id).where(HandoverLine.list_id == sheet.id))
    session.refresh(sheet, with_for_update=True)
    return sheet


def _courier_report(session: Session, actor: Actor, report_id: int) -> CourierReport:
    query = select(CourierReport).where(CourierReport.id == report_id, visible_courier_reports(actor))
    report = the_one(session, query, f"courier's report {report_id}")
    if report.stop_id is not None:
        lock_parcels(session, select(Parcel.id).where(Parcel.stop_id == report.stop_id))
        session.get_one(CourierStop, report.stop_id, with_for_update=True, populate_existing=True)
    session.refresh(report, with_for_update=True)
    return report


def _delivery(session: Session, actor: Actor, delivery_id: int) -> WebhookDelivery:
    query = (
        select(WebhookDelivery)
        .join(WebhookSubscription, WebhookSubscription.id == WebhookDelivery.subscription_id)
        .where(WebhookDelivery.id == delivery_id, visible_subscriptions(actor))
    )
    return the_one(session, query, f"delivery {delivery_id}", lock=WebhookDelivery)


def _contact(session: Session, actor: Actor, contact_id: int) -> Contact:
    found = select(Contact).where(Contact.id == contact_id, visible_contacts(actor))
    return the_one(session, found, f"contact {contact_id}")


def _by(
    key: InstrumentedAttribute[Any], visible: Callable[[Actor], ColumnElement[bool]], *, lock: bool = False
) -> Find:
    """Finds a row by this column among those that the actor may see."""
    noun: type[Base] = key.class_  # type: ignore[assignment]

    def find(session: Session, actor: Actor, value: Any) -> object:
        query = select(noun).where(key == value, visible(actor))
        return the_one(session, query, f"{noun.__tablename__} {value}", lock=noun if lock else None)

    return find


ROWS: dict[object, NamedRow] = {
    ids.ProjectNo: NamedRow(Project, 0, lambda session, actor, no: project_for(session, actor, no, lock=True)),
    ids.CaseNo: NamedRow(Case, 1, lambda session, actor, no: case_for(session, actor, no, lock=True)),
    ids.MaterialId: NamedRow(Material, 2, _material),
    ids.ReviewId: NamedRow(Review, 3, _review),
    ids.ReviewEventId: NamedRow(ReviewEvent, 4, _review_event),
    ids.FactEventId: NamedRow(FactEvent, 4, _fact_event),
    ids.Waybill: NamedRow(Parcel, 4, lambda session, actor, waybill: parcel_for(session, actor, waybill, lock=True)),
    ids.StopId: NamedRow(CourierStop, 5, lambda session, actor, stop_id: stop_for(session, actor, stop_id, lock=True)),
    ids.CourierReportId: NamedRow(CourierReport, 5, _courier_report),
    ids.RunId: NamedRow(CourierRun, 6, run_for),
    ids.PlanId: NamedRow(DayPlan, 7, plan_for),
    ids.ListNo: NamedRow(HandoverList, 4, _handover_list),
    ids.CourierId: NamedRow(Courier, 7, _by(Courier.id, visible_couriers)),
    ids.ShiftRuleId: NamedRow(ShiftRule, 8, _by(ShiftRule.id, visible_shift_rules, lock=True)),
    ids.AgentId: NamedRow(Agent, 8, _by(Agent.id, visible_agents)),
    ids.AbsenceId: NamedRow(Duty, 9, _by(Duty.id, visible_absences, lock=True)),
    ids.EnterpriseId: NamedRow(Enterprise, 9, _by(Enterprise.id, visible_enterprises)),
    ids.ContactId: NamedRow(Contact, 10, _contact),
    ids.AssignmentId: NamedRow(ProjectMember, 2, _assignment),
    ids.ReferralId: NamedRow(Referral, 2, _referral),
    ids.ContactNoteId: NamedRow(ContactNote, 3, _by(ContactNote.id, visible_contact_notes, lock=True)),
    ids.CaseMessageId: NamedRow(CaseMessage, 3, _by(CaseMessage.id, visible_case_messages, lock=True)),
    ids.RectificationId: NamedRow(Rectification, 3, _rectification),
    ids.MessageId: NamedRow(Message, 12, _by(Message.id, visible_messages, lock=True)),
    ids.RoadsidePassId: NamedRow(RoadsidePass, 5, _by(RoadsidePass.id, visible_passes, lock=True)),
    ids.CourierWordId: NamedRow(CourierWord, 12, _by(CourierWord.id, visible_courier_words, lock=True)),
    ids.VisitWordId: NamedRow(VisitWord, 12, _by(VisitWord.id, visible_visit_words, lock=True)),
    ids.SubscriptionId: NamedRow(
        WebhookSubscription, 15, _by(WebhookSubscription.id, visible_subscriptions, lock=True)
    ),
    ids.DeliveryId: NamedRow(WebhookDelivery, 16, _delivery),
    ids.TicketNo: NamedRow(Ticket, 11, _by(Ticket.ticket_no, visible_tickets, lock=True)),
    ids.AreaCode: NamedRow(Division, 13, area_for),
    ids.BatchId: NamedRow(ProjectBatch, 0, _by(ProjectBatch.id, visible_batches)),
    ids.CentreId: NamedRow(ServiceCentre, 14, _by(ServiceCentre.id, visible_centres)),
}
"""Locked in this order: project, case, material, review, parcel, stop, run, plan, agent, then what nobody waits for."""

OWNED_BY: dict[type, str] = {
    Project: "project_id",
    Case: "case_id",
    Review: "review_id",
    Enterprise: "enterprise_id",
    Agent: "agent_id",
    Ticket: "ticket_id",
    WebhookSubscription: "subscription_id",
}
"""The foreign key by which other rows belong to a noun: what is named beside its owner must belong to it."""

ONLY_NAMES = frozenset({(ProjectMember, "agent_id")})
"""Keys that name another noun without belonging to it: who is right may stand beside who was wrongly given."""
