"""The independent check: every rule and every cost of a plan derived again from the problem, without the solver."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from routing.model.plan import Costs, Plan, Route, Unserved, Visit
from routing.model.problem import UNREACHABLE, Load, Problem, Request, RequestKind, Stop, Vehicle
from routing.model.reasons import Reasons


class Rule(enum.Enum):
    """What a plan must keep; the name of what it broke."""

    FINGERPRINT = "the plan answers this problem"
    ROUTES = "one route for each vehicle in use or on duty, in the problem's order"
    KNOWN = "a visit names a request and a side of the problem"
    ONCE = "each request is served wholly and once, or unserved"
    PAIR = "pickup before delivery, by one vehicle"
    PREFIX = "what is done stays as it was"
    SKILL = "the vehicle has what the stop requires"
    DEPOT = "the vehicle starts or ends at the request's depot"
    LOADED = "a vehicle under way delivers only what it has on board"
    REACHABLE = "a leg can be driven"
    TRAVEL = "an arrival is the departure before it plus the travel"
    WINDOW = "service starts after the arrival and inside a window or its grace"
    SERVICE = "departure is start plus service"
    SHIFT = "a route lies inside the shift"
    DUTY = "a route is no longer than the longest duty"
    BREAK = "the break is taken when it is due, inside its window and between two services"
    LOAD = "the stated load is what is on board"
    CAPACITY = "what is on board fits"
    COST = "each term costs what it says"
    REASON = "an unserved request's reason is true"


_LEFT_WITH = (RequestKind.DELIVERY, RequestKind.EXCHANGE)
_COMES_HOME = (RequestKind.PICKUP, RequestKind.EXCHANGE)


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a plan breaks, where, and the facts."""

    rule: Rule
    where: str
    facts: str

    def __str__(self) -> str:
        return f"{self.where}: {self.facts} (rule: {self.rule.value})"


def violations(problem: Problem, plan: Plan) -> list[Violation]:
    """Everything that is wrong with the plan; empty when it keeps every rule and every figure in it is right."""
    found = list(_structure(problem, plan))
    if found:
        return found  # what follows reads visits by name and may rely on their being there
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    requests = {request.id: request for request in problem.requests}
    holders = _holders(problem)
    for route in plan.routes:
        found += _Drive(problem, requests, vehicles[route.vehicle], route, holders).violations()
    if found:
        return found  # a cost or a reason of a plan that cannot be driven says nothing
    found += _costs(problem, plan)
    found += _reasons(problem, plan)
    return found


def costs(problem: Problem, plan: Plan) -> Costs:
    """The cost of a plan by term, derived from its times alone."""
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    requests = {request.id: request for request in problem.requests}
    driven = [route_cost(problem, requests, vehicles[route.vehicle], route) for route in plan.routes]
    return _with_unserved(requests, plan, driven)


def _with_unserved(requests: dict[str, Request], plan: Plan, driven: list[Costs]) -> Costs:
    missing = [requests[unserved.request].penalty for unserved in plan.unserved]
    left = Costs(
        unserved=sum(penalty for penalty in missing if penalty is not None),
        unserved_musts=sum(1 for penalty in missing if penalty is None),
    )
    return sum(driven, left)


def route_cost(problem: Problem, requests: dict[str, Request], vehicle: Vehicle, route: Route) -> Costs:
    """The cost of one route by term, derived from its times alone."""
    weights = problem.objective
    profile = problem.profile_of(vehicle)
    stops = [requests[visit.request].stops[visit.side] for visit in route.visits]
    places = [vehicle.start, *(stop.location for stop in stops), vehicle.end]
    origins, destinations = places[:-1], places[1:]
    driving_s = sum(map(vehicle.travel_s, profile.seconds[origins, destinations].tolist()))
    driving_m = sum(profile.metres[origins, destinations].tolist())
    waiting_s = lateness = moved = 0
    rest, break_s = vehicle.rest, route.break_s
    for visit, stop in zip(route.visits, stops, strict=True):
        start_s = visit.start_s
        waiting_s += start_s - visit.arrival_s
        if rest and break_s is not None and visit.arrival_s <= break_s < start_s:
            waiting_s -= rest.duration_s
        if stop.late_per_s and stop.windows:
            lateness += stop.late_per_s * max(0, start_s - stop.windows[-1].closes_s)
        if stop.announced:
            told = stop.announced.window
            if not told.opens_s <= start_s <= told.closes_s:
                away_s = max(told.opens_s - start_s, start_s - told.closes_s)
                moved += stop.announced.cost_per_min * ((away_s + 59) // 60)
    duty_s = route.end_s - route.start_s
    return Costs(
        travel=weights.travel_per_s * driving_s + weights.travel_per_m * driving_m,
        duty=weights.duty_per_s * duty_s,
        waiting=weights.waiting_per_s * waiting_s,
        lateness=lateness,
        moved=moved,
        evenness=weights.evenness_per_s * max(0, duty_s - weights.fair_duty_s),
        vehicles=vehicle.fixed_cost,
    )


def _structure(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """Names, counts and order: what the other rules take for granted."""
    if plan.fingerprint != problem.fingerprint():
        yield Violation(
            Rule.FINGERPRINT, "plan", f"it answers {plan.fingerprint[:12]}, not {problem.fingerprint()[:12]}"
        )
    rank = {vehicle.id: at for at, vehicle in enumerate(problem.vehicles)}
    ranks = [rank.get(route.vehicle, -1) for route in plan.routes]
    for route, at in zip(plan.routes, ranks, strict=True):
        if at < 0:
            yield Violation(Rule.ROUTES, f"route {route.vehicle}", "there is no such vehicle")
        elif not route.visits and problem.vehicles[at].prefix is None:
            yield Violation(Rule.ROUTES, f"route {route.vehicle}", "it visits nothing and its vehicle is not on duty")
    if any(later <= earlier for earlier, later in itertools.pairwise(ranks)):
        yield Violation(Rule.ROUTES, "plan", "its routes are not one a vehicle in the problem's order")
    routed = {route.vehicle for route in plan.routes}
    for vehicle in problem.vehicles:
        if vehicle.prefix is not None and vehicle.id not in routed:
            yield Violation(Rule.ROUTES, f"vehicle {vehicle.id}", "it is on duty and has no route")
    yield from _service(problem, plan)


def _service(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """Each request is served wholly and once, or is unserved."""
    sides_of = {request.id: len(request.stops) for request in problem.requests}
    done = {(d.request, d.side) for v in problem.vehicles if v.prefix for d in v.prefix.done}
    seen: dict[tuple[str, int], tuple[str, int]] = {}
    for route in plan.routes:
        for at, visit in enumerate(route.visits):
            key = visit.request, visit.side
            if not 0 <= visit.side < sides_of.get(visit.request, 0):
                where = f"route {route.vehicle}, visit {at}"
                yield Violation(Rule.KNOWN, where, f"there is no side {visit.side} of {visit.request!r}")
            elif key in seen:
                where = f"route {route.vehicle}, visit {at}"
                yield Violation(Rule.ONCE, where, f"{visit.request} side {visit.side} was visited before")
            seen[key] = (route.vehicle, at)
    unserved = [each.request for each in plan.unserved]
    left = frozenset(unserved)
    rank = {request.id: at for at, request in enumerate(problem.requests)}
    ranks = [rank.get(name, -1) for name in unserved]
    if -1 in ranks or any(later <= earlier for earlier, later in itertools.pairwise(ranks)):
        yield Violation(Rule.ONCE, "plan", "unserved requests are not each once, known, in the problem's order")
    for request in problem.requests:
        if len(request.stops) == 1 and (request.id, 0) in seen and request.id not in left:
            continue  # served, and there is no more to it
        sides = [side for side in range(len(request.stops)) if (request.id, side) in seen]
        if request.id in left:
            if any((request.id, side) not in done for side in sides) or len(sides) == len(request.stops):
                yield Violation(Rule.ONCE, f"request {request.id}", "it is unserved and visited")
        elif len(sides) < len(request.stops):
            yield Violation(Rule.ONCE, f"request {request.id}", "it is neither served nor unserved")
        elif request.kind is RequestKind.PAIRED:
            (by, first), (by_too, second) = seen[request.id, 0], seen[request.id, 1]
            if by != by_too or second < first:
                facts = f"picked up by {by} at {first}, delivered by {by_too} at {second}"
                yield Violation(Rule.PAIR, f"request {request.id}", facts)


def _holders(problem: Problem) -> dict[str, str]:
    """Which vehicle on duty has, or had, what it delivers from the depot."""
    holders: dict[str, str] = {}
    for vehicle in problem.vehicles:
        if vehicle.prefix:
            holders |= dict.fromkeys((*vehicle.prefix.on_board, *(d.request for d in vehicle.prefix.done)), vehicle.id)
    return holders


class _Drive:
    """One route driven again."""

    def __init__(
        self, problem: Problem, requests: dict[str, Request], vehicle: Vehicle, route: Route, holders: dict[str, str]
    ) -> None:
        self.problem, self.requests, self.vehicle, self.route, self.holders = problem, requests, vehicle, route, holders
        self.seconds = problem.profile_of(vehicle).seconds
        self.asked = [requests[visit.request] for visit in route.visits]
        self.stops = [request.stops[visit.side] for request, visit in zip(self.asked, route.visits, strict=True)]
        self.done = vehicle.prefix.done if vehicle.prefix else ()
        self.only_prefix = vehicle.prefix is not None and len(route.visits) == len(self.done)
        self.found: list[Violation] = []

    def violations(self) -> list[Violation]:
        self._prefix()
        if not self.found:
            self._abilities()
            self._times()
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
            request, skills = self.asked[at], self.stops[at].skills
            if not skills <= vehicle.skills:
                self._broke(Rule.SKILL, f"{visit.request} requires {sorted(skills - vehicle.skills)}", at)
            if request.depot is not None:
                if request.kind in _LEFT_WITH and vehicle.start != request.depot:
                    self._broke(Rule.DEPOT, f"it starts at {vehicle.start}, {visit.request} at {request.depot}", at)
                if request.kind in _COMES_HOME and vehicle.end != request.depot:
                    self._broke(Rule.DEPOT, f"it ends at {vehicle.end}, {visit.request} at {request.depot}", at)
            if request.kind in _LEFT_WITH:
                holder = self.holders.get(request.id)
                if holder != (vehicle.id if vehicle.prefix else None):
                    self._broke(Rule.LOADED, f"{visit.request} is on board {holder or 'no vehicle under way'}", at)

    def _leg_s(self, origin: int, destination: int, at: int | None) -> int | None:
        seconds = int(self.seconds[origin, destination])
        if seconds == UNREACHABLE:
            self._broke(Rule.REACHABLE, f"there is no way from {origin} to {destination}", at)
            return None
        return self.vehicle.travel_s(seconds)

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
        travel_s = self._leg_s(origin, vehicle.end, None)
        if travel_s is not None:
            ends_s = self._arrives(leaves_s, travel_s)
            if vehicle.rest and route.break_s is not None and route.break_s >= leaves_s + travel_s:
                ends_s = route.break_s + vehicle.rest.duration_s
            if route.end_s != ends_s:
                self._broke(Rule.TRAVEL, f"it ends at {route.end_s}, not {ends_s}")
        if vehicle.prefix is None and route.start_s < vehicle.shift.opens_s:
            self._broke(Rule.SHIFT, f"it starts at {route.start_s}, the shift at {vehicle.shift.opens_s}")
        if self.only_prefix:
            return
        if route.end_s > vehicle.shift.closes_s:
            self._broke(Rule.SHIFT, f"it ends at {route.end_s}, the shift at {vehicle.shift.closes_s}")
        if vehicle.max_duty_s is not None and route.end_s - route.start_s > vehicle.max_duty_s:
            self._broke(Rule.DUTY, f"its duty is {route.end_s - route.start_s} s, longest {vehicle.max_duty_s} s")

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
        loaded = {request.id for request in self.asked if request.kind in _LEFT_WITH}
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
        if stated.pieces != pieces or stated.grams != grams:
            self._broke(Rule.LOAD, f"{stated} is stated, {pieces} pieces and {grams} grams are on board", at)
        vehicle, capacity = self.vehicle, self.vehicle.capacity
        if pieces <= capacity.pieces and grams <= capacity.grams:
            return
        frozen = self.only_prefix or (vehicle.prefix is not None and (at is None or at < len(self.done)))
        if not frozen:
            self._broke(Rule.CAPACITY, f"{pieces} pieces and {grams} grams are on board, {capacity} fits", at)


def _costs(problem: Problem, plan: Plan) -> Iterator[Violation]:
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    requests = {request.id: request for request in problem.requests}
    driven = [route_cost(problem, requests, vehicles[route.vehicle], route) for route in plan.routes]
    for route, derived in zip(plan.routes, driven, strict=True):
        yield from _differences(f"route {route.vehicle}", route.cost, derived)
    yield from _differences("plan", plan.cost, _with_unserved(requests, plan, driven))


def _differences(where: str, stated: Costs, derived: Costs) -> Iterator[Violation]:
    for term in fields(Costs):
        said, is_ = getattr(stated, term.name), getattr(derived, term.name)
        if said != is_:
            yield Violation(Rule.COST, where, f"{term.name} is stated as {said}, it is {is_}")


def left_out(problem: Problem, plan: Plan) -> dict[str, Unserved | str]:
    """For each unserved request its one true reason, or the id of a vehicle that has room for it after all."""
    if not plan.unserved:
        return {}
    orders: dict[str, Sequence[tuple[str, int]]] = {
        route.vehicle: [(visit.request, visit.side) for visit in route.visits] for route in plan.routes
    }
    reasons = Reasons(problem, orders)
    return {unserved.request: reasons.of(unserved.request) for unserved in plan.unserved}


def _reasons(problem: Problem, plan: Plan) -> Iterator[Violation]:
    truths = left_out(problem, plan)
    for unserved in plan.unserved:
        truth = truths[unserved.request]
        where = f"request {unserved.request}"
        if isinstance(truth, Unserved):
            if truth.reason is not unserved.reason:
                facts = f"{unserved.reason.value!r} is stated, it is {truth.reason.value!r} for {truth.candidates}"
                yield Violation(Rule.REASON, where, facts)
            elif truth.candidates != unserved.candidates:
                facts = f"{unserved.reason.value!r} is stated for {unserved.candidates}, it is for {truth.candidates}"
                yield Violation(Rule.REASON, where, facts)
        else:
            yield Violation(Rule.REASON, where, f"{unserved.reason.value!r} is stated, but {truth} has room for it")
