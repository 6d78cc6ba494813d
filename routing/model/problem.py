"""The routing question: places, requests, vehicles and what is dear, frozen and checked at the door.

Everything is whole seconds, metres, pieces and grams. Instants are seconds from the start of the run's day. A value
that exists is a valid value: a wrong one raises ``InvalidProblem``, which names the field and the value.

How a route runs in time (the solver plans by it, ``check`` re-derives it):

* A vehicle without a prefix leaves its start at ``Route.start_s``, which the solver chooses within the shift. It drives
  without idling on the way; it waits where it arrives. ``departure = start + service``.
* The travel of a leg is the profile's seconds, times 100 / ``speed_pct``, rounded up.
* A break beginning at ``b`` lies inside one leg, between leaving a place and starting service at the next. Begun before
  the arrival it delays the arrival by its length; begun at or after the arrival it is part of the stay there. So the
  earliest start of service after a leg begun at ``t`` that holds the break is ``max(t + travel, opens_s) +
  duration_s``, and it needs ``max(t, opens_s) <= closes_s``.
* A route with a break window needs the break when ``start_s <= closes_s < end_s``: who is home by then, or begins
  later, has none.
* A vehicle with a prefix keeps the done visits and their times as they are, however late they were; the next leg begins
  at ``max(last departure, free_from_s)``. When nothing is added to a prefix, going home is never against shift, duty or
  break.
* Deliveries and the delivering half of an exchange are on board from the start; collections stay on board to the end.
  At an exchange the delivery leaves before the collection comes in. What a prefix has loaded and the plan does not
  deliver stays on board.
"""

from __future__ import annotations

import enum
import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from operator import attrgetter

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNREACHABLE = 2**31 - 1
"""The matrix entry of a way that cannot be driven. Every way that can be driven is shorter."""

MAX_INSTANT_S = 10**11
MAX_WEIGHT = 10**6
MAX_AMOUNT = 10**12
_WHOLES = [int, int, int]

Cells = NDArray[np.int32]


class InvalidProblem(ValueError):
    """A value that no routing problem can have; the message names the field and the value."""


def _whole(name: str, value: object, lowest: int, highest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidProblem(f"{name} is {value!r}: it must be a whole number")
    if not lowest <= value <= highest:
        raise InvalidProblem(f"{name} is {value}: it must lie between {lowest} and {highest}")


def _name(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise InvalidProblem(f"{name} is {value!r}: it must be a text that is not empty")


class RequestKind(enum.Enum):
    """What a request asks for."""

    DELIVERY = "delivery"
    """From the depot to a stop (投递)."""
    PICKUP = "pickup"
    """From a stop to the depot (揽收)."""
    EXCHANGE = "exchange"
    """Deliver and collect at one stop."""
    PAIRED = "paired"
    """From one stop to another, by the same vehicle, in that order."""


_FROM_DEPOT = (RequestKind.DELIVERY, RequestKind.EXCHANGE)
_TO_DEPOT = (RequestKind.PICKUP, RequestKind.EXCHANGE)


class Primary(enum.Enum):
    """What comes first once as much as possible is served."""

    VEHICLES = "vehicles"
    """Fewer routes first, then the cost of the terms."""
    DISTANCE = "distance"
    """The cost of the terms alone."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A closed interval, in seconds from the start of the run's day."""

    opens_s: int
    closes_s: int

    def __post_init__(self) -> None:
        _whole("window.opens_s", self.opens_s, 0, MAX_INSTANT_S)
        _whole("window.closes_s", self.closes_s, 0, MAX_INSTANT_S)
        if self.closes_s < self.opens_s:
            raise InvalidProblem(f"window.closes_s is {self.closes_s}, before window.opens_s {self.opens_s}")


@dataclass(frozen=True, slots=True)
class Load:
    """An amount in the two dimensions that fill a vehicle."""

    pieces: int = 0
    grams: int = 0

    def __post_init__(self) -> None:
        _whole("load.pieces", self.pieces, 0, MAX_AMOUNT)
        _whole("load.grams", self.grams, 0, MAX_AMOUNT)

    def __add__(self, other: Load) -> Load:
        return Load(self.pieces + other.pieces, self.grams + other.grams)

    def __sub__(self, other: Load) -> Load:
        return Load(self.pieces - other.pieces, self.grams - other.grams)

    def fits(self, capacity: Load) -> bool:
        return self.pieces <= capacity.pieces and self.grams <= capacity.grams


NOTHING = Load()


@dataclass(frozen=True, slots=True)
class Announced:
    """A window that the customer was told; a start outside it costs ``cost_per_min`` for each minute begun."""

    window: Window
    cost_per_min: int = 1

    def __post_init__(self) -> None:
        _whole("announced.cost_per_min", self.cost_per_min, 0, MAX_WEIGHT)


@dataclass(frozen=True, slots=True)
class Stop:
    """One side of a request: where, when, for how long, and what changes hands.

    Service starts inside one of ``windows`` (sorted, apart from each other), or up to ``grace_s`` after the last one
    closes, which costs ``late_per_s`` a second. No window at all means that it can never be served.
    """

    location: int
    windows: tuple[Window, ...]
    service_s: int = 0
    delivers: Load = NOTHING
    collects: Load = NOTHING
    skills: frozenset[str] = frozenset()
    announced: Announced | None = None
    grace_s: int = 0
    late_per_s: int = 0

    def __post_init__(self) -> None:
        _whole("stop.location", self.location, 0, MAX_INSTANT_S)
        _whole("stop.service_s", self.service_s, 0, MAX_INSTANT_S)
        _whole("stop.grace_s", self.grace_s, 0, MAX_INSTANT_S)
        _whole("stop.late_per_s", self.late_per_s, 0, MAX_WEIGHT)
        for earlier, later in pairwise(self.windows):
            if later.opens_s <= earlier.closes_s:
                raise InvalidProblem(
                    f"stop.windows are not sorted and apart: one opens at {later.opens_s}, "
                    f"the one before closes at {earlier.closes_s}"
                )


@dataclass(frozen=True, slots=True)
class Request:
    """Something to bring from one place to another, wholly or not at all.

    ``penalty`` is what it costs to leave it unserved; None means that it must be served. ``depot``, where given, is the
    location at which a vehicle has to start (for what it delivers) or end (for what it collects).
    """

    id: str
    kind: RequestKind
    stops: tuple[Stop, ...]
    penalty: int | None = None
    depot: int | None = None
    _digest: bytes = field(default=b"", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _name("request.id", self.id)
        wanted = 2 if self.kind is RequestKind.PAIRED else 1
        if len(self.stops) != wanted:
            raise InvalidProblem(f"request {self.id}: stops are {len(self.stops)}: a {self.kind.value} has {wanted}")
        if self.penalty is not None:
            _whole(f"request {self.id}: penalty", self.penalty, 1, MAX_AMOUNT)
        if self.depot is not None:
            _whole(f"request {self.id}: depot", self.depot, 0, MAX_INSTANT_S)
        first, last = self.stops[0], self.stops[-1]
        if self.kind is RequestKind.DELIVERY and first.collects != NOTHING:
            raise InvalidProblem(f"request {self.id}: collects is {first.collects}: a delivery collects nothing")
        if self.kind is RequestKind.PICKUP and first.delivers != NOTHING:
            raise InvalidProblem(f"request {self.id}: delivers is {first.delivers}: a pickup delivers nothing")
        if self.kind is RequestKind.PAIRED:
            if self.depot is not None:
                raise InvalidProblem(f"request {self.id}: depot is {self.depot}: a paired request never sees one")
            if first.delivers != NOTHING or last.collects != NOTHING or first.collects != last.delivers:
                raise InvalidProblem(
                    f"request {self.id}: collects {first.collects} at the first stop, "
                    f"delivers {last.delivers} at the second: not the same"
                )

    @property
    def from_depot(self) -> bool:
        """Whether something of it is on board when the vehicle leaves its start."""
        return self.kind in _FROM_DEPOT

    @property
    def to_depot(self) -> bool:
        """Whether something of it is on board when the vehicle reaches its end."""
        return self.kind in _TO_DEPOT

    @property
    def skills(self) -> frozenset[str]:
        first, *second = self.stops
        return first.skills | second[0].skills if second else first.skills

    @property
    def digest(self) -> bytes:
        """The same for the same request; computed once, so that a day's question is known again in a blink."""
        if not self._digest:
            plain = (self.id, self.kind.value, tuple(map(_stop, self.stops)), self.penalty, self.depot)
            object.__setattr__(self, "_digest", _digest_of("request", plain))
        return self._digest


@dataclass(frozen=True, slots=True)
class Break:
    """A rest of ``duration_s`` that begins inside ``window``."""

    window: Window
    duration_s: int

    def __post_init__(self) -> None:
        _whole("break.duration_s", self.duration_s, 0, MAX_INSTANT_S)


@dataclass(frozen=True, slots=True)
class Done:
    """A visit of a frozen prefix: already made, or under way so that it can no longer be changed."""

    request: str
    side: int
    arrival_s: int
    start_s: int
    departure_s: int

    def __post_init__(self) -> None:
        times = self.arrival_s, self.start_s, self.departure_s
        if (
            self.request and type(self.request) is str and type(self.side) is int and 0 <= self.side <= 1
            and list(map(type, times)) == _WHOLES and 0 <= times[0] <= times[1] <= times[2] <= MAX_INSTANT_S
        ):  # fmt: skip
            return  # which is nearly always so, and a day under way makes hundreds at each change
        _name("done.request", self.request)
        _whole(f"done {self.request}: side", self.side, 0, 1)
        _whole(f"done {self.request}: arrival_s", self.arrival_s, 0, MAX_INSTANT_S)
        _whole(f"done {self.request}: start_s", self.start_s, self.arrival_s, MAX_INSTANT_S)
        _whole(f"done {self.request}: departure_s", self.departure_s, self.start_s, MAX_INSTANT_S)


@dataclass(frozen=True, slots=True)
class Prefix:
    """What a vehicle on duty has behind it: since when, what it did, what it carries to deliver, and from when it is
    free."""

    started_s: int
    free_from_s: int = 0
    done: tuple[Done, ...] = ()
    on_board: frozenset[str] = frozenset()
    """Deliveries and exchanges loaded at the start and not done yet. Nothing else can be delivered from the depot by
    this vehicle."""

    def __post_init__(self) -> None:
        _whole("prefix.started_s", self.started_s, 0, MAX_INSTANT_S)
        _whole("prefix.free_from_s", self.free_from_s, 0, MAX_INSTANT_S)
        left_at = self.started_s
        for visit in self.done:
            if visit.arrival_s < left_at:
                raise InvalidProblem(
                    f"done {visit.request}: arrival_s is {visit.arrival_s}, before {left_at}, when the vehicle left"
                )
            left_at = visit.departure_s


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A courier (投递员) with what he drives, for one shift."""

    id: str
    start: int
    end: int
    shift: Window
    capacity: Load
    skills: frozenset[str] = frozenset()
    rest: Break | None = None
    """None as well once the break is over, or can no longer be had."""
    fixed_cost: int = 0
    max_duty_s: int | None = None
    speed_pct: int = 100
    """100 drives the matrix as it is, 125 needs four fifths of its seconds."""
    profile: str = "road"
    prefix: Prefix | None = None
    _digest: bytes = field(default=b"", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _name("vehicle.id", self.id)
        _whole(f"vehicle {self.id}: start", self.start, 0, MAX_INSTANT_S)
        _whole(f"vehicle {self.id}: end", self.end, 0, MAX_INSTANT_S)
        _whole(f"vehicle {self.id}: fixed_cost", self.fixed_cost, 0, MAX_AMOUNT)
        _whole(f"vehicle {self.id}: speed_pct", self.speed_pct, 1, 10_000)
        if self.max_duty_s is not None:
            _whole(f"vehicle {self.id}: max_duty_s", self.max_duty_s, 0, MAX_INSTANT_S)

    def travel_s(self, seconds: int) -> int:
        """The seconds that this vehicle needs for a leg of so many seconds in its profile."""
        return -(-seconds * 100 // self.speed_pct)

    @property
    def digest(self) -> bytes:
        """The same for the same vehicle; computed once."""
        if not self._digest:
            rest = None if self.rest is None else (_window(self.rest.window), self.rest.duration_s)
            prefix = None if self.prefix is None else _prefix(self.prefix)
            plain = (
                *_VEHICLE(self), _window(self.shift), _load(self.capacity), sorted(self.skills), rest, prefix
            )  # fmt: skip
            object.__setattr__(self, "_digest", _digest_of("vehicle", plain))
        return self._digest


@dataclass(frozen=True, slots=True)
class Objective:
    """What a plan costs, term by term.

    As much priority as possible is served first, musts before penalties; then ``primary``; then the terms.
    ``evenness_per_s`` is for each second that a route's duty exceeds ``fair_duty_s``.
    """

    primary: Primary = Primary.DISTANCE
    travel_per_s: int = 1
    travel_per_m: int = 0
    duty_per_s: int = 0
    waiting_per_s: int = 0
    evenness_per_s: int = 0
    fair_duty_s: int = 0

    def __post_init__(self) -> None:
        for name in ("travel_per_s", "travel_per_m", "duty_per_s", "waiting_per_s", "evenness_per_s"):
            _whole(f"objective.{name}", getattr(self, name), 0, MAX_WEIGHT)
        _whole("objective.fair_duty_s", self.fair_duty_s, 0, MAX_INSTANT_S)


def _cells(name: str, given: ArrayLike) -> Cells:
    """The matrix as read-only int32. An array that is that already is kept, not copied."""
    raw = np.asarray(given)
    if raw.ndim != 2 or raw.shape[0] != raw.shape[1]:
        raise InvalidProblem(f"{name} has shape {raw.shape}: it must be square")
    if raw.dtype.kind not in "iuf":
        raise InvalidProblem(f"{name} has entries of type {raw.dtype}: they must be whole numbers")
    for row in range(raw.shape[0]):
        entries = raw[row]
        if raw.dtype.kind == "f":
            _refuse(name, row, entries, ~np.isfinite(entries), "it must be a whole number, or UNREACHABLE")
            _refuse(name, row, entries, entries != np.floor(entries), "it must be a whole number")
        _refuse(name, row, entries, entries < 0, "it cannot be negative")
        _refuse(name, row, entries, entries > UNREACHABLE, f"it cannot exceed UNREACHABLE, {UNREACHABLE}")
        if entries[row] != 0:
            raise InvalidProblem(f"{name}[{row}, {row}] is {entries[row]}: a place is 0 from itself")
    if raw.dtype == np.int32 and raw.flags.c_contiguous and not raw.flags.writeable:
        kept: Cells = raw
        return kept
    cells: Cells = np.array(raw, dtype=np.int32, order="C")
    cells.flags.writeable = False
    return cells


def _refuse(name: str, row: int, entries: NDArray[np.generic], wrong: NDArray[np.bool_], why: str) -> None:
    if wrong.any():
        column = int(np.argmax(wrong))
        raise InvalidProblem(f"{name}[{row}, {column}] is {entries[column]}: {why}")


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """How long and how far it is from place to place for one kind of vehicle, both ways apart.

    Square, int32 and read-only once here; a way that cannot be driven is ``UNREACHABLE`` in both. Without ``metres``
    they are the seconds.
    """

    seconds: Cells
    metres: Cells
    name: str
    _digest: str = field(repr=False)

    def __init__(self, seconds: ArrayLike, metres: ArrayLike | None = None, name: str = "road") -> None:
        _name("profile.name", name)
        seconds_ = _cells(f"profile {name}: seconds", seconds)
        same = metres is None or metres is seconds
        metres_ = seconds_ if same or metres is None else _cells(f"profile {name}: metres", metres)
        if metres_.shape != seconds_.shape:
            raise InvalidProblem(f"profile {name}: metres has shape {metres_.shape}, seconds {seconds_.shape}")
        if not same:
            for row in range(len(seconds_)):
                torn = (seconds_[row] == UNREACHABLE) != (metres_[row] == UNREACHABLE)
                _refuse(
                    f"profile {name}: metres", row, metres_[row], torn, "seconds and metres must both be UNREACHABLE"
                )
        self._hold(seconds_, metres_, name)

    def _hold(self, seconds: Cells, metres: Cells, name: str) -> None:
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "metres", metres)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "_digest", "")

    @property
    def digest(self) -> str:
        """The same for the same matrices; computed once."""
        if not self._digest:
            same = self.metres is self.seconds
            digest = hashlib.sha256(repr((self.name, self.seconds.shape, same)).encode())
            digest.update(self.seconds.data)
            if not same:
                digest.update(self.metres.data)
            object.__setattr__(self, "_digest", digest.hexdigest())
        return self._digest

    @property
    def size(self) -> int:
        return len(self.seconds)

    def among(self, locations: list[int]) -> Profile:
        """The same profile for some of its places, in the order given."""
        index = np.asarray(locations, dtype=np.intp)
        seconds = self.seconds[np.ix_(index, index)]
        seconds.flags.writeable = False
        metres = seconds
        if self.metres is not self.seconds:
            metres = self.metres[np.ix_(index, index)]
            metres.flags.writeable = False
        part = object.__new__(Profile)  # what was checked once is not checked again
        part._hold(seconds, metres, self.name)
        return part


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One day's routing question. Two problems are the same when their fingerprints are."""

    profiles: tuple[Profile, ...]
    requests: tuple[Request, ...]
    vehicles: tuple[Vehicle, ...]
    objective: Objective = Objective()
    points: tuple[tuple[float, float], ...] | None = None
    """A point for each location, for splitting a large day and drawing it; no rule or cost reads it."""
    _fingerprint: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.profiles:
            raise InvalidProblem("problem.profiles is empty: at least one matrix is needed")
        _once("problem.profiles", [profile.name for profile in self.profiles])
        _once("problem.requests", [request.id for request in self.requests])
        _once("problem.vehicles", [vehicle.id for vehicle in self.vehicles])
        size = self.size
        for profile in self.profiles:
            if profile.size != size:
                raise InvalidProblem(
                    f"profile {profile.name} has {profile.size} places, {self.profiles[0].name} has {size}"
                )
        if self.points is not None:
            if len(self.points) != size:
                raise InvalidProblem(f"problem.points are {len(self.points)}: there are {size} places")
            for at, (x, y) in enumerate(self.points):
                if not (math.isfinite(x) and math.isfinite(y)):
                    raise InvalidProblem(f"problem.points[{at}] is {(x, y)}: it must be finite")
        for request in self.requests:
            for side, stop in enumerate(request.stops):
                if stop.location >= size:
                    _place(f"request {request.id}: stops[{side}].location", stop.location, size)
            if request.depot is not None:
                _place(f"request {request.id}: depot", request.depot, size)
        names = {profile.name for profile in self.profiles}
        for vehicle in self.vehicles:
            _place(f"vehicle {vehicle.id}: start", vehicle.start, size)
            _place(f"vehicle {vehicle.id}: end", vehicle.end, size)
            if vehicle.profile not in names:
                raise InvalidProblem(f"vehicle {vehicle.id}: profile is {vehicle.profile!r}: there are {sorted(names)}")
        self._check_prefixes()

    def _check_prefixes(self) -> None:
        requests = {request.id: request for request in self.requests}
        holder: dict[tuple[str, int], str] = {}
        loaded: dict[str, str] = {}
        for vehicle in self.vehicles:
            if vehicle.prefix is None:
                continue
            what = f"vehicle {vehicle.id}: prefix.done"
            for visit in vehicle.prefix.done:
                if visit.request not in requests:
                    raise InvalidProblem(f"{what} names {visit.request!r}: there is no such request")
                if visit.side >= len(requests[visit.request].stops):
                    raise InvalidProblem(f"{what} names side {visit.side} of {visit.request!r}, which has one stop")
                if (visit.request, visit.side) in holder:
                    raise InvalidProblem(
                        f"{what} names {visit.request!r}, done already by {holder[visit.request, visit.side]}"
                    )
                if visit.side == 1 and holder.get((visit.request, 0)) != vehicle.id:
                    raise InvalidProblem(f"{what} delivers {visit.request!r}, which it has not picked up")
                holder[visit.request, visit.side] = vehicle.id
            places = [
                vehicle.start,
                *(requests[d.request].stops[d.side].location for d in vehicle.prefix.done),
                vehicle.end,
            ]
            legs = self.profile_of(vehicle).seconds[places[:-1], places[1:]].tolist()
            if UNREACHABLE in legs:
                at = legs.index(UNREACHABLE)
                leg = places[at], places[at + 1]
                raise InvalidProblem(f"vehicle {vehicle.id}: prefix.done and the way home need {leg}, UNREACHABLE")
            what = f"vehicle {vehicle.id}: prefix.on_board"
            for name in sorted(vehicle.prefix.on_board):
                if name not in requests or not requests[name].from_depot:
                    raise InvalidProblem(f"{what} names {name!r}: there is no such delivery or exchange")
                if name in loaded:
                    raise InvalidProblem(f"{what} names {name!r}, which is on board {loaded[name]}")
                loaded[name] = vehicle.id
        for (name, _), by in holder.items():
            if name in loaded:
                raise InvalidProblem(f"vehicle {loaded[name]}: prefix.on_board names {name!r}, done already by {by}")

    @property
    def size(self) -> int:
        """How many places there are."""
        return self.profiles[0].size

    def profile_of(self, vehicle: Vehicle) -> Profile:
        return next(profile for profile in self.profiles if profile.name == vehicle.profile)

    def part(self, requests: Iterable[int], vehicles: Iterable[int]) -> Problem:
        """Some requests and vehicles, by number, as a problem of their own with just the places that they need."""
        asked = [self.requests[q] for q in requests]
        fleet = [self.vehicles[v] for v in vehicles]
        places = {stop.location for request in asked for stop in request.stops}
        places |= {place for vehicle in fleet for place in (vehicle.start, vehicle.end)}
        places |= {request.depot for request in asked if request.depot is not None}
        kept = sorted(places)
        at = {place: index for index, place in enumerate(kept)}
        return Problem(
            tuple(profile.among(kept) for profile in self.profiles),
            tuple(
                replace(
                    request,
                    depot=None if request.depot is None else at[request.depot],
                    stops=tuple(replace(stop, location=at[stop.location]) for stop in request.stops),
                )
                for request in asked
            ),
            tuple(replace(vehicle, start=at[vehicle.start], end=at[vehicle.end]) for vehicle in fleet),
            self.objective,
        )

    def fingerprint(self) -> str:
        """The same for the same question, on every machine and in every process."""
        if not self._fingerprint:
            digest = hashlib.sha256()
            for profile in self.profiles:
                digest.update(profile.digest.encode())
            for request in self.requests:
                digest.update(request.digest)
            for vehicle in self.vehicles:
                digest.update(vehicle.digest)
            weights = (self.objective.primary.value, *_OBJECTIVE(self.objective))
            digest.update(_digest_of("objective", weights))
            digest.update(_places_digest(self.points))
            object.__setattr__(self, "_fingerprint", digest.hexdigest())
        return self._fingerprint


# What a fingerprint is made of: every field, as plain values whose text is the same everywhere.

_window = attrgetter("opens_s", "closes_s")
_load = attrgetter("pieces", "grams")
_done = attrgetter("request", "side", "arrival_s", "start_s", "departure_s")
_VEHICLE = attrgetter("id", "start", "end", "fixed_cost", "max_duty_s", "speed_pct", "profile")
_OBJECTIVE = attrgetter(
    "travel_per_s", "travel_per_m", "duty_per_s", "waiting_per_s", "evenness_per_s", "fair_duty_s"
)  # fmt: skip


def _digest_of(what: str, plain: object) -> bytes:
    return hashlib.sha256(f"{what} {plain!r}".encode()).digest()


_last_places: list[tuple[object, bytes]] = []


def _places_digest(points: tuple[tuple[float, float], ...] | None) -> bytes:
    """Kept for the places asked last: a question changes all day long, and they are the very same object."""
    for known, digest in _last_places:
        if known is points:
            return digest
    digest = _digest_of("points", points)
    if isinstance(points, tuple):
        _last_places[:] = [(points, digest)]
    return digest


def _stop(stop: Stop) -> tuple[object, ...]:
    told = stop.announced
    return (
        stop.location, tuple(map(_window, stop.windows)), stop.service_s, _load(stop.delivers), _load(stop.collects),
        sorted(stop.skills), None if told is None else (_window(told.window), told.cost_per_min), stop.grace_s,
        stop.late_per_s,
    )  # fmt: skip


def _prefix(prefix: Prefix) -> tuple[object, ...]:
    return prefix.started_s, prefix.free_from_s, tuple(map(_done, prefix.done)), sorted(prefix.on_board)


def _once(name: str, ids: Sequence[str]) -> None:
    if len(set(ids)) == len(ids):
        return
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise InvalidProblem(f"{name} has {each!r} twice")
        seen.add(each)


def _place(name: str, location: int, size: int) -> None:
    if location >= size:
        raise InvalidProblem(f"{name} is {location}: there are {size} places, counted from 0")
