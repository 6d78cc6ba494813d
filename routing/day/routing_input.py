"""The routing input of a courier day: rows become a problem to solve."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from routing.day.courier_stop import CourierStop, StopKind
from routing.day.couriers import Courier, Shift
from routing.day.day_rows import SHORTEST_HALF_S, CourierOnShift, DayRows
from routing.day.hours import HALF_S, Cutoff, merged
from routing.model.plan import Orders
from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import Profile
from routing.model.quantities import Load, Window
from routing.model.request import Announced, Request, RequestKind, Stop
from routing.model.shared_setup import with_shared_setup
from routing.model.vehicle import Break, Prefix, Vehicle
from routing.travel.places import Point, TravelTimes

MOVED_COST_PER_MIN = 60
UNSERVED_COST = 100_000  # a stop left out costs as much as 28 hours on the road, times its priority
VEHICLE_COST = 1800
HANDOVER_S = 120  # from hand to hand, for each parcel that a courier who drops out has on board
TRAFFIC_HOUR = {Cutoff.AM: 9, Cutoff.PM: 15}
"""The hour whose traffic a run's travel times are those of."""
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
    orders: Orders | None = None
    """Of the plan in force, each courier's stops in order: where a replacement begins. None for a first plan."""
    fetched: dict[str, Courier] = field(default_factory=dict)
    """Deliveries that somebody else takes over (当面交接) from a courier who dropped out: pairs in the problem."""


def build_input(rows: DayRows, travel: TravelTimes) -> RoutingInput:
    """The problem of these rows. Travel times may come from a server: no transaction is open here.

    Entering an address is part of the way there, and paid once for the stops that are served there in a row."""
    points = list(dict.fromkeys(rows.homes.values())) + [(stop.lon, stop.lat) for stop in rows.stops]
    place = {point: n for n, point in enumerate(dict.fromkeys(rows.homes.values()))}
    first_stop = len(place)
    hour = TRAFFIC_HOUR[rows.cutoff]
    table = travel.matrix([Point(lat, lon) for lon, lat in points], hour=hour) if points else None
    locations = {f"stop:{stop.id}": first_stop + n for n, stop in enumerate(rows.stops)}
    fetched = _to_be_fetched(rows)
    day = Window(rows.at_s, max([rows.at_s, *(each.hours.closes_s for each in rows.couriers)]))
    requests, vehicles = [], []
    on_the_road = _on_the_road(rows)
    drive = {each.courier.id for each in rows.couriers if each.shift.out_from_s is None}
    for stop in rows.stops:
        request = _request(stop, locations[f"stop:{stop.id}"], drive, has_left=f"stop:{stop.id}" in on_the_road)
        if request.id in fetched:
            giver, behind = fetched[request.id]
            stands = locations[behind.done[-1].request] if behind.done else place[rows.homes[giver.centre_id]]
            request = _fetch(request, stands, day)
        requests.append(request)
    for each in rows.couriers:
        prefix = each.prefix
        carries = None if prefix is None else replace(prefix, on_board=prefix.on_board - fetched.keys())
        vehicles.append(_vehicle(replace(each, prefix=carries), place[rows.homes[each.courier.centre_id]]))
    problem = Problem(
        profiles=(Profile([[0]]) if table is None else Profile(table.seconds, table.metres),),
        requests=tuple(requests),
        vehicles=tuple(vehicles),
        objective=Objective(primary=Primary.DISTANCE, travel_per_s=1, waiting_per_s=0),
        points=tuple(points) if points else ((0.0, 0.0),),
    )
    if points:
        problem = with_shared_setup(problem, [0] * first_stop + [stop.setup_s for stop in rows.stops])
    return RoutingInput(
        problem,
        {f"stop:{stop.id}": stop for stop in rows.stops},
        {each.vehicle: each.courier for each in rows.couriers},
        frozenset(done.request for vehicle in vehicles if vehicle.prefix for done in vehicle.prefix.done),
        rows.orders,
        {name: courier for name, (courier, _) in fetched.items()},
    )


def _to_be_fetched(rows: DayRows) -> dict[str, tuple[Courier, Prefix]]:
    """The deliveries on board of couriers who dropped out on the way, and what these have behind them.

    An exchange is not among them: the courier who brings its papers also takes the others back.
    """
    deliveries = {f"stop:{stop.id}" for stop in rows.stops if stop.kind is StopKind.DELIVERY}
    return {
        name: (each.courier, each.prefix)
        for each in rows.couriers
        if each.shift.out_from_s is not None and each.shift.out_from_s <= rows.at_s and each.prefix is not None
        for name in sorted(each.prefix.on_board & deliveries)
    }


def _fetch(request: Request, stands: int, day: Window) -> Request:
    """The same delivery, taken over first from the courier where he stands."""
    (door,) = request.stops
    hand = Stop(stands, (day,), HANDOVER_S, collects=door.delivers)
    return Request(request.id, RequestKind.PAIRED, (hand, door), request.penalty)


def _vehicle(on_shift: CourierOnShift, home: int) -> Vehicle:
    courier, shift = on_shift.courier, on_shift.shift
    opens, closes = on_shift.hours.opens_s, on_shift.hours.closes_s
    if on_shift.prefix is None:  # still at the depot: whoever is late leaves late
        opens = min(closes, opens + shift.late_s)
    if shift.out_from_s is not None:
        closes = max(opens, min(closes, shift.out_from_s))
    return Vehicle(
        id=on_shift.vehicle,
        start=home,
        end=home,
        shift=Window(opens, closes),
        capacity=Load(courier.pieces_capacity, courier.grams_capacity),
        skills=frozenset({courier.vehicle.value, own_skill(courier.id)}),
        rest=break_within(on_shift, opens, closes),
        fixed_cost=VEHICLE_COST,
        max_stops=shift.most_stops,
        max_distance_m=longest_run_m(courier, shift),
        prefix=on_shift.prefix,
    )


def longest_run_m(courier: Courier, shift: Shift) -> int | None:
    """How far a run goes at most: as far as the vehicle does, and the shift lets it; None without a limit."""
    return min((metres for metres in (courier.range_m, shift.longest_m) if metres is not None), default=None)


def break_within(on_shift: CourierOnShift, opens_s: int, closes_s: int) -> Break | None:
    """The shift's break, in the one run of the day that has it: the afternoon's where it may still begin then."""
    shift = on_shift.shift
    first_s, last_s = shift.break_opens_s, shift.break_closes_s
    if first_s is None or last_s is None or shift.break_s <= 0:
        return None
    is_afternoons = last_s >= HALF_S and shift.ends_s - HALF_S >= SHORTEST_HALF_S
    if is_afternoons != (on_shift.hours.closes_s > HALF_S):
        return None
    first_s, last_s = max(first_s, opens_s), min(last_s, closes_s - shift.break_s)
    return Break(Window(first_s, last_s), shift.break_s) if first_s <= last_s else None


def _on_the_road(rows: DayRows) -> frozenset[str]:
    """What couriers on the road have on board, or have done: it waits for nothing at the centre."""
    prefixes = [each.prefix for each in rows.couriers if each.prefix is not None]
    return frozenset[str]().union(*(p.on_board for p in prefixes), *({d.request for d in p.done} for p in prefixes))


def own_skill(courier_id: int) -> str:
    """What only this courier has: a stop that is locked to him asks for it."""
    return f"only:{courier_id}"


def _request(stop: CourierStop, location: int, drive: set[int], *, has_left: bool) -> Request:
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
                windows=tuple(Window(opens, closes) for opens, closes in merged(stop.windows)),
                service_s=stop.door_s,
                delivers=nothing if stop.kind is StopKind.PICKUP else load,
                collects=nothing if stop.kind is StopKind.DELIVERY else load,
                skills=frozenset(_skills(stop, drive)),
                announced=announced,
            ),
        ),
        penalty=UNSERVED_COST * max(1, stop.priority),
        release_s=0 if has_left or stop.kind is StopKind.PICKUP else stop.release_s,
    )


def _skills(stop: CourierStop, drive: set[int]) -> Iterator[str]:
    """What the stop asks of a courier; one who does not drive any more keeps nothing."""
    if stop.needs_van:
        yield "van"
    if stop.locked_to_id in drive:
        yield own_skill(stop.locked_to_id)
