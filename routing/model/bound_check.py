"""The check of a bound: its duals and what they are said to prove, derived again without the code that priced them.

A certificate says what each stop is worth, and for each vehicle how little a route may cost beyond the worth of its
stops. From these numbers the bound follows by addition. That no route costs less is looked for here by a search of its
own, over ways that may come back to a stop that they have forgotten; which stops a stop remembers the certificate says,
and any answer to that is fair: remembering less only makes the bound lower.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.model.check_costs import route_cost
from routing.model.plan import Route, Side, Visit
from routing.model.problem import Problem
from routing.model.profile import UNREACHABLE
from routing.model.quantities import NOTHING
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle, carriers

PARTS = 256
"""Worths and reduced costs are whole numbers of this part of a unit of cost."""
NEVER = 1 << 60
MOST_LABELS = 3_000_000


@dataclass(frozen=True, slots=True)
class ProvedPoint:
    """What each stop is worth, and by vehicle the least that a route of it costs beyond its stops, in parts.

    A vehicle on duty exists whether or not it visits anything more: its route counts from what idling costs.
    """

    worth: Mapping[Side, int]
    least: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BoundCertificate:
    """A bound and what it is made of."""

    bound: int
    points: tuple[ProvedPoint, ...]
    remembers: Mapping[Side, tuple[Side, ...]]
    """By stop the stops that a route remembers there to have visited."""


def bound_objections(problem: Problem, certificate: BoundCertificate) -> list[str]:
    """What is wrong with a certificate; empty when its bound is proved."""
    found: list[str] = []
    for number, point in enumerate(certificate.points):
        found += [f"point {number}: {each}" for each in _worth_objections(problem, point)]
        for vehicles in _alike(problem, point):
            ways = _Ways(problem, vehicles[0], point.worth, certificate.remembers)
            claimed = point.least[vehicles[0].id]
            if not ways.cost_at_least(claimed):
                found.append(
                    f"point {number}: a route of {vehicles[0].id} may cost less than {claimed} beyond its stops"
                )
    derived = _added_up(problem, certificate.points)
    if certificate.bound > derived:
        found.append(f"the bound is stated as {certificate.bound}, the points say {derived}")
    return found


def _worth_objections(problem: Problem, point: ProvedPoint) -> Iterator[str]:
    """Nothing is worth less than nothing, and the stops of a request together no more than leaving it out costs."""
    requests = {request.id: request for request in problem.requests}
    together: dict[str, int] = {}
    for (name, _), worth in point.worth.items():
        together[name] = together.get(name, 0) + worth
        if worth < 0:
            yield f"a stop of {name} is worth {worth}"
    for name, worth in together.items():
        penalty = requests[name].penalty
        if penalty is not None and worth > penalty * PARTS:
            yield f"{name} is worth {worth}, leaving it out costs {penalty * PARTS}"


def _alike(problem: Problem, point: ProvedPoint) -> list[list[Vehicle]]:
    """Vehicles that differ in nothing but the name, and of which the same is claimed."""
    groups: dict[object, list[Vehicle]] = {}
    for vehicle in problem.vehicles:
        key = vehicle.id if vehicle.prefix else (
            vehicle.start, vehicle.end, vehicle.shift, vehicle.capacity, vehicle.skills, vehicle.speed_pct,
            vehicle.profile, vehicle.fixed_cost, point.least[vehicle.id],
        )  # fmt: skip
        groups.setdefault(key, []).append(vehicle)
    return list(groups.values())


def _added_up(problem: Problem, points: Sequence[ProvedPoint]) -> int:
    """The best of the points for each number of vehicles, and of these the lowest; then what is driven already."""
    by_number = [-NEVER] * (len(problem.vehicles) + 1)
    for point in points:
        cost = sum(point.worth.values())
        steps = sorted(point.least[vehicle.id] for vehicle in problem.vehicles)
        for number in range(len(by_number)):
            by_number[number] = max(by_number[number], cost)
            cost += steps[number] if number < len(steps) else 0
    driven = sum(_driven(problem, vehicle) for vehicle in problem.vehicles if vehicle.prefix)
    return math.ceil(min(by_number) / PARTS) + driven


def _driven(problem: Problem, vehicle: Vehicle) -> int:
    """What a vehicle on duty costs that goes home from where it is; what time costs is left out."""
    prefix = vehicle.prefix
    assert prefix is not None
    requests = {request.id: request for request in problem.requests}
    visits = tuple(Visit(d.request, d.side, d.arrival_s, d.start_s, d.departure_s, NOTHING) for d in prefix.done)
    cost = route_cost(problem, requests, vehicle, Route(vehicle.id, 0, visits, 0, NOTHING))
    return cost.travel + cost.lateness + cost.moved + cost.vehicles


class _Ways:
    """What one vehicle may drive from where it is, each leg with its reduced cost."""

    def __init__(
        self, problem: Problem, vehicle: Vehicle, worth: Mapping[Side, int], remembers: Mapping[Side, tuple[Side, ...]]
    ) -> None:
        requests = {request.id: request for request in problem.requests}
        held = carriers(problem.vehicles)
        self.sides = [side for side in worth if self._may(vehicle, requests[side[0]], held)]
        self.stops = [requests[name].stops[side] for name, side in self.sides]
        prefix = vehicle.prefix
        self.leaves, begin = vehicle.shift.opens_s, vehicle.start
        if prefix:
            self.leaves = max(prefix.started_s, prefix.free_from_s)
            if prefix.done:
                last = prefix.done[-1]
                begin = requests[last.request].stops[last.side].location
                self.leaves = max(last.departure_s, prefix.free_from_s)
        self.closes = vehicle.shift.closes_s
        places = [stop.location for stop in self.stops]
        seconds, cost = _legs(problem, vehicle, [*places, begin], [*places, vehicle.end])
        service = np.array([*(stop.service_s for stop in self.stops), 0], dtype=np.int64)
        self.ways = np.where(seconds < NEVER, seconds + service[:, None], NEVER)
        prices = np.array([*(worth[side] for side in self.sides), 0], dtype=np.int64)
        duty = problem.objective.duty_per_s * np.where(seconds < NEVER, self.ways, 0)
        self.cost = (cost + duty) * PARTS - prices[None, :]
        self.cost[-1] += -int(self.cost[-1, -1]) if prefix else vehicle.fixed_cost * PARTS
        np.fill_diagonal(self.ways[:-1, :-1], NEVER)
        number = {side: at for at, side in enumerate(self.sides)}
        self.near = [
            sum(1 << number[other] for other in {side, *remembers.get(side, ())} if other in number)
            for side in self.sides
        ]
        self.last_close = np.array([_last_close(stop) for stop in self.stops], dtype=np.int64)
        self.rooms = [] if prefix else _rooms(vehicle, [requests[name] for name, _ in self.sides])

    @staticmethod
    def _may(vehicle: Vehicle, request: Request, held: Mapping[str, str]) -> bool:
        """Whether the vehicle may come to a stop of the request at all."""
        depot, holder = request.depot, held.get(request.id)
        if not request.skills <= vehicle.skills or holder not in (None, vehicle.id):
            return False
        if request.from_depot and (holder is None) != (vehicle.prefix is None):
            return False
        at_start = depot is None or not request.from_depot or vehicle.start == depot
        at_end = depot is None or not request.to_depot or vehicle.end == depot
        fits = all(load.fits(vehicle.capacity) for stop in request.stops for load in (stop.delivers, stop.collects))
        return at_start and at_end and fits

    def cost_at_least(self, claimed: int) -> bool:
        """Whether no route costs less than is claimed; loads are heeded only where that fails without."""
        if not self.sides:
            return True
        self._sweep()
        return not self._finds_below(claimed, []) or (bool(self.rooms) and not self._finds_below(claimed, self.rooms))

    def _sweep(self) -> None:
        """By stop and moment what the rest of a way costs at least, when it does not come back at once to the stop
        before; backwards in time, a grid of moments, each taken for its earliest."""
        n = len(self.sides)
        legs = self.ways[:n, :n]
        shortest = int(legs[legs < NEVER].min(initial=self.closes - self.leaves + 1))
        self.grid = max(1, min(shortest, (self.closes - self.leaves) // 2048 + 1))
        count = max(0, self.closes - self.leaves) // self.grid + 1
        self.rest = np.full((count + 1, n), NEVER, dtype=np.int64)
        self.other = self.rest.copy()
        self.follows = np.full((count + 1, n), -1, dtype=np.int64)
        opens = np.array([stop.windows[0].opens_s if stop.windows else NEVER for stop in self.stops], dtype=np.int64)
        rows = np.arange(n)
        for moment in range(count - 1, -1, -1):
            at = np.maximum(self.leaves + moment * self.grid, opens)
            alive = at <= np.minimum(self.last_close, self.closes)
            reach = np.maximum(at[:, None] + np.minimum(legs, NEVER >> 1), opens[None, :])
            fine = alive[:, None] & (legs < NEVER) & (reach <= np.minimum(self.last_close, self.closes)[None, :])
            cell = np.where(fine, (reach - self.leaves) // self.grid, count)
            onward = self.rest[cell, rows[None, :]]
            back = self.follows[cell, rows[None, :]] == rows[:, None]
            onward = np.where(back, self.other[cell, rows[None, :]], onward)
            onward = np.where(fine & (onward < NEVER >> 1), onward + self.cost[:n, :n], NEVER)
            home = alive & (at + np.minimum(self.ways[:n, n], NEVER >> 1) <= self.closes)
            options = np.column_stack([onward, np.where(home, self.cost[:n, n], NEVER)])
            best = np.argmin(options, axis=1)
            self.rest[moment] = options[rows, best]
            self.follows[moment] = np.where(best < n, best, -1)
            options[rows, best] = NEVER
            self.other[moment] = options.min(axis=1)

    def _finds_below(self, claimed: int, rooms: list[tuple[NDArray[np.int64], int]]) -> bool:
        """Whether a way from begin to end costs less than is claimed: labels, earliest first."""
        waiting: list[tuple[int, int, int, tuple[int, ...], int]] = []
        kept: list[list[tuple[int, int, tuple[int, ...], int]]] = [[] for _ in self.sides]
        self._go_on(-1, self.leaves, 0, (0,) * len(rooms), 0, claimed, rooms, waiting)
        seen = 0
        while waiting:
            at, cost, stop, loads, memory = heapq.heappop(waiting)
            if _is_dominated(kept[stop], cost, loads, memory):
                continue
            seen += 1
            if seen > MOST_LABELS or (at + self.ways[stop, -1] <= self.closes and cost + self.cost[stop, -1] < claimed):
                return True
            kept[stop].append((cost, at, loads, memory))
            self._go_on(stop, at, cost, loads, memory, claimed, rooms, waiting)
        return False

    def _go_on(
        self,
        stop: int,
        at: int,
        cost: int,
        loads: tuple[int, ...],
        memory: int,
        claimed: int,
        rooms: list[tuple[NDArray[np.int64], int]],
        waiting: list[tuple[int, int, int, tuple[int, ...], int]],
    ) -> None:
        n = len(self.sides)
        reach = at + np.minimum(self.ways[stop, :n], NEVER >> 1)
        total = cost + self.cost[stop, :n]
        for after in np.flatnonzero(reach <= np.minimum(self.last_close, self.closes)).tolist():
            if memory >> after & 1:
                continue
            starts = _opens_at(self.stops[after], int(reach[after]))
            if starts > self.closes:
                continue
            cell = (starts - self.leaves) // self.grid
            table = self.other if stop >= 0 and self.follows[cell, after] == stop else self.rest
            if total[after] + table[cell, after] >= claimed:
                continue
            heavier = tuple(load + int(amount[after]) for load, (amount, _) in zip(loads, rooms, strict=True))
            if any(load > room for load, (_, room) in zip(heavier, rooms, strict=True)):
                continue
            remembered = (memory & self.near[after]) | 1 << after
            heapq.heappush(waiting, (starts, int(total[after]), after, heavier, remembered))


def _is_dominated(
    kept: list[tuple[int, int, tuple[int, ...], int]], cost: int, loads: tuple[int, ...], memory: int
) -> bool:
    """Whether a label that came earlier is as cheap and as light and remembers nothing that this one forgot."""
    return any(
        c <= cost and m & ~memory == 0 and all(mine <= other for mine, other in zip(held, loads, strict=True))
        for c, _, held, m in kept
    )


def _legs(
    problem: Problem, vehicle: Vehicle, origins: list[int], destinations: list[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Seconds and cost of each leg; NEVER seconds where there is no way."""
    profile, weights = problem.profile_of(vehicle), problem.objective
    table = np.ix_(origins, destinations)
    raw = profile.seconds[table].astype(np.int64)
    seconds = -(-raw * 100 // vehicle.speed_pct)
    cost = weights.travel_per_s * seconds + weights.travel_per_m * profile.metres[table].astype(np.int64)
    blocked = raw == UNREACHABLE
    return np.where(blocked, NEVER, seconds), np.where(blocked, 0, cost)


def _last_close(stop: Stop) -> int:
    return stop.windows[-1].closes_s + stop.grace_s if stop.windows else -NEVER


def _opens_at(stop: Stop, at: int) -> int:
    """The earliest service at or after an instant."""
    for window in stop.windows[:-1]:
        if at <= window.closes_s:
            return max(at, window.opens_s)
    return max(at, stop.windows[-1].opens_s) if at <= _last_close(stop) else NEVER


def _rooms(vehicle: Vehicle, requests: Sequence[Request]) -> list[tuple[NDArray[np.int64], int]]:
    """What goes out and what comes in with single stops, by piece and gram, and the room for it."""
    alone = [request.kind is not RequestKind.PAIRED for request in requests]
    rooms = []
    for room, amounts in (
        (vehicle.capacity.pieces, [(r.stops[0].delivers.pieces, r.stops[0].collects.pieces) for r in requests]),
        (vehicle.capacity.grams, [(r.stops[0].delivers.grams, r.stops[0].collects.grams) for r in requests]),
    ):
        for side in (0, 1):
            amount = np.array([each[side] if one else 0 for each, one in zip(amounts, alone, strict=True)], np.int64)
            if amount.sum() > room:
                rooms.append((amount, room))
    return rooms
