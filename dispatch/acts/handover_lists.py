"""Batches: what leaves the centre with a courier and what comes back, on a handover list that both sides sign."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import uuid4

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from agents.network import ServiceCentre
from dispatch.acts.announcing import replan, unplan
from dispatch.acts.awaited_papers import papers_arrived
from dispatch.acts.early_ends import return_originals
from dispatch.cases.case import Case
from dispatch.cases.courier_report import CourierReport, ReportKind
from dispatch.cases.lookups import actor_ref, next_number
from dispatch.cases.notify import add_timeline_event, day_of
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound, Refused, WrongStage
from dispatch.core.localized_text import LocalizedText
from dispatch.core.shanghai_time import in_shanghai
from dispatch.custody.handover import Holder, scan_with
from dispatch.custody.handover_list import Direction, HandoverLine, HandoverList
from dispatch.custody.parcel import Leg, Parcel, ParcelState
from dispatch.custody.waybill import check_waybill
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopKind, StopState
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan

TO_DO = (StopState.PLANNED, StopState.ARRIVED)


def outgoing(session: Session, run: CourierRun) -> list[Parcel]:
    """What the courier has to take along: parcels of the run's open stops that lie at the centre, on no list yet."""
    query = (
        select(Parcel)
        .join(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(CourierStop.run_id == run.id, CourierStop.state.in_(TO_DO), Parcel.id.not_in(_unsigned(Direction.OUT)))
        .where(Parcel.holder == Holder.CENTRE, Parcel.state == ParcelState.AT_CENTRE)
        .order_by(CourierStop.position, Parcel.id)
    )
    return list(session.scalars(query))


def incoming(session: Session, courier_id: int) -> list[Parcel]:
    """What the courier holds and has to hand in: collected papers, and deliveries that found nobody.

    Not what is still to be delivered, and not what stands on a list that waits for a signature."""
    still_to_deliver = (
        select(CourierStop.id).where(CourierStop.id == Parcel.stop_id, CourierStop.state.in_(TO_DO)).exists()
    )
    query = (
        select(Parcel)
        .where(Parcel.holder == Holder.COURIER, Parcel.holder_ref == f"courier:{courier_id}")
        .where(~and_(Parcel.leg == Leg.DELIVERY, still_to_deliver), Parcel.id.not_in(_unsigned(Direction.IN)))
        .order_by(Parcel.id)
    )
    return list(session.scalars(query))


def _unsigned(direction: Direction) -> Select[int]:
    """The parcels on lists that one side has not signed yet; a refused line is free again."""
    return (
        select(HandoverLine.parcel_id)
        .join(HandoverList, HandoverList.id == HandoverLine.list_id)
        .where(HandoverList.direction == direction, HandoverLine.difference.is_(None))
        .where(or_(HandoverList.centre_signed_at.is_(None), HandoverList.courier_signed_at.is_(None)))
    )


def load(
    session: Session, run: CourierRun, *, scanned: Collection[str], by: Actor, at: datetime
) -> HandoverList | None:
    """The start of a shift: what was scanned goes on a list that the courier signs; what was not is not on the run.

    A delivery of which nothing was scanned goes back to the stops that wait for a plan. Raises Refused."""
    there = {parcel.waybill: parcel for parcel in outgoing(session, run)}
    taken = [check_waybill(waybill) for waybill in scanned]
    if unknown := [waybill for waybill in taken if waybill not in there]:
        raise Refused(
            f"{unknown} do not belong to run {run.id}",
            user_message=LocalizedText("%(waybill)s 不在本线路的应装邮件中", waybill=unknown[0]),
        )
    chosen = [parcel for waybill, parcel in there.items() if waybill in set(taken)]
    left = [parcel for waybill, parcel in there.items() if waybill not in set(taken)]
    _leave_behind(session, left, {parcel.stop_id for parcel in chosen}, by=by, at=at)
    if not chosen:
        return None
    centre = session.get_one(ServiceCentre, chosen[0].centre_id or session.get_one(Courier, run.courier_id).centre_id)
    sheet = draw_up(
        session, centre=centre, courier_id=run.courier_id, parcels=chosen, direction=Direction.OUT, on=run.on,
        batch=batch_at(at), at=at,
    )  # fmt: skip
    sign(session, sheet, side=Holder.COURIER, by=by, at=at)
    return sheet


@dataclass(frozen=True, slots=True)
class LeftEnvelope:
    """An envelope of the run that was not scanned: its number, and where it goes."""

    waybill: str
    label: str


def left_behind(session: Session, run: CourierRun, *, scanned: Collection[str]) -> tuple[LeftEnvelope, ...]:
    """What of the run's envelopes was not scanned, in the order of the stops."""
    taken = {check_waybill(waybill) for waybill in scanned}
    left = [parcel for parcel in outgoing(session, run) if parcel.waybill not in taken]
    names = {
        stop.id: stop.label or stop.address
        for stop in session.scalars(select(CourierStop).where(CourierStop.id.in_([p.stop_id for p in left])))
    }
    return tuple(LeftEnvelope(parcel.waybill, names.get(parcel.stop_id or 0, "")) for parcel in left)


UNDONE_LOAD = "揽投员撤回装车"


def undo_load(session: Session, run: CourierRun, *, by: Actor, at: datetime) -> None:
    """Every line of the run's lists that the centre has not signed is refused, and what left the run comes back.

    Raises Refused when the centre has signed, or nothing was loaded."""
    on_run = select(Parcel.id).join(CourierStop, CourierStop.id == Parcel.stop_id).where(CourierStop.run_id == run.id)
    lines = session.scalars(
        select(HandoverLine)
        .join(HandoverList, HandoverList.id == HandoverLine.list_id)
        .where(HandoverList.courier_id == run.courier_id, HandoverList.direction == Direction.OUT)
        .where(HandoverList.centre_signed_at.is_(None), HandoverLine.difference.is_(None))
        .where(HandoverLine.parcel_id.in_(on_run))
    ).all()
    for line in lines:
        line.difference = UNDONE_LOAD
    plan = session.get_one(DayPlan, run.plan_id)
    routes = [route for route in (plan.result or {}).get("routes", ()) if route["courier_id"] == run.courier_id]
    back = 0
    for position, visit in enumerate((visit for route in routes for visit in route["visits"]), start=1):
        stop = session.get(CourierStop, visit["stop_id"], with_for_update=True, populate_existing=True)
        if stop is None or stop.state is not StopState.OPEN or stop.kind is not StopKind.DELIVERY:
            continue
        stop.move_to(StopState.PLANNED)
        stop.run_id, stop.position, stop.eta_s = run.id, position, visit.get("start_s")
        replan(session, stop, by=by, at=at, is_undone=True)
        back += 1
    if not lines and not back:
        raise Refused(f"run {run.id} has no load to undo", user_message="没有可以撤回的装车，或中心已签收")


def hand_in(
    session: Session, courier: Courier, *, by: Actor, at: datetime, missing: Mapping[str, str] | None = None
) -> HandoverList:
    """The end of a round: everything that goes to the centre on one list, signed by the courier. Raises Refused.

    What is missing stands on it with its reason, stays in the courier's name, and is on the dispatcher's desk."""
    centre = session.get_one(ServiceCentre, courier.centre_id)
    sheet = draw_up(
        session, centre=centre, courier_id=courier.id, parcels=incoming(session, courier.id),
        direction=Direction.IN, on=day_of(at), batch=batch_at(at), at=at,
    )  # fmt: skip
    not_there = {check_waybill(waybill): words for waybill, words in (missing or {}).items() if words.strip()}
    for waybill, words in not_there.items():
        session.add(
            CourierReport(
                event_id=uuid4(), kind=ReportKind.CUSTODY, courier_id=courier.id, division_id=courier.division_id,
                note=words, waybills=[waybill], happened_at=at, recorded_at=at,
            )
        )  # fmt: skip
    sign(session, sheet, side=Holder.COURIER, by=by, at=at, differences=not_there)
    return sheet


def batch_at(moment: datetime) -> str:
    """The batch (批次) that a handover at this moment belongs to: 11:30, or 16:30."""
    return "11:30" if in_shanghai(moment).time() <= time(11, 30) else "16:30"


def _leave_behind(
    session: Session, parcels: list[Parcel], taken_stops: set[int | None], *, by: Actor, at: datetime
) -> None:
    for stop_id in sorted({p.stop_id for p in parcels if p.stop_id is not None} - taken_stops):
        stop = session.get_one(CourierStop, stop_id, with_for_update=True, populate_existing=True)
        if stop.kind is not StopKind.DELIVERY or stop.state is not StopState.PLANNED:
            continue  # the courier still calls there for what is collected
        stop.move_to(StopState.OPEN)
        stop.run_id = stop.position = stop.eta_s = None
        unplan(session, stop, by=by, at=at)


def draw_up(
    session: Session,
    *,
    centre: ServiceCentre,
    courier_id: int,
    parcels: list[Parcel],
    direction: Direction,
    on: date,
    batch: str,
    at: datetime,
) -> HandoverList:
    """A numbered handover list (交接清单) of these parcels, not signed yet."""
    if not parcels:
        raise Refused("an empty batch needs no list", user_message="没有需要交接的邮件")
    sheet = HandoverList(
        list_no=next_number(session, f"JJ{centre.centre_no}-{on:%Y%m%d}", width=3),
        centre_id=centre.id,
        courier_id=courier_id,
        on=on,
        batch=batch,
        direction=direction,
        made_at=at,
        lines=[HandoverLine(position=n, parcel_id=p.id) for n, p in enumerate(parcels, start=1)],
    )
    session.add(sheet)
    session.flush()
    return sheet


def sign(
    session: Session,
    sheet: HandoverList,
    *,
    side: Holder,
    by: Actor,
    at: datetime,
    differences: Mapping[str, str] | None = None,
) -> None:
    """One side signs. A difference refuses its line only; when both have signed, custody passes for the others."""
    if sheet.is_signed:
        raise WrongStage(f"list {sheet.list_no} is signed", user_message="该清单双方已签收")
    parcels = {line.parcel.waybill: line for line in sheet.lines}
    for waybill, words in (differences or {}).items():
        if waybill not in parcels:
            raise NotFound(f"{waybill} is not on list {sheet.list_no}")
        if not words.strip():
            raise Refused("a difference needs words", user_message="请写明差异情况")
        parcels[waybill].difference = words
    if side is Holder.CENTRE:
        sheet.centre_signed_at = at
    elif side is Holder.COURIER:
        sheet.courier_signed_at = at
    else:
        raise Refused(f"{side} does not sign a handover list")
    if sheet.is_signed:
        for line in sheet.lines:
            if line.difference is None:
                _pass_over(session, sheet, line.parcel, by=by, at=at)


def _pass_over(session: Session, sheet: HandoverList, parcel: Parcel, *, by: Actor, at: datetime) -> None:
    case = session.get_one(Case, parcel.case_id)
    scan_id = f"{sheet.list_no}:{parcel.waybill}"
    if sheet.direction is Direction.OUT:
        ref = f"courier:{sheet.courier_id}"
        if (parcel.holder, parcel.holder_ref) != (Holder.COURIER, ref):
            parcel.hand_over(to=Holder.COURIER, ref=ref, scan_id=scan_id, at=at, by=actor_ref(by), action="load")
        return
    ref = f"centre:{sheet.centre_id}"
    if (parcel.holder, parcel.holder_ref) != (Holder.CENTRE, ref):
        parcel.hand_over(to=Holder.CENTRE, ref=ref, scan_id=scan_id, at=at, by=actor_ref(by), action="receive")
        parcel.centre_id = sheet.centre_id
        add_timeline_event(
            session, case, kind="at_centre", by=by, at=at, words="原件已到政务服务中心", waybill=parcel.waybill
        )
    if case.has_ended:
        return_originals(session, case, by=by, at=at)


def scan(
    session: Session, parcel: Parcel, *, to: Holder, ref: str, scan_id: str, by: Actor, at: datetime,
    device_at: datetime | None = None,
) -> None:  # fmt: skip
    """One scan at a centre or counter: papers come in, go to an authority, come back, or go on to another centre."""
    case = session.get_one(Case, parcel.case_id)
    if (earlier := scan_with(session, scan_id)) is not None:
        if earlier.parcel_id != parcel.id:
            raise Refused(
                f"scan {scan_id} belongs to another parcel", user_message="该扫描编号已用于另一邮件，请重新扫描"
            )
        return
    if to is Holder.ENTERPRISE and parcel.leg is Leg.DELIVERY and parcel.code_hash is not None:
        raise Refused(f"parcel {parcel.waybill} needs its code at the door", user_message="投递件须凭投递码签收")
    parcel.hand_over(to=to, ref=ref, scan_id=scan_id, at=at, device_at=device_at, by=actor_ref(by), action="scan")
    if to is Holder.CENTRE:
        if ref.removeprefix("centre:").isdecimal():
            parcel.centre_id = int(ref.removeprefix("centre:"))
        papers_arrived(session, parcel)
        add_timeline_event(
            session, case, kind="at_centre", by=by, at=at, words="原件已到政务服务中心", waybill=parcel.waybill
        )
        if case.has_ended:
            return_originals(session, case, by=by, at=at)
    elif to is Holder.AUTHORITY:
        add_timeline_event(
            session, case, kind="with_authority", by=by, at=at, words="原件已交审批部门", waybill=parcel.waybill
        )
