"""The parts of a problem checked against each other: names, places, and what is driven already."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import InvalidProblem
from routing.model.request import Request
from routing.model.vehicle import Prefix, Vehicle


def check_names(profiles: Sequence[Profile], requests: Sequence[Request], vehicles: Sequence[Vehicle]) -> None:
    """Raises InvalidProblem when two profiles, two requests or two vehicles have one name."""
    _check_unique("problem.profiles", [profile.name for profile in profiles])
    _check_unique("problem.requests", [request.id for request in requests])
    _check_unique("problem.vehicles", [vehicle.id for vehicle in vehicles])


def _check_unique(name: str, ids: Sequence[str]) -> None:
    if len(set(ids)) == len(ids):
        return
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise InvalidProblem(f"{name} has {each!r} twice")
        seen.add(each)


def check_places(
    profiles: Sequence[Profile],
    requests: Sequence[Request],
    vehicles: Sequence[Vehicle],
    points: Sequence[tuple[float, float]] | None,
) -> None:
    """Raises InvalidProblem when the profiles differ in size, or something is at a place or has a profile that they
    do not have."""
    size = profiles[0].size
    for profile in profiles:
        if profile.size != size:
            raise InvalidProblem(f"profile {profile.name} has {profile.size} places, {profiles[0].name} has {size}")
    if points is not None:
        _check_points(points, size)
    for request in requests:
        for side, stop in enumerate(request.stops):
            if stop.location >= size:
                _check_location(f"request {request.id}: stops[{side}].location", stop.location, size)
        if request.depot is not None:
            _check_location(f"request {request.id}: depot", request.depot, size)
    names = {profile.name for profile in profiles}
    for vehicle in vehicles:
        _check_location(f"vehicle {vehicle.id}: start", vehicle.start, size)
        _check_location(f"vehicle {vehicle.id}: end", vehicle.end, size)
        if vehicle.profile not in names:
            raise InvalidProblem(f"vehicle {vehicle.id}: profile is {vehicle.profile!r}: there are {sorted(names)}")


def _check_points(points: Sequence[tuple[float, float]], size: int) -> None:
    if len(points) != size:
        raise InvalidProblem(f"problem.points are {len(points)}: there are {size} places")
    for at, (x, y) in enumerate(points):
        if not (math.isfinite(x) and math.isfinite(y)):
            raise InvalidProblem(f"problem.points[{at}] is {(x, y)}: it must be finite")


def _check_location(name: str, location: int, size: int) -> None:
    if location >= size:
        raise InvalidProblem(f"{name} is {location}: there are {size} places, counted from 0")


def check_prefixes(profiles: Sequence[Profile], requests: Sequence[Request], vehicles: Sequence[Vehicle]) -> None:
    """Raises InvalidProblem when what vehicles did and carry contradicts the requests, each other or the ways."""
    if not any(vehicle.prefix for vehicle in vehicles):
        return
    profile_named = {profile.name: profile for profile in profiles}
    request_named = {request.id: request for request in requests}
    done_by: dict[tuple[str, int], str] = {}
    carried_by: dict[str, str] = {}
    for vehicle in vehicles:
        if vehicle.prefix is not None:
            _check_done(vehicle, vehicle.prefix, request_named, done_by)
            _check_ways(vehicle, vehicle.prefix, request_named, profile_named[vehicle.profile])
            _check_on_board(vehicle, vehicle.prefix, request_named, carried_by)
    for (name, _), by in done_by.items():
        if name in carried_by:
            raise InvalidProblem(f"vehicle {carried_by[name]}: prefix.on_board names {name!r}, done already by {by}")


def _check_done(
    vehicle: Vehicle, prefix: Prefix, requests: Mapping[str, Request], done_by: dict[tuple[str, int], str]
) -> None:
    what = f"vehicle {vehicle.id}: prefix.done"
    for visit in prefix.done:
        if visit.request not in requests:
            raise InvalidProblem(f"{what} names {visit.request!r}: there is no such request")
        if visit.side >= len(requests[visit.request].stops):
            raise InvalidProblem(f"{what} names side {visit.side} of {visit.request!r}, which has one stop")
        if (visit.request, visit.side) in done_by:
            raise InvalidProblem(
                f"{what} names {visit.request!r}, done already by {done_by[visit.request, visit.side]}"
            )
        if visit.side == 1 and done_by.get((visit.request, 0)) != vehicle.id:
            raise InvalidProblem(f"{what} delivers {visit.request!r}, which it has not picked up")
        done_by[visit.request, visit.side] = vehicle.id


def _check_ways(vehicle: Vehicle, prefix: Prefix, requests: Mapping[str, Request], profile: Profile) -> None:
    places = [vehicle.start, *(requests[d.request].stops[d.side].location for d in prefix.done), vehicle.end]
    legs = profile.seconds[places[:-1], places[1:]].tolist()
    if UNREACHABLE in legs:
        at = legs.index(UNREACHABLE)
        leg = places[at], places[at + 1]
        raise InvalidProblem(f"vehicle {vehicle.id}: prefix.done and the way home need {leg}, UNREACHABLE")


def _check_on_board(
    vehicle: Vehicle, prefix: Prefix, requests: Mapping[str, Request], carried_by: dict[str, str]
) -> None:
    what = f"vehicle {vehicle.id}: prefix.on_board"
    for name in sorted(prefix.on_board):
        if name not in requests or not requests[name].from_depot:
            raise InvalidProblem(f"{what} names {name!r}: there is no such delivery or exchange")
        if name in carried_by:
            raise InvalidProblem(f"{what} names {name!r}, which is on board {carried_by[name]}")
        carried_by[name] = vehicle.id
