"""Legs: pickup and delivery are booked, announced, travelled and received."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, ServiceCentre, centre_of
from dispatch.acts.closing import CLOSE_UNRATED_WD
from dispatch.cases.case import Case, MaterialState
from dispatch.cases.lookups import actor_ref, due, moment, next_number, parcels_of, reviews_of
from dispatch.cases.notify import add_timeline_event, day_of, queue_notice, queue_stage_notice, six_digits
from dispatch.cases.project import AuthorisedRecipient, Power, Project
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused, WrongStage
from dispatch.core.localized_text import DayText, LocalizedText, WindowText
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel, ParcelState, Payer
from dispatch.custody.waybill import check_waybill, waybill_from
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
    parcel = _new_parcel(
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


def hand_in(session: Session, case: Case, *, by: Actor, at: datetime, scan_id: str) -> Parcel:
    """The enterprise brought its papers to the counter itself."""
    case.must_be(Stage.PRESCREENED)
    contents = [m.name for m in case.originals] or ["材料原件"]
    parcel = _new_parcel(session, case, leg=Leg.COUNTER, contents=contents, holder=Holder.ENTERPRISE, at=at)
    parcel.holder_ref = f"enterprise:{session.get_one(Project, case.project_id).enterprise_id}"
    parcel.hand_over(to=Holder.CENTRE, ref=f"centre:{parcel.centre_id}", scan_id=scan_id, at=at, by=actor_ref(by))
    case.move_to(Stage.COLLECTED, at=at, by=by.label)
    _tell_collected(session, case, parcel, at=at, by=by)
    return parcel


def collected(session: Session, case: Case, parcel: Parcel, *, by: Actor, at: datetime) -> None:
    """A courier has the papers: the stage follows the first pickup, later ones are parcels with a notice."""
    if case.stage in {Stage.PICKUP_PLANNED, Stage.PRESCREENED}:
        case.move_to(Stage.COLLECTED, at=at, by=by.label)
        _tell_collected(session, case, parcel, at=at, by=by)
    else:
        add_timeline_event(
            session,
            case,
            kind="collected",
            by=by,
            at=at,
            words=LocalizedText("已揽收 %(waybill)s", waybill=parcel.waybill),
            waybill=parcel.waybill,
        )
        queue_notice(session, case, "collected", at=at, key=parcel.waybill, values=_collected_values(session, parcel))


def _tell_collected(session: Session, case: Case, parcel: Parcel, *, at: datetime, by: Actor) -> None:
    queue_stage_notice(
        session,
        case,
        at=at,
        by=by,
        words=LocalizedText("已揽收%(n)s份原件", n=len(parcel.contents)),
        **_collected_values(session, parcel),
    )


def _collected_values(session: Session, parcel: Parcel) -> dict[str, str]:
    centre = session.get(ServiceCentre, parcel.centre_id) if parcel.centre_id else None
    return {"count": str(len(parcel.contents)), "centre": (centre.name if centre else "代办中心")[:20]}


def receive(
    session: Session, case: Case, parcel: Parcel, *, centre_id: int, scan_id: str, by: Actor, at: datetime
) -> None:
    """The centre has scanned the parcel in."""
    parcel.hand_over(to=Holder.CENTRE, ref=f"centre:{centre_id}", scan_id=scan_id, at=at, by=actor_ref(by))
    parcel.centre_id = centre_id
    add_timeline_event(
        session, case, kind="at_centre", by=by, at=at, words="原件已到政务服务中心", waybill=parcel.waybill
    )


def book_delivery(session: Session, case: Case, *, appointment: Appointment, by: Actor, at: datetime) -> Parcel:
    """The results go home by courier: an authorised person, a window, a code."""
    case.must_be(Stage.SUBMITTED, Stage.UNDER_REVIEW, Stage.DECIDED, Stage.DELIVERY_PLANNED, Stage.DELIVERED)
    _check_day(session, appointment, at)
    recipient = _authorised(session, case, appointment, Power.RECEIVE, day_of(at))
    contents = [r.matter.short_name for r in reviews_of(session, case) if r.is_decided and r.matter.result_has_original]
    parcel = _new_parcel(
        session, case, leg=Leg.DELIVERY, contents=contents or ["办理结果"], holder=Holder.CENTRE, at=at
    )
    parcel.holder_ref = f"centre:{parcel.centre_id}"
    parcel.payer = appointment.payer
    parcel.person = recipient.name if recipient else appointment.address.contact_name
    parcel.recipient_id = None if recipient is None else recipient.id
    stop = _stop_for(session, case, appointment, StopKind.DELIVERY, parcel, at)
    parcel.stop_id = stop.id
    for original in _at_centre(session, case):
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
    parcel = _new_parcel(
        session, case, leg=Leg.EXCHANGE, contents=contents or ["原证"], holder=Holder.ENTERPRISE, at=at
    )
    parcel.holder_ref = f"enterprise:{session.get_one(Project, case.project_id).enterprise_id}"
    parcel.payer, parcel.person, parcel.stop_id = appointment.payer, delivery.person, stop.id
    stop.pieces, stop.grams = stop.pieces + parcel.pieces, stop.grams + parcel.grams
    add_timeline_event(
        session, case, kind="exchange_booked", by=by, at=at, words="投递时换收原件", waybill=parcel.waybill
    )
    return parcel


def send_on(
    session: Session, case: Case, parcel: Parcel, *, to_centre_id: int, scan_id: str, by: Actor, at: datetime
) -> None:
    """From this centre to another by the EMS trunk (中心间流转): the other centre's scan ends the leg."""
    centre = session.get(ServiceCentre, to_centre_id)
    if centre is None or centre.id == parcel.centre_id:
        raise Refused(f"centre {to_centre_id} is no other centre", user_message="请选择另一个政务服务中心")
    if any(link.scan_id == scan_id for link in parcel.handovers):
        return
    parcel.hand_over(
        to=Holder.TRUNK, ref=f"trunk:{centre.centre_no}", scan_id=scan_id, at=at, by=actor_ref(by), action="transfer"
    )
    parcel.leg, parcel.to_centre_id = Leg.TRANSFER, centre.id
    add_timeline_event(
        session,
        case,
        kind="transfer",
        by=by,
        at=at,
        words=LocalizedText("原件流转至%(name)s", name=centre.name),
        waybill=parcel.waybill,
    )


def delivered(session: Session, case: Case, parcel: Parcel, *, by: Actor, at: datetime) -> None:
    """Papers are home. The stage follows the last delivery; earlier ones are parcels with a notice."""
    others = [
        p
        for p in parcels_of(session, case)
        if p.id != parcel.id
        and p.leg is Leg.DELIVERY
        and p.holder is not Holder.ENTERPRISE
        and p.state is not ParcelState.CANCELLED
    ]
    values = {"recipient": (parcel.person or "")[:20], "day": DayText(day_of(at))}
    if case.stage in {Stage.DECIDED, Stage.DELIVERY_PLANNED} and not others:
        _arrive(
            session, case, by=by, at=at, words=LocalizedText("已妥投 %(waybill)s", waybill=parcel.waybill), **values
        )
    else:
        add_timeline_event(
            session,
            case,
            kind="delivered",
            by=by,
            at=at,
            words=LocalizedText("已妥投 %(waybill)s", waybill=parcel.waybill),
            waybill=parcel.waybill,
        )
        queue_notice(session, case, "delivered", at=at, key=parcel.waybill, values=values)


def deliver_electronically(session: Session, case: Case, *, by: Actor, at: datetime) -> None:
    """Nothing on paper: the results lie in the enterprise's account."""
    case.must_be(Stage.DECIDED)
    _arrive(session, case, by=by, at=at, words="电子结果已送达", recipient="企业账户", day=DayText(day_of(at)))


def fetched(session: Session, case: Case, *, who: str, by: Actor, at: datetime) -> None:
    """An authorised person fetched the results at the counter, identity checked."""
    case.must_be(Stage.DECIDED)
    if not who.strip():
        raise Refused("who fetched the results?", user_message="请填写领取人姓名")
    for parcel in _at_centre(session, case):
        parcel.hand_over(
            to=Holder.ENTERPRISE,
            ref=f"enterprise:{case.project.enterprise_id}",
            scan_id=f"fetched:{parcel.waybill}:{parcel.chain_length + 1}",
            at=at,
            by=actor_ref(by),
            action="fetch",
        )
    _arrive(session, case, by=by, at=at, words="已在窗口领取", recipient=who[:20], day=DayText(day_of(at)))


def _at_centre(session: Session, case: Case) -> list[Parcel]:
    """Papers of the case that came in and lie at the centre now."""
    return [
        p
        for p in parcels_of(session, case)
        if p.chain_length > 0 and p.holder is Holder.CENTRE and p.state is ParcelState.AT_CENTRE
    ]


def _arrive(session: Session, case: Case, *, by: Actor, at: datetime, words: str, **values: str) -> None:
    case.move_to(Stage.DELIVERED, at=at, by=by.label)
    case.delivered_at = at
    case.close_by = due(calendar_of(session), at, CLOSE_UNRATED_WD)
    queue_stage_notice(session, case, at=at, by=by, words=words, **values)


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


def announce(
    session: Session, stop: CourierStop, *, courier_name: str, opens_s: int, closes_s: int, by: Actor, at: datetime
) -> None:
    """A committed plan gives a stop its window: codes are made, stages follow, the people there are told."""
    values = {"day": DayText(stop.on), "window": WindowText(opens_s, closes_s)}
    expires_at = moment(stop.on, closes_s)
    by_case: dict[int, list[Parcel]] = {}
    for parcel in session.scalars(select(Parcel).where(Parcel.stop_id == stop.id).order_by(Parcel.id)):
        by_case.setdefault(parcel.case_id, []).append(parcel)
    for case_id, parcels in by_case.items():
        case, first = session.get_one(Case, case_id), parcels[0]
        key = f"{first.waybill}:{stop.id}:{stop.on}:{opens_s}:{closes_s}"
        if stop.announced_opens_s is not None and first.code_hash is not None:
            words = LocalizedText("上门时段改为%(day)s%(window)s", **values)
            add_timeline_event(session, case, kind="window_changed", by=by, at=at, words=words)
            queue_notice(session, case, "window_changed", at=at, key=key, values=values, expires_at=expires_at)
            continue
        code = six_digits()
        for parcel in parcels:
            parcel.set_code(code)
        inward = first.leg in {Leg.PICKUP, Leg.EXCHANGE}
        if inward and case.stage is Stage.PRESCREENED:
            case.move_to(Stage.PICKUP_PLANNED, at=at, by=by.label)
        elif not inward and case.stage is Stage.DECIDED:
            case.move_to(Stage.DELIVERY_PLANNED, at=at, by=by.label)
        person = {"courier": courier_name[:20]} if inward else {"recipient": (first.person or "")[:20]}
        words = LocalizedText("%(day)s%(window)s上门揽收" if inward else "%(day)s%(window)s投递", **values)
        add_timeline_event(session, case, kind="window", by=by, at=at, words=words, waybill=first.waybill)
        queue_notice(
            session,
            case,
            "pickup" if inward else "delivery",
            at=at,
            key=key,
            values={**values, **person, "code": code},
            expires_at=expires_at,
        )


def unplan(session: Session, stop: CourierStop, *, by: Actor, at: datetime) -> None:
    """A stop fell out of its run: the stage goes back to waiting for a plan."""
    for parcel in session.scalars(select(Parcel).where(Parcel.stop_id == stop.id).order_by(Parcel.id)):
        case = session.get_one(Case, parcel.case_id)
        back = {Stage.PICKUP_PLANNED: Stage.PRESCREENED, Stage.DELIVERY_PLANNED: Stage.DECIDED}.get(case.stage)
        if back is not None:
            case.move_to(back, at=at, by=by.label)
            add_timeline_event(session, case, kind="unplanned", by=by, at=at, words="原定上门时段取消，将重新安排")


def _new_parcel(session: Session, case: Case, *, leg: Leg, contents: list[str], holder: Holder, at: datetime) -> Parcel:
    division = session.get_one(Division, case.division_id)
    centre = centre_of(session, division)
    serial = next_number(session, "waybill", width=8).rsplit("-", 1)[1]
    parcel = Parcel(
        waybill=check_waybill(waybill_from(int(serial))),
        case_id=case.id,
        leg=leg,
        contents=contents,
        pieces=1,
        grams=200 + 50 * len(contents),
        holder=holder,
        centre_id=None if centre is None else centre.id,
        created_at=at,
    )
    if leg is Leg.DELIVERY:
        parcel.state = ParcelState.AT_CENTRE
    session.add(parcel)
    session.flush()
    return parcel


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
