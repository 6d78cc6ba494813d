"""Places on the ground, the straight line between them, and what every source of travel times promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from routing.model.profile import UNREACHABLE, Cells

Reals = NDArray[np.float64]

EARTH_M = 6_371_009.0
FASTEST_M_S = 120 / 3.6
"""The highest speed limit there is: nobody arrives before the straight line at this speed."""
ROWS = 512
"""How many origins are worked on at once, so that no large matrix of doubles is held."""

_GEOCENTRIC = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)


class Unavailable(RuntimeError):
    """A source of travel times cannot answer; the message says which and why."""


class Point(NamedTuple):
    """A point in WGS-84, degrees north and east."""

    lat: float
    lon: float


class Table(NamedTuple):
    """Whole seconds and metres from each origin (row) to each destination; ``UNREACHABLE`` where there is no way."""

    seconds: Cells
    metres: Cells


class TravelTimes(Protocol):
    """Where travel times come from. Never below the straight line at the highest speed limit."""

    def matrix(self, points: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each point to each, 0 on the diagonal, at the traffic of that hour of the day (None: on average)."""

    def between(self, origins: Sequence[Point], destinations: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each origin to each destination. Raises Unavailable."""


def checked(points: Sequence[Point]) -> Sequence[Point]:
    """The points, each of them on the globe."""
    for at, (lat, lon) in enumerate(points):
        if not (math.isfinite(lat) and math.isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
            raise ValueError(f"points[{at}] is {(lat, lon)}: it must be degrees north (-90..90) and east (-180..180)")
    return points


def geocentric(points: Sequence[Point]) -> Reals:
    """Metres from the centre of the earth along three axes, a row a point."""
    degrees = np.array(checked(points), dtype=np.float64).reshape(-1, 2)
    x, y, z = _GEOCENTRIC.transform(degrees[:, 1], degrees[:, 0], np.zeros(len(degrees)))
    return np.column_stack((x, y, z))


def crow_m(origins: Reals, destinations: Reals) -> Reals:
    """The length of the straight way over the ground, from geocentric points.

    The chord through the ellipsoid, bent to an arc: within a province that is the geodesic to three millionths, and
    cheap enough for the 72 million pairs of a city of 8,500 stops.
    """
    squares = np.zeros((len(origins), len(destinations)))
    for axis in range(3):
        away = origins[:, axis, None] - destinations[None, :, axis]
        squares += np.multiply(away, away, out=away)
    halves = np.sqrt(squares, out=squares)
    halves /= 2 * EARTH_M
    arcs = np.arcsin(np.minimum(halves, 1, out=halves), out=halves)
    arcs *= 2 * EARTH_M
    return arcs


def whole(values: Reals) -> Cells:
    """Rounded up, so that no detour turns shorter than the straight way; what is not finite is unreachable."""
    up = np.ceil(np.where(np.isfinite(values), values, UNREACHABLE) - 1e-6)
    cells: Cells = np.clip(up, 0, UNREACHABLE).astype(np.int32)
    return cells


def plausible(origins: Sequence[Point], destinations: Sequence[Point], table: Table) -> Table:
    """The table, no entry below the straight line at the highest speed limit, both unreachable where one is."""
    seconds, metres = table
    start, end = geocentric(origins), geocentric(destinations)
    for row in range(0, len(origins), ROWS):
        rows = slice(row, row + ROWS)
        crow = crow_m(start[rows], end)
        torn = (seconds[rows] == UNREACHABLE) | (metres[rows] == UNREACHABLE)
        seconds[rows] = np.where(torn, UNREACHABLE, np.maximum(seconds[rows], whole(crow / FASTEST_M_S)))
        metres[rows] = np.where(torn, UNREACHABLE, np.maximum(metres[rows], whole(crow)))
    return table


def squared(table: Table) -> Table:
    """A square table with 0 on its diagonal, read-only as a problem holds it."""
    for cells in table:
        np.fill_diagonal(cells, 0)
        cells.flags.writeable = False
    return table
