"""Gazetteer: an offline geocoder behind geopy's interface, over the places that the program knows by itself."""

from collections.abc import Callable, Sequence
from typing import Any

from geopy.location import Location

Known = tuple[str, float, float]
"""A place's full name, and its point in WGS-84: longitude, latitude."""


class Gazetteer:
    """Answers with towns, zones and counties that an address mentions; no address leaves the machine.

    What it finds is the middle of a place, never a door: ``raw["level"]`` says so."""

    def __init__(self, find: Callable[[str], Sequence[Known]]) -> None:
        self.find = find

    def geocode(self, query: str, *, exactly_one: bool = True, **_: Any) -> Location | list[Location] | None:
        """The place that the query names best, or all of them, best first; nobody is waited for."""
        places = [Location(name, (lat, lon), {"level": "area"}) for name, lon, lat in self.find(query)]
        if not places:
            return None
        return places[0] if exactly_one else places
