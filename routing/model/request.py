"""Requests: what is brought from where to where, and the stops at which that happens."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from itertools import pairwise

from routing.model.digest import digest_of, plain_load, plain_window
from routing.model.quantities import (
    MAX_AMOUNT,
    MAX_INSTANT_S,
    MAX_WEIGHT,
    NOTHING,
    InvalidProblem,
    Load,
    Window,
    check_name,
    check_whole,
)


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


@dataclass(frozen=True, slots=True)
class Announced:
    """A window that was announced to the customer; a start outside it costs ``cost_per_min`` for each minute begun."""

    window: Window
    cost_per_min: int = 1

    def __post_init__(self) -> None:
        check_whole("announced.cost_per_min", self.cost_per_min, 0, MAX_WEIGHT)


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
        check_whole("stop.location", self.location, 0, MAX_INSTANT_S)
        check_whole("stop.service_s", self.service_s, 0, MAX_INSTANT_S)
        check_whole("stop.grace_s", self.grace_s, 0, MAX_INSTANT_S)
        check_whole("stop.late_per_s", self.late_per_s, 0, MAX_WEIGHT)
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
    release_s: int = 0
    """When what it delivers is at the depot: the vehicle that brings it leaves no earlier."""
    _digest: bytes = field(default=b"", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name("request.id", self.id)
        wanted = 2 if self.kind is RequestKind.PAIRED else 1
        if len(self.stops) != wanted:
            raise InvalidProblem(f"request {self.id}: stops are {len(self.stops)}: a {self.kind.value} has {wanted}")
        if self.penalty is not None:
            check_whole(f"request {self.id}: penalty", self.penalty, 1, MAX_AMOUNT)
        if self.depot is not None:
            check_whole(f"request {self.id}: depot", self.depot, 0, MAX_INSTANT_S)
        check_whole(f"request {self.id}: release_s", self.release_s, 0, MAX_INSTANT_S)
        if self.release_s and not self.from_depot:
            raise InvalidProblem(f"request {self.id}: release_s is {self.release_s}: nothing of it leaves the depot")
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
        """What a vehicle must have to serve all of it."""
        first, *second = self.stops
        return first.skills | second[0].skills if second else first.skills

    @property
    def digest(self) -> bytes:
        """The same for the same request; computed once, since a day is planned many times."""
        if not self._digest:
            plain = (
                self.id,
                self.kind.value,
                tuple(map(_plain_stop, self.stops)),
                self.penalty,
                self.depot,
                self.release_s,
            )
            object.__setattr__(self, "_digest", digest_of("request", plain))
        return self._digest


def _plain_stop(stop: Stop) -> tuple[object, ...]:
    announced = stop.announced
    return (
        stop.location, tuple(map(plain_window, stop.windows)), stop.service_s,
        plain_load(stop.delivers), plain_load(stop.collects),
        sorted(stop.skills),
        None if announced is None else (plain_window(announced.window), announced.cost_per_min),
        stop.grace_s, stop.late_per_s,
    )  # fmt: skip
