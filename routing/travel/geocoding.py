"""Places: addresses to points through geopy, WGS-84 inside, GCJ-02 only at the door of a map."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from geopy.adapters import RequestsAdapter
from geopy.exc import GeocoderServiceError, GeopyError
from geopy.geocoders import Nominatim
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location

log = logging.getLogger(__name__)

AXIS_M = 6_378_245.0
ECCENTRICITY_2 = 0.00669342162296594323
MAINLAND = (72.004, 137.8347, 0.8293, 55.8271)
"""Outside of this box (west, east, south, north) maps are not shifted."""
JIANGSU = (116.2, 122.0, 30.7, 35.2)
LONGEST_WRITTEN = 120
SPOILED = (GeopyError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


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


def map_links(lon: float, lat: float, name: str, *, by_van: bool = False) -> tuple[MapLink, ...]:
    """The way to a WGS-84 point in Amap, Baidu, Apple's and Google's map, as an e-bike or a van drives it.

    Only the shifted point leaves, with the sign's name."""
    shifted_lon, shifted_lat = (round(value, 6) for value in to_gcj02(lon, lat))
    here = f"{shifted_lat},{shifted_lon}"
    amap = {
        "to": f"{shifted_lon},{shifted_lat},{name}", "mode": "car" if by_van else "ride", "coordinate": "gaode",
        "callnative": "1",
    }  # fmt: skip
    baidu = {
        "destination": f"latlng:{here}|name:{name}", "mode": "driving" if by_van else "riding", "coord_type": "gcj02",
        "output": "html", "src": "daiban",
    }  # fmt: skip
    apple = {"daddr": here, "q": name, "dirflg": "d" if by_van else "b"}
    google = {"api": "1", "destination": here, "travelmode": "driving" if by_van else "two-wheeler"}
    return (
        MapLink("高德", f"https://uri.amap.com/navigation?{urlencode(amap)}"),
        MapLink("百度", f"https://api.map.baidu.com/direction?{urlencode(baidu)}"),
        MapLink("苹果", f"https://maps.apple.com/?{urlencode(apple)}"),
        MapLink("谷歌", f"https://www.google.com/maps/dir/?{urlencode(google)}"),
    )


# ---------------------------------------------------------------- addresses to points


class GeocoderProtocol(Protocol):
    """What finds a written address: one of geopy's geocoders, or Amap below. The point is WGS-84."""

    def geocode(self, query: str, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL) -> Any:
        """The best match or all of them, or None. Raises GeopyError; its shape is not trusted."""


class Quality(StrEnum):
    """How near a geocoder's point is: the DOOR, the STREET, or the middle of an AREA (a town, a zone, a county)."""

    DOOR = "door"
    STREET = "street"
    AREA = "area"


QUALITY_LABEL = {Quality.DOOR: "门牌或单位", Quality.STREET: "道路", Quality.AREA: "仅到镇街或区县"}
NEARNESS = {Quality.DOOR: 0, Quality.STREET: 1, Quality.AREA: 2}
DOORS = frozenset(
    {"门牌号", "兴趣点", "单元号", "楼栋号", "门址", "building", "house", "amenity", "office", "shop", "place_house"}
)
STREETS = frozenset({"道路", "道路交叉路口", "公交地铁站点", "road", "highway", "industrial", "neighbourhood"})


@dataclass(frozen=True, slots=True)
class GeocodedPoint:
    """A point for an address, the geocoder that found it, and how near it is. A person confirms it on the map first."""

    lon: float
    lat: float
    source: str
    quality: Quality = Quality.AREA
    written: str = ""


def quality_of(raw: object) -> Quality:
    """What a geocoder says of its own precision (Amap's level, Nominatim's address type); an area where it does not."""
    said = {str(raw.get(key) or "") for key in ("level", "addresstype", "class")} if isinstance(raw, Mapping) else set()
    return Quality.DOOR if said & DOORS else Quality.STREET if said & STREETS else Quality.AREA


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
            except (AttributeError, KeyError, TypeError, ValueError):
                continue  # a row without a point; the others count
            lon, lat = from_gcj02(lon, lat)
            places.append(Location(str(row.get("formatted_address") or ""), (lat, lon), row))
        if not places:
            return None
        return places[0] if exactly_one else places


class Chain:
    """Geocoders asked one after the other. Their answers are not trusted: shape, country and precision are judged."""

    def __init__(self, *links: tuple[str, GeocoderProtocol], box: tuple[float, float, float, float] = JIANGSU) -> None:
        self.links, self.box = links, box

    def candidates(self, address: str) -> list[GeocodedPoint]:
        """All believable points, the nearest to a door first; of equals the earlier geocoder's.

        A service that fails or answers anything but places is skipped and logged; nobody waits for it twice. Once a
        door is found, the next geocoder is not asked."""
        written = " ".join(address.split())
        found: list[GeocodedPoint] = []
        for name, link in self.links if written else ():
            try:
                answer = link.geocode(written, exactly_one=False)
                places = answer if isinstance(answer, Sequence) and not isinstance(answer, Location) else [answer]
                found += filter(None, (self._believed(name, place) for place in places))
            except SPOILED as error:  # whatever an outside service answers, the next one is asked
                log.warning("geocoder %s failed: %s", name, type(error).__name__)
            if any(point.quality is Quality.DOOR for point in found):
                break
        return sorted(found, key=lambda point: NEARNESS[point.quality])

    def _believed(self, name: str, place: object) -> GeocodedPoint | None:
        """A place of an answer where it is a finite point inside the province."""
        if not isinstance(place, Location):
            return None
        west, east, south, north = self.box
        lon, lat = float(place.longitude), float(place.latitude)
        if not (west <= lon <= east and south <= lat <= north):
            return None
        return GeocodedPoint(lon, lat, name, quality_of(place.raw), str(place.address or "")[:LONGEST_WRITTEN])


AMAP_URL = "https://restapi.amap.com"
# Asked once: a second try would be logged with the whole URL, the key and the address in it, and would wait again.
_once = partial(RequestsAdapter, max_retries=0)


def geocoders(
    *, amap_key: str = "", amap_url: str = AMAP_URL, nominatim_url: str = "", timeout_s: float = 3,
    offline: GeocoderProtocol | None = None,
) -> Chain:  # fmt: skip
    """What the settings switch on, and the offline gazetteer last; without a setting, no address ever leaves."""
    links: list[tuple[str, GeocoderProtocol]] = []
    if amap_key:
        scheme, domain = _server("amap_url", amap_url)
        links.append(("amap", Amap(amap_key, domain=domain, scheme=scheme, timeout=timeout_s, adapter_factory=_once)))
    if nominatim_url:
        scheme, domain = _server("nominatim_url", nominatim_url)
        query = {"user_agent": "daiban", "timeout": timeout_s, "adapter_factory": _once}
        links.append(("nominatim", Nominatim(domain=domain, scheme=scheme, **query)))
    if offline is not None:
        links.append(("gazetteer", offline))
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
