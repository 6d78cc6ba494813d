"""Geodesic travel times: the straight line, a detour factor, and the speed of the roads a trip of that length takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from routing.travel.places import FASTEST_M_S, ROWS, Point, Reals, Table, crow_m, geocentric, squared, whole
from routing.travel.speeds import Speeds

DETOUR = 1.24
"""Road over straight line: the median of real city networks, 1.07 to 1.59 between the 5th and the 95th percentile."""

REACHES: tuple[tuple[str, float], ...] = (("residential", 1_500), ("secondary", 8_000), ("trunk", float("inf")))
"""The metres up to which a trip stays on that class of road: the beginning and the end on streets, the middle faster.
"""


class Geodesic:
    """Travel times without a map. The farther, the faster, but never so that a detour over a third place is quicker."""

    def __init__(self, *, detour: float = DETOUR, speeds: Speeds | None = None) -> None:
        if not 1 <= detour <= 10:
            raise ValueError(f"detour is {detour}: it must lie between 1 and 10")
        self.detour, self.speeds = detour, speeds or Speeds()

    def matrix(self, points: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each point to each, at the traffic of that hour."""
        return squared(self.between(points, points, hour=hour))

    def between(self, origins: Sequence[Point], destinations: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each origin to each destination, at the traffic of that hour."""
        start, end = geocentric(origins), geocentric(destinations)
        seconds = np.empty((len(start), len(end)), dtype=np.int32)
        metres = np.empty_like(seconds)
        share = self.speeds.share(hour)
        for row in range(0, len(start), ROWS):
            rows = slice(row, row + ROWS)
            crow = crow_m(start[rows], end)
            metres[rows] = whole(crow * self.detour)
            seconds[rows] = whole(np.maximum(self._driven_s(crow * self.detour) / share, crow / FASTEST_M_S))
        return Table(seconds, metres)

    def _driven_s(self, road_m: Reals) -> Reals:
        """Concave in the distance, so that the way over a third place is never quicker."""
        total = np.zeros_like(road_m)
        before_m = 0.0
        for road, reach_m in REACHES:
            total += np.clip(road_m - before_m, 0, reach_m - before_m) / self.speeds.metres_per_s(road)
            before_m = reach_m
        return total
