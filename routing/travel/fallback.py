"""Falling back, loudly: another source answers when the first cannot, and everybody can see that it did."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from routing.travel.places import Point, Table, TravelTimes, Unavailable

log = logging.getLogger(__name__)


class WithFallback:
    """The first source, or the second for the whole table when the first is unavailable; never a mixture of both."""

    def __init__(self, first: TravelTimes, second: TravelTimes) -> None:
        self.first, self.second = first, second
        self.failure: str | None = None
        """Why the last table came from the second source; None when it came from the first."""

    def matrix(self, points: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each point to each, from the second source where the first is unavailable."""
        try:
            table = self.first.matrix(points, hour=hour)
        except Unavailable as wrong:
            self._say(wrong)
            return self.second.matrix(points, hour=hour)
        self.failure = None
        return table

    def between(self, origins: Sequence[Point], destinations: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each origin to each destination, from the second source where the first is unavailable."""
        try:
            table = self.first.between(origins, destinations, hour=hour)
        except Unavailable as wrong:
            self._say(wrong)
            return self.second.between(origins, destinations, hour=hour)
        self.failure = None
        return table

    def _say(self, wrong: Unavailable) -> None:
        self.failure = str(wrong)
        log.error("travel times fall back to %s: %s", type(self.second).__name__, wrong)
