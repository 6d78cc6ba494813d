"""Courier days drawn from the network and the published volumes: a county's, a city's, the province's 104 counties.

A stop lies around a village or community of ``agents/data/network.csv``, towns first drawn by how many they have; how
many a county has stands in ``web/demo/demand_by_county.csv``. A third of the stops has a two-hour window. The same seed
draws the same day. Cost is seconds of travel and 3,600 for each vehicle.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from routing.model.problem import Problem
from routing.model.profile import Profile
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle
from routing.travel import Geodesic, Point

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "agents" / "data" / "network.csv"
DEMAND = ROOT / "web" / "demo" / "demand_by_county.csv"
SHIFT = Window(8 * 3600, 18 * 3600)
A_VEHICLE = 3600
STOPS_A_VEHICLE = 30
"""There are vehicles enough at so many stops each; whoever needs fewer is cheaper."""
SPREAD_DEGREES = 0.004
LONE = "320412000000"
"""A county of ordinary size, for the live changes."""


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Ground:
    """Where people live and how much each county sends and receives."""

    def __init__(self) -> None:
        network = {row["code"]: row for row in _rows(NETWORK)}
        self.demand = {row["code"]: row for row in _rows(DEMAND)}
        self.centres = {code: _place(network[code]) for code in self.demand}
        self.cities = {code: _place(row) for code, row in network.items() if row["level"] == "2"}
        self.homes: dict[str, list[Point]] = {code: [] for code in self.demand}
        for row in network.values():
            if row["level"] == "5":
                self.homes[network[row["parent_code"]]["parent_code"]].append(_place(row))

    def stops(self, county: str, count: int, draw: np.random.Generator) -> list[Point]:
        homes = self.homes[county] or [self.centres[county]]
        chosen = draw.integers(0, len(homes), count)
        around = draw.normal(0, SPREAD_DEGREES, (count, 2))
        return [
            Point(homes[h].lat + float(up), homes[h].lon + float(right))
            for h, (up, right) in zip(chosen, around, strict=True)
        ]

    def mean(self, county: str) -> int:
        return round(float(self.demand[county]["delivery_stops_mean"]))

    def peak(self, county: str) -> int:
        row = self.demand[county]
        return round(float(row["delivery_stops_peak"]) + float(row["collect_stops_mean"]))


def _place(row: dict[str, str]) -> Point:
    return Point(float(row["lat"]), float(row["lon"]))


def a_day(depot: Point, stops: Sequence[Point], draw: np.random.Generator) -> Problem:
    """Deliveries with some collections between, all from one depot."""
    points = [depot, *stops]
    seconds = Geodesic().matrix(points, hour=10).seconds
    opens = draw.integers(8, 17, len(points))
    bound = draw.random(len(points)) < 1 / 3
    service = draw.integers(60, 241, len(points))
    collected = draw.random(len(points)) < 1 / 5
    grams = draw.integers(100, 1500, len(points))

    def request(at: int) -> Request:
        window = Window(int(opens[at]) * 3600, int(opens[at]) * 3600 + 7200) if bound[at] else SHIFT
        window = Window(window.opens_s, min(window.closes_s, SHIFT.closes_s))
        load = Load(1, int(grams[at]))
        if collected[at]:
            return Request(
                f"{at}", RequestKind.PICKUP, (Stop(at, (window,), int(service[at]), collects=load),), 100_000
            )
        return Request(f"{at}", RequestKind.DELIVERY, (Stop(at, (window,), int(service[at]), delivers=load),), 100_000)

    fleet = max(2, -(-len(stops) // STOPS_A_VEHICLE))
    vehicles = [Vehicle(f"v{at}", 0, 0, SHIFT, Load(150, 80_000), fixed_cost=A_VEHICLE) for at in range(fleet)]
    requests = tuple(map(request, range(1, len(points))))
    return Problem((Profile(seconds),), requests, tuple(vehicles), points=tuple((p.lon, p.lat) for p in points))


def county_day(county: str = LONE, *, seed: int = 0, stops: int | None = None) -> Problem:
    """A mean day of one county, from its centre."""
    ground, draw = Ground(), np.random.default_rng((seed, int(county)))
    return a_day(ground.centres[county], ground.stops(county, stops or ground.mean(county), draw), draw)


def city_day(city: str = "320500000000", *, seed: int = 0, stops: int = 10_000) -> Problem:
    """A city's peak day from one sorting centre; Suzhou's is 10,000 stops. Counties in proportion to their peaks."""
    ground, draw = Ground(), np.random.default_rng((seed, int(city)))
    counties = [code for code in ground.demand if code[:4] == city[:4]]
    peaks = np.array([ground.peak(code) for code in counties], dtype=np.float64)
    ends = np.rint(np.cumsum(peaks) / peaks.sum() * stops).astype(int)
    places: list[Point] = []
    for code, end in zip(counties, ends, strict=True):
        places += ground.stops(code, int(end) - len(places), draw)
    return a_day(ground.cities[city], places, draw)


def counties() -> Iterator[str]:
    """The 104 of them, in the order of their codes."""
    return iter(sorted(row["code"] for row in _rows(DEMAND)))
