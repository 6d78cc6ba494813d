"""Places: the shift of mainland maps, the links that carry it, and geocoders asked one after the other."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from geopy.distance import geodesic
from geopy.exc import GeocoderServiceError, GeocoderUnavailable
from geopy.location import Location
from hypothesis import given
from hypothesis import strategies as st

from routing.travel.gazetteer import Gazetteer
from routing.travel.geocoding import (
    Amap,
    Chain,
    GeocodedPoint,
    Quality,
    far_m,
    from_gcj02,
    geocoders,
    map_links,
    to_gcj02,
)

WUJIN = (119.942438, 31.701187)
lons, lats = st.floats(116.2, 122.0), st.floats(30.7, 35.2)


def test_tiananmen_is_drawn_where_maps_draw_it():
    # A published pair of the same corner: WGS-84 and what mainland maps show.
    lon, lat = to_gcj02(116.391349, 39.907375)
    assert (lon, lat) == (pytest.approx(116.397590, abs=2e-5), pytest.approx(39.908776, abs=2e-5))


@given(lons, lats)
def test_the_shift_is_some_hundred_metres_and_can_be_undone(lon: float, lat: float):
    drawn = to_gcj02(lon, lat)
    assert 50 < geodesic((lat, lon), drawn[::-1]).meters < 1000
    assert geodesic((lat, lon), from_gcj02(*drawn)[::-1]).meters < 0.01


@pytest.mark.parametrize("abroad", [(139.69, 35.68), (2.35, 48.85), (-74.0, 40.7)])
def test_abroad_nothing_is_shifted(abroad: tuple[float, float]):
    assert to_gcj02(*abroad) == abroad


@given(lons, lats, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_the_quick_distance_is_near_enough(lon: float, lat: float, east: float, north: float):
    exact = geodesic((lat, lon), (lat + north, lon + east)).meters
    assert far_m(lon, lat, lon + east, lat + north) == pytest.approx(exact, rel=0.01, abs=1)


def test_only_the_shifted_point_leaves_in_a_link():
    links = {link.name: link.url for link in map_links(*WUJIN, "常州精机有限公司")}
    lon, lat = to_gcj02(*WUJIN)
    assert parse_qs(urlsplit(links["高德"]).query)["to"] == [f"{lon:.6f},{lat:.6f},常州精机有限公司"]
    assert parse_qs(urlsplit(links["百度"]).query)["coord_type"] == ["gcj02"]
    assert parse_qs(urlsplit(links["谷歌"]).query)["destination"] == [f"{lat:.6f},{lon:.6f}"]
    assert parse_qs(urlsplit(links["苹果"]).query)["daddr"] == [f"{lat:.6f},{lon:.6f}"]
    assert not [url for url in links.values() if "119.9424" in url or "31.7011" in url]


@pytest.mark.parametrize(("by_van", "modes"), [(False, ["ride", "riding", "b"]), (True, ["car", "driving", "d"])])
def test_the_way_is_that_of_the_vehicle(by_van: bool, modes: list[str]):
    links = {link.name: parse_qs(urlsplit(link.url).query) for link in map_links(*WUJIN, "", by_van=by_van)}
    assert [links["高德"]["mode"], links["百度"]["mode"], links["苹果"]["dirflg"]] == [[mode] for mode in modes]


# ---------------------------------------------------------------- geocoders


class Here:
    """A geocoder that knows one place."""

    def __init__(self, lat: float, lon: float, **raw: str) -> None:
        self.place, self.asked = Location("", (lat, lon), raw), 0

    def geocode(self, query: str, **_: object) -> Location:
        self.asked += 1
        return self.place


class Away:
    """A geocoder whose server is down."""

    def geocode(self, query: str, **_: object) -> Location:
        raise GeocoderUnavailable("down")


def test_a_chain_asks_on_when_one_is_down_or_far_off():
    paris, right, never = Here(48.85, 2.35), Here(31.7, 119.94, level="门牌号"), Here(32.0, 118.8)
    chain = Chain(("down", Away()), ("far", paris), ("right", right), ("never", never))
    assert chain.candidates(" 武进区  人民东路1号 ") == [GeocodedPoint(119.94, 31.7, "right", Quality.DOOR)]
    assert (paris.asked, never.asked) == (1, 0)


def test_without_settings_no_address_leaves():
    assert geocoders().candidates("武进区人民东路1号") == []
    assert Chain(("right", Here(31.7, 119.94))).candidates("  ") == []


class Odd:
    """A geocoder that answers something else than places."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def geocode(self, query: str, **_: object) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer", [KeyError("geocodes"), TypeError("none"), {"lat": 1}, "words", [None], [{"lat": "x"}], 7, []]
)
def test_an_answer_of_any_shape_is_passed_over(answer: object) -> None:
    right = Here(31.7, 119.94, level="道路")
    assert Chain(("odd", Odd(answer)), ("right", right)).candidates("人民东路1号") == [
        GeocodedPoint(119.94, 31.7, "right", Quality.STREET)
    ]


def test_all_candidates_are_looked_at_the_nearest_to_a_door_first() -> None:
    far, area = (
        Location("北京", (39.9, 116.4), {"level": "门牌号"}),
        Location("武进区", (31.70, 119.94), {"level": "区县"}),
    )
    door = Location("人民东路1号", (31.71, 119.96), {"level": "门牌号"})
    found = Chain(("map", Odd([far, area, door]))).candidates("人民东路1号")
    assert [(point.written, point.quality) for point in found] == [
        ("人民东路1号", Quality.DOOR), ("武进区", Quality.AREA)
    ]  # fmt: skip


def test_the_gazetteer_answers_through_the_same_door() -> None:
    offline = Gazetteer(lambda query: [("常州市武进区湖塘镇", 119.95, 31.70)] if "湖塘" in query else [])
    chain = geocoders(offline=offline)
    assert chain.candidates("湖塘镇人民东路1号") == [
        GeocodedPoint(119.95, 31.70, "gazetteer", Quality.AREA, "常州市武进区湖塘镇")
    ]
    assert chain.candidates("无此地") == []


def test_settings_switch_on_what_they_name():
    chain = geocoders(amap_key="k", nominatim_url="https://maps.example.cn/nominatim/")
    assert [name for name, _ in chain.links] == ["amap", "nominatim"]
    with pytest.raises(ValueError, match="ftp://x"):
        geocoders(nominatim_url="ftp://x")


ANSWERS = {
    "known": {"status": "1", "geocodes": [{"formatted_address": "江苏省常州市武进区", "location": "119.947,31.699"}]},
    "unknown": {"status": "1", "geocodes": []},
    "no key": {"status": "0", "info": "INVALID_USER_KEY", "infocode": "10001"},
}


@pytest.fixture(scope="module")
def amap() -> Iterator[Amap]:
    """Amap's geocoder against a local server that speaks its HTTP."""

    class Speaks(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            assert asked["key"] == ["secret"]
            body = json.dumps(ANSWERS[asked["address"][0]]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Speaks)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Amap("secret", domain=f"127.0.0.1:{server.server_port}", scheme="http", timeout=10)
    server.shutdown()
    server.server_close()
    thread.join()


def test_amap_answers_in_wgs84(amap: Amap):
    place = amap.geocode("known")
    assert isinstance(place, Location)
    lon, lat = to_gcj02(place.longitude, place.latitude)
    assert (lon, lat) == (pytest.approx(119.947, abs=1e-6), pytest.approx(31.699, abs=1e-6))


def test_amap_knows_nothing_or_says_why(amap: Amap):
    assert amap.geocode("unknown") is None
    with pytest.raises(GeocoderServiceError, match="INVALID_USER_KEY") as refused:
        amap.geocode("no key")
    assert "secret" not in str(refused.value)
    assert Chain(("amap", amap)).candidates("no key") == []
