"""The check of one route: driven again, stop by stop, in time and load."""

from __future__ import annotations

from itertools import pairwise

from routing.model.plan import Route, Visit
from routing.model.problem import Problem
from routing.model.profile import UNREACHABLE
from routing.model.quantities import Load
from routing.model.request import Request, Stop
from routing.model.rules import Rule, Violation
from routing.model.vehicle import Vehicle


class DrivenRoute:
    """One route driven again."""

    def __init__(
        self, problem: Problem, requests: dict[str, Request], vehicle: Vehicle, route: Route, carried_by: dict[str, str]
    ) -> None:
        self.problem, self.requests, self.vehicle, self.route = problem, requests, vehicle, route
        self.carried_by = carried_by
        profile = problem.profile_of(vehicle)
        self.seconds, self.metres = profile.seconds, profile.metres
        self.requested = [requests[visit.request] for visit in route.visits]
        self.stops = [request.stops[visit.side] for request, visit in zip(self.requested, route.visits, strict=True)]
        self.done = vehicle.prefix.done if vehicle.prefix else ()
        self.only_prefix = vehicle.prefix is not None and len(route.visits) == len(self.done)
        self.found: list[Violation] = []

    def violations(self) -> list[Violation]:
        """Everything that is wrong with the route; times and loads are looked at only when its prefix is right."""
        self._prefix()
        if not self.found:
            self._abilities()
            self._times()
            self._length()
            self._rest()
            self._loads()
        return self.found

    def _broke(self, rule: Rule, facts: str, at: int | None = None) -> None:
        where = f"route {self.route.vehicle}"
        self.found.append(Violation(rule, where if at is None else f"{where}, visit {at}", facts))

    def _prefix(self) -> None:
        prefix = self.vehicle.prefix
        if prefix is None:
            return
        if self.route.start_s != prefix.started_s:
            self._broke(Rule.PREFIX, f"it starts at {self.route.start_s}, its duty began at {prefix.started_s}")
        if len(self.route.visits) < len(prefix.done):
            self._broke(Rule.PREFIX, f"{len(self.route.visits)} visits, {len(prefix.done)} are done")
        for at, (done, visit) in enumerate(zip(prefix.done, self.route.visits, strict=False)):
            planned = (visit.request, visit.side, visit.arrival_s, visit.start_s, visit.departure_s)
            if planned != (done.request, done.side, done.arrival_s, done.start_s, done.departure_s):
                self._broke(Rule.PREFIX, f"{planned} is not what was done: {done}", at)

    def _abilities(self) -> None:
        vehicle = self.vehicle
        for at, visit in enumerate(self.route.visits[len(self.done) :], len(self.done)):
            request, skills = self.requested[at], self.stops[at].skills
            if not skills <= vehicle.skills:
                self._broke(Rule.SKILL, f"{visit.request} requires {sorted(skills - vehicle.skills)}", at)
            if request.depot is not None:
                if request.from_depot and vehicle.start != request.depot:
                    self._broke(Rule.DEPOT, f"it starts at {vehicle.start}, {visit.request} at {request.depot}", at)
                if request.to_depot and vehicle.end != request.depot:
                    self._broke(Rule.DEPOT, f"it ends at {vehicle.end}, {visit.request} at {request.depot}", at)
            if request.from_depot:
                carrier = self.carried_by.get(request.id)
                if carrier != (vehicle.id if vehicle.prefix else None):
                    self._broke(Rule.LOADED, f"{visit.request} is on board {carrier or 'no vehicle under way'}", at)

    def _leg_s(self, origin: int, destination: int, at: int | None) -> int | None:
        seconds = int(self.seconds[origin, destination])
        if seconds == UNREACHABLE:
            self._broke(Rule.REACHABLE, f"there is no way from {origin} to {destination}", at)
            return None
        return self.vehicle.travel_s(seconds)

    def _home_s(self, origin: int) -> int | None:
        """The way home. Where nothing is added to a prefix and no way leads home, the route ends where it is."""
        if self.only_prefix and self.seconds[origin, self.vehicle.end] == UNREACHABLE:
            return 0
        return self._leg_s(origin, self.vehicle.end, None)

    def _leaves(self) -> tuple[int, int]:
        """When and from where the first leg that is not frozen begins."""
        if self.vehicle.prefix is None:
            return self.route.start_s, self.vehicle.start
        if not self.done:
            return max(self.route.start_s, self.vehicle.prefix.free_from_s), self.vehicle.start
        last = len(self.done) - 1
        return max(self.route.visits[last].departure_s, self.vehicle.prefix.free_from_s), self.stops[last].location

    def _arrives(self, leaves_s: int, travel_s: int) -> int:
        """The arrival after a leg, delayed by a break that begins on the way."""
        begins_s, rest = self.route.break_s, self.vehicle.rest
        if begins_s is None or rest is None or not leaves_s <= begins_s < leaves_s + travel_s:
            return leaves_s + travel_s
        return leaves_s + travel_s + rest.duration_s

    def _times(self) -> None:
        route, vehicle = self.route, self.vehicle
        leaves_s, origin = self._leaves()
        for at, visit in enumerate(route.visits[len(self.done) :], len(self.done)):
            stop = self.stops[at]
            travel_s = self._leg_s(origin, stop.location, at)
            if travel_s is not None:
                arrives_s = self._arrives(leaves_s, travel_s)
                if visit.arrival_s != arrives_s:
                    self._broke(Rule.TRAVEL, f"it arrives at {visit.arrival_s}, not {arrives_s}", at)
            self._service_time(visit, stop, at)
            leaves_s, origin = visit.departure_s, stop.location
        travel_s = self._home_s(origin)
        if travel_s is not None:
            ends_s = self._arrives(leaves_s, travel_s)
            if vehicle.rest and route.break_s is not None and route.break_s >= leaves_s + travel_s:
                ends_s = route.break_s + vehicle.rest.duration_s
            if route.end_s != ends_s:
                self._broke(Rule.TRAVEL, f"it ends at {route.end_s}, not {ends_s}")
        if vehicle.prefix is None:
            for at, request in enumerate(self.requested):
                if route.start_s < request.release_s:
                    facts = f"it starts at {route.start_s}, {request.id} is there at {request.release_s}"
                    self._broke(Rule.RELEASE, facts, at)
        if vehicle.prefix is None and route.start_s < vehicle.shift.opens_s:
            self._broke(Rule.SHIFT, f"it starts at {route.start_s}, the shift at {vehicle.shift.opens_s}")
        if self.only_prefix:
            return
        if route.end_s > vehicle.shift.closes_s:
            self._broke(Rule.SHIFT, f"it ends at {route.end_s}, the shift at {vehicle.shift.closes_s}")
        if vehicle.max_duty_s is not None and route.end_s - route.start_s > vehicle.max_duty_s:
            self._broke(Rule.DUTY, f"its duty is {route.end_s - route.start_s} s, longest {vehicle.max_duty_s} s")

    def _length(self) -> None:
        """Most stops and metres, of the whole route. Where nothing is added to a prefix they are history."""
        vehicle = self.vehicle
        if self.only_prefix:
            return
        if vehicle.max_stops is not None and len(self.stops) > vehicle.max_stops:
            self._broke(Rule.STOPS, f"it makes {len(self.stops)} stops, at most {vehicle.max_stops}")
        if vehicle.max_distance_m is not None:
            metres, places = 0, [vehicle.start, *(stop.location for stop in self.stops), vehicle.end]
            for leg in pairwise(places):
                metres += int(self.metres[leg]) if self.seconds[leg] != UNREACHABLE else 0
            if metres > vehicle.max_distance_m:
                self._broke(Rule.DISTANCE, f"it drives {metres} m, at most {vehicle.max_distance_m}")

    def _service_time(self, visit: Visit, stop: Stop, at: int) -> None:
        if visit.start_s < visit.arrival_s:
            self._broke(Rule.WINDOW, f"service starts at {visit.start_s}, before the arrival at {visit.arrival_s}", at)
        for window in stop.windows:
            if window.opens_s <= visit.start_s <= window.closes_s:
                break
        else:
            last = stop.windows[-1] if stop.windows else None
            if last is None or not last.opens_s <= visit.start_s <= last.closes_s + stop.grace_s:
                self._broke(Rule.WINDOW, f"service starts at {visit.start_s}, in none of {stop.windows}", at)
        if visit.departure_s != visit.start_s + stop.service_s:
            self._broke(Rule.SERVICE, f"it leaves at {visit.departure_s}, not {visit.start_s + stop.service_s}", at)

    def _rest(self) -> None:
        route, rest = self.route, self.vehicle.rest
        if rest is None:
            if route.break_s is not None:
                self._broke(Rule.BREAK, f"a break at {route.break_s}, its vehicle has none")
            return
        if route.break_s is None:
            if not self.only_prefix and route.start_s <= rest.window.closes_s < route.end_s:
                self._broke(Rule.BREAK, f"none between {route.start_s} and {route.end_s}, due in {rest.window}")
            return
        if not rest.window.opens_s <= route.break_s <= rest.window.closes_s:
            self._broke(Rule.BREAK, f"it begins at {route.break_s}, its window is {rest.window}")
        free_s, _ = self._leaves()
        for visit in route.visits[len(self.done) :]:
            if free_s <= route.break_s and route.break_s + rest.duration_s <= visit.start_s:
                return
            free_s = visit.departure_s
        if not (free_s <= route.break_s and route.break_s + rest.duration_s <= route.end_s):
            self._broke(Rule.BREAK, f"at {route.break_s} for {rest.duration_s} s it is not between two services")

    def _loads(self) -> None:
        route, vehicle = self.route, self.vehicle
        loaded = {request.id for request in self.requested if request.from_depot}
        loaded |= vehicle.prefix.on_board if vehicle.prefix else frozenset()
        pieces = grams = 0
        for name in loaded:
            delivers = self.requests[name].stops[0].delivers
            pieces += delivers.pieces
            grams += delivers.grams
        self._load(pieces, grams, route.start_load, None)
        for at, visit in enumerate(route.visits):
            stop = self.stops[at]
            pieces += stop.collects.pieces - stop.delivers.pieces
            grams += stop.collects.grams - stop.delivers.grams
            self._load(pieces, grams, visit.load, at)

    def _load(self, pieces: int, grams: int, stated: Load, at: int | None) -> None:
        # A pair that was ticked off in the wrong order left more than there was.
        if stated.pieces != max(0, pieces) or stated.grams != max(0, grams):
            self._broke(Rule.LOAD, f"{stated} is stated, {pieces} pieces and {grams} grams are on board", at)
        vehicle, capacity = self.vehicle, self.vehicle.capacity
        if pieces <= capacity.pieces and grams <= capacity.grams:
            return
        frozen = self.only_prefix or (vehicle.prefix is not None and (at is None or at < len(self.done)))
        if not frozen:
            self._broke(Rule.CAPACITY, f"{pieces} pieces and {grams} grams are on board, {capacity} fits", at)
