"""The rows of an area's day: stops, couriers on shift, and what each courier has behind him."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db import now
from routing.day.courier_run import CourierRun, RunState
from routing.day.courier_stop import CourierStop, StopEvent, StopKind, StopState
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import HALF_S, Cutoff, is_open_in, seconds_into, seconds_of_day
from routing.day.roster import Hours
from routing.model.plan import Orders
from routing.model.quantities import Window
from routing.model.vehicle import Done, Prefix

SHORTEST_HALF_S = 1800
TOUCHED = frozenset({StopState.ARRIVED, StopState.DONE, StopState.FAILED})


@dataclass(frozen=True, slots=True)
class CourierOnShift:
    """A courier, the hours of the shift that one cut-off plans, and what is driven already."""

    courier: Courier
    shift: Shift
    hours: Window
    prefix: Prefix | None = None

    @property
    def vehicle(self) -> str:
        """The name of the vehicle in the problem."""
        return f"courier:{self.courier.id}"


@dataclass(frozen=True, slots=True)
class DayRows:
    """What the database knows of an area's day, read in one go: no row is loaded afterwards."""

    cutoff: Cutoff
    stops: list[CourierStop]
    couriers: list[CourierOnShift]
    homes: dict[int, tuple[float, float]]
    """By service centre, its longitude and latitude."""
    orders: Orders | None
    at_s: int = 0


def open_stops(session: Session, division_id: int, on: date, cutoff: Cutoff) -> list[CourierStop]:
    """The stops that wait for a plan of this area and day, and may be served by this run.

    A stop belongs to its day: the run in which its first window opens has it first, the other one as well where a
    window is open then. The afternoon gets what the morning could still serve only once the morning is decided. A stop
    whose address nobody has confirmed on a map waits for a lead."""
    query = select(CourierStop).where(
        CourierStop.division_id == division_id, CourierStop.on == on, CourierStop.state == StopState.OPEN,
        CourierStop.is_placed,
    )  # fmt: skip
    takes_all = cutoff is Cutoff.AM or _is_decided(session, division_id, on)
    return [
        stop
        for stop in session.scalars(query.order_by(CourierStop.id))
        if stop.cutoff is cutoff or (takes_all and is_open_in(stop.windows, cutoff))
    ]


def _is_decided(session: Session, division_id: int, on: date) -> bool:
    """Whether the morning's run is committed, or over."""
    if seconds_into(on, now(session)) >= HALF_S:
        return True
    morning = select(DayPlan.id).where(
        DayPlan.division_id == division_id, DayPlan.on == on, DayPlan.cutoff == Cutoff.AM,
        DayPlan.state == PlanState.COMMITTED,
    )  # fmt: skip
    return session.scalar(morning.limit(1)) is not None


def shifts_on(session: Session, division_id: int, on: date) -> list[tuple[Courier, Shift]]:
    """Who drives in the area that day."""
    rows = session.execute(
        select(Courier, Shift)
        .join(Shift, Shift.courier_id == Courier.id)
        .where(Courier.division_id == division_id, Courier.active, Shift.on == on)
        .order_by(Courier.id)
    )
    return [(courier, shift) for courier, shift in rows]


def half_of(shift: Shift | Hours, cutoff: Cutoff) -> Window | None:
    """The part of a shift that belongs to a cut-off's run; None when there is none."""
    opens, closes = (
        (shift.starts_s, min(shift.ends_s, HALF_S))
        if cutoff is Cutoff.AM
        else (max(shift.starts_s, HALF_S), shift.ends_s)
    )
    return Window(opens, closes) if closes - opens >= SHORTEST_HALF_S else None


def depots(session: Session, couriers: Sequence[Courier]) -> dict[int, tuple[float, float]]:
    """Where the couriers' centres stand. The centre's table is another room's: it is read by its name."""
    rows = session.execute(
        text("SELECT id, lon, lat FROM service_centre WHERE id = ANY(:ids)"), {"ids": [c.centre_id for c in couriers]}
    )
    return {row.id: (row.lon, row.lat) for row in rows}


def read_rows(
    session: Session, division_id: int, on: date, cutoff: Cutoff, *, replacing: DayPlan | None = None, at_s: int = 0
) -> DayRows:
    """Everything that the problem needs of the database. ``at_s`` is now, in seconds from 00:00 in Shanghai."""
    stops = open_stops(session, division_id, on, cutoff)
    runs: dict[int, CourierRun] = {}
    if replacing is not None:
        runs = {
            run.courier_id: run for run in session.scalars(select(CourierRun).where(CourierRun.plan_id == replacing.id))
        }
        held = select(CourierStop).where(
            CourierStop.run_id.in_([run.id for run in runs.values()]),
            CourierStop.state.in_((StopState.PLANNED, StopState.ARRIVED, StopState.DONE, StopState.FAILED)),
        )
        stops = [*stops, *session.scalars(held.order_by(CourierStop.run_id, CourierStop.position))]
    waits = {} if replacing is None else _not_handed_over(replacing, at_s)
    couriers = []
    for courier, shift in shifts_on(session, division_id, on):
        hours, run = half_of(shift, cutoff), runs.get(courier.id)
        if hours is None or (shift.out_from_s is not None and run is None):
            continue
        prefix = None if run is None else _prefix(session, run, shift, at_s)
        held_now = None if prefix is None else _holds(prefix, courier.id, waits)
        couriers.append(CourierOnShift(courier, shift, hours, held_now))
    orders = {
        each.vehicle: [
            (f"stop:{stop.id}", 0) for stop in runs[each.courier.id].stops if stop.state is not StopState.OPEN
        ]
        for each in couriers
        if each.courier.id in runs and each.shift.out_from_s is None
    }
    homes = depots(session, [each.courier for each in couriers])
    return DayRows(cutoff, stops, couriers, homes, None if replacing is None else orders, at_s)


def _prefix(session: Session, run: CourierRun, shift: Shift, at_s: int) -> Prefix | None:
    """What the courier has behind him: done and failed stops as they were, deliveries still on board."""
    if at_s < run.starts_s and run.state is RunState.READY:
        return None
    behind = [stop for stop in run.stops if stop.state in TOUCHED]
    latest = dict(
        session.execute(
            select(StopEvent.stop_id, func.max(StopEvent.at))
            .where(StopEvent.stop_id.in_([stop.id for stop in behind]))
            .group_by(StopEvent.stop_id)
        ).all()
    )
    left = run.starts_s
    done: list[Done] = []
    for stop in sorted(
        behind, key=lambda s: (s.state is StopState.ARRIVED, latest.get(s.id, s.created_at), s.position)
    ):
        at = latest.get(stop.id)
        reported_s = max(left, seconds_of_day(at) if at is not None else left)
        if stop.state is StopState.ARRIVED:  # the courier is at this door: no other courier is sent
            arrival, departure = reported_s, max(at_s, reported_s + stop.door_s)
        else:
            arrival, departure = max(left, reported_s - stop.door_s), reported_s
        done.append(Done(request=f"stop:{stop.id}", side=0, arrival_s=arrival, start_s=arrival, departure_s=departure))
        left = departure
    on_board = frozenset(
        f"stop:{stop.id}" for stop in run.stops if stop.kind is not StopKind.PICKUP and stop.state is StopState.PLANNED
    )
    return Prefix(
        started_s=run.starts_s, free_from_s=max(left, at_s + shift.late_s), done=tuple(done), on_board=on_board
    )


def _not_handed_over(plan: DayPlan, at_s: int) -> dict[str, int]:
    """By delivery, the courier who still has it although the plan in force gives it to another."""
    routes = (plan.result or {}).get("routes", [])
    handovers = (handover for route in routes for handover in route.get("handovers", ()))
    return {h["request"]: h["from_courier_id"] for h in handovers if h["departure_s"] > at_s}


def _holds(prefix: Prefix, courier_id: int, waits: dict[str, int]) -> Prefix:
    """What is on board of a courier, with what waits to change hands where it is."""
    mine = {name for name, giver in waits.items() if giver == courier_id}
    return replace(prefix, on_board=(prefix.on_board - waits.keys()) | mine)
