"""Booking: a courier is to collect papers, bring results, or both at one stop; and at another time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.acts.act import APPLICANTS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Latitude, Longitude, Name, Phone, Rule, SecondOfDay
from dispatch.acts.case_result import LegResult, leg_result
from dispatch.acts.delivery import parcels_at_centre
from dispatch.acts.new_parcel import new_parcel
from dispatch.acts.project_intake import only_the_middle
from dispatch.cases.case import Case, MaterialState, Way
from dispatch.cases.lookups import moment, parcels_of, reviews_of
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.cases.project import AuthorisedRecipient, Power, Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.ids import CaseNo, RecipientId, Waybill
from dispatch.core.localized_text import DayText, LocalizedText, WindowText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState, Payer
from routing.day.courier_stop import CourierStop, StopKind
from routing.day.known_points import folded
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


class AlreadyBooked(WrongStage):
    """A courier is asked for these papers; an appointment is one thing that moves."""

    user_message = "已预约上门，请改约时间，不必重复预约"


def awaits_pickup(case: Case, parcels: Iterable[Parcel]) -> bool:
    """Whether the enterprise still has to say when its originals are collected."""
    coming = any(p.leg is not Leg.DELIVERY and p.state is not ParcelState.CANCELLED for p in parcels)
    return case.stage is Stage.PRESCREENED and not coming and bool(case.originals)


def awaits_delivery(case: Case, parcels: Iterable[Parcel]) -> bool:
    """Whether the enterprise still has to say when the results are brought."""
    coming = any(p.leg is Leg.DELIVERY and p.state is not ParcelState.CANCELLED for p in parcels)
    return case.stage is Stage.DECIDED and not coming and case.delivery_way is not Way.ELECTRONIC


def _book_pickup(session: Session, case: Case, *, appointment: Appointment, by: Actor, at: datetime) -> Parcel:
    """The enterprise picks a window (预约揽收). The stage follows when a plan with this stop is committed."""
    case.must_be(Stage.PRESCREENED, Stage.PICKUP_PLANNED, Stage.COLLECTED, Stage.SUBMITTED, Stage.UNDER_REVIEW)
    _check_day(session, appointment.on, appointment.closes_s, at)
    recipient = _authorised(session, case, appointment, Power.SUBMIT, day_of(at))
    originals = [m.name for m in case.originals if m.state is not MaterialState.HELD]
    contents = _not_booked(originals, (p for p in parcels_of(session, case) if p.leg is Leg.PICKUP))
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


def _not_booked(papers: list[str], parcels: Iterable[Parcel]) -> list[str]:
    """The papers for which no courier is asked yet. Raises AlreadyBooked when one comes for all of them."""
    coming = [p for p in parcels if p.stop_id is not None and p.state in {ParcelState.BOOKED, ParcelState.AT_CENTRE}]
    left = [paper for paper in papers if not any(paper in parcel.contents for parcel in coming)]
    if coming and not left:
        raise AlreadyBooked(f"parcel {coming[0].waybill} is booked")
    return left


def _when(appointment: Appointment) -> dict[str, str]:
    return {"day": DayText(appointment.on), "window": WindowText(appointment.opens_s, appointment.closes_s)}


def _book_delivery(session: Session, case: Case, *, appointment: Appointment, by: Actor, at: datetime) -> Parcel:
    """The results go home by courier: an authorised person, a window, a code."""
    case.must_be(Stage.SUBMITTED, Stage.UNDER_REVIEW, Stage.DECIDED, Stage.DELIVERY_PLANNED, Stage.DELIVERED)
    _check_day(session, appointment.on, appointment.closes_s, at)
    recipient = _authorised(session, case, appointment, Power.RECEIVE, day_of(at))
    results = [r.matter.short_name for r in reviews_of(session, case) if r.is_decided and r.matter.result_has_original]
    contents = _not_booked(results, (p for p in parcels_of(session, case) if p.leg is Leg.DELIVERY))
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


def _book_exchange(session: Session, case: Case, *, appointment: Appointment, by: Actor, at: datetime) -> Parcel:
    """Papers come and go at one stop (换件): results are delivered, old originals collected, one code for both."""
    delivery = _book_delivery(session, case, appointment=appointment, by=by, at=at)
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


def _reschedule_leg(
    session: Session, case: Case, parcel: Parcel, *, day: date, window: tuple[int, int], by: Actor, at: datetime
) -> None:
    """Another day or window without calling anybody, until the run is committed."""
    _check_day(session, day, window[1], at)
    stop = None if parcel.stop_id is None else stop_with(session, parcel.stop_id)
    if stop is None:
        raise WrongStage(f"parcel {parcel.waybill} has no stop", user_message="该件没有预约上门")
    reschedule(stop, on=day, windows=[window])
    add_timeline_event(
        session, case, kind="rescheduled", by=by, at=at,
        words=LocalizedText("改约%(day)s%(window)s", day=DayText(day), window=WindowText(*window)),
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


def _check_day(session: Session, day: date, closes_s: int, at: datetime) -> None:
    if day < day_of(at):
        raise Refused(f"{day} has passed", user_message="预约日期不能早于今天")
    if not calendar_of(session).is_workday(day):
        raise Refused(f"{day} is no working day", user_message="请选择工作日上门")
    if moment(day, closes_s) <= at:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Booking:
    """A courier's call: its day, its window in seconds from 00:00 in Shanghai, where, who is there, who pays."""

    case: CaseNo
    version: int | None = None
    on: CalendarDate | None = None
    opens_s: SecondOfDay | None = None
    closes_s: SecondOfDay | None = None
    address: Rule = ""
    lon: Longitude | None = None
    lat: Latitude | None = None
    contact_name: Name | None = None
    contact_phone: Phone | None = None
    recipient_id: RecipientId | None = None
    payer: Payer = Payer.GOVERNMENT

    def appointment(self, context: ActContext, case: Case) -> Appointment:
        """Where nothing else is said the courier calls at the site, and asks for the recipient, else the contact.

        Another address without a point of its own waits until a lead has placed it."""
        if self.on is None or self.opens_s is None or self.closes_s is None:
            raise Refused("a courier leg needs on, opens_s and closes_s", user_message="请选择上门日期和时段")
        project = case.project
        contact = self._recipient(project, day_of(context.at)) or case.contact
        lon, lat = (self.lon, self.lat) if self.lon is not None else (project.site_lon, project.site_lat)
        if lon is None or lat is None:
            raise Refused(
                f"case {case.case_no} has no point to call at",
                user_message="项目没有图上位置，请联系代办员登记后再预约",
            )
        site = folded(project.site_address or "")
        is_site = not self.address or (bool(site) and site in folded(self.address))  # also with its gate or floor
        is_known = is_site and not only_the_middle(context.session.get_one(Division, project.division_id), lon, lat)
        address = Address(
            lon=lon, lat=lat, is_placed=is_known or self.lon is not None,
            written=self.address or project.site_address or "",
            contact_name=self.contact_name or contact.name, contact_phone=self.contact_phone or contact.phone,
            label=project.enterprise.name,
        )  # fmt: skip
        return Appointment(self.on, self.opens_s, self.closes_s, address, self.payer, self.recipient_id)

    def _recipient(self, project: Project, today: date) -> AuthorisedRecipient | None:
        letter = project.delegation_on(today)
        people = [] if letter is None else letter.recipients
        return next((person for person in people if person.id == self.recipient_id), None)


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class BookPickup(_Booking):
    """A courier is to collect the originals (揽收)."""

    def perform(self, context: ActContext) -> LegResult:
        case = context.row(Case, self.case)
        if context.actor.role is Role.ENTERPRISE and not awaits_pickup(case, parcels_of(context.session, case)):
            raise WrongStage(f"case {case.case_no} awaits no pickup", user_message="现在不需要预约上门")
        return leg_result(
            _book_pickup(
                context.session, case, appointment=self.appointment(context, case), by=context.actor, at=context.at
            )
        )


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class BookDelivery(_Booking):
    """A courier is to bring the results home (投递)."""

    def perform(self, context: ActContext) -> LegResult:
        case = context.row(Case, self.case)
        if context.actor.role is Role.ENTERPRISE and not awaits_delivery(case, parcels_of(context.session, case)):
            raise WrongStage(f"case {case.case_no} awaits no delivery", user_message="现在不需要预约上门")
        return leg_result(
            _book_delivery(
                context.session, case, appointment=self.appointment(context, case), by=context.actor, at=context.at
            )
        )


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class BookExchange(_Booking):
    """A courier is to bring the results and take old originals along (换件)."""

    def perform(self, context: ActContext) -> LegResult:
        case = context.row(Case, self.case)
        return leg_result(
            _book_exchange(
                context.session, case, appointment=self.appointment(context, case), by=context.actor, at=context.at
            )
        )


@act(by=APPLICANTS)
@dataclass(frozen=True, slots=True, kw_only=True)
class RescheduleLeg:
    """Another day or window for a leg, until its run is committed."""

    waybill: Waybill
    on: CalendarDate | None = None
    opens_s: SecondOfDay | None = None
    closes_s: SecondOfDay | None = None

    def perform(self, context: ActContext) -> LegResult:
        if self.on is None or self.opens_s is None or self.closes_s is None:
            raise Refused("a leg needs on, opens_s and closes_s", user_message="请选择上门日期和时段")
        parcel = context.row(Parcel, self.waybill)
        case = context.session.get_one(Case, parcel.case_id)
        _reschedule_leg(
            context.session, case, parcel, day=self.on, window=(self.opens_s, self.closes_s), by=context.actor,
            at=context.at,
        )  # fmt: skip
        return leg_result(parcel)
