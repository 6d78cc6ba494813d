"""What a courier takes along from the centre, and hands in there."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import now
from dispatch.acts.handover_lists import incoming, outgoing
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound
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
            LoadLine(p.waybill, stops[p.stop_id or 0].position, stops[p.stop_id or 0].label, len(p.contents))
            for p in parcels
        ]
        if lines:
            waiting[run.id] = lines
    return waiting


def my_run(session: Session, viewer: Actor, run_id: int) -> CourierRun:
    """A run of this courier, locked. Raises NotFound."""
    run = session.scalar(
        select(CourierRun).where(CourierRun.id == run_id, CourierRun.courier_id == viewer.courier_id).with_for_update()
    )
    if run is None:
        raise NotFound(f"no run {run_id} for this viewer")
    return run


def to_hand_in(session: Session, viewer: Actor) -> int:
    """How many parcels this courier has to hand in at the centre."""
    return 0 if viewer.courier_id is None else len(incoming(session, viewer.courier_id))
