"""Events of a day under way: what each of them changes in the problem."""

from __future__ import annotations

from dataclasses import dataclass, replace

from routing.model.problem import Problem
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle


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
    """A courier who drops out, and hands over what is still on board where he stands, ``handover_s`` a parcel."""

    vehicle: str
    handover_s: int = 60


Event = RequestAdded | RequestDropped | CourierDelayed | CourierLeft


class UnknownName(ValueError):
    """An event about a request or a vehicle that the problem does not have, or has already."""


def apply_event(problem: Problem, event: Event, at_s: int) -> Problem:
    """The problem after an event at ``at_s``. Raises UnknownName where the event names what the problem lacks.

    A request that was added is in the problem already, since the instant at which the day was frozen.
    """
    if isinstance(event, RequestAdded):
        return problem
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
    """Without a request that nobody has begun. One that is begun stays; a parcel that is loaded already
    comes home, and its room is no longer counted."""
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
    """By pair picked up and not delivered, the name under which the pickup stays done."""
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
    # The courier goes home with nothing more to do: a shift that is over takes no further stop.
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
