"""Every plan that leaves solve keeps every rule, is the same for the same seed, and gets no worse with more room."""

import threading
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from routing.model.check import violations
from routing.model.plan import Reason
from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import Load, Window
from routing.model.request import Announced
from routing.search.pace import Pace
from routing.search.sisr.drive import Drive
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import FinalPlan, compile_core, improve, solve
from tests.routing.day.days import problems
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_vehicle, an_exchange, line


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    compile_core()


def a_day(count=24, vehicles=4, **more):
    places = line(0, *(((7 * at) % 23) - 11 for at in range(1, count + 1)))
    each = [a_delivery, a_pickup, an_exchange]
    asked = tuple(each[at % 3](f"r{at}", at) for at in range(1, count + 1))
    fleet = tuple(a_vehicle(f"v{at}") for at in range(vehicles))
    return Problem((places,), asked, fleet, Objective(**more))


@given(problems())
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_plan_passes_the_independent_check(problem):
    assert violations(problem, solve(problem, limit_s=60, max_iterations=80)) == []


@given(problems())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_same_seed_gives_the_same_plan(problem):
    first, again = (solve(problem, limit_s=60, max_iterations=60, seed=7) for _ in range(2))
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)


def test_a_plan_from_an_order_keeps_it_where_nothing_is_to_be_gained():
    problem = a_day()
    plan = solve(problem, limit_s=60, max_iterations=2_000)
    orders = {route.vehicle: [(visit.request, visit.side) for visit in route.visits] for route in plan.routes}
    assert improve(problem, orders, limit_s=60, max_iterations=0).routes == plan.routes


def test_more_iterations_never_end_worse():
    problem = a_day()
    costs = [solve(problem, limit_s=60, max_iterations=n).cost.total for n in (1, 300, 6_000)]
    assert costs[2] <= costs[1] <= costs[0]


def test_another_vehicle_or_a_wider_window_never_costs_more_beyond_one_in_a_hundred():
    tight = a_day(vehicles=3)
    short = replace(tight, vehicles=tuple(replace(v, shift=Window(0, 9_000)) for v in tight.vehicles))
    rank = [
        solve(each, limit_s=60, max_iterations=4_000).rank(each.objective)
        for each in (short, tight, replace(tight, vehicles=(*tight.vehicles, a_vehicle("more"))))
    ]
    assert rank[1][:3] <= rank[0][:3]
    assert rank[2][:3] <= rank[1][:3]
    assert rank[2][3] <= rank[1][3] * 1.01


def test_names_mean_nothing():
    problem = a_day()
    named = replace(problem, requests=tuple(replace(r, id=f"other {r.id}") for r in problem.requests))
    plan, other = (solve(each, limit_s=60, max_iterations=1_000, seed=3) for each in (problem, named))
    assert plan.cost == other.cost
    assert [[f"other {v.request}" for v in route.visits] for route in plan.routes] == [
        [v.request for v in route.visits] for route in other.routes
    ]


def test_fewer_vehicles_come_first_where_they_do():
    day = a_day(primary=Primary.VEHICLES)
    assert solve(day, limit_s=60, max_iterations=3_000).vehicles == 1 + (len(day.requests) * 2 // 3 - 1) // 10


def test_nothing_asked_and_nobody_there():
    nothing = Problem((line(0, 1),), (), (a_vehicle(),))
    assert solve(nothing, limit_s=0.2).routes == ()
    nobody = Problem((line(0, 1),), (a_delivery("a"),), ())
    assert [each.reason for each in solve(nobody, limit_s=0.2).unserved] == [Reason.NO_VEHICLE]


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (Problem((line(0, 1),), (a_delivery("a", 1, Window(0, 10)),), (a_vehicle(),)), Reason.TIME),
        (Problem((line(0, 1),), (a_delivery("a", pieces=11),), (a_vehicle(),)), Reason.CAPACITY),
        (Problem((line(0, 1),), (a_delivery("a"),), (a_vehicle(capacity=Load()),)), Reason.CAPACITY),
        (Problem((line(0, 1),), (a_delivery("a", skills=frozenset("x")),), (a_vehicle(),)), Reason.SKILL),
        (
            Problem((Profile([[0, UNREACHABLE], [UNREACHABLE, 0]]),), (a_delivery("a"),), (a_vehicle(),)),
            Reason.UNREACHABLE,
        ),
    ],
)
def test_what_cannot_be_served_has_its_reason(problem, reason):
    plan = solve(problem, limit_s=60, max_iterations=10)
    assert [each.reason for each in plan.unserved] == [reason]


def test_a_promise_that_the_longest_duty_cannot_wait_for_is_moved_and_nobody_is_left_out():
    told = Announced(Window(50_000, 60_000), 5)
    asked = replace(a_delivery("r", 1), stops=(replace(a_delivery("r", 1, Window(0, 2_000)).stops[0], announced=told),))
    early = replace(a_delivery("early", 2, Window(0, 1_000)), penalty=9)
    pair = a_pair("p", 1, 2)
    late = replace(
        pair, stops=(replace(pair.stops[0], windows=(Window(0, 2_000),)), replace(pair.stops[1], announced=told))
    )
    for requests in ((late,), (asked, early), (late, early)):
        problem = Problem((line(0, 1, 2),), requests, (a_vehicle(max_duty_s=3_600),))
        plan = solve(problem, limit_s=60, max_iterations=50)
        assert plan.unserved == () and violations(problem, plan) == []
        assert plan.cost.moved > 0


def test_a_horizon_of_thirty_years_is_a_horizon():
    far = Window(0, 10**9)
    problem = Problem((Profile([[0, 10**8], [10**8, 0]]),), (a_pickup("a", 1, far),), (a_vehicle(shift=far),))
    assert solve(problem, limit_s=60, max_iterations=10).cost.travel == 2 * 10**8


def test_it_stops_when_asked_and_tells_how_far_it_is():
    told, asked = [], threading.Event()

    def hear(progress):
        told.append(progress)
        asked.set()

    began = time.perf_counter()
    plan = solve(a_day(), limit_s=120, on_progress=hear, should_stop=asked.is_set)
    assert time.perf_counter() - began < 60
    assert told and told[-1].unserved == 0 and told[-1].cost >= plan.cost.terms


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_serve_everything_and_pass_the_check(workers):
    problem = a_day(40, 6)
    plan = solve(problem, limit_s=60, max_iterations=1_500, workers=workers)
    assert plan.unserved == () and violations(problem, plan) == []


def test_ortools_in_its_child_answers_and_ends():
    problem = Problem((line(0, 1, 2, 3),), (a_delivery("a", 1), a_pair("b", 2, 3)), (a_vehicle(),))
    plan = solve(problem, limit_s=12, engine="ortools")
    assert plan.engine == "ortools" and plan.unserved == () and violations(problem, plan) == []


def test_ortools_with_no_time_at_all_answers_with_the_first_solution():
    plan = solve(a_day(), limit_s=0, engine="ortools")
    assert plan.engine == "ortools" and plan.unserved == () and plan.iterations == 0


def test_a_search_that_found_nothing_more_ends_with_the_plan_that_was_timed():
    problem = a_day()
    search = Search(model_of(problem), 0)
    ending = FinalPlan(problem, search, "sisr", 0)
    Drive(search, Pace(3600), fleet_first=False).first()
    ending.reserve_s(Pace(3600))
    timed = ending.plan()
    assert ending.plan() is timed
    search.run(3_000, 100.0, 1.0)
    assert ending.plan().cost.total < timed.cost.total


def test_ortools_counted_in_plans_repeats_itself_and_ends():
    first, again = (
        replace(solve(a_day(8, 2), limit_s=120, max_iterations=5, engine="ortools"), seconds=0.0) for _ in range(2)
    )
    assert first == again and first.unserved == ()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"engine": "magic"}, "engine is 'magic'"),
        ({"limit_s": float("nan")}, "limit_s is nan"),
        ({"limit_s": -1}, "limit_s is -1"),
        ({"max_iterations": -1}, "max_iterations is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"workers": 0}, "workers is 0"),
    ],
)
def test_an_argument_that_means_nothing_is_refused_by_its_name(wrong, named):
    with pytest.raises(ValueError, match=named):
        solve(a_day(), **({"limit_s": 1} | wrong))
