"""Road-graph travel times: an OSM extract read once into a graph, and the quickest ways over it from many to many."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import KDTree

from routing.travel.geodesic import DETOUR
from routing.travel.places import Point, Reals, Table, Unavailable, geocentric, plausible, squared, whole
from routing.travel.speeds import Speeds

Ints = NDArray[np.int64]

AT_ONCE = 20_000_000
"""How many distances are held at once while ways are searched for."""
FARTHEST_M = 3_000
"""A place farther than this from every road of the graph is not on its map."""
ONE_WAY = {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1}
CLOSED = {"no", "private"}


class RoadGraph:
    """Junctions and bends of the roads, joined by directed pieces with their length and everyday time."""

    def __init__(
        self, points: Reals, tails: Ints, heads: Ints, metres: Reals, seconds: Reals, *, speeds: Speeds | None = None
    ) -> None:
        self.points, self.tails, self.heads, self.metres, self.seconds = points, tails, heads, metres, seconds
        self.speeds = speeds or Speeds()
        if not len(points):
            raise Unavailable("the road graph has no road")
        size = len(points)
        self._graph = csr_array((seconds, (tails, heads)), shape=(size, size))
        self._keys = tails * size + heads  # sorted, as pieces are
        self._ground = geocentric([Point(*point) for point in points])
        self._nearest = KDTree(self._ground)

    @classmethod
    def from_osm(cls, path: Path) -> RoadGraph:
        """The drivable roads of an extract (.osm, .osm.pbf): the largest part in which every place is reached from
        every other."""
        speeds = Speeds()
        numbers: dict[int, int] = {}
        points: list[tuple[float, float]] = []
        pieces: list[tuple[int, int, float]] = []
        for way in osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations():
            if not isinstance(way, osmium.osm.Way):
                continue
            tags = {tag.k: tag.v for tag in way.tags}
            if not (kmh := road_kmh(tags, speeds)):
                continue
            nodes = [node for node in way.nodes if node.location.valid()]
            for node in nodes:
                if node.ref not in numbers:
                    numbers[node.ref] = len(points)
                    points.append((node.location.lat, node.location.lon))
            ahead = direction(tags)
            for one, other in itertools.pairwise(nodes):
                a, b = numbers[one.ref], numbers[other.ref]
                if ahead >= 0:
                    pieces.append((a, b, kmh / 3.6))
                if ahead <= 0:
                    pieces.append((b, a, kmh / 3.6))
        return cls._connected(np.array(points).reshape(-1, 2), pieces, speeds)

    @classmethod
    def _connected(cls, points: Reals, pieces: list[tuple[int, int, float]], speeds: Speeds) -> RoadGraph:
        if not pieces:
            raise Unavailable("the extract has no road that can be driven")
        tails, heads, speed = (np.array(column) for column in zip(*pieces, strict=True))
        ground = geocentric([Point(*point) for point in points])
        metres = np.sqrt(((ground[tails] - ground[heads]) ** 2).sum(axis=1))
        seconds = np.maximum(metres / speed, 1e-3)  # csgraph takes 0 for no way at all
        order = np.lexsort((seconds, heads, tails))
        first = np.ones(len(order), dtype=bool)  # of parallel pieces the quickest
        first[1:] = (np.diff(tails[order]) != 0) | (np.diff(heads[order]) != 0)
        kept = order[first]
        tails, heads, metres, seconds = tails[kept], heads[kept], metres[kept], seconds[kept]
        graph = csr_array((seconds, (tails, heads)), shape=(len(points), len(points)))
        _, part = connected_components(graph, connection="strong")
        largest = part == np.bincount(part).argmax()
        inside = largest[tails] & largest[heads]
        number = np.cumsum(largest) - 1
        return cls(
            points[largest],
            number[tails[inside]],
            number[heads[inside]],
            metres[inside],
            seconds[inside],
            speeds=speeds,
        )

    def save(self, path: Path) -> None:
        """Keep the graph in a file, so that the extract is read once."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                points=self.points,
                tails=self.tails,
                heads=self.heads,
                metres=self.metres,
                seconds=self.seconds,
            )

    @classmethod
    def load(cls, path: Path, *, speeds: Speeds | None = None) -> RoadGraph:
        """The graph that ``save`` wrote. Raises OSError."""
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return cls(*(kept[name] for name in ("points", "tails", "heads", "metres", "seconds")), speeds=speeds)

    def matrix(self, points: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each point to each, at the traffic of that hour. Raises Unavailable."""
        return squared(self.between(points, points, hour=hour))

    def between(self, origins: Sequence[Point], destinations: Sequence[Point], *, hour: int | None = None) -> Table:
        """Over the quickest way, with the detour from the door to the nearest point of a road at both ends."""
        share = self.speeds.share(hour)
        start, from_m = self._snapped(origins)
        end, to_m = self._snapped(destinations)
        seconds = np.empty((len(origins), len(destinations)), dtype=np.int32)
        metres = np.empty_like(seconds)
        access_s = 1 / self.speeds.metres_per_s("living_street")
        rows = max(1, AT_ONCE // len(self.points))
        for row in range(0, len(origins), rows):
            here = slice(row, row + rows)
            away_m = from_m[here, None] + to_m[None, :]
            driven_s, driven_m = self._driven(start[here], end)
            seconds[here] = whole((driven_s + away_m * access_s) / share)
            metres[here] = whole(driven_m + away_m)
        return plausible(origins, destinations, Table(seconds, metres))

    def _snapped(self, places: Sequence[Point]) -> tuple[Ints, Reals]:
        """The nearest point of the graph to each place, and the metres to it."""
        ground = geocentric(places)
        away_m, nearest = self._nearest.query(ground)
        for at, metres in enumerate(away_m):
            if metres > FARTHEST_M:
                raise Unavailable(f"points[{at}] is {metres / 1000:.0f} km from every road of the graph")
        return nearest.astype(np.int64), away_m * DETOUR

    def _driven(self, start: Ints, end: Ints) -> tuple[Reals, Reals]:
        origins, back = np.unique(start, return_inverse=True)
        seconds, before = dijkstra(self._graph, indices=origins, return_predecessors=True)
        seconds = seconds[:, end]
        metres = np.zeros_like(seconds)
        row = np.repeat(np.arange(len(origins)), len(end))
        cell = np.arange(len(row))
        at = np.tile(end, len(origins))
        while len(cell):
            previous = before[row, at].astype(np.int64)
            going = previous >= 0
            row, cell, at, previous = row[going], cell[going], at[going], previous[going]
            metres.flat[cell] += self.metres[np.searchsorted(self._keys, previous * len(self.points) + at)]
            at = previous
        return seconds[back], metres[back]


def road_kmh(tags: Mapping[str, str], speeds: Speeds) -> float:
    """The everyday speed on a road with these tags; 0 where a courier's vehicle may not drive."""
    road = tags.get("highway", "").removesuffix("_link")
    if road not in speeds.by_class or tags.get("area") == "yes":
        return 0.0
    for who in ("motor_vehicle", "vehicle", "access"):
        if (tag := tags.get(who)) is not None:
            if tag in CLOSED:
                return 0.0
            break  # the nearer to us decides
    kmh = speeds.by_class[road]
    limit = re.fullmatch(r"(\d+)( mph)?", tags.get("maxspeed", ""))
    if limit and int(limit[1]) > 0:
        kmh = min(kmh, int(limit[1]) * (1.609 if limit[2] else 1))
    return kmh


def direction(tags: Mapping[str, str]) -> int:
    """1 along the way only, -1 against it only, 0 both."""
    tag = tags.get("oneway")
    if tag is not None:
        return ONE_WAY.get(tag, 0)
    return 1 if tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway" else 0
