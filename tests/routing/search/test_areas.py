"""A large day in areas: balanced, whole, and nothing lost at a border."""

from dataclasses import replace

from routing.model.check import violations
from routing.model.problem import Problem
from routing.model.profile import Profile
from routing.model.quantities import Load
from routing.search.areas import DividedProblem, areas_of, divisible
from routing.search.large_day import FIRST_SHARE, ROUNDS, LargeDay
from routing.search.pace import Pace
from routing.search.solve import compile_core, solve
from tests.routing.model.small import a_delivery, a_pair, a_vehicle


def a_town(stops=620, vehicles=29):
    compile_core()
    points = [(0.0, 0.0)] + [(float(37 * at % 101), float(53 * at % 97)) for at in range(1, stops + 1)]
    seconds = [[round(60 * (abs(a[0] - b[0]) + abs(a[1] - b[1]))) for b in points] for a in points]
    asked = [a_delivery(f"r{at}", at) for at in range(1, stops - 9)]
    asked += [a_pair(f"p{at}", at, at + 1) for at in range(stops - 9, stops, 2)]
    fleet = tuple(a_vehicle(f"v{at}", capacity=Load(40, 0)) for at in range(vehicles))
    return Problem((Profile(seconds),), tuple(asked), fleet, points=tuple(points))


def test_areas_hold_each_request_and_each_vehicle_once_and_are_balanced():
    problem = a_town()
    areas = DividedProblem(problem).first(4)
    assert sorted(q for area in areas for q in area.requests) == list(range(len(problem.requests)))
    assert sorted(v for area in areas for v in area.vehicles) == list(range(len(problem.vehicles)))
    sizes = [len(area.requests) for area in areas]
    assert max(sizes) <= 1.2 * min(sizes)


def test_areas_come_in_whole_waves_and_small_ones():
    assert areas_of(a_town(), 2) == 2
    assert divisible(a_town()) and not divisible(a_town(vehicles=1))


def test_an_area_is_a_problem_with_the_same_ways():
    problem = a_town()
    division = DividedProblem(problem)
    area = division.first(3)[1]
    part = division.part(area)
    for inner, q in zip(part.requests, area.requests, strict=True):
        outer = problem.requests[q]
        there = problem.profiles[0].seconds[0, outer.stops[0].location]
        assert part.profiles[0].seconds[part.vehicles[0].start, inner.stops[0].location] == there


def test_a_day_by_areas_serves_everything_and_passes_the_check():
    problem = a_town()
    plan = solve(problem, limit_s=60, max_iterations=800, workers=2)
    assert violations(problem, plan) == [] and plan.unserved == ()


def test_the_same_seed_gives_the_same_areas():
    problem = a_town()
    first, again = (
        LargeDay(problem, Pace(600, 200), seed=1, workers=2, fleet_first=False).routes() for _ in range(2)
    )  # fmt: skip
    assert first == again


def test_the_last_round_that_pays_uses_the_time_to_its_end():
    day = LargeDay(a_town(), Pace(6.0), seed=0, workers=1, fleet_first=False)
    assert day._ends(0, 1.5) == 1.0
    assert day._ends(0, 0.1) == FIRST_SHARE < day._ends(1, 0.1) < day._ends(ROUNDS - 1, 0.1) == 1.0


def test_whoever_waits_for_a_large_day_is_told_how_it_stands():
    problem, told = a_town(), []
    plan = solve(problem, limit_s=60, max_iterations=800, workers=2, on_progress=told.append)
    assert told and told[-1].unserved == 0 and told[-1].vehicles >= 1
    assert [each.share for each in told] == sorted(each.share for each in told)
    assert told[-1].cost >= plan.cost.terms


def test_a_large_day_ends_when_it_is_asked_to():
    problem = a_town()
    plan = solve(problem, limit_s=600, workers=2, should_stop=lambda: True)
    assert violations(problem, plan) == [] and plan.seconds < 300


def test_vehicles_go_to_the_area_that_lies_around_their_start():
    town = a_town(stops=120, vehicles=6)
    points = (*town.points, (500.0, 500.0))
    seconds = [[round(60 * (abs(a[0] - b[0]) + abs(a[1] - b[1]))) for b in points] for a in points]
    far = tuple(replace(request, stops=(replace(request.stops[0], location=121),)) for request in town.requests[:60])
    requests = (*far, *town.requests[60:-5])
    vehicles = tuple(replace(v, start=121, end=121) if at % 2 else v for at, v in enumerate(town.vehicles))
    problem = replace(
        town, profiles=(Profile(seconds),), requests=requests, vehicles=vehicles, points=points
    )  # fmt: skip
    for area in DividedProblem(problem).first(2):
        starts = {problem.vehicles[v].start for v in area.vehicles}
        assert starts == ({121} if 59 in area.requests else {0})
