"""What a courier takes along from the centre, and hands in there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import now
from dispatch.acts.handover_lists import incoming, outgoing
from dispatch.cases.access_control import run_for
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.custody.handover_list import Direction, HandoverLine, HandoverList
from dispatch.custody.parcel import Parcel
from dispatch.custody.waybill import check_waybill
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop
from routing.day.day_plan import DayPlan, PlanState


@dataclass(frozen=True, slots=True)
class LoadLine:
    """A parcel that waits at the centre for this run: its number and where it goes."""

    waybill: str
    position: int | None
    label: str
    papers: int
    release_s: int = 0
    """When it is at the centre, where it is not there yet."""


def to_load(session: Session, viewer: Actor) -> dict[int, list[LoadLine]]:
    """What this courier takes along today, by run, in the order of the stops."""
    on = day_of(now(session))
    runs = session.scalars(
        select(CourierRun)
        .join(DayPlan, DayPlan.id == CourierRun.plan_id)
        .where(CourierRun.courier_id == viewer.courier_id, CourierRun.on == on, DayPlan.state == PlanState.COMMITTED)
        .order_by(CourierRun.starts_s)
    )
    waiting: dict[int, list[LoadLine]] = {}
    for run in runs:
        parcels = outgoing(session, run)
        stops = {
            s.id: s
            for s in session.scalars(select(CourierStop).where(CourierStop.id.in_([p.stop_id for p in parcels])))
        }
        lines = [
            LoadLine(p.waybill, stop.position, stop.label, len(p.contents), stop.release_s)
            for p in parcels
            if (stop := stops.get(p.stop_id or 0)) is not None
        ]
        if lines:
            waiting[run.id] = lines
    return waiting


def to_hand_in(session: Session, viewer: Actor) -> list[str]:
    """The numbers of the parcels that this courier has to hand in at the centre."""
    return [] if viewer.courier_id is None else [p.waybill for p in incoming(session, viewer.courier_id)]


def loads_to_undo(session: Session, viewer: Actor) -> list[int]:
    """The runs of today whose load the centre has not signed yet."""
    rows = session.scalars(
        select(CourierStop.run_id)
        .join(Parcel, Parcel.stop_id == CourierStop.id)
        .join(HandoverLine, HandoverLine.parcel_id == Parcel.id)
        .join(HandoverList, HandoverList.id == HandoverLine.list_id)
        .where(HandoverList.courier_id == viewer.courier_id, HandoverList.direction == Direction.OUT)
        .where(HandoverList.centre_signed_at.is_(None), HandoverLine.difference.is_(None))
        .where(HandoverList.on == day_of(now(session)))
    )
    return sorted({run_id for run_id in rows if run_id is not None})


def one_more(session: Session, viewer: Actor, run_id: int, typed: str, taken: Sequence[str]) -> list[str]:
    """The numbers that go along with one more, as it was typed or scanned. Raises Refused, NotFound."""
    run = run_for(session, viewer, run_id)
    waybill = check_waybill(f"EA{typed}CN" if len(typed) == 9 and typed.isdigit() else typed)
    if waybill in taken:
        raise Refused(f"{waybill} was scanned", user_message=f"{waybill} 已核对过")
    if waybill not in {parcel.waybill for parcel in outgoing(session, run)}:
        raise Refused(f"{waybill} is not of run {run.id}", user_message=f"{waybill} 不在本线路的应装邮件中")
    return [*taken, waybill]
