"""VROOM's set-up times: paid by whoever comes to a task from another place, before its service begins.

They become part of the ways, as ``shared_setup`` has it: a place with a set-up is a place of its own, which takes that
much longer to enter from elsewhere. VROOM's windows are for the moment in which the set-up begins, ours for the one in
which it is over. Where every visit has the set-up they are the same windows, later by it. Where others share the
place, a visit may have it or not: then each window begins later by it and closes as it did, which is right for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.model.formats.numbered import Malformed
from routing.model.quantities import Window


class SetupPlaces:
    """The places of a file, and one more for each set-up at one of them."""

    def __init__(self, size: int, ends: Iterable[Mapping[str, Any]], vehicles: Iterable[Mapping[str, Any]]) -> None:
        """``ends`` are jobs and the two ends of shipments, as the file has them."""
        self.first = size + 1  # behind the places of the file, and the one of who starts or ends nowhere
        self.size = size
        self.places: dict[tuple[int, int], int] = {}
        self.visited = Counter(str(end.get("location_index")) for end in ends)
        self.visited.update(str(vehicle.get("start_index")) for vehicle in vehicles)

    def place(self, location: int, setup_s: int) -> int:
        """The place of a task with its set-up."""
        if not setup_s:
            return location
        return self.places.setdefault((location, setup_s), self.first + len(self.places))

    def windows(self, path: str, windows: Sequence[Window], location: int, setup_s: int) -> tuple[Window, ...]:
        """When service may begin, the set-up being over. Raises Malformed where nothing is left of them."""
        if not setup_s or not windows:
            return tuple(windows)
        stays_s = setup_s if self.visited[str(location)] == 1 else 0
        later = tuple(
            Window(window.opens_s + setup_s, window.closes_s + stays_s)
            for window in windows
            if window.opens_s + setup_s <= window.closes_s + stays_s
        )
        if not later:
            raise Malformed(None, f"{path}.time_windows are shorter than its setup, {setup_s}, at a place with others")
        return later

    def entered(self, matrix: NDArray[np.int64], *, seconds: bool) -> NDArray[np.int64]:
        """A matrix of the file with these places too; in ``seconds`` with what entering them takes."""
        if not self.places:
            return matrix
        wide = matrix if len(matrix) > self.size else np.pad(matrix, (0, 1))
        origin = np.array([*range(self.first), *(location for location, _ in self.places)], dtype=np.intp)
        setup_s = np.array([0] * self.first + [each for _, each in self.places], dtype=np.int64)
        ways: NDArray[np.int64] = wide[np.ix_(origin, origin)]
        return ways + np.where(origin[:, None] != origin[None], setup_s[None], 0) if seconds else ways
