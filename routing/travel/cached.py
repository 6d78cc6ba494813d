"""Cached travel times: what is known between places is not asked for again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from routing.model.profile import Cells
from routing.travel.places import Point, Table, TravelTimes, squared

PLACES = 3_000
"""How many places an hour remembers: 72 MB."""


@dataclass(slots=True)
class _Known:
    """The places of one hour and the whole table between them."""

    at: dict[Point, int] = field(default_factory=dict)
    seconds: Cells = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int32))
    metres: Cells = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int32))


class Cached:
    """Another source, remembered by place and hour: a new stop among 300 known ones asks for its own row and column."""

    def __init__(self, source: TravelTimes, *, places: int = PLACES) -> None:
        self.source, self.places = source, places
        self.known: dict[int | None, _Known] = {}
        self._learning = threading.Lock()  # pages ask from many threads

    def matrix(self, points: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each point to each, at the traffic of that hour. Raises Unavailable."""
        if len(set(points)) > self.places:
            return self.source.matrix(points, hour=hour)
        return squared(self._among(points, points, hour))

    def between(self, origins: Sequence[Point], destinations: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each origin to each destination, at the traffic of that hour. Raises Unavailable."""
        if len({*origins, *destinations}) > self.places:
            return self.source.between(origins, destinations, hour=hour)
        return self._among(origins, destinations, hour)

    def _among(self, origins: Sequence[Point], destinations: Sequence[Point], hour: int | None) -> Table:
        with self._learning:
            return self._known_among(origins, destinations, hour)

    def _known_among(self, origins: Sequence[Point], destinations: Sequence[Point], hour: int | None) -> Table:
        known = self.known.setdefault(hour, _Known())
        new = [place for place in dict.fromkeys((*origins, *destinations)) if place not in known.at]
        if len(known.at) + len(new) > self.places:
            known = self.known[hour] = _Known()
            new = list(dict.fromkeys((*origins, *destinations)))
        if new:
            self._learn(known, new, hour)
        rows = [known.at[place] for place in origins]
        columns = [known.at[place] for place in destinations]
        return Table(known.seconds[np.ix_(rows, columns)], known.metres[np.ix_(rows, columns)])

    def _learn(self, known: _Known, new: list[Point], hour: int | None) -> None:
        old = list(known.at)
        among = self.source.matrix(new, hour=hour)
        if not old:
            known.seconds, known.metres = among
        else:
            there = self.source.between(old, new, hour=hour)
            back = self.source.between(new, old, hour=hour)
            known.seconds = np.block([[known.seconds, there.seconds], [back.seconds, among.seconds]])
            known.metres = np.block([[known.metres, there.metres], [back.metres, among.metres]])
        known.at.update((place, at) for at, place in enumerate(new, len(old)))
