"""The routing problem: places, requests, vehicles and the objective, frozen and checked when it is made.

How a route runs in time (the solver plans by it, ``check`` derives it again):

* A vehicle without a prefix leaves its start at ``Route.start_s``, which the solver chooses within the shift, and no
  earlier than the latest ``release_s`` of what it delivers. It drives
  without idling on the way; it waits where it arrives. ``departure = start + service``.
* The travel of a leg is the profile's seconds, times 100 / ``speed_pct``, rounded up.
* A break beginning at ``b`` lies inside one leg, between leaving a place and starting service at the next. Begun before
  the arrival it delays the arrival by its length; begun at or after the arrival it is part of the stay there. So the
  earliest start of service after a leg begun at ``t`` that holds the break is ``max(t + travel, opens_s) +
  duration_s``, and it needs ``max(t, opens_s) <= closes_s``.
* A route with a break window needs the break when ``start_s <= closes_s < end_s``: a route that ends by then, or
  begins later, has none.
* A vehicle with a prefix keeps the done visits and their times as they are, however late they were; the next leg begins
  at ``max(last departure, free_from_s)``. When nothing is added to a prefix, going home is never against shift, duty,
  break, most stops or longest distance, and where no way leads home the route ends where it is. A leg that was driven
  though there is no way for it costs nothing: what happened, happened, and only what is still to be driven must be
  possible.
* Deliveries and the delivering half of an exchange are on board from the start; collections stay on board to the end.
  At an exchange the delivery leaves before the collection comes in. What a prefix has loaded and the plan does not
  deliver stays on board.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from operator import attrgetter

from routing.model.digest import digest_of, points_digest
from routing.model.problem_checks import check_names, check_places, check_prefixes, check_sums
from routing.model.profile import Profile
from routing.model.quantities import MAX_INSTANT_S, MAX_WEIGHT, InvalidProblem, check_whole
from routing.model.request import Request
from routing.model.vehicle import Vehicle


class Primary(enum.Enum):
    """What comes first once as much as possible is served."""

    VEHICLES = "vehicles"
    """Fewer routes first, then the cost of the terms."""
    DISTANCE = "distance"
    """The cost of the terms alone."""


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
            check_whole(f"objective.{name}", getattr(self, name), 0, MAX_WEIGHT)
        check_whole("objective.fair_duty_s", self.fair_duty_s, 0, MAX_INSTANT_S)


_OBJECTIVE = attrgetter(
    "travel_per_s", "travel_per_m", "duty_per_s", "waiting_per_s", "evenness_per_s", "fair_duty_s"
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One day's routing problem. Two problems are the same when their fingerprints are."""

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
        check_names(self.profiles, self.requests, self.vehicles)
        check_places(self.profiles, self.requests, self.vehicles, self.points)
        check_prefixes(self.requests, self.vehicles)
        check_sums(self.profiles, self.requests, self.vehicles)

    @property
    def size(self) -> int:
        """How many places there are."""
        return self.profiles[0].size

    def profile_of(self, vehicle: Vehicle) -> Profile:
        """The profile that the vehicle drives by."""
        return next(profile for profile in self.profiles if profile.name == vehicle.profile)

    def part(self, requests: Iterable[int], vehicles: Iterable[int]) -> Problem:
        """Some requests and vehicles, by number, as a problem of their own with just the places that they need."""
        chosen = [self.requests[q] for q in requests]
        fleet = [self.vehicles[v] for v in vehicles]
        places = {stop.location for request in chosen for stop in request.stops}
        places |= {place for vehicle in fleet for place in (vehicle.start, vehicle.end)}
        places |= {request.depot for request in chosen if request.depot is not None}
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
                for request in chosen
            ),
            tuple(replace(vehicle, start=at[vehicle.start], end=at[vehicle.end]) for vehicle in fleet),
            self.objective,
        )

    def fingerprint(self) -> str:
        """The same for the same problem, on every machine and in every process."""
        if not self._fingerprint:
            digest = hashlib.sha256()
            for profile in self.profiles:
                digest.update(profile.digest.encode())
            for request in self.requests:
                digest.update(request.digest)
            for vehicle in self.vehicles:
                digest.update(vehicle.digest)
            weights = (self.objective.primary.value, *_OBJECTIVE(self.objective))
            digest.update(digest_of("objective", weights))
            digest.update(points_digest(self.points))
            object.__setattr__(self, "_fingerprint", digest.hexdigest())
        return self._fingerprint
