"""Places: addresses to points through geopy, WGS-84 inside, GCJ-02 only at the door of a map."""

import logging
import math
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from geopy.adapters import RequestsAdapter
from geopy.exc import GeocoderQueryError, GeocoderServiceError, GeopyError
from geopy.geocoders import Nominatim
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location

log = logging.getLogger(__name__)

AXIS_M = 6_378_245.0
ECCENTRICITY_2 = 0.00669342162296594323
MAINLAND = (72.004, 137.8347, 0.8293, 55.8271)
"""Outside of this box (west, east, south, north) maps are not shifted."""
JIANGSU = (116.2, 122.0, 30.7, 35.2)


# ---------------------------------------------------------------- the shifted grid of mainland maps


def to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """A WGS-84 point as mainland maps draw it (火星坐标): some hundred metres away, the same point abroad."""
    west, east, south, north = MAINLAND
    if not (west <= lon <= east and south <= lat <= north):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    wave = 20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)
    root = math.sqrt(abs(x))
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    d_lat += (wave + 20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    d_lat += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    d_lon += (wave + 20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    d_lon += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    radians = math.radians(lat)
    magic = 1 - ECCENTRICITY_2 * math.sin(radians) ** 2
    d_lat = math.degrees(d_lat / (AXIS_M * (1 - ECCENTRICITY_2) / (magic * math.sqrt(magic))))
    d_lon = math.degrees(d_lon / (AXIS_M / math.sqrt(magic) * math.cos(radians)))
    return lon + d_lon, lat + d_lat


def from_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """The WGS-84 point that mainland maps draw here: the shift undone to a centimetre."""
    guess_lon, guess_lat = lon, lat
    for _ in range(8):
        drawn_lon, drawn_lat = to_gcj02(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + lon - drawn_lon, guess_lat + lat - drawn_lat
    return guess_lon, guess_lat


@dataclass(frozen=True, slots=True)
class MapLink:
    """A map's name and the address that opens it with the way to a point."""

    name: str
    url: str


def map_links(lon: float, lat: float, name: str) -> tuple[MapLink, ...]:
    """The way to a WGS-84 point in Amap, Baidu and Apple's map. Only the shifted point leaves, with the sign's name."""
    shifted_lon, shifted_lat = (round(value, 6) for value in to_gcj02(lon, lat))
    amap = {"to": f"{shifted_lon},{shifted_lat},{name}", "mode": "ride", "coordinate": "gaode", "callnative": "1"}
    baidu = {
        "location": f"{shifted_lat},{shifted_lon}", "title": name, "content": name, "coord_type": "gcj02",
        "output": "html", "src": "daiban",
    }  # fmt: skip
    apple = {"daddr": f"{shifted_lat},{shifted_lon}", "q": name}
    return (
        MapLink("高德", f"https://uri.amap.com/navigation?{urlencode(amap)}"),
        MapLink("百度", f"https://api.map.baidu.com/marker?{urlencode(baidu)}"),
        MapLink("苹果", f"https://maps.apple.com/?{urlencode(apple)}"),
    )


# ---------------------------------------------------------------- addresses to points


class GeocoderProtocol(Protocol):
    """What finds a written address: one of geopy's geocoders, or Amap below. The point is WGS-84."""

    def geocode(self, query: str, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL) -> Location | None:
        """The best match, or None. Raises GeopyError."""


@dataclass(frozen=True, slots=True)
class GeocodedPoint:
    """A point for an address, and the geocoder that found it. A person confirms it on the map first."""

    lon: float
    lat: float
    source: str


class Amap:
    """Amap's geocoder (高德地理编码): asked within Jiangsu through geopy's client, answered in WGS-84."""

    def __init__(self, key: str, *, domain: str = "restapi.amap.com", city: str = "", **more: Any) -> None:
        self.client = Geocoder(**more)
        self.key, self.city = key, city
        self.api = f"{self.client.scheme}://{domain.strip('/')}/v3/geocode/geo"

    def geocode(
        self, query: str, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL
    ) -> Location | list[Location] | None:
        """Where Amap says the address is, as a WGS-84 point."""
        params = {"key": self.key, "address": query, "output": "JSON", **({"city": self.city} if self.city else {})}
        read = partial(self._parse, exactly_one=exactly_one)
        found: Location | list[Location] | None = self.client._call_geocoder(
            f"{self.api}?{urlencode(params)}", read, timeout=timeout
        )
        return found

    @staticmethod
    def _parse(answer: dict[str, Any], exactly_one: bool) -> Location | list[Location] | None:
        if str(answer.get("status")) != "1":
            # The key stands in the request's URL, never in an error or a log.
            raise GeocoderServiceError(
                f"Amap refused: {answer.get('info', 'no reason')} ({answer.get('infocode', '')})"
            )
        places: list[Location] = []
        for row in answer.get("geocodes") or []:
            try:
                lon, lat = (float(part) for part in str(row["location"]).split(","))
            except (KeyError, ValueError) as error:
                raise GeocoderQueryError(f"Amap answered without a point: {row!r:.80}") from error
            lon, lat = from_gcj02(lon, lat)
            places.append(Location(str(row.get("formatted_address") or ""), (lat, lon), row))
        if not places:
            return None
        return places[0] if exactly_one else places


class Chain:
    """Geocoders asked one after the other, until one knows the address inside the province."""

    def __init__(self, *links: tuple[str, GeocoderProtocol], box: tuple[float, float, float, float] = JIANGSU) -> None:
        self.links, self.box = links, box

    def find(self, address: str) -> GeocodedPoint | None:
        """The first believable point. A service that fails is skipped and logged; nobody waits for it twice."""
        written = " ".join(address.split())
        if not written:
            return None
        west, east, south, north = self.box
        for name, link in self.links:
            try:
                place = link.geocode(written, exactly_one=True)
            except GeopyError as error:
                log.warning("geocoder %s failed: %s", name, type(error).__name__)
                continue
            if place is not None and west <= place.longitude <= east and south <= place.latitude <= north:
                return GeocodedPoint(float(place.longitude), float(place.latitude), name)
        return None


AMAP_URL = "https://restapi.amap.com"
# Asked once: a second try would be logged with the whole URL, the key and the address in it, and would wait again.
_once = partial(RequestsAdapter, max_retries=0)


def geocoders(*, amap_key: str = "", amap_url: str = AMAP_URL, nominatim_url: str = "", timeout_s: float = 3) -> Chain:
    """What the settings switch on; without any, no address ever leaves and every answer is None."""
    links: list[tuple[str, GeocoderProtocol]] = []
    if amap_key:
        scheme, domain = _server("amap_url", amap_url)
        links.append(("amap", Amap(amap_key, domain=domain, scheme=scheme, timeout=timeout_s, adapter_factory=_once)))
    if nominatim_url:
        scheme, domain = _server("nominatim_url", nominatim_url)
        query = {"user_agent": "daiban", "timeout": timeout_s, "adapter_factory": _once}
        links.append(("nominatim", Nominatim(domain=domain, scheme=scheme, **query)))
    return Chain(*links)


def _server(name: str, url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(f"{name} is {url!r}: it must begin with http:// or https://")
    return parts.scheme, parts.netloc + parts.path.rstrip("/")


def far_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Metres between two points, near enough for asking whether a proposed entrance is plausible."""
    mean = math.radians((lat + other_lat) / 2)
    return 111_195.0 * math.hypot((lon - other_lon) * math.cos(mean), lat - other_lat)
