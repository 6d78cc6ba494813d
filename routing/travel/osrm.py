"""OSRM travel times: the table service of a routing server, asked in blocks that its limits allow."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import requests
from numpy.typing import NDArray

from routing.travel.geodesic import Geodesic
from routing.travel.places import Point, Reals, Table, Unavailable, checked, plausible, squared, whole
from routing.travel.speeds import Speeds

log = logging.getLogger(__name__)

Flags = NDArray[np.bool_]
FARTHEST_SNAP_M = 3_000
"""From a road as far away as this nobody drives: the server's map is another's, or the point is wrong."""
BLOCK = 100
"""Origins and destinations a call: a server refuses more than 100 by 100 unless it is set otherwise."""


class Osrm:
    """A routing server by its URL. Raises Unavailable when it is away, slow or answers anything but a table."""

    def __init__(
        self,
        url: str,
        *,
        profile: str = "driving",
        block: int = BLOCK,
        connect_s: float = 3.0,
        answer_s: float = 30.0,
        speeds: Speeds | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"url is {url!r}: it must begin with http:// or https://")
        if block < 1:
            raise ValueError(f"block is {block}: it must be at least 1")
        self.url, self.profile, self.block = url.rstrip("/"), profile, block
        self.timeouts = (connect_s, answer_s)
        self.speeds = speeds
        self.http = requests.Session()

    def matrix(self, points: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each point to each, at the traffic of that hour. Raises Unavailable."""
        return squared(self.between(points, points, hour=hour))

    def between(self, origins: Sequence[Point], destinations: Sequence[Point], *, hour: int | None = None) -> Table:
        """From each origin to each destination, at the traffic of that hour. Raises Unavailable."""
        checked(origins)
        checked(destinations)
        # The server knows one traffic only; the hour is ours, where speeds are given.
        share = self.speeds.share(hour) if self.speeds else 1.0
        seconds = np.empty((len(origins), len(destinations)), dtype=np.int32)
        metres = np.empty_like(seconds)
        off_road = np.zeros(seconds.shape, dtype=np.bool_)
        for row in range(0, len(origins), self.block):
            for column in range(0, len(destinations), self.block):
                here = slice(row, row + self.block), slice(column, column + self.block)
                durations, distances, off_road[here] = self._block(origins[here[0]], destinations[here[1]])
                seconds[here], metres[here] = whole(durations / share), whole(distances)
        if off_road.size and off_road.all():
            raise Unavailable(f"{self.url} has no road near any of the {len(origins)} points")
        if off_road.any():
            log.warning("%s has no road near some points: straight lines to and from these", self.url)
            straight = Geodesic(speeds=self.speeds).between(origins, destinations, hour=hour)
            seconds, metres = np.where(off_road, straight.seconds, seconds), np.where(off_road, straight.metres, metres)
        return plausible(origins, destinations, Table(seconds, metres))

    def _block(self, origins: Sequence[Point], destinations: Sequence[Point]) -> tuple[Reals, Reals, Flags]:
        places = ";".join(f"{lon:.6f},{lat:.6f}" for lat, lon in (*origins, *destinations))
        query = {
            "annotations": "duration,distance",
            "sources": ";".join(map(str, range(len(origins)))),
            "destinations": ";".join(map(str, range(len(origins), len(origins) + len(destinations)))),
        }
        answer = self._ask(f"{self.url}/table/v1/{self.profile}/{places}", query)
        shape = (len(origins), len(destinations))
        far = np.array(_snapped_m(answer, "sources", len(origins))) > FARTHEST_SNAP_M
        off = np.array(_snapped_m(answer, "destinations", len(destinations))) > FARTHEST_SNAP_M
        return (
            _numbers(answer, "durations", shape), _numbers(answer, "distances", shape), far[:, None] | off[None, :]
        )  # fmt: skip

    def _ask(self, url: str, query: dict[str, str]) -> dict[str, object]:
        try:
            response = self.http.get(url, params=query, timeout=self.timeouts, allow_redirects=False)
            answer = response.json()
        except requests.JSONDecodeError as wrong:
            raise Unavailable(f"{self.url} answered {response.status_code} and no JSON") from wrong
        except requests.RequestException as wrong:
            raise Unavailable(f"{self.url} did not answer: {type(wrong).__name__}") from wrong
        if not isinstance(answer, dict) or answer.get("code") != "Ok":
            code, message = (answer.get("code"), answer.get("message")) if isinstance(answer, dict) else (None, None)
            raise Unavailable(f"{self.url} answered {response.status_code}, {code}: {message}")
        return answer


def _snapped_m(answer: dict[str, object], name: str, number: int) -> list[float]:
    """How far each point was moved to reach a road. A server that does not say is not believed."""
    rows = answer.get(name)
    if not isinstance(rows, list) or len(rows) != number:
        raise Unavailable(f"{name} are not {number} points")
    try:
        return [float(row["distance"]) for row in rows]
    except (KeyError, TypeError, ValueError):
        raise Unavailable(f"{name} do not say how far from a road they are") from None


def _numbers(answer: dict[str, object], name: str, shape: tuple[int, int]) -> Reals:
    """A table of an answer; null, no way, becomes infinity."""
    try:
        cells = np.array(answer.get(name), dtype=np.float64)
    except (TypeError, ValueError):
        raise Unavailable(f"{name} is no table") from None
    if cells.shape != shape:
        raise Unavailable(f"{name} has shape {cells.shape}, {shape} was wanted")
    if (cells < 0).any():
        raise Unavailable(f"{name} has an entry below 0")
    return np.where(np.isnan(cells), np.inf, cells)
