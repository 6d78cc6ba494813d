"""VROOM's JSON: what the model has is read, and answered as brute force answers it; the rest is refused by its path."""

import itertools
import json
from contextlib import suppress
from copy import deepcopy
from random import Random

import pytest

from routing.__main__ import main
from routing.model.formats import Malformed, parse
from routing.search.solve import solve

MATRIX = [[0, 100, 200, 300], [110, 0, 90, 400], [210, 80, 0, 100], [310, 390, 120, 0]]


def a_file(**more):
    vehicle = {"id": 1, "start_index": 0, "end_index": 0, "capacity": [4], "skills": [7]}
    jobs = [
        {"id": 1, "location_index": 1, "delivery": [1], "service": 30},
        {"id": 2, "location_index": 2, "pickup": [1], "skills": [7], "time_windows": [[500, 900], [2000, 3000]]},
    ]
    shipment = {
        "amount": [2],
        "pickup": {"id": 1, "location_index": 3, "service": 10},
        "delivery": {"id": 2, "location_index": 1},
    }
    raw = {"vehicles": [vehicle], "jobs": jobs, "shipments": [shipment], "matrices": {"car": {"durations": MATRIX}}}
    return {**raw, **more}


def read(raw):
    return parse(json.dumps(raw))


def test_jobs_and_shipments_become_requests_and_the_plan_speaks_in_their_ids():
    instance = read(a_file())
    plan = solve(instance.problem, limit_s=5, max_iterations=200)
    assert not plan.unserved
    assert sorted(word for line in instance.routes(plan) for word in line.split()[2:]) == ["1", "1p", "2", "2d"]
    assert isinstance(instance.cost(plan), int)


def test_a_vehicle_without_an_end_ends_at_its_last_task():
    one = {"id": 1, "location_index": 3}
    instance = read(a_file(vehicles=[{"id": 1, "start_index": 0}], jobs=[one], shipments=[]))
    assert instance.cost(solve(instance.problem, limit_s=5, max_iterations=50)) == 300
    both = read(a_file(vehicles=[{"id": 1, "end_index": 0}], jobs=[one], shipments=[]))
    assert both.cost(solve(both.problem, limit_s=5, max_iterations=50)) == 310


def test_costs_are_those_of_vroom_by_the_hour_the_kilometre_and_the_vehicle():
    costs = {"fixed": 50, "per_hour": 1800, "per_km": 2}
    matrices = {"car": {"durations": MATRIX, "distances": [[10 * cell for cell in row] for row in MATRIX]}}
    vehicle = {"id": 1, "start_index": 0, "end_index": 0, "costs": costs}
    instance = read(a_file(vehicles=[vehicle], jobs=[{"id": 1, "location_index": 1}], shipments=[], matrices=matrices))
    assert instance.cost(solve(instance.problem, limit_s=5, max_iterations=50)) == 50 + 210 / 2 + 2.1 * 2


def test_priority_is_served_before_number_and_number_before_cost():
    vehicle = {"id": 1, "start_index": 0, "end_index": 0, "capacity": [2]}
    jobs = [
        {"id": 1, "location_index": 1, "delivery": [1]},
        {"id": 2, "location_index": 1, "delivery": [1]},
        {"id": 3, "location_index": 3, "delivery": [2], "priority": 1},
    ]
    instance = read(a_file(vehicles=[vehicle], jobs=jobs, shipments=[]))
    plan = solve(instance.problem, limit_s=5, max_iterations=200)
    assert {each.request for each in plan.unserved} == {"1", "2"}
    assert instance.cost(plan) == 610  # what is left out costs nothing in VROOM's own terms
    jobs[2]["priority"] = 0
    few = read(a_file(vehicles=[vehicle], jobs=jobs, shipments=[]))
    assert {each.request for each in solve(few.problem, limit_s=5, max_iterations=200).unserved} == {"3"}


def test_most_tasks_and_the_longest_distance_are_kept():
    matrices = {"car": {"durations": MATRIX, "distances": [[10 * cell for cell in row] for row in MATRIX]}}
    limits = {"max_tasks": 3, "max_distance": 6_100}
    instance = read(a_file(vehicles=[{"id": 1, "start_index": 0, "end_index": 0, **limits}], matrices=matrices))
    (vehicle,) = instance.problem.vehicles
    assert (vehicle.max_stops, vehicle.max_distance_m) == (3, 6_100)
    jobs = [{"id": at, "location_index": at} for at in (1, 2, 3)]
    both = read(a_file(vehicles=[{"id": 1, "start_index": 0, "max_tasks": 2}], jobs=jobs, shipments=[]))
    assert len(solve(both.problem, limit_s=5, max_iterations=50).unserved) == 1
    near = read(a_file(vehicles=[{"id": 1, "start_index": 0, "max_distance": 1_900}], jobs=jobs, matrices=matrices))
    plan = solve(near.problem, limit_s=5, max_iterations=50)
    assert [visit.request for route in plan.routes for visit in route.visits] == ["1", "2"]


@pytest.mark.parametrize("seed", range(12))
def test_small_files_are_answered_as_every_order_tried_out_says(seed):
    draw = Random(seed)
    places = 5
    matrix = [[0 if a == b else draw.randint(50, 400) for b in range(places)] for a in range(places)]
    jobs = [
        {
            "id": at,
            "location_index": draw.randrange(places),
            "service": draw.randint(0, 60),
            "delivery": [1],
            "time_windows": [[opens := draw.randint(0, 1500), opens + draw.randint(100, 900)]],
        }
        for at in range(1, 5)
    ]
    vehicle = {"id": 1, "start_index": 0, "end_index": 0, "capacity": [4], "time_window": [0, 2500]}
    instance = read({"vehicles": [vehicle], "jobs": jobs, "matrices": {"car": {"durations": matrix}}})
    plan = solve(instance.problem, limit_s=5, max_iterations=400)
    best = max(
        (len(order), -cost)
        for size in range(5)
        for order in itertools.permutations(jobs, size)
        if (cost := cost_of(order, matrix)) is not None
    )
    assert (4 - len(plan.unserved), -instance.cost(plan)) == best


def cost_of(order, matrix):
    """What a tour over these jobs drives; None where a window or the end of the shift is missed."""
    at, now, driven = 0, 0, 0
    for job in order:
        way = matrix[at][job["location_index"]]
        opens, closes = job["time_windows"][0]
        driven, now, at = driven + way, max(now + way, opens), job["location_index"]
        if now > closes:
            return None
        now += job["service"]
    return driven + matrix[at][0] if now + matrix[at][0] <= 2500 else None


@pytest.mark.parametrize("seed", range(24))
def test_a_setup_is_paid_by_who_comes_from_another_place(seed):
    """Every order tried out as VROOM times it: the window is for the arrival, then set-up and service."""
    draw = Random(seed)
    places = 4
    matrix = [[0 if a == b else draw.randint(50, 400) for b in range(places)] for a in range(places)]
    setups = [draw.choice([0, 60, 240]) for _ in range(places)]
    jobs = []
    for at in range(1, 5):
        location = draw.randrange(places)
        job = {"id": at, "location_index": location, "service": draw.randint(0, 60), "setup": setups[location]}
        if draw.random() < 0.5:
            job["time_windows"] = [[opens := draw.randint(0, 1500), opens + draw.randint(300, 900)]]
        jobs.append(job)
    speed = draw.choice([1, 1, 2])
    vehicle = {"id": 1, "start_index": 0, "end_index": 0, "time_window": [0, 2500], "speed_factor": speed}
    instance = read({"vehicles": [vehicle], "jobs": jobs, "matrices": {"car": {"durations": matrix}}})
    plan = solve(instance.problem, limit_s=5, max_iterations=400)
    ways = [[-(-way // speed) for way in row] for row in matrix]
    order = [jobs[int(visit.request) - 1] for route in plan.routes for visit in route.visits]
    driven = entered_cost_of(order, ways) if order else 0
    assert driven is not None  # it can be driven as VROOM drives it
    assert instance.cost(plan) == driven
    alone = len({job["location_index"] for job in jobs} | {0}) == len(jobs) + 1
    if alone or not any("time_windows" in job for job in jobs):
        best = max(
            (len(order), -cost)
            for size in range(5)
            for order in itertools.permutations(jobs, size)
            if (cost := entered_cost_of(order, ways) if order else 0) is not None
        )
        assert (len(order), -driven) == best


def entered_cost_of(order, matrix):
    """What a tour over these jobs drives and sets up; None where a window or the end of the shift is missed."""
    at, now, driven = 0, 0, 0
    for job in order:
        location = job["location_index"]
        setup = job["setup"] if location != at else 0
        opens, closes = job.get("time_windows", [[0, 10**9]])[0]
        now = max(now + matrix[at][location], opens)
        driven, at = driven + matrix[at][location] + setup, location
        if now > closes:
            return None
        now += setup + job["service"]
    return driven + matrix[at][0] if now + matrix[at][0] <= 2500 else None


def job_with(**more):
    return a_file(jobs=[{"id": 1, "location_index": 1, **more}])


def vehicle_with(**more):
    return a_file(vehicles=[{"id": 1, "start_index": 0, **more}])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (a_file(options={"g": True}), "options is not known"),
        (a_file(matrices={}), "matrices is missing"),
        (a_file(matrices={"car": {"durations": [[0, 1]]}}), r"matrices.car.durations\[0\] must be a list of 1"),
        (a_file(matrices={"car": {"durations": MATRIX, "costs": MATRIX}}), "matrices.car.costs is not known"),
        (a_file(vehicles=[]), "vehicles is empty"),
        (vehicle_with(profile="bike"), r"vehicles\[0\].profile is 'bike'"),
        (vehicle_with(max_travel_time=3), r"vehicles\[0\].max_travel_time is not known"),
        (vehicle_with(max_tasks=-3), r"vehicles\[0\].max_tasks is -3"),
        (vehicle_with(max_distance=5), r"vehicles\[0\].max_distance is 5, and its profile has no distances"),
        (vehicle_with(capacity=[1, 2, 3]), r"vehicles\[0\].capacity has 3 dimensions"),
        (vehicle_with(speed_factor=1.005), r"vehicles\[0\].speed_factor is 1.005"),
        (vehicle_with(costs={"per_km": 5}), r"vehicles\[0\].costs.per_km is 5, and its profile has no distances"),
        (vehicle_with(breaks=[{"id": 1}, {"id": 2}]), r"vehicles\[0\].breaks are 2"),
        (vehicle_with(time_window=[9, 5]), r"vehicles\[0\].time_window ends at 5"),
        (a_file(vehicles=[{"id": 1, "start_index": 0}] * 2), "an id comes twice"),
        (a_file(vehicles=[{"id": 1, "start": [1.5, 2.5]}]), r"vehicles\[0\].start is a point without start_index"),
        (a_file(vehicles=[{"id": 1}]), r"vehicles\[0\] has neither a start nor an end"),
        (job_with(setup=-60), r"jobs\[0\].setup is -60"),
        (
            a_file(jobs=[{"id": 1, "location_index": 3, "setup": 60, "time_windows": [[5, 64]]}]),
            r"jobs\[0\].time_windows are shorter than its setup, 60",
        ),
        (job_with(location_index=4), r"jobs\[0\].location_index is 4"),
        (job_with(priority=101), r"jobs\[0\].priority is 101"),
        (job_with(service="5"), r"jobs\[0\].service is '5'"),
        (job_with(time_windows=[[5, 9], [7, 12]]), r"jobs\[0\]: stop.windows are not sorted"),
        (job_with(colour="red"), r"jobs\[0\].colour is not known"),
        (a_file(jobs=[{"id": 1, "location_index": 1}] * 2), r"jobs\[1\].id is 1: it comes twice"),
        (a_file(shipments=[{"pickup": {"id": 1, "location_index": 1}}]), r"shipments\[0\].delivery is missing"),
    ],
)
def test_what_the_model_cannot_say_is_refused_by_its_path(raw, reason):
    with pytest.raises(Malformed, match=reason):
        read(raw)


def test_costs_that_differ_by_vehicle_are_refused():
    vehicles = [{"id": at, "start_index": 0, "costs": {"per_hour": 3600 * at}} for at in (1, 2)]
    with pytest.raises(Malformed, match="costs per hour or kilometre differ"):
        read(a_file(vehicles=vehicles))


ODD = [
    None,
    True,
    -1,
    1.5,
    10**30,
    "",
    "1",
    [],
    [[]],
    {},
    [None],
    [-1],
    [10**12],
    {"id": 1},
    float("nan"),
    float("inf"),
]


def places_in(value):
    """Every place in a JSON value: what holds it, and its key."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places_in(value[key])


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_value_anywhere_is_read_or_refused_but_never_an_exception_of_another_kind(odd):
    for at in range(len(list(places_in(a_file())))):
        raw = deepcopy(a_file())
        holder, key = list(places_in(raw))[at]
        holder[key] = odd
        with suppress(Malformed):
            read(raw)


def test_the_command_line_takes_one(tmp_path, capsys):
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(a_file()), encoding="utf-8")
    assert main(["solve", str(path), "--iterations", "50"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("Route #1: ") and json.loads(printed[-1])["feasible"] is True
