"""Ways and points: each setting reaches the service that it names, and what is away, slow or refuses is passed over."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dispatch.core.actor import Role
from routing.travel import Geodesic, Point
from routing.travel.geocoding import GeocodedPoint, geocoders, to_gcj02
from tests.routing.travel.test_roads import STREETS
from tests.routing.travel.test_travel import serving
from tests.web.conftest import signed_in_client
from web.app import create_app
from web.wiring import travel_time_setup
from web.wiring.settings import BadSetting, Settings

NORTH = [Point(32.020, 118.780), Point(32.020, 118.790), Point(32.020, 118.800)]
WUJIN = Point(31.70, 119.95)
NOWHERE = "http://127.0.0.1:9"


def a_setting(**more: str) -> Settings:
    return Settings(database_url="postgresql:///x", broker_url="redis://x", home=Path(), secret_key="k" * 64, **more)


# ---------------------------------------------------------------- travel times


def test_a_server_is_asked_first_and_falls_back_to_the_roads_of_a_file(caplog: pytest.LogCaptureFixture) -> None:
    roads = travel_time_setup.travel_times(a_setting(road_graph=str(STREETS))).matrix(NORTH).seconds
    with serving() as (server, url):
        times = travel_time_setup.travel_times(a_setting(osrm_url=url, road_graph=str(STREETS)))
        from_server = times.matrix(NORTH).seconds
        assert server.asked and (from_server != roads).any()
        server.spoil = lambda answer: {"code": "TooBig", "message": "no"}
        with caplog.at_level(logging.ERROR):
            assert (times.matrix([*NORTH, Point(32.010, 118.780)]).seconds[:3, :3] == roads).all()
        assert "travel times fall back" in caplog.text
        server.spoil = lambda answer: answer
        back = times.matrix([*NORTH, Point(32.010, 118.780)]).seconds
    assert (back[:3, :3] == from_server).all(), "what fell back is not remembered as the server's"


def test_a_file_that_is_no_map_or_does_not_cover_the_place_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"no graph")
    line = Geodesic().matrix([*NORTH, WUJIN]).seconds
    for path in (broken, STREETS):
        with caplog.at_level(logging.ERROR):
            assert (
                travel_time_setup.travel_times(a_setting(road_graph=str(path))).matrix([*NORTH, WUJIN]).seconds == line
            ).all()
    assert "broken.npz cannot be read" in caplog.text and "from every road of the graph" in caplog.text


def test_without_settings_straight_lines_answer() -> None:
    assert (travel_time_setup.travel_times(a_setting()).matrix(NORTH).seconds == Geodesic().matrix(NORTH).seconds).all()


@pytest.mark.parametrize("wrong", ["roads.txt", "absent.npz"])
def test_a_road_graph_that_cannot_be_is_named_at_the_start(wrong: str, tmp_path: Path) -> None:
    told = {"DATABASE_URL": "postgresql:///x", "BROKER_URL": "redis://x", "ROAD_GRAPH": str(tmp_path / wrong)}
    with pytest.raises(BadSetting, match="ROAD_GRAPH must"):
        Settings.from_environment({**told, "SECRET_KEY": "k" * 64})


# ---------------------------------------------------------------- addresses


@dataclass
class Maps:
    """A local server that speaks Amap's and Nominatim's documented HTTP."""

    url: str = ""
    key: str = "secret"
    amap: dict[str, object] = field(default_factory=dict)
    nominatim: list[dict[str, object]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str) -> object:
        parts = urlsplit(path)
        asked = parse_qs(parts.query)
        if parts.path == "/v3/geocode/geo":
            self.asked.append(asked["address"][0])
            refused = {"status": "0", "info": "INVALID_USER_KEY", "infocode": "10001"}
            return self.amap if asked["key"] == [self.key] else refused
        assert parts.path == "/search" and asked["format"] == ["json"]
        self.asked.append(asked["q"][0])
        return self.nominatim


@pytest.fixture
def maps() -> Iterator[Maps]:
    known = Maps()
    known.may_answer.set()

    class Speaks(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.may_answer.wait(30)
            body = json.dumps(known.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except BrokenPipeError:
                return  # whoever asked has given up

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Speaks)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    known.url = f"http://127.0.0.1:{server.server_port}"
    yield known
    known.may_answer.set()
    server.shutdown()
    server.server_close()
    thread.join()


def amap_says(point: Point) -> dict[str, object]:
    lon, lat = to_gcj02(point.lon, point.lat)
    return {
        "status": "1",
        "geocodes": [{"formatted_address": "武进区", "level": "门牌号", "location": f"{lon:.6f},{lat:.6f}"}],
    }


def nominatim_says(point: Point) -> list[dict[str, object]]:
    return [{"lat": str(point.lat), "lon": str(point.lon), "display_name": "武进区"}]


def first(told: Settings) -> GeocodedPoint | None:
    """The best point for an address, as the services of these settings have it."""
    chain = travel_time_setup.geocoder(told)
    assert chain.links[-1][0] == "gazetteer"
    chain.links = chain.links[:-1]  # without the own places: no database is open here
    return next(iter(chain.candidates("人民东路1号")), None)


def test_each_setting_switches_its_geocoder_on_and_a_wrong_key_is_passed_over(
    maps: Maps, caplog: pytest.LogCaptureFixture
) -> None:
    maps.amap, maps.nominatim = amap_says(WUJIN), nominatim_says(Point(31.71, 119.96))
    both = a_setting(amap_key="secret", amap_url=maps.url, nominatim_url=maps.url)
    found = first(both)
    assert found is not None and found.source == "amap"
    assert (found.lon, found.lat) == (pytest.approx(WUJIN.lon, abs=1e-5), pytest.approx(WUJIN.lat, abs=1e-5))
    found = first(replace(both, amap_key="stale"))
    assert found is not None and (found.source, found.lat) == ("nominatim", 31.71)
    assert "geocoder amap failed" in caplog.text and "stale" not in caplog.text and "人民东路" not in caplog.text


def test_a_geocoder_that_is_slow_away_or_abroad_is_passed_over(maps: Maps, caplog: pytest.LogCaptureFixture) -> None:
    maps.may_answer.clear()
    assert geocoders(amap_key="secret", amap_url=maps.url, timeout_s=0.1).candidates("人民东路1号") == []
    assert len(maps.asked) <= 1, "it is not asked again"
    maps.may_answer.set()
    assert geocoders(amap_key="secret", amap_url=NOWHERE, timeout_s=0.5).candidates("人民东路1号") == []
    assert caplog.text.count("geocoder amap failed") == 2 and "secret" not in caplog.text
    assert "address" not in caplog.text, "an address is nobody's log line"
    maps.amap = amap_says(Point(39.9, 116.4))
    assert geocoders(amap_key="secret", amap_url=maps.url, timeout_s=10).candidates("人民东路1号") == [], (
        "that is Beijing"
    )


def test_an_enterprise_gets_a_pin_proposed_where_its_address_lies(  # type: ignore[no-untyped-def]
    settings: Settings, maps: Maps, a_division: int, account, sessions
) -> None:
    app = create_app(replace(settings, amap_key="secret", amap_url=maps.url))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    browser = signed_in_client(app, account(Role.ENTERPRISE))
    asked = {"county": "320412000000", "address": "人民东路1号"}
    maps.amap = amap_says(WUJIN)
    told = browser.post("/my/intake/point", data=asked).json
    assert told["point"] == told["candidates"][0]
    assert (told["point"]["lon"], told["point"]["lat"], told["point"]["source"]) == (WUJIN.lon, WUJIN.lat, "amap")
    assert maps.asked == ["江苏省武进区人民东路1号"]
    maps.amap = amap_says(Point(34.26, 117.18))
    told = browser.post("/my/intake/point", data=asked).json
    assert told["point"] is None, "Xuzhou is not in Wujin, and the middle of Wujin is not the address"
    assert {one["quality"] for one in told["candidates"]} <= {"area"}
    nobody = {"point": None, "candidates": []}
    assert browser.post("/my/intake/point", data={**asked, "county": "000"}).json == nobody
    assert browser.post("/my/intake/point", data={**asked, "address": " "}).json == nobody
    assert len(maps.asked) == 2, "nobody is asked without an address and a place"
    app.extensions["daiban.sessions"].kw["bind"].dispose()
