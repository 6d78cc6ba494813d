"""True reasons: why no vehicle of a finished plan can take an unserved request, found without the solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from routing.model.plan import Reason, Side, Unserved
from routing.model.problem import Problem
from routing.model.request import Request, RequestKind
from routing.model.tail import RouteTail
from routing.model.vehicle import Vehicle, carriers

_RULED_OUT_BY = (
    Reason.SKILL, Reason.DEPOT, Reason.LOADED, Reason.CAPACITY, Reason.UNREACHABLE, Reason.DISTANCE, Reason.TIME,
    Reason.RELEASE, Reason.STOPS,
)  # fmt: skip
_IN_THIS_PLAN = (Reason.STOPS, Reason.NO_ROOM)
"""What depends on the others in a vehicle's route."""


class Reasons:
    """The true reasons of one plan, given its visits by vehicle."""

    def __init__(self, problem: Problem, orders: Mapping[str, Sequence[Side]]) -> None:
        self.problem, self.orders = problem, orders
        self.requests = {request.id: request for request in problem.requests}
        self.carried_by = carriers(problem.vehicles)
        # Vehicles that differ in nothing but their name, none of them on duty, answer alike.
        self.likes: dict[str, object] = {v.id: v.id if v.prefix else replace(v, id="any") for v in problem.vehicles}
        alike: dict[object, int] = {}
        self.kind = {name: alike.setdefault(like, len(alike)) for name, like in self.likes.items()}
        self.tails: dict[tuple[int, tuple[Side, ...]], RouteTail] = {}

    def of(self, name: str) -> Unserved | str:
        """The one true reason, or the id of a vehicle that has room."""
        request = self.requests[name]
        left: list[Vehicle] = list(self.problem.vehicles)
        if not left:
            return Unserved(name, Reason.NO_VEHICLE)
        for reason in _RULED_OUT_BY:
            if reason is Reason.UNREACHABLE and (roomy := self._passing(Reason.NO_ROOM, request, left)):
                return roomy[0].id  # where a detour is shorter than the straight way, even if it could not go alone
            passed = self._passing(reason, request, left)
            if not passed:
                return Unserved(name, reason, tuple(vehicle.id for vehicle in left))
            left = passed
        return Unserved(name, Reason.NO_ROOM, tuple(vehicle.id for vehicle in left))

    def _passing(self, reason: Reason, request: Request, vehicles: list[Vehicle]) -> list[Vehicle]:
        answers: dict[tuple[int, tuple[Side, ...]], bool] = {}
        passed = []
        for vehicle in vehicles:
            order = tuple(self.orders.get(vehicle.id, ())) if reason in _IN_THIS_PLAN else ()
            key = (self.kind[vehicle.id], order)
            if key not in answers:
                answers[key] = self._passes(reason, vehicle, order, request)
            if answers[key]:
                passed.append(vehicle)
        return passed

    def _passes(self, reason: Reason, vehicle: Vehicle, order: tuple[Side, ...], request: Request) -> bool:
        if reason is Reason.SKILL:
            return all(stop.skills <= vehicle.skills for stop in request.stops)
        if reason is Reason.DEPOT:
            return _same_depot(vehicle, request)
        if reason is Reason.LOADED:
            return self._may_hold(vehicle, request)
        if reason is Reason.CAPACITY:
            return _big_enough(vehicle, request)
        tail = self._tail(vehicle, order)
        if reason is Reason.UNREACHABLE:
            return tail.reaches(request)
        if reason is Reason.DISTANCE:
            return tail.near_enough(request)
        if reason is Reason.STOPS:
            return tail.has_stops_left(request)
        return tail.takes(request, loads=reason is Reason.NO_ROOM, at_once=reason is Reason.TIME)

    def _tail(self, vehicle: Vehicle, order: tuple[Side, ...]) -> RouteTail:
        key = (self.kind[vehicle.id], order)
        if key not in self.tails:
            self.tails[key] = RouteTail(self.problem, self.requests, vehicle, order)
        return self.tails[key]

    def _may_hold(self, vehicle: Vehicle, request: Request) -> bool:
        carrier = self.carried_by.get(request.id)
        if request.kind is RequestKind.PICKUP:
            return True
        if request.kind is RequestKind.PAIRED:
            return carrier in (None, vehicle.id)
        return carrier == (vehicle.id if vehicle.prefix else None)


def _same_depot(vehicle: Vehicle, request: Request) -> bool:
    if request.depot is None:
        return True
    starts_there = not request.from_depot or vehicle.start == request.depot
    ends_there = not request.to_depot or vehicle.end == request.depot
    return starts_there and ends_there


def _big_enough(vehicle: Vehicle, request: Request) -> bool:
    """Whether the vehicle holds what it would still have to take on."""
    done = vehicle.prefix.done if vehicle.prefix else ()
    loads = [] if any(each.request == request.id for each in done) else [stop.collects for stop in request.stops]
    if vehicle.prefix is None and request.kind is not RequestKind.PAIRED:
        loads.append(request.stops[0].delivers)
    return all(load.pieces <= vehicle.capacity.pieces and load.grams <= vehicle.capacity.grams for load in loads)
