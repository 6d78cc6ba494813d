"""The rest of one route: whether a vehicle could still take a request after its prefix, in time and load."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from routing.model.plan import Side
from routing.model.problem import Problem
from routing.model.profile import UNREACHABLE
from routing.model.request import Request, Stop
from routing.model.vehicle import Vehicle

Moments = tuple[int | None, int | None]
"""Two instants, None where there is none: one with the break still to come, one with it over (or never due)."""


def _opening(stop: Stop, ready_s: int) -> int | None:
    """The earliest start of service from ``ready_s`` on."""
    for at, window in enumerate(stop.windows):
        grace_s = stop.grace_s if at == len(stop.windows) - 1 else 0
        if ready_s <= window.closes_s + grace_s:
            return max(ready_s, window.opens_s)
    return None


def _closing(stop: Stop, latest_s: int | None) -> int | None:
    """The latest start of service up to ``latest_s``."""
    if latest_s is None:
        return None
    for at in range(len(stop.windows) - 1, -1, -1):
        window = stop.windows[at]
        if window.opens_s <= latest_s:
            return min(latest_s, window.closes_s + (stop.grace_s if at == len(stop.windows) - 1 else 0))
    return None


def _latest(*instants: int | None) -> int | None:
    return max((each for each in instants if each is not None), default=None)


def _earliest(*instants: int | None) -> int | None:
    return min((each for each in instants if each is not None), default=None)


class RouteTail:
    """What a vehicle does after its prefix, and whether it could do more."""

    def __init__(self, problem: Problem, requests: dict[str, Request], vehicle: Vehicle, order: Sequence[Side]) -> None:
        self.vehicle, self.requests = vehicle, requests
        profile = problem.profile_of(vehicle)
        self.seconds, self.metres = profile.seconds, profile.metres
        self.prefix = vehicle.prefix
        frozen = len(self.prefix.done) if self.prefix else 0
        self.frozen = frozen
        self.order = list(order[frozen:])
        self.stops = [requests[name].stops[side] for name, side in self.order]
        self.origin = vehicle.start
        if self.prefix and self.prefix.done:
            last = self.prefix.done[-1]
            self.origin = requests[last.request].stops[last.side].location
        self.limits = self._limits(self.stops, vehicle.shift.closes_s)

    def reaches(self, request: Request) -> bool:
        """Whether there is a way over what the request still needs, and home."""
        places = [self.origin, *(stop.location for stop in self._owed(request)), self.vehicle.end]
        return all(self._travel_s(*leg) is not None for leg in itertools.pairwise(places))

    def near_enough(self, request: Request) -> bool:
        """Whether the way over what the request still needs, and home, keeps the longest distance."""
        return self._short_way(self._owed(request))

    def has_stops_left(self, request: Request) -> bool:
        """Whether the route may make the stops of the request too."""
        most = self.vehicle.max_stops
        return most is None or self.frozen + len(self.stops) + len(self._owed(request)) <= most

    def _short_way(self, stops: Sequence[Stop]) -> bool:
        """Whether the route keeps the longest distance when it makes these stops after its prefix."""
        longest_m = self.vehicle.max_distance_m
        if longest_m is None:
            return True
        done = self.prefix.done if self.prefix else ()
        driven = [self.requests[each.request].stops[each.side] for each in done]
        places = [self.vehicle.start, *(stop.location for stop in (*driven, *stops)), self.vehicle.end]
        legs = itertools.pairwise(places)
        return sum(int(self.metres[leg]) for leg in legs if self.seconds[leg] != UNREACHABLE) <= longest_m

    def _owed(self, request: Request) -> tuple[Stop, ...]:
        """The stops of the request that are still to be made: the second alone when the prefix picked it up."""
        done = self.prefix.done if self.prefix else ()
        return request.stops[1:] if any(each.request == request.id for each in done) else request.stops

    def takes(self, request: Request, *, loads: bool, at_once: bool = False) -> bool:
        """Whether some place in the tail has room for the request; without ``loads`` by time alone.

        ``at_once`` means that whatever is delivered is at the depot from the first.
        """
        owed = self._owed(request)
        if loads and not self.has_stops_left(request):
            return False
        sides = range(len(request.stops) - len(owed), len(request.stops))
        names = {request.id, *(name for name, _ in self.order)}
        released_s = 0 if at_once else max(self.requests[name].release_s for name in names)
        for start_s, leave_s, due in self._starts(released_s):
            for places in self._timely(owed, leave_s, due):
                order, stops = list(self.order), list(self.stops)
                for place, side, stop in reversed(list(zip(places, sides, owed, strict=True))):
                    order.insert(place, (request.id, side))
                    stops.insert(place, stop)
                if loads and not (self._fits(order) and self._short_way(stops)):
                    continue
                if self.vehicle.max_duty_s is None or self._short_enough(stops, start_s, leave_s, due):
                    return True
        return False

    def _starts(self, released_s: int) -> Iterator[tuple[int, int, bool]]:
        """Earliest starts of duty, when the first leg then begins, and whether a break is due."""
        rest = self.vehicle.rest
        if self.prefix is not None:
            last_s = self.prefix.done[-1].departure_s if self.prefix.done else self.prefix.started_s
            due = rest is not None and self.prefix.started_s <= rest.window.closes_s
            yield self.prefix.started_s, max(last_s, self.prefix.free_from_s), due
            return
        opens_s = max(self.vehicle.shift.opens_s, released_s)
        if rest is None:
            yield opens_s, opens_s, False
            return
        if opens_s <= rest.window.closes_s:
            yield opens_s, opens_s, True
        after_s = max(opens_s, rest.window.closes_s + 1)
        yield after_s, after_s, False

    def _travel_s(self, origin: int, destination: int) -> int | None:
        seconds = int(self.seconds[origin, destination])
        return None if seconds == UNREACHABLE else -(-seconds * 100 // self.vehicle.speed_pct)

    def _drive(self, leaves: Moments, origin: int, destination: int) -> Moments:
        """The earliest moments at which service could begin after a leg."""
        travel_s = self._travel_s(origin, destination)
        if travel_s is None:
            return None, None
        due_s, over_s = leaves
        over = None if over_s is None else over_s + travel_s
        if due_s is None:
            return None, over
        rest = self.vehicle.rest
        assert rest is not None
        if due_s <= rest.window.closes_s:
            over = _earliest(over, max(due_s + travel_s, rest.window.opens_s) + rest.duration_s)
        return due_s + travel_s, over

    def _serve(self, ready: Moments, stop: Stop) -> Moments:
        """The earliest moments at which the stop can be left."""
        starts = [None if each is None else _opening(stop, each) for each in ready]
        due, over = (None if each is None else each + stop.service_s for each in starts)
        return due, over

    def _limits(self, stops: Sequence[Stop], end_s: int) -> list[Moments]:
        """For each stop and the end: the latest moments at which one may be ready there."""
        rest = self.vehicle.rest
        ahead: Moments = (None if rest is None else min(end_s, rest.window.closes_s), end_s)
        limits = [ahead]
        place = self.vehicle.end
        for stop in reversed(stops):
            ahead = self._before(stop, place, ahead)
            limits.append(ahead)
            place = stop.location
        return limits[::-1]

    def _before(self, stop: Stop, place: int, ahead: Moments) -> Moments:
        travel_s = self._travel_s(stop.location, place)
        if travel_s is None:
            return None, None
        due_s, over_s = ahead
        rest = self.vehicle.rest
        leave_due = None if due_s is None else due_s - travel_s
        if rest is not None and over_s is not None and rest.window.opens_s + rest.duration_s <= over_s:
            leave_due = _latest(leave_due, min(rest.window.closes_s, over_s - rest.duration_s - travel_s))
        leave_over = None if over_s is None else over_s - travel_s
        due = _closing(stop, None if leave_due is None else leave_due - stop.service_s)
        over = _closing(stop, None if leave_over is None else leave_over - stop.service_s)
        return due, over

    @staticmethod
    def _meets(ready: Moments, limit: Moments) -> bool:
        return any(a is not None and b is not None and a <= b for a, b in zip(ready, limit, strict=True))

    def _timely(self, owed: Sequence[Stop], leave_s: int, due: bool) -> Iterator[tuple[int, ...]]:
        """The places at which the owed stops keep every window, shift and break (longest duty apart)."""
        leaves: Moments = (leave_s, None) if due else (None, leave_s)
        origin = self.origin
        for place in range(len(self.stops) + 1):
            with_it = self._serve(self._drive(leaves, origin, owed[0].location), owed[0])
            if len(owed) == 1:
                if self._meets(self._drive(with_it, owed[0].location, self._place(place)), self.limits[place]):
                    yield (place,)
            else:
                for second in self._second(owed, with_it, place):
                    yield (place, second)
            if place < len(self.stops):
                leaves = self._serve(self._drive(leaves, origin, self._place(place)), self.stops[place])
                origin = self._place(place)

    def _second(self, owed: Sequence[Stop], leaves: Moments, first: int) -> Iterator[int]:
        origin = owed[0].location
        for place in range(first, len(self.stops) + 1):
            if leaves == (None, None):
                return
            with_it = self._serve(self._drive(leaves, origin, owed[1].location), owed[1])
            if self._meets(self._drive(with_it, owed[1].location, self._place(place)), self.limits[place]):
                yield place
            if place < len(self.stops):
                leaves = self._serve(self._drive(leaves, origin, self._place(place)), self.stops[place])
                origin = self._place(place)

    def _place(self, at: int) -> int:
        return self.stops[at].location if at < len(self.stops) else self.vehicle.end

    def _fits(self, order: Sequence[Side]) -> bool:
        """Whether what is on board after the prefix never exceeds the capacity."""
        done = [(each.request, each.side) for each in self.prefix.done] if self.prefix else []
        aboard = {name for name, _ in (*done, *order) if self.requests[name].from_depot}
        aboard |= self.prefix.on_board if self.prefix else frozenset()
        pieces = sum(self.requests[name].stops[0].delivers.pieces for name in aboard)
        grams = sum(self.requests[name].stops[0].delivers.grams for name in aboard)
        room = self.vehicle.capacity
        if self.prefix is None and (pieces > room.pieces or grams > room.grams):
            return False
        for at, (name, side) in enumerate((*done, *order)):
            stop = self.requests[name].stops[side]
            pieces += stop.collects.pieces - stop.delivers.pieces
            grams += stop.collects.grams - stop.delivers.grams
            if at >= len(done) and (pieces > room.pieces or grams > room.grams):
                return False
        return True

    def _short_enough(self, stops: Sequence[Stop], start_s: int, leave_s: int, due: bool) -> bool:
        """Whether some start of duty keeps the longest duty as well.

        The duty of a start falls while leaving later only shortens a wait. So the shortest is found where the first
        wait has just gone, or where a window is just met: at the edges of windows, shift and break, less the way there.
        """
        longest_s = self.vehicle.max_duty_s
        assert longest_s is not None
        starts = {start_s}
        if self.prefix is None:
            starts |= {each for each in self._edges(stops) if start_s <= each <= self.vehicle.shift.closes_s}
            if due and self.vehicle.rest is not None:
                starts = {each for each in starts if each <= self.vehicle.rest.window.closes_s}
        for start in starts:
            begins_s = leave_s if self.prefix else start
            end_s = min(self.vehicle.shift.closes_s, start + longest_s)
            ready = self._drive((begins_s, None) if due else (None, begins_s), self.origin, stops[0].location)
            if self._meets(ready, self._limits(stops, end_s)[0]):
                return True
        return False

    def _edges(self, stops: Sequence[Stop]) -> Iterator[int]:
        rest = self.vehicle.rest
        pauses_s = (0, rest.duration_s) if rest else (0,)
        edges_s = (rest.window.opens_s, rest.window.closes_s) if rest else ()
        way_s, origin = 0, self.origin
        yield from edges_s
        for stop in stops:
            yield from (edge - way_s for edge in edges_s)
            way_s += self._travel_s(origin, stop.location) or 0
            closes = [window.closes_s for window in stop.windows]
            for edge in (*(window.opens_s for window in stop.windows), *closes, *(c + stop.grace_s for c in closes)):
                yield from (edge - way_s - pause_s for pause_s in pauses_s)
            yield from (edge - way_s for edge in edges_s)
            way_s += stop.service_s
            origin = stop.location
        way_s += self._travel_s(origin, self.vehicle.end) or 0
        for edge in (*edges_s, self.vehicle.shift.closes_s):
            yield from (edge - way_s - pause_s for pause_s in pauses_s)
