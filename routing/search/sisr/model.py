"""A routing problem as the flat arrays of the core, and the way back from node numbers to requests."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.model.problem import Primary, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import Load
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle
from routing.search.sisr.layout import *
from routing.search.sisr.neighbours import beside_stops, near_stops, putting_back

NEIGHBOURS = 250
BESIDE = 30
"""Stops beside which an insertion is tried, before and after each."""
BESIDE_PAIRED = 20
"""The same where there are pairs."""
PLACES_WORTH_CHOOSING = 150
"""Up to so many stops every place in every route is looked at, and remembered."""


@dataclass(frozen=True, slots=True)
class Model:
    """What the search reads and never writes. Node ``s`` is the stop ``sides[s]``, a request's id and side."""

    sides: tuple[tuple[str, int], ...]
    requests: tuple[str, ...]
    vehicles: tuple[str, ...]
    N: Ints
    Q: Ints
    V: Ints
    WIN: Ints
    C: Cells
    T: Cells
    CT: Cells
    TT: Cells
    M: Cells
    MAY: Flags
    NEAR: Cells
    BEFORE: Cells
    AFTER: Cells
    RANK: Cells
    S: Ints
    hot: float
    """A temperature at which a step costs a few times the way to a neighbour."""

    @property
    def stops(self) -> int:
        return len(self.sides)


def model_of(problem: Problem, *, neighbours: int = NEIGHBOURS) -> Model:
    """The part of the problem that is still to be planned, as arrays. A search needs neighbours, an insertion none."""
    return _Builder(problem).model(neighbours)


class _Builder:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.requests = {request.id: request for request in problem.requests}
        self.done: dict[tuple[str, int], str] = {}
        self.holder: dict[str, str] = {}
        for vehicle in problem.vehicles:
            if vehicle.prefix:
                self.done |= {(each.request, each.side): vehicle.id for each in vehicle.prefix.done}
                self.holder |= {each.request: vehicle.id for each in vehicle.prefix.done}
                self.holder |= dict.fromkeys(vehicle.prefix.on_board, vehicle.id)
        self.open: list[Request] = []
        self.sides: list[tuple[str, int]] = []
        self.places: list[int] = []
        for request in problem.requests:
            before = len(self.sides)
            for side, stop in enumerate(request.stops):
                if (request.id, side) not in self.done:
                    self.sides.append((request.id, side))
                    self.places.append(stop.location)
            if len(self.sides) > before:
                self.open.append(request)
        self.depots: dict[int, int] = {}
        self.longest_m: dict[str, int] = {}
        """By profile the metres that no route exceeds."""
        self.ends_s = max((vehicle.shift.closes_s for vehicle in problem.vehicles), default=0)
        """When the last shift ends: nothing is served later."""

    def _depot(self, location: int) -> int:
        """The node of a place where vehicles start or end."""
        if location not in self.depots:
            self.depots[location] = len(self.places)
            self.places.append(location)
        return self.depots[location]

    def model(self, neighbours: int) -> Model:
        problem = self.problem
        classes = sorted({(v.profile, v.speed_pct) for v in problem.vehicles}) or [(problem.profiles[0].name, 100)]
        V = np.zeros((len(problem.vehicles), VEHICLE_WIDTH), dtype=np.int64)
        kinds: dict[Hashable, int] = {}
        for row, vehicle in zip(V, problem.vehicles, strict=True):
            self._vehicle(row, vehicle, kinds)
            row[CLASS] = classes.index((vehicle.profile, vehicle.speed_pct))
        N, Q, WIN = self._nodes()
        C, T, scale = self._matrices(classes)
        _end_where_they_are(C, T, V)
        V[:, FIXED] = np.minimum(V[:, FIXED] // scale, FEWER_FIRST // 2)
        if problem.objective.primary is Primary.VEHICLES:
            V[:, FIXED] += FEWER_FIRST
        self._one_load(N, V)
        S = self._settings(N, V, scale)
        M = self._metres(classes) if S[FAR] else T
        same = C is T
        symmetric = all(np.array_equal(c, c.T) for c in C) and (same or all(np.array_equal(t, t.T) for t in T))
        CT = C if symmetric else np.ascontiguousarray(C.transpose(0, 2, 1))
        TT = T if symmetric else CT if same else np.ascontiguousarray(T.transpose(0, 2, 1))
        near, hot = near_stops(C[0], CT[0], len(self.sides), neighbours)
        beside = BESIDE_PAIRED if S[PAIRS] else BESIDE
        before, after = beside_stops(N, C[0], T[0], CT[0], TT[0], len(self.sides), beside if neighbours else 0)
        S[NEARBY] = bool(
            not S[RICH]
            and not V[:, RUNNING].any()
            and len(classes) == len(kinds) == 1
            and len(self.sides) > PLACES_WORTH_CHOOSING
            and neighbours > 0
        )
        return Model(
            tuple(self.sides), tuple(each.id for each in self.open), tuple(v.id for v in problem.vehicles),
            N, Q, V, WIN, C, T, CT, TT, M, self._may(), near, before, after, putting_back(N, Q, C[0], V), S, hot,
        )  # fmt: skip

    def _vehicle(self, row: Ints, vehicle: Vehicle, kinds: dict[Hashable, int]) -> None:
        prefix, rest = vehicle.prefix, vehicle.rest
        origin, leaves, began = vehicle.start, vehicle.shift.opens_s, -1
        aboard = Load()
        if prefix:
            leaves, began = max(prefix.started_s, prefix.free_from_s), prefix.started_s
            if prefix.done:
                last = prefix.done[-1]
                origin = self.requests[last.request].stops[last.side].location
                leaves = max(last.departure_s, prefix.free_from_s)
            loads = [self.requests[name].stops[0].delivers for name in prefix.on_board]
            loads += [self._collected(each.request, each.side) for each in prefix.done]
            aboard = Load(sum(load.pieces for load in loads), sum(load.grams for load in loads))
        row[START], row[END] = self._depot(origin), self._depot(vehicle.end)
        row[LEAVES], row[HOME] = leaves, vehicle.shift.closes_s
        row[CAPACITY], row[CAPACITY_2] = vehicle.capacity.pieces, vehicle.capacity.grams
        row[FIXED] = vehicle.fixed_cost
        row[ABOARD], row[ABOARD_2] = aboard.pieces, aboard.grams
        row[RUNNING], row[ON_DUTY] = prefix is not None, began
        # A limit that no route can reach is none, and costs the search nothing.
        begins = leaves if prefix is None else began
        longest_s = INF if vehicle.max_duty_s is None else vehicle.max_duty_s
        row[DUTY] = longest_s if longest_s < vehicle.shift.closes_s - begins else INF
        row[MOST] = INF if vehicle.max_stops is None else vehicle.max_stops - (len(prefix.done) if prefix else 0)
        row[FARTHEST] = INF if vehicle.max_distance_m is None else self._distance_left(vehicle, vehicle.max_distance_m)
        row[REST] = -1
        if rest and begins <= rest.window.closes_s < vehicle.shift.closes_s:
            row[REST_OPENS], row[REST_CLOSES], row[REST] = rest.window.opens_s, rest.window.closes_s, rest.duration_s
        key: Hashable = vehicle.id
        if prefix is None:
            key = (
                vehicle.start, vehicle.end, vehicle.shift, vehicle.capacity, vehicle.skills, rest,
                vehicle.fixed_cost, vehicle.max_duty_s, vehicle.max_stops, vehicle.max_distance_m, vehicle.speed_pct,
                vehicle.profile,
            )  # fmt: skip
        row[KIND] = kinds.setdefault(key, len(kinds))

    def _distance_left(self, vehicle: Vehicle, longest_m: int) -> int:
        """The metres that a vehicle may still drive; INF where no route can be so long."""
        if vehicle.profile not in self.longest_m:
            # Each leg leaves another place, at most over its longest way.
            metres = _known(self.problem.profile_of(vehicle))
            at = [*self.places[: len(self.sides)], *{each.start for each in self.problem.vehicles}]
            self.longest_m[vehicle.profile] = int(metres.max(axis=1)[at].sum())
        if self.longest_m[vehicle.profile] <= longest_m and not vehicle.prefix:
            return INF
        metres = _known(self.problem.profile_of(vehicle))
        done = vehicle.prefix.done if vehicle.prefix else ()
        driven = [vehicle.start, *(self.requests[each.request].stops[each.side].location for each in done)]
        return longest_m - int(metres[driven[:-1], driven[1:]].sum())

    def _metres(self, classes: list[tuple[str, int]]) -> Cells:
        """The metres between nodes for each class of vehicle; none where there is no way."""
        profiles = {profile.name: profile for profile in self.problem.profiles}
        index = np.array(self.places, dtype=np.intp)
        metres = [_known(profiles[name]).take(index, axis=0).take(index, axis=1) for name, _ in classes]
        return np.ascontiguousarray(np.stack(metres), dtype=np.int32)  # another layout would be compiled anew

    def _collected(self, name: str, side: int) -> Load:
        """What a done visit leaves on board: a delivery is in nothing any more, a pair until its second stop."""
        request = self.requests[name]
        if request.kind is RequestKind.PAIRED:
            stop = request.stops[0]
            return stop.collects if (name, 1) not in self.done and side == 0 else Load()
        return request.stops[0].collects

    def _nodes(self) -> tuple[Ints, Ints, Ints]:
        blank = [0] * NODE_WIDTH
        blank[MATE], blank[REQUEST], blank[CLOSES], blank[WINDOWS] = -1, -1, INF, 1
        nodes = [blank[:] for _ in self.places]  # lists: a cell of an array takes several times as long to write
        firsts, seconds = [-1] * len(self.open), [-1] * len(self.open)
        numbers = {request.id: q for q, request in enumerate(self.open)}
        windows: list[tuple[int, int]] = []
        for node, (name, side) in enumerate(self.sides):
            request, q = self.requests[name], numbers[name]
            self._node(nodes[node], request, request.stops[side], side, windows)
            nodes[node][REQUEST] = q
            if firsts[q] < 0:
                firsts[q] = node
            else:
                seconds[q] = node
                nodes[node][MATE], nodes[firsts[q]][MATE] = firsts[q], node
        Q = np.full((len(self.open), REQUEST_WIDTH), -1, dtype=np.int64)
        Q[:, FIRST], Q[:, SECOND] = firsts, seconds
        Q[:, PENALTY] = _penalties(self.open)
        Q[:, ABSENCES] = 1
        N = np.array(nodes, dtype=np.int64).reshape(len(nodes), NODE_WIDTH)
        # A stop without windows points behind the last one: there is a row for it to be read.
        return N, Q, np.array([*windows, (0, 0)], dtype=np.int64)

    def _node(self, row: list[int], request: Request, stop: Stop, side: int, windows: list[tuple[int, int]]) -> None:
        first = row[WINDOW] = len(windows)
        windows += [(window.opens_s, window.closes_s) for window in stop.windows]
        if stop.windows:
            last = stop.windows[-1]
            windows[-1] = last.opens_s, last.closes_s + stop.grace_s
            row[OPENS], row[CLOSES], row[WINDOWS] = windows[first][0], windows[-1][1], len(windows) - first
        else:
            row[OPENS], row[CLOSES] = INF, -INF
        row[SERVICE], row[SIDE] = stop.service_s, side
        delivers, collects = stop.delivers, stop.collects
        row[CHANGE], row[CHANGE_2] = collects.pieces - delivers.pieces, collects.grams - delivers.grams
        if request.from_depot and request.id not in self.holder:
            row[FROM_DEPOT], row[FROM_DEPOT_2] = delivers.pieces, delivers.grams
            row[RELEASE] = request.release_s
        if not stop.windows:
            return
        if stop.late_per_s and stop.grace_s and stop.windows[-1].closes_s < self.ends_s:
            row[LATE_FROM], row[LATE_COST] = stop.windows[-1].closes_s, stop.late_per_s
        told = stop.announced
        if (
            told
            and told.cost_per_min
            and not (
                told.window.opens_s <= stop.windows[0].opens_s
                and min(self.ends_s, stop.windows[-1].closes_s + stop.grace_s) <= told.window.closes_s
            )
        ):
            row[TOLD_OPENS], row[TOLD_CLOSES] = told.window.opens_s, told.window.closes_s
            row[TOLD_COST] = told.cost_per_min

    def _matrices(self, classes: list[tuple[str, int]]) -> tuple[Cells, Cells, int]:
        """Cost and time between nodes for each class of vehicle, and how many units of cost make one of the core."""
        objective = self.problem.objective
        profiles = {profile.name: profile for profile in self.problem.profiles}
        index = np.array(self.places, dtype=np.intp)
        times, costs = [], []
        dearest, plain = 0, True
        if len(classes) == 1 and classes[0][1] == 100 and (objective.travel_per_s, objective.travel_per_m) == (1, 0):
            cells = profiles[classes[0][0]].seconds.take(index, axis=0).take(index, axis=1)
            if np.max(cells, where=cells != UNREACHABLE, initial=0) < DEAREST_ARC:
                T = cells[None]
                return T, T, 1  # costs are the seconds as they are, and both say NO_WAY alike
        for name, speed_pct in classes:
            seconds = profiles[name].seconds.take(index, axis=0).take(index, axis=1).astype(np.int64)
            metres = profiles[name].metres.take(index, axis=0).take(index, axis=1).astype(np.int64)
            blocked = seconds == UNREACHABLE
            seconds = -(-seconds * 100 // speed_pct)
            blocked |= seconds >= NO_WAY
            cost = objective.travel_per_s * seconds + objective.travel_per_m * metres
            seconds[blocked] = NO_WAY
            cost[blocked] = 0
            dearest = max(dearest, int(cost.max(initial=0)))
            cost[blocked] = -1
            times.append(seconds.astype(np.int32))
            costs.append(cost)
            plain &= objective.travel_per_s == 1 and objective.travel_per_m == 0
        scale = 1 + dearest // DEAREST_ARC
        T = np.stack(times)
        if plain and scale == 1:
            return T, T, 1
        return np.stack([np.where(c < 0, NO_WAY, c // scale).astype(np.int32) for c in costs]), T, scale

    @staticmethod
    def _one_load(N: Ints, V: Ints) -> None:
        """A load that may bind alone moves to the first dimension, which plain routes look at."""
        if not _may_bind(N, V, FROM_DEPOT, CHANGE, ABOARD, CAPACITY):
            N[:, [FROM_DEPOT, FROM_DEPOT_2]] = N[:, [FROM_DEPOT_2, FROM_DEPOT]]
            N[:, [CHANGE, CHANGE_2]] = N[:, [CHANGE_2, CHANGE]]
            V[:, [CAPACITY, CAPACITY_2]] = V[:, [CAPACITY_2, CAPACITY]]
            V[:, [ABOARD, ABOARD_2]] = V[:, [ABOARD_2, ABOARD]]

    def _settings(self, N: Ints, V: Ints, scale: int) -> Ints:
        objective = self.problem.objective
        S = np.zeros(STATE_WIDTH, dtype=np.int64)
        S[DUTY_PRICE], S[WAITING_PRICE] = objective.duty_per_s, objective.waiting_per_s
        S[EVEN_PRICE], S[FAIR_DUTY] = objective.evenness_per_s, objective.fair_duty_s
        begun = np.where(V[:, ON_DUTY] >= 0, V[:, ON_DUTY], V[:, LEAVES])
        if objective.fair_duty_s >= (V[:, HOME] - begun).max(initial=0):
            S[EVEN_PRICE] = 0
        duty_costs = S[[DUTY_PRICE, WAITING_PRICE, EVEN_PRICE]].any() or (V[:, DUTY] < INF).any()
        starts_cost = N[:, [LATE_COST, TOLD_COST]].any()
        S[TIMES_COST] = bool(duty_costs or starts_cost)
        if not duty_costs:
            S[TIMES_BY] = STARTS
        elif not starts_cost and (N[:, WINDOWS] == 1).all():
            S[TIMES_BY] = DUTIES
        heavy = _may_bind(N, V, FROM_DEPOT_2, CHANGE_2, ABOARD_2, CAPACITY_2)
        S[FAR] = bool((V[:, FARTHEST] < INF).any())
        S[RELEASES] = bool((N[:, RELEASE] > V[V[:, RUNNING] == 0, LEAVES].min(initial=INF)).any())
        S[RICH] = bool(
            S[TIMES_COST] or S[FAR] or S[RELEASES] or heavy or (N[:, WINDOWS] > 1).any() or (V[:, REST] >= 0).any()
        )
        S[SCALE] = scale
        S[STRING], S[REMOVED_X10], S[BLINK_GAP] = 10, 100, 100
        S[LIMIT] = len(V)
        S[PAIRS] = bool((N[:, MATE] >= 0).any())
        return S

    def _may(self) -> Flags:
        """Which vehicle may serve which request at all. Requests that ask the same of a vehicle are looked at once."""
        vehicles = self.problem.vehicles
        which: list[int] = []
        least = [min((each.capacity.pieces for each in vehicles), default=0)]
        least += [min((each.capacity.grams for each in vehicles), default=0)]
        columns: list[list[bool]] = []
        known: dict[Hashable, int] = {}
        for request in self.open:
            out, back = request.from_depot, request.to_depot
            holder = self.holder.get(request.id)
            pieces = grams = 0
            for side, stop in enumerate(request.stops):
                if (request.id, side) not in self.done:
                    for load in (stop.delivers, stop.collects):
                        if load.pieces > pieces:
                            pieces = load.pieces
                        if load.grams > grams:
                            grams = load.grams
            if pieces <= least[0] and grams <= least[1]:
                pieces = grams = 0  # which fits everywhere
            key = request.skills, holder, out, back, request.depot, pieces, grams
            if key not in known:
                known[key] = len(columns)
                skills = request.skills
                columns.append(
                    [
                        skills <= vehicle.skills
                        and (request.depot is None or not out or vehicle.start == request.depot)
                        and (request.depot is None or not back or vehicle.end == request.depot)
                        and (holder in (None, vehicle.id))
                        and (not out or (holder is not None) == (vehicle.prefix is not None))
                        and pieces <= vehicle.capacity.pieces
                        and grams <= vehicle.capacity.grams
                        for vehicle in vehicles
                    ]
                )
            which.append(known[key])
        may = np.array(columns, dtype=np.uint8).reshape(len(columns), len(vehicles))
        return np.ascontiguousarray(may[np.array(which, dtype=np.intp)].T)


def _known(profile: Profile) -> NDArray[np.int64]:
    """The metres of a profile, none where there is no way."""
    return np.where(profile.seconds == UNREACHABLE, 0, profile.metres).astype(np.int64)


def _may_bind(N: Ints, V: Ints, from_depot: int, change: int, aboard: int, capacity: int) -> bool:
    """Whether some vehicle could be overloaded: with all that goes out, all that comes in, and what it has."""
    most = N[:, from_depot].sum() + np.maximum(N[:, change], 0).sum() + V[:, aboard].max(initial=0)
    return bool(most > V[:, capacity].min(initial=INF))


def _end_where_they_are(C: Cells, T: Cells, V: Ints) -> None:
    """A vehicle on duty with no way home ends where it is, unless it visits more: only an empty route has this leg."""
    for row in V[V[:, RUNNING] == 1]:
        leg = row[CLASS], row[START], row[END]
        if T[leg] == NO_WAY:
            C[leg] = T[leg] = 0


def _penalties(requests: list[Request]) -> list[int]:
    """Penalties in a range in which thousands can be added up, a must above all others together."""
    given = [request.penalty or 0 for request in requests]
    divisor = 1 + sum(given) // 10**12
    optional = [max(1, each // divisor) for each in given]
    must = 1 + sum(optional)
    return [must if request.penalty is None else each for request, each in zip(requests, optional, strict=True)]
