"""The question of a courier day: an area's rows as the database has them become a problem to solve."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from routing.day.tables import (
    Courier,
    CourierRun,
    CourierStop,
    Cutoff,
    DayPlan,
    RunState,
    Shift,
    StopEvent,
    StopKind,
    StopState,
)
from routing.model.problem import (
    Announced,
    Break,
    Done,
    Load,
    Objective,
    Prefix,
    Primary,
    Problem,
    Profile,
    Request,
    RequestKind,
    Stop,
    Vehicle,
    Window,
)
from routing.travel.places import Point, TravelTimes

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY_S = 24 * 3600
HALF_S = 12 * 3600 + 1800  # the morning's runs end and the afternoon's begin
MOVED_COST_PER_MIN = 60
UNSERVED_COST = 100_000  # a stop left out costs as much as 28 hours on the road, times its priority
VEHICLE_COST = 1800
HANDOVER_S = 120  # from hand to hand, for each parcel that a courier who drops out has on board
TOUCHED = frozenset({StopState.ARRIVED, StopState.DONE, StopState.FAILED})
KIND = {
    StopKind.PICKUP: RequestKind.PICKUP,
    StopKind.DELIVERY: RequestKind.DELIVERY,
    StopKind.EXCHANGE: RequestKind.EXCHANGE,
}


@dataclass(frozen=True, slots=True)
class RoutingInput:
    """The problem, and the rows it was read from."""

    problem: Problem
    stops: dict[str, CourierStop]
    couriers: dict[str, Courier]
    frozen: frozenset[str] = frozenset()
    orders: dict[str, list[tuple[str, int]]] | None = None
    """Of the plan in force, each courier's stops in order: where a replacement begins. None for a first plan."""
    fetched: dict[str, Courier] = field(default_factory=dict)
    """Deliveries that somebody else takes over (当面交接) from a courier who dropped out: pairs in the problem."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database knows of an area's day, read in one go: no row is asked for afterwards."""

    cutoff: Cutoff
    stops: list[CourierStop]
    drivers: list[tuple[Courier, Shift, tuple[int, int], Prefix | None]]
    homes: dict[int, tuple[float, float]]
    orders: dict[str, list[tuple[str, int]]] | None
    at_s: int = 0


def open_stops(session: Session, division_id: int, on: date, cutoff: Cutoff) -> list[CourierStop]:
    """The stops that wait for a plan of this area, day and cut-off."""
    query = select(CourierStop).where(
        CourierStop.division_id == division_id,
        CourierStop.on == on,
        CourierStop.cutoff == cutoff,
        CourierStop.state == StopState.OPEN,
    )
    return list(session.scalars(query.order_by(CourierStop.id)))


def shifts_on(session: Session, division_id: int, on: date) -> list[tuple[Courier, Shift]]:
    """Who drives in the area that day."""
    rows = session.execute(
        select(Courier, Shift)
        .join(Shift, Shift.courier_id == Courier.id)
        .where(Courier.division_id == division_id, Courier.active, Shift.on == on)
        .order_by(Courier.id)
    )
    return [(courier, shift) for courier, shift in rows]


def half_of(shift: Shift, cutoff: Cutoff) -> tuple[int, int] | None:
    """The part of a shift that belongs to a cut-off's run; None when there is none."""
    opens, closes = (
        (shift.starts_s, min(shift.ends_s, HALF_S))
        if cutoff is Cutoff.AM
        else (max(shift.starts_s, HALF_S), shift.ends_s)
    )
    return (opens, closes) if closes - opens >= 1800 else None


def half_is_ahead(cutoff: Cutoff, now_s: int) -> bool:
    """Whether any part of a cut-off's run still lies ahead at that second of the day."""
    return cutoff is Cutoff.PM or now_s < HALF_S


def depots(session: Session, couriers: Sequence[Courier]) -> dict[int, tuple[float, float]]:
    """Where the couriers' centres stand. The centre's table is another room's: it is read by its name."""
    rows = session.execute(
        text("SELECT id, lon, lat FROM service_centre WHERE id = ANY(:ids)"), {"ids": [c.centre_id for c in couriers]}
    )
    return {row.id: (row.lon, row.lat) for row in rows}


def question(
    session: Session,
    *,
    division_id: int,
    on: date,
    cutoff: Cutoff,
    travel: TravelTimes,
    replacing: DayPlan | None = None,
    at_s: int = 0,
) -> RoutingInput:
    """What is to be planned. ``replacing``: a committed plan whose driven parts stay as they are; ``at_s``: now."""
    return asked_of(rows_of(session, division_id, on, cutoff, replacing=replacing, at_s=at_s), travel)


def rows_of(
    session: Session, division_id: int, on: date, cutoff: Cutoff, *, replacing: DayPlan | None = None, at_s: int = 0
) -> Rows:
    """Everything that the question needs of the database."""
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
    drivers: list[tuple[Courier, Shift, tuple[int, int], Prefix | None]] = [
        (courier, shift, half, _prefix(session, runs[courier.id], shift, at_s) if courier.id in runs else None)
        for courier, shift in shifts_on(session, division_id, on)
        if (half := half_of(shift, cutoff)) is not None and (shift.out_from_s is None or courier.id in runs)
    ]
    orders = {
        f"courier:{courier.id}": [
            (f"stop:{stop.id}", 0) for stop in runs[courier.id].stops if stop.state is not StopState.OPEN
        ]
        for courier, shift, _, _ in drivers
        if courier.id in runs and shift.out_from_s is None
    }
    if replacing is not None:
        waits = _not_handed_over(replacing, at_s)
        drivers = [
            (courier, shift, half, None if prefix is None else _holds(prefix, courier.id, waits))
            for courier, shift, half, prefix in drivers
        ]
    homes = depots(session, [courier for courier, _, _, _ in drivers])
    return Rows(cutoff, stops, drivers, homes, None if replacing is None else orders, at_s)


def asked_of(rows: Rows, travel: TravelTimes) -> RoutingInput:
    """The problem of these rows. Travel times may be asked of a server: no transaction is open here."""
    points = list(dict.fromkeys(rows.homes.values())) + [(stop.lon, stop.lat) for stop in rows.stops]
    place = {point: n for n, point in enumerate(dict.fromkeys(rows.homes.values()))}
    first_stop = len(place)
    hour = 9 if rows.cutoff is Cutoff.AM else 15
    table = travel.matrix([Point(lat, lon) for lon, lat in points], hour=hour) if points else None
    locations = {f"stop:{stop.id}": first_stop + n for n, stop in enumerate(rows.stops)}
    fetched = _to_be_fetched(rows)
    day = Window(rows.at_s, max([rows.at_s, *(half[1] for _, _, half, _ in rows.drivers)]))
    requests, vehicles = [], []
    for stop in rows.stops:
        request = _request(stop, locations[f"stop:{stop.id}"])
        if request.id in fetched:
            giver, behind = fetched[request.id]
            stands = locations[behind.done[-1].request] if behind.done else place[rows.homes[giver.centre_id]]
            request = _fetch(request, stands, day)
        requests.append(request)
    for courier, shift, half, prefix in rows.drivers:
        carries = None if prefix is None else replace(prefix, on_board=prefix.on_board - fetched.keys())
        vehicles.append(_van(courier, shift, half, carries, place[rows.homes[courier.centre_id]]))
    problem = Problem(
        profiles=(Profile([[0]]) if table is None else Profile(table.seconds, table.metres),),
        requests=tuple(requests),
        vehicles=tuple(vehicles),
        objective=Objective(primary=Primary.DISTANCE, travel_per_s=1, waiting_per_s=0),
        points=tuple(points) if points else ((0.0, 0.0),),
    )
    return RoutingInput(
        problem,
        {f"stop:{stop.id}": stop for stop in rows.stops},
        {f"courier:{courier.id}": courier for courier, _, _, _ in rows.drivers},
        frozenset(done.request for van in vehicles if van.prefix for done in van.prefix.done),
        rows.orders,
        {name: courier for name, (courier, _) in fetched.items()},
    )


def _to_be_fetched(rows: Rows) -> dict[str, tuple[Courier, Prefix]]:
    """The deliveries on board of couriers who dropped out on the way, and what these have behind them.

    An exchange is not among them: what comes back at its door has to come to the courier who brings.
    """
    deliveries = {f"stop:{stop.id}" for stop in rows.stops if stop.kind is StopKind.DELIVERY}
    return {
        name: (courier, prefix)
        for courier, shift, _, prefix in rows.drivers
        if shift.out_from_s is not None and shift.out_from_s <= rows.at_s and prefix is not None
        for name in sorted(prefix.on_board & deliveries)
    }


def _fetch(request: Request, stands: int, day: Window) -> Request:
    """The same delivery, taken over first from the courier where he stands."""
    (door,) = request.stops
    hand = Stop(stands, (day,), HANDOVER_S, collects=door.delivers)
    return Request(request.id, RequestKind.PAIRED, (hand, door), request.penalty)


def _van(courier: Courier, shift: Shift, half: tuple[int, int], prefix: Prefix | None, home: int) -> Vehicle:
    opens, closes = half
    if prefix is None:  # still at the depot: whoever is late leaves late
        opens = min(closes, opens + shift.late_s)
    if shift.out_from_s is not None:
        closes = max(opens, min(closes, shift.out_from_s))
    rest = None
    rests = shift.break_opens_s is not None and shift.break_closes_s is not None and shift.break_s > 0
    if rests and opens <= shift.break_opens_s and shift.break_closes_s <= closes:  # type: ignore[operator]
        rest = Break(Window(shift.break_opens_s, shift.break_closes_s), shift.break_s)  # type: ignore[arg-type]
    return Vehicle(
        id=f"courier:{courier.id}",
        start=home,
        end=home,
        shift=Window(opens, closes),
        capacity=Load(courier.pieces_capacity, courier.grams_capacity),
        skills=frozenset({courier.vehicle.value}),
        rest=rest,
        fixed_cost=VEHICLE_COST,
        prefix=prefix,
    )


def _request(stop: CourierStop, location: int) -> Request:
    load = Load(stop.pieces, stop.grams)
    nothing = Load()
    announced = None
    if stop.announced_opens_s is not None and stop.announced_closes_s is not None:
        announced = Announced(Window(stop.announced_opens_s, stop.announced_closes_s), MOVED_COST_PER_MIN)
    return Request(
        id=f"stop:{stop.id}",
        kind=KIND[stop.kind],
        stops=(
            Stop(
                location=location,
                windows=tuple(Window(int(opens), int(closes)) for opens, closes in stop.windows),
                service_s=stop.service_s,
                delivers=nothing if stop.kind is StopKind.PICKUP else load,
                collects=nothing if stop.kind is StopKind.DELIVERY else load,
                skills=frozenset({"van"}) if stop.needs_van else frozenset(),
                announced=announced,
            ),
        ),
        penalty=UNSERVED_COST * max(1, stop.priority),
    )


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
        said_s = max(left, seconds_of_day(at) if at is not None else left)
        if stop.state is StopState.ARRIVED:  # the courier stands at this door: nobody else is sent there
            arrival, departure = said_s, max(at_s, said_s + stop.service_s)
        else:
            arrival, departure = max(left, said_s - stop.service_s), said_s
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


def seconds_of_day(moment: datetime) -> int:
    """Seconds from 00:00 in Shanghai."""
    local = moment.astimezone(SHANGHAI)
    return local.hour * 3600 + local.minute * 60 + local.second


def seconds_into(on: date, moment: datetime) -> int:
    """How far into that day in Shanghai a moment is: 0 before the day begins, all of it once the day is over."""
    today = moment.astimezone(SHANGHAI).date()
    return seconds_of_day(moment) if today == on else 0 if today < on else DAY_S
