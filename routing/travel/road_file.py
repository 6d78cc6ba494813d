"""A road graph by its file: read when the first table is asked for, so that who never asks does not carry it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from zipfile import BadZipFile

from routing.travel.places import Point, Table, TravelTimes, Unavailable

KEPT = ".npz"
"""What ``RoadGraph.save`` writes; any other file is an extract of OpenStreetMap (.osm, .osm.pbf)."""


class RoadFile:
    """Travel times over the roads of a file. Raises Unavailable when it cannot be read, and does not try again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._graph: TravelTimes | None = None
        self._wrong: Unavailable | None = None
        self._reading = threading.Lock()

    def matrix(self, points: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each point to each, at the traffic of that hour. Raises Unavailable."""
        return self._read().matrix(points, hour=hour)

    def between(self, origins: Sequence[Point], destinations: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each origin to each destination, at the traffic of that hour. Raises Unavailable."""
        return self._read().between(origins, destinations, hour=hour)

    def _read(self) -> TravelTimes:
        with self._reading:
            if self._wrong is not None:
                raise self._wrong
            if self._graph is None:
                self._graph = self._opened()
            return self._graph

    def _opened(self) -> TravelTimes:
        # What reads extracts is heavy: a process loads it here, and only with such a file.
        roads = import_module("routing.travel.roads").RoadGraph
        try:
            graph: TravelTimes = roads.load(self.path) if self.path.suffix == KEPT else roads.from_osm(self.path)
        except Unavailable as wrong:
            self._wrong = wrong
        except (OSError, EOFError, ValueError, KeyError, RuntimeError, BadZipFile) as wrong:
            self._wrong = Unavailable(f"the road graph {self.path.name} cannot be read: {type(wrong).__name__}")
            raise self._wrong from wrong
        else:
            return graph
        raise self._wrong
