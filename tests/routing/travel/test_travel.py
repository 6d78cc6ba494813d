"""Travel times: the straight line against geopy, a routing server over its own HTTP, and none too fast."""

import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.model.profile import UNREACHABLE, Profile
from routing.travel import (
    Cached,
    Geodesic,
    Osrm,
    Point,
    Speeds,
    Table,
    Unavailable,
    WithFallback,
)
from routing.travel.places import FASTEST_M_S, crow_m, geocentric

NANJING, SUZHOU, XUZHOU = Point(32.0603, 118.7969), Point(31.2990, 120.5853), Point(34.2044, 117.2859)
CITY = [Point(32.02 + 0.01 * i, 118.78 + 0.013 * ((7 * i) % 5)) for i in range(7)]

in_jiangsu = st.builds(Point, st.floats(30.7, 35.2), st.floats(116.3, 122.0))


@settings(deadline=None)
@given(st.lists(in_jiangsu, min_size=2, max_size=4))
def test_the_straight_line_is_the_geodesic_of_geopy_to_three_millionths(points):
    ours = crow_m(geocentric(points), geocentric(points))
    for a, one in enumerate(points):
        for b, other in enumerate(points):
            assert ours[a, b] == pytest.approx(geodesic(one, other).meters, rel=3e-6, abs=0.01)


@settings(deadline=None)
@given(st.lists(in_jiangsu, min_size=3, max_size=5), st.none() | st.integers(0, 23))
def test_geodesic_times_are_symmetric_never_too_fast_and_no_detour_is_quicker(points, hour):
    seconds, metres = Geodesic().matrix(points, hour=hour)
    Profile(seconds, metres)
    assert (seconds == seconds.T).all()
    for a, one in enumerate(points):
        for b, other in enumerate(points):
            crow = geodesic(one, other).meters
            assert metres[a, b] >= crow - 0.01
            assert seconds[a, b] >= (crow - 1) / FASTEST_M_S
            assert all(seconds[a, b] <= seconds[a, c] + seconds[c, b] for c in range(len(points)))
            assert all(metres[a, b] <= metres[a, c] + metres[c, b] for c in range(len(points)))


def test_a_trip_is_as_long_as_a_person_reckons():
    seconds, metres = Geodesic(detour=1.5, speeds=Speeds()).matrix([NANJING, SUZHOU])
    crow = geodesic(NANJING, SUZHOU).meters
    assert metres[0, 1] == pytest.approx(1.5 * crow, abs=1)
    by_hand = 1500 / (25 / 3.6) + 6500 / (42 / 3.6) + (1.5 * crow - 8000) / (65 / 3.6)
    assert seconds[0, 1] == pytest.approx(by_hand, abs=1)


def test_the_rush_hour_is_slower_and_the_night_quicker():
    morning, noon, night = (int(Geodesic().matrix([NANJING, SUZHOU], hour=hour).seconds[0, 1]) for hour in (8, 12, 3))
    assert night < noon < morning


def test_the_night_is_no_quicker_than_the_speed_limit():
    fast = Speeds({**Speeds().by_class, "trunk": 120.0}, (3.0,) * 24)
    seconds, _ = Geodesic(detour=1, speeds=fast).matrix([NANJING, XUZHOU], hour=0)
    assert seconds[0, 1] == math.ceil(geodesic(NANJING, XUZHOU).meters / FASTEST_M_S)


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda: Geodesic(detour=0.9), "0.9"),
        (lambda: Speeds({"trunk": 0}), "trunk"),
        (lambda: Speeds(by_hour=(1.0,) * 23), "23"),
        (lambda: Speeds(by_hour=(0.0,) * 24), "0.0"),
        (lambda: Speeds().share(24), "24"),
        (lambda: Geodesic().matrix([Point(91, 0)]), "91"),
        (lambda: Geodesic().matrix([Point(float("nan"), 0)]), "nan"),
        (lambda: Osrm("ftp://x"), "ftp"),
        (lambda: Osrm("http://x", block=0), "0"),
    ],
)
def test_a_wrong_setting_or_point_is_named(make, value):
    with pytest.raises(ValueError, match=value):
        make()


def test_no_points_and_one_point_are_tables_too():
    assert Geodesic().matrix([]).seconds.shape == (0, 0)
    assert Geodesic().matrix([NANJING, NANJING]).seconds.tolist() == [[0, 0], [0, 0]]


# A routing server that speaks OSRM's HTTP.


class Server:
    """Answers /table as osrm-routed does, by a table of straight lines, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.most = 10_000
        self.spoil: Callable[[dict], object] = lambda answer: answer
        self.status = 200
        self.delay_s = 0.0

    def answer(self, url: str) -> tuple[int, object]:
        path = urlsplit(url)
        query = parse_qs(path.query)
        service, version, profile, coordinates = path.path.strip("/").split("/")
        assert (service, version, profile) == ("table", "v1", "driving")
        assert query["annotations"] == ["duration,distance"]
        points = [Point(*map(float, reversed(each.split(",")))) for each in coordinates.split(";")]
        sources, destinations = (
            [points[int(at)] for at in query[side][0].split(";")] for side in ("sources", "destinations")
        )
        if len(sources) * len(destinations) > self.most:
            return 400, {"code": "TooBig", "message": "Too many table coordinates"}
        metres = crow_m(geocentric(sources), geocentric(destinations)) * 1.3
        snapped = {
            "sources": [{"distance": 4.2} for _ in sources], "destinations": [{"distance": 4.2} for _ in destinations]
        }  # fmt: skip
        answer = {
            **snapped,
            "code": "Ok",
            "durations": (metres / 10).round(1).tolist(),
            "distances": metres.round(1).tolist(),
        }
        return self.status, self.spoil(answer)


@contextmanager
def serving() -> Iterator[tuple[Server, str]]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            time.sleep(server.delay_s)
            status, told = server.answer(self.path)
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except BrokenPipeError:
                return  # whoever asked has given up

        def log_message(self, *_: object) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{http.server_address[1]}"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


@pytest.fixture
def osrm() -> Iterator[tuple[Server, str]]:
    with serving() as (server, url):
        yield server, url


def test_a_table_is_asked_for_in_blocks_and_put_together(osrm):
    server, url = osrm
    server.most = 9
    seconds, metres = Osrm(url + "/", block=3).matrix(CITY)
    assert len(server.asked) == 9
    expected = crow_m(geocentric(CITY), geocentric(CITY)) * 1.3
    assert np.abs(metres - expected).max() <= 1.5
    assert np.abs(seconds - expected / 10).max() <= 1.5
    assert seconds.dtype == np.int32
    Profile(seconds, metres)


def test_the_hour_slows_a_servers_times_where_speeds_are_given(osrm):
    _, url = osrm
    plain = Osrm(url).between(CITY[:1], CITY[1:2], hour=8).seconds[0, 0]
    slowed = Osrm(url, speeds=Speeds(by_hour=(0.5,) * 24)).between(CITY[:1], CITY[1:2], hour=8).seconds[0, 0]
    assert slowed == pytest.approx(2 * plain, abs=2)


def test_no_way_is_unreachable_both_in_time_and_length(osrm):
    server, url = osrm

    def cut(answer: dict) -> dict:
        answer["durations"][0][1] = None
        return answer

    server.spoil = cut
    seconds, metres = Osrm(url).matrix(CITY)
    assert seconds[0, 1] == metres[0, 1] == UNREACHABLE
    assert seconds[1, 0] < UNREACHABLE
    Profile(seconds, metres)


def test_a_point_far_from_every_road_is_reached_by_a_straight_line_and_said(osrm, caplog):
    """The server moves it to a road 480 km away and answers nought: only this point's times are not believed."""
    server, url = osrm

    def moved(answer: dict) -> dict:
        answer["sources"][0]["distance"] = answer["destinations"][0]["distance"] = 480_000.0
        answer["durations"][0], answer["distances"][0] = [0.0] * len(CITY), [0.0] * len(CITY)
        return answer

    plain = Osrm(url).matrix(CITY)
    server.spoil = moved
    with caplog.at_level(logging.WARNING):
        table = Osrm(url).matrix(CITY)
    assert "no road near" in caplog.text
    straight = Geodesic().matrix(CITY)
    assert (table.seconds[0] == straight.seconds[0]).all() and (table.seconds[:, 0] == straight.seconds[:, 0]).all()
    assert (table.seconds[1:, 1:] == plain.seconds[1:, 1:]).all()


def test_a_server_that_is_too_quick_is_not_believed(osrm):
    server, url = osrm
    server.spoil = lambda answer: {**answer, "durations": (np.array(answer["durations"]) / 100).tolist()}
    seconds, _ = Osrm(url).matrix(CITY)
    crow = crow_m(geocentric(CITY), geocentric(CITY))
    assert (seconds >= crow / FASTEST_M_S - 1e-6).all()


SPOILED = {
    "no word of roads": lambda answer: {**answer, "sources": [{}] * 7},
    "every point far from a road": lambda answer: {**answer, "sources": [{"distance": 9e5}] * 7},
    "an error": lambda answer: {"code": "InvalidQuery", "message": "no"},
    "no JSON": lambda answer: b"<html>busy</html>",
    "a list": lambda answer: [1, 2],
    "no distances": lambda answer: {"code": "Ok", "durations": answer["durations"]},
    "a table too small": lambda answer: {**answer, "distances": [[0]]},
    "a ragged table": lambda answer: {**answer, "durations": [[0], [1, 2]]},
    "words": lambda answer: {**answer, "durations": [["a"] * 7] * 7},
    "a time below 0": lambda answer: {**answer, "durations": [[-1.0] * 7] * 7},
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_answer_is_unavailable_and_falls_back_loudly(osrm, name, caplog):
    server, url = osrm
    server.spoil = SPOILED[name]
    with pytest.raises(Unavailable):
        Osrm(url).matrix(CITY)
    times = WithFallback(Osrm(url), Geodesic())
    with caplog.at_level(logging.ERROR):
        table = times.matrix(CITY)
    assert (table.seconds == Geodesic().matrix(CITY).seconds).all()
    assert "fall back to Geodesic" in caplog.text
    assert times.failure
    server.spoil = lambda answer: answer
    assert (times.between(CITY, CITY).seconds == Osrm(url).between(CITY, CITY).seconds).all()
    assert times.failure is None


def test_a_slow_or_absent_server_is_unavailable(osrm):
    server, url = osrm
    server.delay_s = 0.3
    with pytest.raises(Unavailable, match="ReadTimeout"):
        Osrm(url, answer_s=0.05).matrix(CITY)
    times = WithFallback(Osrm("http://127.0.0.1:9", connect_s=0.2), Geodesic())
    assert times.between(CITY, CITY).seconds.shape == (7, 7)
    assert "127.0.0.1:9" in (times.failure or "")


@pytest.mark.skipif("OSRM_URL" not in os.environ, reason="OSRM_URL names no server")
def test_a_real_server_answers_as_the_local_one_does():
    seconds, metres = Osrm(os.environ["OSRM_URL"]).matrix([NANJING, SUZHOU, XUZHOU])
    assert (metres[0, 1:] > 100_000).all()
    assert (seconds[0, 1:] > 3_600).all()


# What is known is not asked for again.


class Counting:
    """A source that counts the cells it was asked for."""

    def __init__(self) -> None:
        self.cells = 0
        self.source = Geodesic()

    def matrix(self, points: list[Point], *, hour: int | None = None) -> Table:
        return self.between(points, points, hour=hour)

    def between(self, origins: list[Point], destinations: list[Point], *, hour: int | None = None) -> Table:
        self.cells += len(origins) * len(destinations)
        return self.source.between(origins, destinations, hour=hour)


def test_one_more_stop_asks_for_its_own_row_and_column():
    counting = Counting()
    cached = Cached(counting)
    cached.matrix(CITY[:6])
    assert counting.cells == 36
    table = cached.matrix(CITY)
    assert counting.cells == 36 + 13
    cached.between(CITY[::-1], CITY[2:4])
    assert counting.cells == 49
    assert (table.seconds == Geodesic().matrix(CITY).seconds).all()
    assert (cached.matrix(CITY[::-1]).metres == Geodesic().matrix(CITY[::-1]).metres).all()
    cached.matrix(CITY, hour=8)
    assert counting.cells == 49 * 2


def test_the_memory_is_bounded():
    counting = Counting()
    cached = Cached(counting, places=4)
    assert (cached.matrix(CITY).seconds == Geodesic().matrix(CITY).seconds).all()
    for at in range(4):
        cached.matrix(CITY[at : at + 3])
    assert all(len(known.at) <= 4 for known in cached.known.values())
    assert (cached.between(CITY[:2], CITY[3:5]).metres == Geodesic().between(CITY[:2], CITY[3:5]).metres).all()


def test_many_threads_share_one_memory():
    cached = Cached(Geodesic())
    whole = Geodesic().matrix(CITY).seconds
    wrong: list[int] = []

    def ask(first: int) -> None:
        for last in range(first + 2, len(CITY) + 1):
            told = cached.matrix(CITY[first:last]).seconds
            if (told != whole[first:last, first:last]).any():
                wrong.append(first)

    threads = [threading.Thread(target=ask, args=(at % 5,)) for at in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
