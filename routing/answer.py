"""From lines of stops to a Plan: times from the core, loads, costs by term, and a true reason for what is left."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

import numpy as np

from routing.plan import Costs, Plan, Route, Unserved, Visit, total
from routing.problem import Load, Problem, Profile, Vehicle
from routing.reasons import Reasons
from routing.sisr.route import ARRIVES, LEAVES_AT, REST_BEGINS, RESTS, SERVES
from routing.sisr.search import Lines, Search


_side = attrgetter("request", "side")
_moments = attrgetter("arrival_s", "start_s", "departure_s")
_frame = attrgetter("start_s", "end_s", "break_s")


class RoomLeft(Exception):
    """Requests left out although a vehicle has room for them, by the vehicle's id."""

    def __init__(self, rooms: dict[str, str]) -> None:
        super().__init__(f"room was left for {rooms}")
        self.rooms = rooms


class Answers:
    """Makes plans of one problem from what a search found."""

    def __init__(self, problem: Problem, search: Search, fingerprint: str, before: Plan | None = None) -> None:
        self.problem, self.search, self.fingerprint = problem, search, fingerprint
        self.requests = {request.id: request for request in problem.requests}
        self.before = {route.vehicle: route for route in before.routes} if before else {}
        """Routes of the plan in force: one whose visits, times and loads are all as they were is not made again."""

    def plan(self, lines: Lines, *, engine: str, seed: int) -> Plan:
        """The plan that drives these lines. What is in none of them is unserved, with its reason."""
        routes = []
        for r, (vehicle, line) in enumerate(zip(self.problem.vehicles, lines, strict=True)):
            if line or vehicle.prefix:
                routes.append(self._route(vehicle, r, line))
        served = {(visit.request, visit.side) for route in routes for visit in route.visits}
        unserved = self._unserved(
            routes, [r.id for r in self.problem.requests if (r.id, len(r.stops) - 1) not in served]
        )
        missing = [self.requests[each.request].penalty for each in unserved]
        left = Costs(
            unserved=sum(penalty for penalty in missing if penalty is not None),
            unserved_musts=sum(penalty is None for penalty in missing),
        )
        cost = total([*(route.cost for route in routes), left])
        return Plan(self.fingerprint, tuple(routes), unserved, cost, engine=engine, seed=seed)

    def fullest(self, lines: Lines, *, engine: str, seed: int) -> Plan:
        """As ``plan``, after putting in what the search left out although a vehicle has room."""
        for _ in self.problem.requests:
            try:
                return self.plan(lines, engine=engine, seed=seed)
            except RoomLeft as left:
                lines = self._put_in(lines, left)
        return self.plan(lines, engine=engine, seed=seed)

    def _put_in(self, lines: Lines, left: RoomLeft) -> Lines:
        """The first of the requests with room, at the first place where the vehicle's route still stands."""
        model = self.search.model
        for name, vehicle in left.rooms.items():
            r = model.vehicles.index(vehicle)
            nodes = [node for node, side in enumerate(model.sides) if side[0] == name]
            for placed in _placings(lines[r], nodes):
                if self.search.stands(r, placed):
                    return [placed if at == r else line for at, line in enumerate(lines)]
        raise left

    def _unserved(self, routes: list[Route], names: list[str]) -> tuple[Unserved, ...]:
        if not names:
            return ()
        orders = {route.vehicle: [(visit.request, visit.side) for visit in route.visits] for route in routes}
        reasons = Reasons(self.problem, orders)
        found = [reasons.of(name) for name in names]
        if any(isinstance(each, str) for each in found):
            raise RoomLeft({name: each for name, each in zip(names, found, strict=True) if isinstance(each, str)})
        return tuple(each for each in found if isinstance(each, Unserved))

    def _route(self, vehicle: Vehicle, r: int, line: list[int]) -> Route:
        times = self.search.clock(r, line)
        prefix = vehicle.prefix
        done = prefix.done if prefix else ()
        sides = [(each.request, each.side) for each in done] + [self.search.model.sides[node] for node in line]
        moments = [(each.arrival_s, each.start_s, each.departure_s) for each in done]
        moments += map(tuple, times[1 : len(line) + 1, [ARRIVES, SERVES, LEAVES_AT]].tolist())
        rests = times[1:, REST_BEGINS][times[1:, RESTS] != 0].tolist()
        leaves_s = prefix.started_s if prefix else int(times[0, LEAVES_AT])
        frame = leaves_s, int(times[len(line) + 1, LEAVES_AT]), rests[0] if rests else None
        same = self.before.get(vehicle.id)
        if same is not None and _frame(same) == frame and [*map(_side, same.visits)] == sides:
            if [*map(_moments, same.visits)] == moments:
                return same
        start_load = self._start_load(vehicle, sides)
        on_board = [start_load.pieces, start_load.grams]
        visits = []
        for (name, side), (arrival_s, start_s, departure_s) in zip(sides, moments, strict=True):
            stop = self.requests[name].stops[side]
            on_board[0] += stop.collects.pieces - stop.delivers.pieces
            on_board[1] += stop.collects.grams - stop.delivers.grams
            visits.append(Visit(name, side, arrival_s, start_s, departure_s, Load(*on_board)))
        route = Route(vehicle.id, leaves_s, tuple(visits), frame[1], start_load, frame[2])
        return replace(route, cost=self._cost(vehicle, route))

    def _start_load(self, vehicle: Vehicle, sides: list[tuple[str, int]]) -> Load:
        loaded = {name for name, _ in sides if self.requests[name].from_depot}
        loaded |= vehicle.prefix.on_board if vehicle.prefix else set()
        loads = [self.requests[name].stops[0].delivers for name in loaded]
        return Load(sum(load.pieces for load in loads), sum(load.grams for load in loads))

    def _cost(self, vehicle: Vehicle, route: Route) -> Costs:
        objective, profile = self.problem.objective, self.problem.profile_of(vehicle)
        waiting_s = lateness = moved = 0
        rest_s = vehicle.rest.duration_s if vehicle.rest else 0
        stops = [self.requests[visit.request].stops[visit.side] for visit in route.visits]
        places = [vehicle.start, *(stop.location for stop in stops), vehicle.end]
        for visit, stop in zip(route.visits, stops, strict=True):
            rested = route.break_s is not None and visit.arrival_s <= route.break_s < visit.start_s
            waiting_s += visit.start_s - visit.arrival_s - (rest_s if rested else 0)
            if stop.windows:
                lateness += stop.late_per_s * max(0, visit.start_s - stop.windows[-1].closes_s)
            if stop.announced:
                told = stop.announced.window
                off_s = max(0, told.opens_s - visit.start_s, visit.start_s - told.closes_s)
                moved += stop.announced.cost_per_min * math.ceil(off_s / 60)
        return Costs(
            travel=self._driven(vehicle, profile, places),
            duty=objective.duty_per_s * route.duty_s,
            waiting=objective.waiting_per_s * waiting_s,
            lateness=lateness,
            moved=moved,
            evenness=objective.evenness_per_s * max(0, route.duty_s - objective.fair_duty_s),
            vehicles=vehicle.fixed_cost,
        )

    def _driven(self, vehicle: Vehicle, profile: Profile, places: list[int]) -> int:
        """What the way over these places costs."""
        objective = self.problem.objective
        seconds = profile.seconds[places[:-1], places[1:]].astype(np.int64)
        metres = profile.metres[places[:-1], places[1:]].astype(np.int64)
        travel_s = -(-seconds * 100 // vehicle.speed_pct)
        return int(objective.travel_per_s * travel_s.sum() + objective.travel_per_m * metres.sum())


def _placings(line: list[int], nodes: list[int]) -> Iterator[list[int]]:
    """The line with the nodes put in, in their order, at every pair of places."""
    for at in range(len(line) + 1):
        if len(nodes) == 1:
            yield [*line[:at], *nodes, *line[at:]]
            continue
        for second in range(at, len(line) + 1):
            yield [*line[:at], nodes[0], *line[at:second], nodes[1], *line[second:]]
