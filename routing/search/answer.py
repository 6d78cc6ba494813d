"""From lines of stops to a Plan: times from the core, loads, costs by term, and a true reason for what is left."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import attrgetter

import numpy as np

from routing.model.check import true_reasons
from routing.model.plan import Costs, Plan, Route, Side, Unserved, Visit, total
from routing.model.problem import Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import Load
from routing.model.vehicle import Vehicle
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Lines, Search
from routing.search.sisr.timing import ARRIVES, LEAVES_AT, REST_BEGINS, RESTS, SERVES
from routing.search.unserved import claims

log = logging.getLogger(__name__)


_side = attrgetter("request", "side")
_moments = attrgetter("arrival_s", "start_s", "departure_s")
_frame = attrgetter("start_s", "end_s", "break_s")


class PlanBuilder:
    """Makes routes and plans of one problem from what a search found."""

    def __init__(self, problem: Problem, search: Search, before: Plan | None = None) -> None:
        self.problem, self.search = problem, search
        self.requests = {request.id: request for request in problem.requests}
        self.before = {route.vehicle: route for route in before.routes} if before else {}
        """Routes of the plan in force: one whose visits, times and loads are all as they were is not made again."""

    def plan(self, lines: Lines, *, engine: str, seed: int) -> Plan:
        """The fullest plan that drives these lines. What is in none of its routes is unserved, with its reason."""
        return fullest(self.problem, self.routes(lines), engine=engine, seed=seed)

    def routes(self, lines: Lines) -> list[Route]:
        """A route for each vehicle in use or on duty."""
        vehicles = enumerate(zip(self.problem.vehicles, lines, strict=True))
        return [self._route(vehicle, r, line) for r, (vehicle, line) in vehicles if line or vehicle.prefix]

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
        start_load = self._start_load(vehicle, sides)
        same = self.before.get(vehicle.id)
        if same is not None and _frame(same) == frame and same.start_load == start_load:
            was = [*map(_side, same.visits)], [*map(_moments, same.visits)]
            if was == (sides, moments):
                return same
        on_board = [start_load.pieces, start_load.grams]
        visits = []
        for (name, side), (arrival_s, start_s, departure_s) in zip(sides, moments, strict=True):
            stop = self.requests[name].stops[side]
            on_board[0] += stop.collects.pieces - stop.delivers.pieces
            on_board[1] += stop.collects.grams - stop.delivers.grams
            visits.append(
                Visit(name, side, arrival_s, start_s, departure_s, Load(*(max(0, held) for held in on_board)))
            )
        route = Route(vehicle.id, leaves_s, tuple(visits), frame[1], start_load, frame[2])
        return replace(route, cost=self._cost(vehicle, route))

    def _start_load(self, vehicle: Vehicle, sides: list[Side]) -> Load:
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
                announced = stop.announced.window
                off_s = max(0, announced.opens_s - visit.start_s, visit.start_s - announced.closes_s)
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
        driven = seconds != UNREACHABLE  # a prefix may have gone where there is no way, or end there
        seconds, metres = seconds[driven], metres[driven]
        travel_s = -(-seconds * 100 // vehicle.speed_pct)
        return int(objective.travel_per_s * travel_s.sum() + objective.travel_per_m * metres.sum())


def assembled(problem: Problem, routes: Iterable[Route], *, engine: str, seed: int) -> Plan:
    """The plan of these routes."""
    driven = {route.vehicle: route for route in routes}
    kept = tuple(driven[vehicle.id] for vehicle in problem.vehicles if vehicle.id in driven)
    served = {(visit.request, visit.side) for route in kept for visit in route.visits}
    missing = [each for each in problem.requests if (each.id, len(each.stops) - 1) not in served]
    left = Costs(
        unserved=sum(each.penalty for each in missing if each.penalty is not None),
        unserved_musts=sum(each.penalty is None for each in missing),
    )
    cost = total([*(route.cost for route in kept), left])
    made = {route.vehicle: len(route.visits) for route in kept}
    unserved = claims(problem, [each.id for each in missing], made)
    return Plan(problem.fingerprint(), kept, unserved, cost, engine=engine, seed=seed)


def fullest(problem: Problem, routes: Iterable[Route], *, engine: str, seed: int) -> Plan:
    """The plan of these routes, with whatever the check finds room for put in.

    Where the check finds another reason than the search, its finding is what is stated, and the log says so.
    """
    plan = assembled(problem, routes, engine=engine, seed=seed)
    for _ in plan.unserved:
        truths = true_reasons(problem, plan)
        rooms = {name: truth for name, truth in truths.items() if isinstance(truth, str)}
        if not rooms:
            stated = tuple(each for each in truths.values() if isinstance(each, Unserved))
            for claim, truth in zip(plan.unserved, stated, strict=True):
                if claim != truth:
                    log.warning("request %s: the search says %s, the check %s", claim.request, claim, truth)
            return replace(plan, unserved=stated)
        fuller = next((route for name, by in rooms.items() if (route := _with(problem, plan, name, by))), None)
        if fuller is None:
            log.warning("the check finds room for %s, the search does not", rooms)
            return plan
        others = [route for route in plan.routes if route.vehicle != fuller.vehicle]
        plan = assembled(problem, [*others, fuller], engine=engine, seed=seed)
    return plan


def _with(problem: Problem, plan: Plan, name: str, by: str) -> Route | None:
    """A vehicle's route with one request more, at the first place where it still stands; None where it does not.

    The search waits for windows that were announced. Where that wait breaks the shift or the longest duty, and nothing
    else does, the route is driven without it: what moves costs, but nobody is left out.
    """
    v = next(at for at, vehicle in enumerate(problem.vehicles) if vehicle.id == by)
    prefix = problem.vehicles[v].prefix
    visits = next((route.visits for route in plan.routes if route.vehicle == by), ())
    needed = {name, *(visit.request for visit in visits), *(prefix.on_board if prefix else ())}
    part = problem.part([q for q, request in enumerate(problem.requests) if request.id in needed], [v])
    for posed in (part, _unannounced(part)):
        search = Search(model_of(posed, neighbours=0), 0)
        line = search.lines_of({by: [(visit.request, visit.side) for visit in visits]})[0]
        frozen = len(prefix.done) if prefix else 0
        if len(line) < len(visits) - frozen:
            continue  # the route stands only without the waits: another would be left out instead
        nodes = [node for node, side in enumerate(search.model.sides) if side[0] == name]
        for placed in _placings(line, nodes):
            if search.stands(0, placed):
                route = PlanBuilder(posed, search).routes([placed])[0]
                return replace(route, cost=PlanBuilder(part, search)._cost(part.vehicles[0], route))
    return None


def _unannounced(problem: Problem) -> Problem:
    """The problem with nothing announced."""
    requests = tuple(
        replace(request, stops=tuple(replace(stop, announced=None) for stop in request.stops))
        for request in problem.requests
    )
    return replace(problem, requests=requests)


def _placings(line: list[int], nodes: list[int]) -> Iterator[list[int]]:
    """The line with the nodes put in, in their order, at every pair of places."""
    for at in range(len(line) + 1):
        if len(nodes) == 1:
            yield [*line[:at], *nodes, *line[at:]]
            continue
        for second in range(at, len(line) + 1):
            yield [*line[:at], nodes[0], *line[at:second], nodes[1], *line[second:]]
