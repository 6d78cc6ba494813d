"""Booking: a courier is to collect papers, bring results, or both at one stop; and at another time."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from dispatch.acts.delivery import parcels_at_centre
from dispatch.acts.new_parcel import new_parcel
from dispatch.cases.case import Case, MaterialState
from dispatch.cases.lookups import moment, reviews_of
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.cases.project import AuthorisedRecipient, Power, Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.localized_text import DayText, LocalizedText, WindowText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, Payer
from routing.day.courier_stop import CourierStop, StopKind
from routing.day.stops import Address, StopNeeds, request_stop, reschedule, stop_with


@dataclass(frozen=True, slots=True)
class Appointment:
    """When and where a courier comes: a day, a window in seconds of that day, and who is there."""

    on: date
    opens_s: int
    closes_s: int
    address: Address
    payer: Payer = Payer.GOVERNMENT
    recipient_id: int | None = None


def book_pickup(session: Session, case: Case, *, appointment: Appointment, by: Actor, at: datetime) -> Parcel:
    """The enterprise picks a window (预约揽收). The stage follows when a plan with this stop is committed."""
    case.must_be(Stage.PRESCREENED, Stage.PICKUP_PLANNED, Stage.COLLECTED, Stage.SUBMITTED, Stage.UNDER_REVIEW)
    _check_day(session, appointment, at)
    recipient = _authorised(session, case, appointment, Power.SUBMIT, day_of(at))
    contents = [m.name for m in case.originals if m.state is not MaterialState.HELD]
    parcel = new_parcel(
        session, case, leg=Leg.PICKUP, contents=contents or ["材料原件"], holder=Holder.ENTERPRISE, at=at
    )
    parcel.holder_ref = f"enterprise:{session.get_one(Project, case.project_id).enterprise_id}"
    parcel.payer, parcel.person = appointment.payer, appointment.address.contact_name
    parcel.recipient_id = None if recipient is None else recipient.id
    parcel.stop_id = _stop_for(session, case, appointment, StopKind.PICKUP, parcel, at).id
    add_timeline_event(
        session, case, kind="pickup_booked", by=by, at=at,
        words=LocalizedText("已预约%(day)s%(window)s上门揽收", **_when(appointment)),
        waybill=parcel.waybill,
    )  # fmt: skip
    return parcel


def _when(appointment: Appointment) -> dict[str, str]:
    return {"day": DayText(appointment.on), "window": WindowText(appointment.opens_s, appointment.closes_s)}


def book_delivery(session: Session, case: Case, *, appointment: Appointment, by: Actor, at: datetime) -> Parcel:
    """The results go home by courier: an authorised person, a window, a code."""
    case.must_be(Stage.SUBMITTED, Stage.UNDER_REVIEW, Stage.DECIDED, Stage.DELIVERY_PLANNED, Stage.DELIVERED)
    _check_day(session, appointment, at)
    recipient = _authorised(session, case, appointment, Power.RECEIVE, day_of(at))
    contents = [r.matter.short_name for r in reviews_of(session, case) if r.is_decided and r.matter.result_has_original]
    parcel = new_parcel(session, case, leg=Leg.DELIVERY, contents=contents or ["办理结果"], holder=Holder.CENTRE, at=at)
    parcel.holder_ref = f"centre:{parcel.centre_id}"
    parcel.payer = appointment.payer
    parcel.person = recipient.name if recipient else appointment.address.contact_name
    parcel.recipient_id = None if recipient is None else recipient.id
    stop = _stop_for(session, case, appointment, StopKind.DELIVERY, parcel, at)
    parcel.stop_id = stop.id
    for original in parcels_at_centre(session, case):
        # Originals that were only checked go home in the same hand.
        original.leg, original.stop_id, original.person = Leg.DELIVERY, stop.id, parcel.person
        original.code = original.code_hash = None
    add_timeline_event(
        session, case, kind="delivery_booked", by=by, at=at,
        words=LocalizedText("已预约%(day)s%(window)s投递结果", **_when(appointment)),
        waybill=parcel.waybill,
    )  # fmt: skip
    return parcel


def book_exchange(session: Session, case: Case, *, appointment: Appointment, by: Actor, at: datetime) -> Parcel:
    """Papers come and go at one stop (换件): results are delivered, old originals collected, one code for both."""
    delivery = book_delivery(session, case, appointment=appointment, by=by, at=at)
    stop = session.get_one(CourierStop, delivery.stop_id)
    stop.kind = StopKind.EXCHANGE
    contents = [m.name for m in case.originals if m.state in {MaterialState.WANTED, MaterialState.DEFERRED}]
    parcel = new_parcel(session, case, leg=Leg.EXCHANGE, contents=contents or ["原证"], holder=Holder.ENTERPRISE, at=at)
    parcel.holder_ref = f"enterprise:{session.get_one(Project, case.project_id).enterprise_id}"
    parcel.payer, parcel.person, parcel.stop_id = appointment.payer, delivery.person, stop.id
    stop.pieces, stop.grams = stop.pieces + parcel.pieces, stop.grams + parcel.grams
    add_timeline_event(
        session, case, kind="exchange_booked", by=by, at=at, words="投递时换收原件", waybill=parcel.waybill
    )
    return parcel


def reschedule_leg(
    session: Session, case: Case, parcel: Parcel, *, appointment: Appointment, by: Actor, at: datetime
) -> None:
    """Another day or window without calling anybody, until the run is committed."""
    _check_day(session, appointment, at)
    stop = None if parcel.stop_id is None else stop_with(session, parcel.stop_id)
    if stop is None:
        raise WrongStage(f"parcel {parcel.waybill} has no stop", user_message="该件没有预约上门")
    reschedule(stop, on=appointment.on, windows=[(appointment.opens_s, appointment.closes_s)])
    add_timeline_event(
        session, case, kind="rescheduled", by=by, at=at,
        words=LocalizedText("改约%(day)s%(window)s", **_when(appointment)),
        waybill=parcel.waybill,
    )  # fmt: skip


def _stop_for(
    session: Session, case: Case, appointment: Appointment, kind: StopKind, parcel: Parcel, at: datetime
) -> CourierStop:
    return request_stop(
        session,
        division_id=case.division_id,
        on=appointment.on,
        kind=kind,
        address=appointment.address,
        windows=[(appointment.opens_s, appointment.closes_s)],
        at=at,
        needs=StopNeeds(
            pieces=parcel.pieces,
            grams=parcel.grams,
            priority=session.get_one(Project, case.project_id).priority,
        ),
    )


def _check_day(session: Session, appointment: Appointment, at: datetime) -> None:
    if appointment.on < day_of(at):
        raise Refused(f"{appointment.on} has passed", user_message="预约日期不能早于今天")
    if not calendar_of(session).is_workday(appointment.on):
        raise Refused(f"{appointment.on} is no working day", user_message="请选择工作日上门")
    if moment(appointment.on, appointment.closes_s) <= at:
        raise Refused("the window has passed", user_message="该时段已过，请另选")


def _authorised(
    session: Session, case: Case, appointment: Appointment, power: Power, today: date
) -> AuthorisedRecipient | None:
    letter = session.get_one(Project, case.project_id).delegation_on(today)
    if letter is None:
        raise Refused(f"case {case.case_no} has no delegation in force", user_message="委托书尚未签署或已失效")
    allowed = [p for p in letter.recipients if (p.may_receive if power is Power.RECEIVE else p.may_hand_over)]
    if appointment.recipient_id is None:
        return allowed[0] if allowed else None
    for person in allowed:
        if person.id == appointment.recipient_id:
            return person
    raise Refused(f"person {appointment.recipient_id} is not on the letter", user_message="该人员不在委托书授权名单内")
