"""A problem that exists is valid: every wrong value is refused with its field and itself."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.model.problem import Objective, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import MAX_INSTANT_S, NOTHING, InvalidProblem, Load, Window
from routing.model.request import Announced, Request, RequestKind, Stop
from routing.model.vehicle import Break, Done, Prefix
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_problem, a_stop, a_vehicle, line

ROAD = line(0, 1, 2)


def names(*texts: str) -> str:
    return "".join(f"(?=.*{text})" for text in texts)


@pytest.mark.parametrize(
    ("make", "field", "value"),
    [
        (lambda: Window(5, 4), "closes_s", "4"),
        (lambda: Window(-1, 4), "opens_s", "-1"),
        (lambda: Window(0, MAX_INSTANT_S + 1), "closes_s", str(MAX_INSTANT_S + 1)),
        (lambda: Window(0, math.nan), "closes_s", "nan"),
        (lambda: Window(0, 1.5), "closes_s", "1.5"),
        (lambda: Load(-2), "pieces", "-2"),
        (lambda: Load(0, -3), "grams", "-3"),
        (lambda: Load(True), "pieces", "True"),
        (lambda: Announced(Window(0, 1), -1), "cost_per_min", "-1"),
        (lambda: Stop(-1, ()), "location", "-1"),
        (lambda: Stop(0, (), service_s=-5), "service_s", "-5"),
        (lambda: Stop(0, (), grace_s=-6), "grace_s", "-6"),
        (lambda: Stop(0, (), late_per_s=-7), "late_per_s", "-7"),
        (lambda: Stop(0, (Window(5, 9), Window(1, 3))), "windows", "1"),
        (lambda: Stop(0, (Window(0, 3), Window(3, 4))), "windows", "3"),
        (lambda: a_delivery("", 1), "request.id", "''"),
        (lambda: a_delivery("a", 1, penalty=0), "penalty", "0"),
        (lambda: a_delivery("a", 1, depot=-1), "depot", "-1"),
        (lambda: Request("a", RequestKind.PAIRED, (a_stop(),)), "stops", "1"),
        (lambda: Request("a", RequestKind.PICKUP, (a_stop(), a_stop())), "stops", "2"),
        (lambda: Request("a", RequestKind.DELIVERY, (a_stop(collects=Load(1)),)), "collects", "pieces=1"),
        (lambda: Request("a", RequestKind.PICKUP, (a_stop(delivers=Load(1)),)), "delivers", "pieces=1"),
        (lambda: Request("a", RequestKind.PAIRED, (a_stop(collects=Load(1)), a_stop(2))), "delivers", "pieces=1"),
        (lambda: replace(a_pair("a"), depot=0), "depot", "0"),
        (lambda: replace(a_pair("a"), release_s=5), "release_s", "5"),
        (lambda: replace(a_delivery("a"), release_s=-1), "release_s", "-1"),
        (lambda: Break(Window(0, 1), -1), "duration_s", "-1"),
        (lambda: Done("a", 2, 0, 0, 0), "side", "2"),
        (lambda: Done("a", 0, 5, 4, 9), "start_s", "4"),
        (lambda: Done("a", 0, 5, 6, 5), "departure_s", "5"),
        (lambda: Prefix(10, done=(Done("a", 0, 5, 5, 5),)), "arrival_s", "5"),
        (lambda: a_vehicle(start=-1), "start", "-1"),
        (lambda: a_vehicle(end=-2), "end", "-2"),
        (lambda: a_vehicle(speed_pct=0), "speed_pct", "0"),
        (lambda: a_vehicle(fixed_cost=-1), "fixed_cost", "-1"),
        (lambda: a_vehicle(max_duty_s=-1), "max_duty_s", "-1"),
        (lambda: a_vehicle(max_stops=-1), "max_stops", "-1"),
        (lambda: a_vehicle(max_distance_m=0.5), "max_distance_m", "0.5"),
        (lambda: Objective(travel_per_s=-1), "travel_per_s", "-1"),
        (lambda: Objective(waiting_per_s=0.5), "waiting_per_s", "0.5"),
        (lambda: Objective(fair_duty_s=-1), "fair_duty_s", "-1"),
        (lambda: Profile([[0, 1]]), "seconds", "1, 2"),
        (lambda: Profile([[0, math.nan], [1, 0]]), r"seconds\[0, 1\]", "nan"),
        (lambda: Profile([[0, 1], [math.inf, 0]]), r"seconds\[1, 0\]", "inf"),
        (lambda: Profile([[0, 1], [-4, 0]]), r"seconds\[1, 0\]", "-4"),
        (lambda: Profile([[0, 1.5], [1, 0]]), r"seconds\[0, 1\]", "1.5"),
        (lambda: Profile([[0, UNREACHABLE + 1], [1, 0]]), r"seconds\[0, 1\]", str(UNREACHABLE + 1)),
        (lambda: Profile([[0, 1], [1, 7]]), r"seconds\[1, 1\]", "7"),
        (lambda: Profile([["0", "1"], ["1", "0"]]), "seconds", "U1"),
        (lambda: Profile([[0, 1], [1, 0]], [[0]]), "metres", "1, 1"),
        (lambda: Profile([[0, UNREACHABLE], [1, 0]], [[0, 5], [1, 0]]), r"metres\[0, 1\]", "UNREACHABLE"),
    ],
)
def test_a_wrong_value_is_refused_by_name(make, field, value):
    with pytest.raises(InvalidProblem, match=names(field, value)):
        make()


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"profiles": ()}, "profiles", "empty"),
        ({"profiles": (ROAD, ROAD)}, "profiles", "road"),
        ({"profiles": (ROAD, Profile([[0]], name="bike"))}, "bike", "1 places"),
        ({"requests": (a_delivery("a"), a_delivery("a"))}, "requests", "'a' twice"),
        ({"vehicles": (a_vehicle("v"), a_vehicle("v"))}, "vehicles", "'v' twice"),
        ({"requests": (a_delivery("a", 3),)}, "location", "3"),
        ({"requests": (a_delivery("a", 1, depot=9),)}, "depot", "9"),
        ({"vehicles": (a_vehicle(start=3),)}, "start", "3"),
        ({"vehicles": (a_vehicle(end=4),)}, "end", "4"),
        ({"vehicles": (a_vehicle(profile="bike"),)}, "profile", "bike"),
        ({"points": ((0.0, 0.0),)}, "points", "1"),
        ({"points": ((0.0, 0.0), (math.nan, 1.0), (0.0, 0.0))}, r"points\[1\]", "nan"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused_by_name(change, field, value):
    problem = a_problem(ROAD, [a_delivery("a")], [a_vehicle()])
    with pytest.raises(InvalidProblem, match=names(field, value)):
        replace(problem, **change)


@pytest.mark.parametrize(
    ("prefixes", "value"),
    [
        ([Prefix(0, done=(Done("x", 0, 1, 1, 1),))], "'x'"),
        ([Prefix(0, done=(Done("d", 1, 1, 1, 1),))], "side 1"),
        ([Prefix(0, done=(Done("d", 0, 1, 1, 1), Done("d", 0, 2, 2, 2)))], "done already"),
        ([Prefix(0, done=(Done("p", 1, 1, 1, 1),))], "not picked up"),
        ([Prefix(0, on_board=frozenset({"c"}))], "'c'"),
        ([Prefix(0, on_board=frozenset({"d"})), Prefix(0, on_board=frozenset({"d"}))], "on board v0"),
        ([Prefix(0, done=(Done("d", 0, 1, 1, 1),)), Prefix(0, on_board=frozenset({"d"}))], "done already by v0"),
    ],
)
def test_a_prefix_that_cannot_have_happened_is_refused(prefixes, value):
    seconds = np.full((4, 4), UNREACHABLE)
    seconds[:3, :3] = ROAD.seconds
    np.fill_diagonal(seconds, 0)
    requests = [a_delivery("d"), a_pair("p"), a_pickup("c"), a_delivery("far", 3)]
    with pytest.raises(InvalidProblem, match=value):
        a_problem(Profile(seconds), requests, [a_vehicle(f"v{i}", prefix=p) for i, p in enumerate(prefixes)])


def test_empty_days_and_extreme_values_are_problems_too():
    a_problem(ROAD, [], [])
    a_problem(
        Profile([[0, UNREACHABLE], [UNREACHABLE, 0]]),
        [Request("closed", RequestKind.DELIVERY, (Stop(1, ()),))],
        [a_vehicle(capacity=NOTHING, shift=Window(10**9, 10**9))],
    )


def test_a_matrix_is_held_as_read_only_int32_and_shared_where_it_can_be():
    given_ = np.array([[0.0, 3.0], [4.0, 0.0]])
    profile = Profile(given_)
    given_[0, 1] = 99
    assert profile.seconds.dtype == np.int32
    assert profile.seconds[0, 1] == 3
    assert profile.metres is profile.seconds
    with pytest.raises(ValueError, match="read-only"):
        profile.seconds[0, 1] = 5
    assert Profile(profile.seconds).seconds is profile.seconds
    assert Profile(profile.seconds).among([1]).size == 1


def test_a_part_of_a_profile_keeps_both_matrices_and_the_order_asked_for():
    part = ROAD.among([2, 0])
    assert part.seconds.tolist() == [[0, 120], [120, 0]]
    assert part.metres.tolist() == [[0, 2000], [2000, 0]]


def test_a_faster_vehicle_needs_fewer_seconds_rounded_up():
    assert a_vehicle(speed_pct=100).travel_s(100) == 100
    assert a_vehicle(speed_pct=125).travel_s(100) == 80
    assert a_vehicle(speed_pct=130).travel_s(100) == 77
    assert a_vehicle(speed_pct=50).travel_s(7) == 14


def test_the_fingerprint_is_the_same_for_equal_questions_only():
    def question(**more: object) -> Problem:
        return a_problem(
            line(0, 1, 2), [a_delivery("a", skills=frozenset("zyxwvu"), **more), a_pair("b")], [a_vehicle()]
        )

    print_ = question().fingerprint()
    assert print_ == question().fingerprint()
    others = [
        question(pieces=2),
        question(penalty=5),
        replace(question(), profiles=(line(0, 1, 3),)),
        replace(question(), vehicles=()),
        replace(question(), objective=Objective(duty_per_s=1)),
        replace(question(), vehicles=(a_vehicle(prefix=Prefix(0)),)),
        replace(question(), points=((0.0, 0.0),) * 3),
    ]
    assert len({print_, *(each.fingerprint() for each in others)}) == len(others) + 1


@given(st.lists(st.integers(0, UNREACHABLE), min_size=4, max_size=4))
def test_any_matrix_of_whole_seconds_is_kept_exactly(entries):
    square = np.array(entries, dtype=np.int64).reshape(2, 2)
    np.fill_diagonal(square, 0)
    assert Profile(square).seconds.tolist() == square.tolist()
