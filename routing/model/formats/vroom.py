"""VROOM's JSON: vehicles, jobs and shipments with matrices, as far as the model has them; else refused by path.

The form is that of VROOM 1.15 (its docs/API.md). Ways come from ``matrices``, no road server is asked. Who has
no start or end begins or ends where he likes, at a place that is no way from anywhere. VROOM serves as much priority
as it can, then as many tasks: so a task left out costs its priority times their number, and one. What costs differently
by vehicle, and every rule that this model has no term for, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from routing.model.formats.instance import Instance
from routing.model.formats.json_values import as_list, as_object
from routing.model.formats.numbered import Malformed
from routing.model.formats.parsed import Rounding
from routing.model.formats.vroom_setup import SetupPlaces
from routing.model.problem import Objective, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import MAX_AMOUNT, MAX_INSTANT_S, InvalidProblem, Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Break, Vehicle

SAID = {"description"}
"""What says something to people alone."""
TOP = {"vehicles", "jobs", "shipments", "matrices"}
VEHICLE = {
    *("id", "profile", "start", "start_index", "end", "end_index", "capacity", "costs", "skills", "time_window"),
    *("breaks", "speed_factor", "max_tasks", "max_distance"),
} | SAID
JOB = {
    *("id", "location", "location_index", "service", "setup", "delivery", "pickup", "amount", "skills", "priority"),
    *("time_windows", "type"),
} | SAID
SHIPMENT = {"amount", "skills", "priority", "pickup", "delivery"} | SAID
END = {"id", "location", "location_index", "service", "setup", "time_windows"} | SAID
BREAK = {"id", "time_windows", "service"} | SAID
COSTS = {"fixed", "per_hour", "per_km"}
MATRIX = {"durations", "distances"}
USUAL_PER_HOUR = 3600
ALL_DAY = Window(0, MAX_INSTANT_S)


def looks_like(raw: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a JSON value is VROOM's: an object with vehicles, and none of our form."""
    return isinstance(raw, dict) and "vehicles" in raw and "form" not in raw and "profiles" not in raw


def parse(raw: Mapping[str, Any], name: str = "") -> Instance:
    """The instance in a JSON value. Raises Malformed, which names the path."""
    return _Tasks(raw).instance(name)


@dataclass(frozen=True)
class _Weights:
    """What an hour and a kilometre cost: the same for all vehicles, or the model cannot say it."""

    per_hour: int
    per_km: int

    @property
    def unit(self) -> int:
        """The largest unit of cost in which a second, a metre and a fixed cost are all whole, as parts of 3,600,000."""
        return math.gcd(self.per_hour * 1000, self.per_km * 3600, 3_600_000)

    @property
    def scale(self) -> int:
        """How many of our units are one of VROOM's."""
        return 3_600_000 // self.unit


class _Tasks:
    """One value, read part by part."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = as_object("", raw, TOP)
        self.vehicles = [
            as_object(f"vehicles[{at}]", each, VEHICLE) for at, each in enumerate(_listed("", raw, "vehicles"))
        ]
        if not self.vehicles:
            raise Malformed(None, "vehicles is empty: at least one is needed")
        self.matrices = self._matrices()
        self.size = len(next(iter(self.matrices.values()))[0])
        self.numbers: dict[tuple[str, int], int | str] = {}
        self.open = False
        """Whether some vehicle starts or ends nowhere."""
        shipments = [each for each in _listed("", raw, "shipments") if isinstance(each, dict)]
        ends = [*_listed("", raw, "jobs"), *(each.get(side) for each in shipments for side in SIDES)]
        self.setups = SetupPlaces(self.size, (each for each in ends if isinstance(each, dict)), self.vehicles)
        self.tasks = len(_listed("", raw, "jobs")) + 2 * len(_listed("", raw, "shipments"))

    def instance(self, name: str) -> Instance:
        weights = self._weights()
        requests = [*self._jobs(), *self._shipments()]
        fleet = [self._vehicle(f"vehicles[{at}]", each, weights) for at, each in enumerate(self.vehicles)]
        if len({vehicle.id for vehicle in fleet}) < len(fleet):
            raise Malformed(None, "vehicles: an id comes twice")
        objective = Objective(
            travel_per_s=weights.per_hour * 1000 // weights.unit, travel_per_m=weights.per_km * 3600 // weights.unit
        )
        try:
            problem = Problem(tuple(self._profiles()), tuple(requests), tuple(fleet), objective)
        except InvalidProblem as wrong:
            raise Malformed(None, str(wrong)) from wrong
        return Instance(
            name, problem, Rounding.AS_GIVEN, weights.scale, self.numbers, in_terms=True, penalties_cost=False
        )

    def _matrices(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64] | None]]:
        given = self.raw.get("matrices")
        if not isinstance(given, dict) or not given:
            raise Malformed(None, "matrices is missing: without a road server each profile needs its durations")
        found = {}
        for profile, each in given.items():
            path = f"matrices.{profile}"
            parts = as_object(path, each, MATRIX)
            durations = _matrix(f"{path}.durations", parts.get("durations"))
            metres = None if "distances" not in parts else _matrix(f"{path}.distances", parts["distances"])
            found[profile] = durations, metres
        sizes = {len(matrix) for pair in found.values() for matrix in pair if matrix is not None}
        if len(sizes) > 1:
            raise Malformed(None, f"matrices have {sorted(sizes)} places: all must have as many")
        return found

    def _profiles(self) -> Iterable[Profile]:
        used = {self._driven(vehicle.get("profile", "car"), _speed(vehicle)) for vehicle in self.vehicles}
        for name, profile, pct in sorted(used):
            seconds, metres = self.matrices[profile]
            slow = self._opened(-(-seconds * 100 // pct))
            far = None if metres is None else self.setups.entered(self._opened(metres), seconds=False)
            yield Profile(self.setups.entered(slow, seconds=True), far, name)

    def _driven(self, profile: str, speed_pct: int) -> tuple[str, str, int]:
        """The profile of a vehicle here, the file's, and the speed that is in it: a set-up takes as long at any."""
        if not self.setups.places:
            return profile, profile, 100
        return f"{profile} {speed_pct}", profile, speed_pct

    def _opened(self, matrix: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.pad(matrix, (0, 1)) if self.open else matrix

    def _weights(self) -> _Weights:
        found = set()
        for at, vehicle in enumerate(self.vehicles):
            costs = as_object(f"vehicles[{at}].costs", vehicle.get("costs", {}), COSTS)
            path = f"vehicles[{at}].costs"
            per_hour = _whole(f"{path}.per_hour", costs.get("per_hour", USUAL_PER_HOUR), 10**6)
            per_km = _whole(f"{path}.per_km", costs.get("per_km", 0), 10**6)
            if per_km and self.matrices.get(vehicle.get("profile", "car"), (None, None))[1] is None:
                raise Malformed(None, f"{path}.per_km is {per_km}, and its profile has no distances")
            found.add(_Weights(per_hour, per_km))
        if len(found) > 1:
            raise Malformed(None, "vehicles: costs per hour or kilometre differ: here they are the same for all")
        return found.pop()

    def _vehicle(self, path: str, raw: Mapping[str, Any], weights: _Weights) -> Vehicle:
        profile = raw.get("profile", "car")
        if profile not in self.matrices:
            raise Malformed(None, f"{path}.profile is {profile!r}: matrices has {sorted(self.matrices)}")
        if not {"start", "start_index", "end", "end_index"} & set(raw):
            raise Malformed(None, f"{path} has neither a start nor an end")
        fixed = _whole(f"{path}.costs.fixed", raw.get("costs", {}).get("fixed", 0), 10**9) * weights.scale
        window = ALL_DAY if "time_window" not in raw else _window(f"{path}.time_window", raw["time_window"])
        speed = raw.get("speed_factor", 1)
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed <= 5:
            raise Malformed(None, f"{path}.speed_factor is {speed!r}: it must be above 0, and 5 at most")
        speed_pct = _speed(raw)
        if abs(speed * 100 - speed_pct) > 1e-9 or speed_pct < 1:
            raise Malformed(None, f"{path}.speed_factor is {speed}: here it is a whole number of hundredths")
        room = raw.get("capacity")
        return Vehicle(
            _id(f"{path}.id", raw.get("id")),
            self._place(path, raw, "start"),
            self._place(path, raw, "end"),
            window,
            # Who says nothing of a capacity has none to speak of, whatever is asked.
            Load(MAX_AMOUNT, MAX_AMOUNT) if room is None else self._load(f"{path}.capacity", room),
            skills=_skills(path, raw),
            rest=self._rest(path, raw),
            fixed_cost=fixed,
            max_stops=None if "max_tasks" not in raw else _whole(f"{path}.max_tasks", raw["max_tasks"], MAX_AMOUNT),
            max_distance_m=self._longest(path, raw, profile),
            speed_pct=100 if self.setups.places else speed_pct,
            profile=self._driven(profile, speed_pct)[0],
        )

    def _longest(self, path: str, raw: Mapping[str, Any], profile: str) -> int | None:
        """The longest distance of a vehicle, whose profile must then know distances."""
        if "max_distance" not in raw:
            return None
        if self.matrices[profile][1] is None:
            raise Malformed(None, f"{path}.max_distance is {raw['max_distance']}, and its profile has no distances")
        return _whole(f"{path}.max_distance", raw["max_distance"], MAX_AMOUNT)

    def _place(self, path: str, raw: Mapping[str, Any], which: str) -> int:
        """The place of a start or an end; the one beyond all others where there is none."""
        index = f"{which}_index"
        if index in raw:
            return _whole(f"{path}.{index}", raw[index], self.size - 1)
        if which in raw:
            raise Malformed(None, f"{path}.{which} is a point without {index}: ways are in the matrices")
        self.open = True
        return self.size

    def _location(self, path: str, raw: Mapping[str, Any]) -> int:
        if "location_index" not in raw:
            raise Malformed(None, f"{path}.location_index is missing: ways come from the matrices alone")
        return _whole(f"{path}.location_index", raw["location_index"], self.size - 1)

    def _rest(self, path: str, raw: Mapping[str, Any]) -> Break | None:
        breaks = _listed(path, raw, "breaks")
        if len(breaks) > 1:
            raise Malformed(None, f"{path}.breaks are {len(breaks)}: here a vehicle has one at most")
        if not breaks:
            return None
        path = f"{path}.breaks[0]"
        rest = as_object(path, breaks[0], BREAK)
        windows = _windows(path, rest)
        if len(windows) != 1:
            raise Malformed(None, f"{path}.time_windows are {len(windows)}: here a break begins in one")
        return Break(windows[0], _whole(f"{path}.service", rest.get("service", 0), MAX_INSTANT_S))

    def _load(self, path: str, raw: object) -> Load:
        if not isinstance(raw, list):
            raise Malformed(None, f"{path} is no list")
        if len(raw) > 2:
            raise Malformed(None, f"{path} has {len(raw)} dimensions: here there are two at most")
        amounts = [_whole(f"{path}[{at}]", each, 10**12) for at, each in enumerate(raw)]
        return Load(*amounts)

    def _jobs(self) -> Iterable[Request]:
        seen: set[str] = set()
        for at, each in enumerate(_listed("", self.raw, "jobs")):
            path = f"jobs[{at}]"
            job = as_object(path, each, JOB)
            name = _once(seen, f"{path}.id", _id(f"{path}.id", job.get("id")))
            if job.get("type", "single") != "single":
                raise Malformed(None, f"{path}.type is {job['type']!r}: there is only 'single'")
            brought = job.get("delivery", job.get("amount"))
            delivers = Load() if brought is None else self._load(f"{path}.delivery", brought)
            collects = Load() if "pickup" not in job else self._load(f"{path}.pickup", job["pickup"])
            kind = RequestKind.DELIVERY
            if collects != Load():
                kind = RequestKind.PICKUP if delivers == Load() else RequestKind.EXCHANGE
            stop = self._stop(path, job, delivers, collects, _skills(path, job))
            self.numbers[name, 0] = name
            yield Request(name, kind, (stop,), penalty=self._penalty(path, job, 1))

    def _shipments(self) -> Iterable[Request]:
        seen: set[str] = set()
        for at, each in enumerate(_listed("", self.raw, "shipments")):
            path = f"shipments[{at}]"
            shipment = as_object(path, each, SHIPMENT)
            load = Load() if "amount" not in shipment else self._load(f"{path}.amount", shipment["amount"])
            skills = _skills(path, shipment)
            ends = []
            for side, part in enumerate(("pickup", "delivery")):
                if part not in shipment:
                    raise Malformed(None, f"{path}.{part} is missing")
                end = as_object(f"{path}.{part}", shipment[part], END)
                given = (Load(), load) if side == 0 else (load, Load())
                ends.append((end, self._stop(f"{path}.{part}", end, *given, skills)))
            first, second = (
                _id(f"{path}.{part}.id", end.get("id")) for part, (end, _) in zip(SIDES, ends, strict=True)
            )
            name = _once(seen, f"{path}.pickup.id", f"{first}>{second}")
            self.numbers[name, 0], self.numbers[name, 1] = f"{first}p", f"{second}d"
            stops = ends[0][1], ends[1][1]
            yield Request(name, RequestKind.PAIRED, stops, penalty=self._penalty(path, shipment, 2))

    def _penalty(self, path: str, raw: Mapping[str, Any], tasks: int) -> int:
        return _whole(f"{path}.priority", raw.get("priority", 0), 100) * (self.tasks + 1) + tasks

    def _stop(self, path: str, raw: Mapping[str, Any], delivers: Load, collects: Load, skills: frozenset[str]) -> Stop:
        setup_s = _whole(f"{path}.setup", raw.get("setup", 0), MAX_INSTANT_S)
        location = self._location(path, raw)
        windows = self.setups.windows(path, _windows(path, raw), location, setup_s)
        service_s = _whole(f"{path}.service", raw.get("service", 0), MAX_INSTANT_S)
        try:
            return Stop(
                self.setups.place(location, setup_s), windows or (ALL_DAY,), service_s,
                delivers=delivers, collects=collects, skills=skills,
            )  # fmt: skip
        except InvalidProblem as wrong:
            raise Malformed(None, f"{path}: {wrong}") from wrong


SIDES = ("pickup", "delivery")


def _speed(vehicle: Mapping[str, Any]) -> int:
    """The speed of a vehicle in hundredths of its profile's."""
    factor: float = vehicle.get("speed_factor", 1)
    return round(factor * 100)


def _once(seen: set[str], path: str, name: str) -> str:
    if name in seen:
        raise Malformed(None, f"{path} is {name}: it comes twice")
    seen.add(name)
    return name


def _id(path: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Malformed(None, f"{path} is {value!r}: it must be a whole number, 0 or more")
    return str(value)


def _whole(path: str, value: object, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
        raise Malformed(None, f"{path} is {value!r}: it must be a whole number from 0 to {highest}")
    return value


def _skills(path: str, raw: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(_id(f"{path}.skills[{at}]", each) for at, each in enumerate(_listed(path, raw, "skills")))


def _window(path: str, value: object) -> Window:
    if not isinstance(value, list) or len(value) != 2:
        raise Malformed(None, f"{path} is {value!r}: it must be a start and an end")
    opens, closes = (_whole(f"{path}[{at}]", each, MAX_INSTANT_S) for at, each in enumerate(value))
    if closes < opens:
        raise Malformed(None, f"{path} ends at {closes}, before it starts at {opens}")
    return Window(opens, closes)


def _windows(path: str, raw: Mapping[str, Any]) -> tuple[Window, ...]:
    given = _listed(path, raw, "time_windows")
    return tuple(_window(f"{path}.time_windows[{at}]", each) for at, each in enumerate(given))


def _matrix(path: str, value: object) -> NDArray[np.int64]:
    if not isinstance(value, list) or not value:
        raise Malformed(None, f"{path} is missing")
    for at, row in enumerate(value):
        if not isinstance(row, list) or len(row) != len(value):
            raise Malformed(None, f"{path}[{at}] must be a list of {len(value)} values: there are as many rows")
        for column, cell in enumerate(row):
            _whole(f"{path}[{at}][{column}]", cell, UNREACHABLE - 1)
    matrix = np.array(value, dtype=np.int64)
    np.fill_diagonal(matrix, 0)
    return matrix


def _listed(path: str, raw: Mapping[str, Any], key: str) -> list[Any]:
    return as_list(f"{path}{'.' if path else ''}{key}", raw.get(key, []))
