"""The parts of a problem checked against each other: names, places, and what is driven already."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import InvalidProblem
from routing.model.request import Request, Stop
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


def check_prefixes(requests: Sequence[Request], vehicles: Sequence[Vehicle]) -> None:
    """Raises InvalidProblem when what vehicles did and carry contradicts the requests or each other.

    What is done is history: in whatever order, however late, and over whatever way.
    """
    if not any(vehicle.prefix for vehicle in vehicles):
        return
    request_named = {request.id: request for request in requests}
    done_by: dict[tuple[str, int], str] = {}
    carried_by: dict[str, str] = {}
    for vehicle in vehicles:
        if vehicle.prefix is not None:
            _check_done(vehicle, vehicle.prefix, request_named, done_by)
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
        done_by[visit.request, visit.side] = vehicle.id
    for visit in prefix.done:
        if visit.side == 1 and done_by.get((visit.request, 0)) != vehicle.id:
            raise InvalidProblem(f"{what} delivers {visit.request!r}, which it has not picked up")


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


LONGEST_LEG_S = (1 << 31) - 2
"""A leg of a slow vehicle in seconds; the search keeps legs in 32 bits."""
DEAREST_TIMES = 1 << 54
"""What lateness and moved windows may cost together; the search adds costs up in 64 bits, with room for its marks."""


def check_sums(profiles: Sequence[Profile], requests: Sequence[Request], vehicles: Sequence[Vehicle]) -> None:
    """Raises InvalidProblem where single values are allowed, and what the search makes of them does not fit."""
    profile_named = {profile.name: profile for profile in profiles}
    for name, speed_pct in {(vehicle.profile, vehicle.speed_pct) for vehicle in vehicles if vehicle.speed_pct < 100}:
        seconds = profile_named[name].seconds
        longest_s = int(seconds.max(where=seconds != UNREACHABLE, initial=0)) * 100 // speed_pct
        if longest_s > LONGEST_LEG_S:
            raise InvalidProblem(f"profile {name} has a leg of {longest_s} s at {speed_pct} %: at most {LONGEST_LEG_S}")
    ends_s = max((vehicle.shift.closes_s for vehicle in vehicles), default=0)
    dearest = sum(_dearest(stop, ends_s) for request in requests for stop in request.stops)
    if dearest > DEAREST_TIMES:
        raise InvalidProblem(f"lateness and moved windows may cost {dearest}: at most {DEAREST_TIMES}")


def _dearest(stop: Stop, ends_s: int) -> int:
    """What a stop may cost at most by the time at which it is served, in shifts that end by then."""
    moved = 0
    if stop.announced is not None:
        told = stop.announced.window
        moved = stop.announced.cost_per_min * (max(told.opens_s, ends_s - told.closes_s) // 60 + 1)
    return stop.late_per_s * min(stop.grace_s, ends_s) + moved
