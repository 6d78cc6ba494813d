"""What leads see of a courier day on the map: the committed runs, and the stops that wait."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.network import Division, Level, ServiceCentre, subtree_condition
from dispatch.cases.access_control import visible_plans, visible_stops
from dispatch.core.actor import Actor
from dispatch.views.stop_lines import COLOURS, WHY_NOT, RunCard, StopLine, asked_for, ended_at, stop_line, told_for
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import STOP_LABEL, CourierStop, StopState
from routing.day.couriers import VEHICLE_LABEL, Courier
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff


@dataclass(frozen=True, slots=True)
class AreaChoice:
    """A county with stops on a day: how many."""

    code: str
    name: str
    stops: int


@dataclass(frozen=True, slots=True)
class CentreMark:
    """A service centre on the map."""

    name: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class MapDay:
    """An area's day: centres, runs, what waits, and how long the day is."""

    area: str
    area_code: str
    lon: float
    lat: float
    on: date
    cutoff: Cutoff
    runs: list[RunCard]
    waiting: list[StopLine]
    centres: list[CentreMark]
    plan_id: int | None


def areas(session: Session, viewer: Actor, on: date) -> list[AreaChoice]:
    """The counties with stops that day, the most stops first."""
    rows = session.execute(
        select(Division.code, Division.name, func.count())
        .join(CourierStop, CourierStop.division_id == Division.id)
        .where(CourierStop.on == on, visible_stops(viewer))
        .group_by(Division.code, Division.name)
        .order_by(func.count().desc())
        .limit(40)
    )
    return [AreaChoice(code, name, n) for code, name, n in rows]


def home_area(session: Session, viewer: Actor) -> Division | None:
    """Where a viewer's map opens when there are no stops: its own division, else the first county."""
    if viewer.division_id is not None:
        return session.get(Division, viewer.division_id)
    return session.scalars(select(Division).where(Division.level == Level.COUNTY).order_by(Division.code)).first()


def map_day(session: Session, viewer: Actor, area: Division, on: date, cutoff: Cutoff) -> MapDay:
    """The committed runs of an area's batch, planned and driven, and the stops that wait."""
    runs = session.execute(
        select(CourierRun, Courier, ServiceCentre)
        .join(DayPlan, DayPlan.id == CourierRun.plan_id)
        .join(Courier, Courier.id == CourierRun.courier_id)
        .join(ServiceCentre, ServiceCentre.id == Courier.centre_id)
        .where(
            DayPlan.division_id == area.id,
            DayPlan.on == on,
            DayPlan.cutoff == cutoff,
            DayPlan.state == PlanState.COMMITTED,
            visible_plans(viewer),
        )
        .order_by(Courier.id)
    ).all()
    stops: dict[int, list[CourierStop]] = {}
    held = (
        select(CourierStop)
        .where(CourierStop.run_id.in_([run.id for run, _, _ in runs]))
        .order_by(CourierStop.run_id, CourierStop.position)
    )
    for stop in session.scalars(held):
        stops.setdefault(stop.run_id or 0, []).append(stop)
    ended = ended_at(session, [stop.id for line in stops.values() for stop in line])
    with_stops = [(run, courier, centre) for run, courier, centre in runs if stops.get(run.id)]
    cards = []
    for n, (run, courier, centre) in enumerate(with_stops):
        lines = [
            stop_line(stop.position or 0, stop, stop.eta_s or 0, ended, None, courier, {}) for stop in stops[run.id]
        ]
        cards.append(
            RunCard(
                n % COLOURS + 1, courier.id, courier.name, VEHICLE_LABEL[courier.vehicle], run.starts_s, run.ends_s,
                run.travel_s, sum(line.pieces for line in lines), lines, (centre.lon, centre.lat),
            )
        )  # fmt: skip
    waits = select(CourierStop).where(
        CourierStop.division_id == area.id,
        CourierStop.on == on,
        CourierStop.cutoff == cutoff,
        CourierStop.state == StopState.OPEN,
        visible_stops(viewer),
    )
    waiting = [_waiting(stop) for stop in session.scalars(waits.order_by(CourierStop.id).limit(400))]
    centres = session.execute(
        select(ServiceCentre.name, ServiceCentre.lon, ServiceCentre.lat)
        .join(Division, Division.id == ServiceCentre.division_id)
        .where(subtree_condition(area.path))
    )
    return MapDay(
        area.name, area.code, area.lon, area.lat, on, cutoff, cards, waiting,
        [CentreMark(name, lon, lat) for name, lon, lat in centres], runs[0][0].plan_id if runs else None,
    )  # fmt: skip


def _waiting(stop: CourierStop) -> StopLine:
    asked = asked_for(stop)
    why = ""
    if stop.unserved_reason:
        why = WHY_NOT.get(stop.unserved_reason.get("reason", ""), "")
    return StopLine(
        0, stop.id, STOP_LABEL[stop.kind], stop.label or stop.contact_name, stop.address, stop.lon, stop.lat, asked,
        told_for(stop), asked[0] if asked else 0, stop.service_s, stop.pieces, stop.state.value, why or "待排",
    )  # fmt: skip
