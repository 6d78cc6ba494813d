"""Bringing back: a case that ended by a revocation which never was goes on where it stood, papers and agent too."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.roster import Agent
from agents.slots import take_slot
from dispatch.acts.early_ends import call_off
from dispatch.acts.recording import JUST_NOW, recording_of
from dispatch.cases.case import Case
from dispatch.cases.derived import refresh_dates
from dispatch.cases.lookups import parcels_of, reviews_of
from dispatch.cases.project import Project, ProjectState
from dispatch.cases.review_event import EventKind
from dispatch.cases.stages import NOTICE, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import WrongStage
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState
from notifications import outbox
from notifications.message import Message
from routing.day.courier_stop import StopEvent

GOING_HOME = (Holder.ENTERPRISE, Holder.COURIER, Holder.TRUNK)


def bring_back(session: Session, case: Case, *, reason: str, by: Actor, at: datetime) -> None:
    """Its matters run again, its papers lie at the centre as before, and what nobody has heard yet is not said.

    A visit that was called off is booked anew. Raises WrongStage with the name of papers that went home meanwhile."""
    ended_at = case.ended_at
    assert ended_at is not None
    parcels = parcels_of(session, case)
    for parcel in parcels:
        _check_still_here(parcel, ended_at)
    for parcel in parcels:
        if parcel.leg is Leg.DELIVERY and parcel.state is ParcelState.AT_CENTRE:
            _keep_at_centre(session, parcel)
    calendar = calendar_of(session)
    for review in reviews_of(session, case):
        for event in review.standing_events():
            if event.kind is EventKind.WITHDRAWN and event.recorded_at == ended_at:
                review.record(None, recording_of(JUST_NOW, by=by, at=at, corrects=event.id, reason=reason), calendar)
    case.step_back(_stood_at(case), at=at, by=by.label)
    case.ended_at = case.ending_reason = None
    session.flush()
    refresh_dates(session, case)
    case.look_anew()
    _leave_unsaid(session, case, ended_at)


def _check_still_here(parcel: Parcel, ended_at: datetime) -> None:
    latest = parcel.handovers[-1] if parcel.handovers else None
    if latest is not None and latest.at > ended_at and latest.to_holder in GOING_HOME:
        raise WrongStage(
            f"parcel {parcel.waybill} has gone home",
            user_message=LocalizedText("邮件%(waybill)s已退回企业或在退回途中，撤销不能作废", waybill=parcel.waybill),
        )


def _keep_at_centre(session: Session, parcel: Parcel) -> None:
    """Nobody takes it home; it is again what it came in as, and of the visit that brought it."""
    call_off(session, parcel, beside=Parcel.case_id != parcel.case_id)
    first = parcel.handovers[0]
    parcel.leg, parcel.stop_id = Leg.COUNTER, None
    if first.to_holder is Holder.COURIER:
        reported = UUID(first.scan_id.partition(":")[0])
        parcel.leg = Leg.PICKUP
        parcel.stop_id = session.scalar(select(StopEvent.stop_id).where(StopEvent.event_id == reported))


def _stood_at(case: Case) -> Stage:
    """The stage before its end; the visit of one that waited for a courier was called off."""
    last = [event.stage for event in case.events if event.stage is not Stage.WITHDRAWN][-1]
    return Stage.PRESCREENED if last is Stage.PICKUP_PLANNED else last


def _leave_unsaid(session: Session, case: Case, ended_at: datetime) -> None:
    of_the_end = (NOTICE[Stage.WITHDRAWN], "delegation_revoked")
    told = select(Message.event_key).where(
        Message.case_id == case.id, Message.text_name.in_(of_the_end), Message.created_at == ended_at
    )
    for event_key in session.scalars(told.order_by(Message.id)).all():
        outbox.withdraw(session, event_key)


def reopen(session: Session, project: Project, *, at: datetime) -> None:
    """A project that was closed goes on with those who acted until then, as far as they are there and have a slot."""
    if project.state is not ProjectState.CLOSED:
        return
    last = [one for one in project.members if one.until == project.closed_at and one.replaced_at is None]
    for member in sorted(last, key=lambda one: one.agent_id):
        if session.get_one(Agent, member.agent_id).active and take_slot(session, member.agent_id):
            member.until = None
    project.move_to(ProjectState.WAITING if project.lead is None else ProjectState.ACTIVE, at=at)
