"""Re-planning a day under way: what is driven stays, announced windows too unless that costs more than it saves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from routing.model.plan import Plan, Route
from routing.model.problem import Problem
from routing.model.quantities import Load, Window
from routing.model.request import Announced, Request, RequestKind, Stop
from routing.model.vehicle import Done, Prefix, Vehicle
from routing.search.solve import improve


@dataclass(frozen=True, slots=True)
class RequestAdded:
    """A new request; its places are places of the problem already."""

    request: Request


@dataclass(frozen=True, slots=True)
class RequestDropped:
    """A request that is wanted no more."""

    request: str


@dataclass(frozen=True, slots=True)
class CourierDelayed:
    """A courier who can go on only from ``free_from_s``."""

    vehicle: str
    free_from_s: int


@dataclass(frozen=True, slots=True)
class CourierLeft:
    """A courier who drops out. What he still has to bring is fetched where he stands, ``handover_s`` at each parcel."""

    vehicle: str
    handover_s: int = 60


Event = RequestAdded | RequestDropped | CourierDelayed | CourierLeft


class UnknownName(ValueError):
    """An event about a request or a vehicle that the problem does not have, or has already."""


@dataclass(frozen=True, slots=True)
class StopChange:
    """What is different for one stop: who comes, and when. None where nobody comes."""

    request: str
    side: int
    was: tuple[str, int] | None
    now: tuple[str, int] | None

    @property
    def other_courier(self) -> bool:
        """Whether somebody else comes than was planned."""
        return self.was is not None and self.now is not None and self.was[0] != self.now[0]


@dataclass(frozen=True, slots=True)
class Replanned:
    """The new question, its plan, and the difference."""

    problem: Problem
    plan: Plan
    changes: tuple[StopChange, ...]
    windows_kept: int
    windows_moved: tuple[str, ...]
    """Requests that were planned and announced, and are not served inside their window any more."""

    @property
    def kept_share(self) -> float:
        """The share of announced windows that are kept, from 0 to 1."""
        return self.windows_kept / max(1, self.windows_kept + len(self.windows_moved))


def with_announced_windows(problem: Problem, plan: Plan, *, before_s: int, after_s: int, cost_per_min: int) -> Problem:
    """The problem with a window announced around each planned start, where none was announced before."""
    starts = {(visit.request, visit.side): visit.start_s for route in plan.routes for visit in route.visits}

    def announce(request: Request) -> Request:
        stops = tuple(
            replace(stop, announced=Announced(Window(max(0, start - before_s), start + after_s), cost_per_min))
            if stop.announced is None and (start := starts.get((request.id, side))) is not None
            else stop
            for side, stop in enumerate(request.stops)
        )
        return replace(request, stops=stops)

    return replace(problem, requests=tuple(announce(request) for request in problem.requests))


def frozen_at(problem: Problem, plan: Plan, *, at_s: int, more: Sequence[Request] = ()) -> Problem:
    """The problem at an instant of the plan: visits made or driven to are done, what was loaded is on board.

    ``more`` are requests that have come in since.
    """
    routes = {route.vehicle: route for route in plan.routes}
    requests = {request.id: request for request in problem.requests}
    vehicles = []
    for vehicle in problem.vehicles:
        route = routes.get(vehicle.id)
        if route is None or (vehicle.prefix is None and route.start_s > at_s):
            late = Window(min(max(vehicle.shift.opens_s, at_s), vehicle.shift.closes_s), vehicle.shift.closes_s)
            vehicles.append(vehicle if vehicle.prefix else replace(vehicle, shift=late))
            continue
        vehicles.append(_under_way(vehicle, route, requests, at_s))
    return replace(problem, requests=(*problem.requests, *more), vehicles=tuple(vehicles))


def _under_way(vehicle: Vehicle, route: Route, requests: dict[str, Request], at_s: int) -> Vehicle:
    before = vehicle.prefix.done if vehicle.prefix else ()
    lefts = [route.start_s, *(visit.departure_s for visit in route.visits)]
    count = max(len(before), sum(left <= at_s for left in lefts[: len(route.visits)]))
    done = [Done(v.request, v.side, v.arrival_s, v.start_s, v.departure_s) for v in route.visits[:count]]
    loaded = {visit.request for visit in route.visits if requests[visit.request].from_depot}
    loaded |= vehicle.prefix.on_board if vehicle.prefix else frozenset()
    on_board = frozenset(loaded - {each.request for each in done})
    free_from_s = max(at_s, vehicle.prefix.free_from_s if vehicle.prefix else 0)
    # A break that has begun, or that lies on a leg already frozen, is over when the next leg begins.
    frozen_until = route.visits[count - 1].start_s if count else at_s
    rest = vehicle.rest
    if rest and route.break_s is not None and (route.break_s <= at_s or route.break_s < frozen_until):
        free_from_s = max(free_from_s, route.break_s + rest.duration_s if route.break_s <= at_s else 0)
        rest = None
    return replace(vehicle, rest=rest, prefix=Prefix(route.start_s, free_from_s, tuple(done), on_board))


def replan(
    problem: Problem,
    plan: Plan,
    events: Sequence[Event],
    *,
    at_s: int,
    limit_s: float = 1.0,
    max_iterations: int | None = None,
    seed: int = 0,
    should_stop: Callable[[], bool] | None = None,
) -> Replanned:
    """Plan the rest of the day after ``events`` at ``at_s``, starting from the plan in force.

    A single insertion needs no search: with ``max_iterations=0`` each new request goes where it costs least.
    """
    known = {request.id for request in problem.requests}
    new = [event.request for event in events if isinstance(event, RequestAdded)]
    for request in new:
        if request.id in known:
            raise UnknownName(f"request {request.id} is in the plan already")
        known.add(request.id)
    now = frozen_at(problem, plan, at_s=at_s, more=new)
    for event in events:
        now = _after(now, event, at_s)
    orders = {
        route.vehicle: [(visit.request, visit.side) for visit in route.visits]
        for route in plan.routes
        if not any(isinstance(event, CourierLeft) and event.vehicle == route.vehicle for event in events)
    }
    found = improve(
        now, orders, limit_s=limit_s, max_iterations=max_iterations, seed=seed, should_stop=should_stop,
        before=None if any(isinstance(event, CourierLeft) for event in events) else plan,
    )  # fmt: skip
    return _difference(problem, plan, now, found)


def _after(problem: Problem, event: Event, at_s: int) -> Problem:
    if isinstance(event, RequestAdded):
        return problem  # it came in when the day was frozen
    requests = {request.id: request for request in problem.requests}
    if isinstance(event, RequestDropped):
        if event.request not in requests:
            raise UnknownName(f"there is no request {event.request}")
        return _dropped(problem, event.request)
    vehicle = next((each for each in problem.vehicles if each.id == event.vehicle), None)
    if vehicle is None:
        raise UnknownName(f"there is no vehicle {event.vehicle}")
    if isinstance(event, CourierDelayed):
        return _with(problem, _late(vehicle, event.free_from_s))
    return _without_courier(problem, vehicle, event, requests, at_s)


def _with(problem: Problem, vehicle: Vehicle) -> Problem:
    return replace(problem, vehicles=tuple(vehicle if each.id == vehicle.id else each for each in problem.vehicles))


def _late(vehicle: Vehicle, free_from_s: int) -> Vehicle:
    if vehicle.prefix:
        return replace(
            vehicle, prefix=replace(vehicle.prefix, free_from_s=max(vehicle.prefix.free_from_s, free_from_s))
        )
    opens_s = min(max(vehicle.shift.opens_s, free_from_s), vehicle.shift.closes_s)
    return replace(vehicle, shift=Window(opens_s, vehicle.shift.closes_s))


def _dropped(problem: Problem, name: str) -> Problem:
    """Without a request that nobody has begun. One that is begun is history and stays; a parcel that is loaded already
    rides home, and its room is no longer counted."""
    for vehicle in problem.vehicles:
        if vehicle.prefix and any(done.request == name for done in vehicle.prefix.done):
            raise UnknownName(f"request {name} is under way or done")
    vehicles = tuple(
        replace(v, prefix=replace(v.prefix, on_board=v.prefix.on_board - {name})) if v.prefix else v
        for v in problem.vehicles
    )
    return replace(problem, requests=tuple(r for r in problem.requests if r.id != name), vehicles=vehicles)


def _without_courier(
    problem: Problem, vehicle: Vehicle, event: CourierLeft, requests: dict[str, Request], at_s: int
) -> Problem:
    prefix = vehicle.prefix
    if prefix is None:
        return replace(problem, vehicles=tuple(each for each in problem.vehicles if each.id != vehicle.id))
    where = vehicle.start
    if prefix.done:
        last = prefix.done[-1]
        where = requests[last.request].stops[last.side].location
    day = Window(at_s, max(at_s, *(each.shift.closes_s for each in problem.vehicles)))
    fetched: list[Request] = []
    sides = [(each.request, each.side) for each in prefix.done]
    taken: dict[str, str] = {}
    """Pairs that he picked up and did not deliver, and the names under which the picking up is history."""
    for request in problem.requests:
        if request.kind is RequestKind.PAIRED and (request.id, 0) in sides and (request.id, 1) not in sides:
            pickup, delivery = request.stops
            name = f"{request.id}+collected"
            while name in requests:
                name += "+"
            taken[request.id] = name
            handover = Stop(where, (day,), event.handover_s, collects=delivery.delivers)
            fetched.append(Request(name, RequestKind.PICKUP, (pickup,), request.penalty))
            fetched.append(Request(request.id, RequestKind.PAIRED, (handover, delivery), request.penalty))
            continue
        if request.id not in prefix.on_board:
            fetched.append(request)
            continue
        stop = request.stops[0]
        handover = Stop(where, (day,), event.handover_s, collects=stop.delivers)
        brought = replace(stop, collects=Load())
        fetched.append(Request(request.id, RequestKind.PAIRED, (handover, brought), request.penalty))
        if request.kind is RequestKind.EXCHANGE:
            back = replace(stop, delivers=Load())
            fetched.append(Request(f"{request.id}+back", RequestKind.PICKUP, (back,), request.penalty))
    # He goes home with nothing more to do: a shift that is over takes no further stop.
    home = replace(
        vehicle,
        shift=Window(min(vehicle.shift.opens_s, at_s), min(vehicle.shift.closes_s, at_s)),
        prefix=replace(
            prefix,
            on_board=frozenset(),
            done=tuple(replace(each, request=taken.get(each.request, each.request)) for each in prefix.done),
        ),
    )
    vehicles = tuple(home if each.id == home.id else each for each in problem.vehicles)
    return replace(problem, requests=tuple(fetched), vehicles=vehicles)


def _difference(problem: Problem, plan: Plan, now: Problem, new: Plan) -> Replanned:
    was = {(v.request, v.side): (route.vehicle, v.start_s) for route in plan.routes for v in route.visits}
    then = {(v.request, v.side): (route.vehicle, v.start_s) for route in new.routes for v in route.visits}
    done = {(d.request, d.side) for v in now.vehicles if v.prefix for d in v.prefix.done}
    old = {request.id: request.stops for request in problem.requests}
    changes, kept, moved = [], 0, []
    for request in now.requests:
        stops = old.get(request.id, request.stops)
        if stops is request.stops and len(stops) == 1 and (request.id, 0) in done:
            continue
        fetched = (
            request.kind is RequestKind.PAIRED and request.stops[0] != stops[0]
        )  # from a courier's hand, not from a door
        for side, stop in enumerate(request.stops):
            if (request.id, side) in done:
                continue
            before = was.get((request.id, len(stops) - 1 if fetched else side)) if side or not fetched else None
            after = then.get((request.id, side))
            if before != after:
                changes.append(StopChange(request.id, side, before, after))
            if before and stop.announced:
                window = stop.announced.window
                if after and window.opens_s <= after[1] <= window.closes_s:
                    kept += 1
                else:
                    moved.append(request.id)
    known = {request.id for request in now.requests}
    gone = [key for key in was if key[0] not in known]
    changes += [StopChange(name, side, was[name, side], None) for name, side in gone]
    return Replanned(now, new, tuple(changes), kept, tuple(moved))
