"""Vehicles: a courier's shift, break and capacity, and the part of the day that is driven already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter

from routing.model.digest import digest_of, plain_load, plain_window
from routing.model.quantities import MAX_AMOUNT, MAX_INSTANT_S, InvalidProblem, Load, Window, check_name, check_whole

_WHOLES = [int, int, int]


@dataclass(frozen=True, slots=True)
class Break:
    """A rest of ``duration_s`` that begins inside ``window``."""

    window: Window
    duration_s: int

    def __post_init__(self) -> None:
        check_whole("break.duration_s", self.duration_s, 0, MAX_INSTANT_S)


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
        check_name("done.request", self.request)
        check_whole(f"done {self.request}: side", self.side, 0, 1)
        check_whole(f"done {self.request}: arrival_s", self.arrival_s, 0, MAX_INSTANT_S)
        check_whole(f"done {self.request}: start_s", self.start_s, self.arrival_s, MAX_INSTANT_S)
        check_whole(f"done {self.request}: departure_s", self.departure_s, self.start_s, MAX_INSTANT_S)


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
        check_whole("prefix.started_s", self.started_s, 0, MAX_INSTANT_S)
        check_whole("prefix.free_from_s", self.free_from_s, 0, MAX_INSTANT_S)
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
    max_stops: int | None = None
    """Visits of a whole route, those of a prefix among them; a pair makes two."""
    max_distance_m: int | None = None
    """Metres of a whole route, those of a prefix among them."""
    speed_pct: int = 100
    """100 drives the matrix as it is, 125 needs four fifths of its seconds."""
    profile: str = "road"
    prefix: Prefix | None = None
    _digest: bytes = field(default=b"", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name("vehicle.id", self.id)
        check_whole(f"vehicle {self.id}: start", self.start, 0, MAX_INSTANT_S)
        check_whole(f"vehicle {self.id}: end", self.end, 0, MAX_INSTANT_S)
        check_whole(f"vehicle {self.id}: fixed_cost", self.fixed_cost, 0, MAX_AMOUNT)
        check_whole(f"vehicle {self.id}: speed_pct", self.speed_pct, 1, 10_000)
        if self.max_duty_s is not None:
            check_whole(f"vehicle {self.id}: max_duty_s", self.max_duty_s, 0, MAX_INSTANT_S)
        if self.max_stops is not None:
            check_whole(f"vehicle {self.id}: max_stops", self.max_stops, 0, MAX_AMOUNT)
        if self.max_distance_m is not None:
            check_whole(f"vehicle {self.id}: max_distance_m", self.max_distance_m, 0, MAX_AMOUNT)

    def travel_s(self, seconds: int) -> int:
        """The seconds that this vehicle needs for a leg of so many seconds in its profile."""
        return -(-seconds * 100 // self.speed_pct)

    @property
    def digest(self) -> bytes:
        """The same for the same vehicle; computed once."""
        if not self._digest:
            rest = None if self.rest is None else (plain_window(self.rest.window), self.rest.duration_s)
            prefix = None if self.prefix is None else _plain_prefix(self.prefix)
            plain = (
                *_VEHICLE(self), plain_window(self.shift), plain_load(self.capacity), sorted(self.skills), rest, prefix
            )  # fmt: skip
            object.__setattr__(self, "_digest", digest_of("vehicle", plain))
        return self._digest


_plain_done = attrgetter("request", "side", "arrival_s", "start_s", "departure_s")
_VEHICLE = attrgetter(
    "id", "start", "end", "fixed_cost", "max_duty_s", "max_stops", "max_distance_m", "speed_pct", "profile"
)


def _plain_prefix(prefix: Prefix) -> tuple[object, ...]:
    return prefix.started_s, prefix.free_from_s, tuple(map(_plain_done, prefix.done)), sorted(prefix.on_board)


def carriers(vehicles: Iterable[Vehicle]) -> dict[str, str]:
    """By request, the vehicle on duty that has it on board, or has visited one of its stops."""
    found: dict[str, str] = {}
    for vehicle in vehicles:
        if vehicle.prefix:
            visited = (done.request for done in vehicle.prefix.done)
            found |= dict.fromkeys((*vehicle.prefix.on_board, *visited), vehicle.id)
    return found
