"""Unserved: why the solver leaves a request out, from its own arrays and clock.

``check`` finds the reasons again by a way of its own, and the two share no code: a claim that is wrong is caught.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from routing.model.plan import Reason, Unserved
from routing.model.problem import Problem
from routing.model.request import Request
from routing.model.vehicle import Vehicle
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search

_RULED_OUT_BY = (
    Reason.SKILL, Reason.DEPOT, Reason.LOADED, Reason.CAPACITY, Reason.UNREACHABLE, Reason.DISTANCE, Reason.TIME,
    Reason.RELEASE,
)  # fmt: skip


def claims(problem: Problem, names: Iterable[str], made: Mapping[str, int]) -> tuple[Unserved, ...]:
    """The reason of each request that no route holds, all of them looked at alone in otherwise empty vehicles.

    ``made`` says how many stops each vehicle makes in the plan.
    """
    left = list(names)
    return _Alone(problem, left, made).claims() if left else ()


class _Alone:
    """The unserved requests with one vehicle of each kind: a small problem, whatever the size of the day."""

    def __init__(self, problem: Problem, names: list[str], made: Mapping[str, int]) -> None:
        self.problem, self.names, self.made = problem, names, made
        number = {request.id: q for q, request in enumerate(problem.requests)}
        self.requests = {name: problem.requests[number[name]] for name in names}
        kinds: dict[object, int] = {}
        self.kind = [kinds.setdefault(_like(vehicle), v) for v, vehicle in enumerate(problem.vehicles)]
        """For each vehicle the number of the first one that differs in nothing but the name."""
        firsts = sorted(set(self.kind))
        self.row = {v: row for row, v in enumerate(firsts)}
        self.holder: dict[str, str] = {}
        self.begun: set[str] = set()
        wanted = set(names)
        for vehicle in problem.vehicles:
            if vehicle.prefix:
                begun = {done.request for done in vehicle.prefix.done}
                self.begun |= begun
                self.holder |= dict.fromkeys((*vehicle.prefix.on_board, *begun), vehicle.id)
                wanted |= {*vehicle.prefix.on_board, *begun}
        part = problem.part(sorted(number[name] for name in wanted), firsts)
        self.search = self.at_once = Search(model_of(part, neighbours=0), 0)
        if any(request.release_s for request in part.requests):
            unreleased = tuple(replace(request, release_s=0) for request in part.requests)
            self.at_once = Search(model_of(replace(part, requests=unreleased), neighbours=0), 0)
        self.nodes: dict[str, list[int]] = {}
        for node, (name, _) in enumerate(self.search.model.sides):
            self.nodes.setdefault(name, []).append(node)

    def claims(self) -> tuple[Unserved, ...]:
        return tuple(self._claim(self.requests[name]) for name in self.names)

    def _claim(self, request: Request) -> Unserved:
        left = list(range(len(self.problem.vehicles)))
        if not left:
            return Unserved(request.id, Reason.NO_VEHICLE)
        for reason in _RULED_OUT_BY:
            able = {kind: self._may(reason, request, kind) for kind in {self.kind[v] for v in left}}
            passed = [v for v in left if able[self.kind[v]]]
            if not passed:
                return self._unserved(request, reason, left)
            left = passed
        passed = [v for v in left if self._has_stops_left(self.problem.vehicles[v], len(self.nodes[request.id]))]
        if not passed:
            return self._unserved(request, Reason.STOPS, left)
        return self._unserved(request, Reason.NO_ROOM, passed)

    def _has_stops_left(self, vehicle: Vehicle, more: int) -> bool:
        return vehicle.max_stops is None or self.made.get(vehicle.id, 0) + more <= vehicle.max_stops

    def _unserved(self, request: Request, reason: Reason, vehicles: list[int]) -> Unserved:
        return Unserved(request.id, reason, tuple(self.problem.vehicles[v].id for v in vehicles))

    def _may(self, reason: Reason, request: Request, v: int) -> bool:
        vehicle, row = self.problem.vehicles[v], self.row[v]
        if reason is Reason.SKILL:
            return request.skills <= vehicle.skills
        if reason is Reason.DEPOT:
            needs_start, needs_end = request.from_depot, request.to_depot
            return request.depot is None or (
                (not needs_start or vehicle.start == request.depot) and (not needs_end or vehicle.end == request.depot)
            )
        if reason is Reason.LOADED:
            holder = self.holder.get(request.id)
            if request.from_depot:
                return holder == (vehicle.id if vehicle.prefix else None)
            return holder is None or holder == vehicle.id
        if reason is Reason.CAPACITY:
            return self._takes_on(request, vehicle)
        if reason is Reason.UNREACHABLE:
            return self.search.reaches(row, self.nodes[request.id])
        if reason is Reason.DISTANCE:
            return self.search.near_enough(row, self.nodes[request.id])
        search = self.at_once if reason is Reason.TIME else self.search
        return search.keeps_time(row, self.nodes[request.id])

    def _takes_on(self, request: Request, vehicle: Vehicle) -> bool:
        taken = [] if request.id in self.begun else [stop.collects for stop in request.stops]
        if request.from_depot and vehicle.prefix is None:
            taken.append(request.stops[0].delivers)
        return all(load.fits(vehicle.capacity) for load in taken)


def _like(vehicle: Vehicle) -> object:
    """What two vehicles have in common that answer alike; one on duty is like no other."""
    return vehicle.id if vehicle.prefix else replace(vehicle, id="any")
