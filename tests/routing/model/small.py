"""Small: problems that a person can check by hand, and plans timed as early as possible from the visits' order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from routing.model.check_costs import costs, route_cost
from routing.model.plan import Costs, Plan, Route, Unserved, Visit
from routing.model.problem import Objective, Problem
from routing.model.profile import Profile
from routing.model.quantities import NOTHING, Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle

DAY = Window(0, 100_000)


def line(*kilometres: float, minutes_a_km: int = 1) -> Profile:
    """Places along one straight road: 60 seconds and 1000 metres a kilometre."""
    metres = [[round(abs(a - b) * 1000) for b in kilometres] for a in kilometres]
    return Profile([[m * 60 * minutes_a_km // 1000 for m in row] for row in metres], metres)


def a_stop(location: int = 1, *windows: Window, **more: object) -> Stop:
    return Stop(location, windows or (DAY,), **more)  # type: ignore[arg-type]


def a_delivery(name: str, location: int = 1, *windows: Window, pieces: int = 1, **more: object) -> Request:
    wider = {key: more.pop(key) for key in ("penalty", "depot") if key in more}
    stop = a_stop(location, *windows, delivers=Load(pieces), **more)
    return Request(name, RequestKind.DELIVERY, (stop,), **wider)  # type: ignore[arg-type]


def a_pickup(name: str, location: int = 1, *windows: Window, pieces: int = 1, **more: object) -> Request:
    wider = {key: more.pop(key) for key in ("penalty", "depot") if key in more}
    stop = a_stop(location, *windows, collects=Load(pieces), **more)
    return Request(name, RequestKind.PICKUP, (stop,), **wider)  # type: ignore[arg-type]


def an_exchange(name: str, location: int = 1, *, out: int = 1, back: int = 1, **more: object) -> Request:
    stop = a_stop(location, delivers=Load(out), collects=Load(back), **more)
    return Request(name, RequestKind.EXCHANGE, (stop,))


def a_pair(name: str, origin: int = 1, destination: int = 2, *, pieces: int = 1, **more: object) -> Request:
    load = Load(pieces)
    stops = (a_stop(origin, collects=load, **more), a_stop(destination, delivers=load, **more))
    return Request(name, RequestKind.PAIRED, stops)


def a_vehicle(name: str = "v", **more: object) -> Vehicle:
    settings: dict[str, object] = {"start": 0, "end": 0, "shift": DAY, "capacity": Load(10, 10_000), **more}
    return Vehicle(name, **settings)  # type: ignore[arg-type]


def a_problem(
    profile: Profile, requests: Sequence[Request], vehicles: Sequence[Vehicle], objective: Objective | None = None
) -> Problem:
    return Problem((profile,), tuple(requests), tuple(vehicles), objective or Objective())


def timed(
    problem: Problem,
    orders: Mapping[str, Sequence[tuple[str, int]]],
    *,
    starts: Mapping[str, int] | None = None,
    breaks: Mapping[str, int] | None = None,
    break_leg: int | None = None,
    unserved: Sequence[Unserved] = (),
) -> Plan:
    """The plan of these visits (after any prefix), each as early as it can be, with right loads and costs.

    A break is in the first leg that can hold it, or in ``break_leg``.
    """
    requests = {request.id: request for request in problem.requests}
    routes = []
    for vehicle in problem.vehicles:
        if vehicle.id in orders or vehicle.prefix is not None:
            start_s = (starts or {}).get(vehicle.id, vehicle.shift.opens_s)
            route = _route(
                problem,
                requests,
                vehicle,
                orders.get(vehicle.id, ()),
                start_s,
                (breaks or {}).get(vehicle.id),
                break_leg,
            )
            routes.append(replace(route, cost=route_cost(problem, requests, vehicle, route)))
    plan = Plan(problem.fingerprint(), tuple(routes), tuple(unserved), Costs(), "by hand")
    return replace(plan, cost=costs(problem, plan))


def _route(
    problem: Problem,
    requests: dict[str, Request],
    vehicle: Vehicle,
    order: Sequence[tuple[str, int]],
    start_s: int,
    break_s: int | None,
    break_leg: int | None,
) -> Route:
    prefix = vehicle.prefix
    done = list(prefix.done) if prefix else []
    names = {each.request for each in done} | {name for name, _ in order} | set(prefix.on_board if prefix else ())
    load = start_load = sum((requests[n].stops[0].delivers for n in sorted(names) if requests[n].from_depot), NOTHING)
    leave_s, place = start_s, vehicle.start
    if prefix:
        start_s = prefix.started_s
        leave_s = max(prefix.free_from_s, done[-1].departure_s if done else start_s)
    visits = []
    for each in done:
        stop = requests[each.request].stops[each.side]
        load = _after(load, stop)
        visits.append(Visit(each.request, each.side, each.arrival_s, each.start_s, each.departure_s, load))
        place = stop.location
    rest_s = vehicle.rest.duration_s if vehicle.rest else 0
    seconds = problem.profile_of(vehicle).seconds
    for leg, (name, side) in enumerate(order):
        here = break_s is not None and break_leg in (None, leg)
        stop = requests[name].stops[side]
        arrival_s = leave_s + vehicle.travel_s(int(seconds[place, stop.location]))
        start_at = arrival_s
        if here and leave_s <= break_s < arrival_s:
            arrival_s = start_at = arrival_s + rest_s
        start_at = next((max(start_at, w.opens_s) for w in stop.windows if start_at <= w.closes_s), start_at)
        if here and arrival_s <= break_s and (break_leg == leg or break_s <= start_at):
            rested_s = max(start_at, break_s + rest_s)
            start_at = next((max(rested_s, w.opens_s) for w in stop.windows if rested_s <= w.closes_s), rested_s)
        load = _after(load, stop)
        leave_s, place = start_at + stop.service_s, stop.location
        visits.append(Visit(name, side, arrival_s, start_at, leave_s, load))
    end_s = leave_s + vehicle.travel_s(int(seconds[place, vehicle.end]))
    if break_leg is not None and break_leg < len(order):
        return Route(vehicle.id, start_s, tuple(visits), end_s, start_load, break_s)
    if break_s is not None and leave_s <= break_s:
        end_s = max(end_s, break_s) + rest_s
    return Route(vehicle.id, start_s, tuple(visits), end_s, start_load, break_s)


def _after(load: Load, stop: Stop) -> Load:
    """The load after a stop; nothing rather than less than nothing, so that a wrong order can be stated at all."""
    pieces = load.pieces + stop.collects.pieces - stop.delivers.pieces
    grams = load.grams + stop.collects.grams - stop.delivers.grams
    return Load(max(0, pieces), max(0, grams))


def a_few() -> Problem:
    """Five deliveries and a pair along a road, for two vehicles of which one is small."""
    asked = (*(a_delivery(f"r{at}", at) for at in range(1, 6)), a_pair("p", 1, 3))
    return Problem((line(0, 1, 2, 3, 4, 5),), asked, (a_vehicle(), a_vehicle("w", capacity=Load(3, 0))))
