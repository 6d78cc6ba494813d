"""OR-Tools, the model of record: it takes every plan that the check takes, at the same cost, and no other."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace

import pytest

from routing.model.plan import Plan
from routing.model.problem import Objective, Primary, Problem
from routing.model.quantities import Load, Window
from routing.model.request import Announced
from routing.model.vehicle import Break, Prefix
from routing.search.child import OrToolsUnavailable, ortools_objections, ortools_orders, run_child
from routing.search.solve import compile_core, solve
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_vehicle, an_exchange, line

IN_A_CHILD = """
import json, pickle, sys
from routing.search.ortools_engine import verify_with_ortools
print(json.dumps([verify_with_ortools(*each) for each in pickle.load(sys.stdin.buffer)]))
"""


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    compile_core()


def a_day(count=12, *, penalty=None, vehicle=None, primary=Primary.DISTANCE):
    places = line(0, *(((7 * at) % 23) - 11 for at in range(1, count + 1)))
    each = [a_delivery, a_pickup]
    asked = [each[at % 2](f"r{at}", at, penalty=penalty) for at in range(1, count - 3)]
    asked += [an_exchange("x", count - 3), a_pair("p", count - 2, count - 1), a_pickup("far", count, penalty=penalty)]
    fleet = tuple(replace(vehicle or a_vehicle(), id=f"v{at}") for at in range(3))
    problem = Problem((places,), tuple(asked), fleet)
    return replace(problem, objective=replace(problem.objective, primary=primary))


def solved(problem: Problem) -> tuple[Problem, Plan]:
    return problem, solve(problem, limit_s=60, max_iterations=200)


def objections(*asked: tuple[Problem, Plan]) -> list[list[str]]:
    """Of one child for all of them: what costs time is starting it."""
    told = subprocess.run(
        [sys.executable, "-c", IN_A_CHILD], input=pickle.dumps(asked), capture_output=True, check=True
    )
    answers: list[list[str]] = json.loads(told.stdout)
    return answers


def test_it_takes_every_plan_of_every_kind_of_day_at_the_same_cost():
    resting = a_vehicle(rest=Break(Window(600, 3_000), 300), max_duty_s=20_000)
    told = a_day()
    told = replace(
        told,
        requests=tuple(
            replace(r, stops=tuple(replace(s, announced=Announced(Window(0, 900), 60)) for s in r.stops))
            for r in told.requests
        ),
    )
    released = replace(
        a_day(),
        requests=tuple(
            replace(request, release_s=300 * at) if request.from_depot else request
            for at, request in enumerate(a_day().requests)
        ),
    )
    days = {
        "released late": released,
        "musts": a_day(),
        "penalties": a_day(penalty=9_000),
        "breaks and duty": a_day(vehicle=resting),
        "most stops and metres": a_day(vehicle=a_vehicle(max_stops=5, max_distance_m=30_000)),
        "speed and load": a_day(vehicle=a_vehicle(speed_pct=130, capacity=Load(4, 10_000), fixed_cost=700)),
        "fewer first": a_day(primary=Primary.VEHICLES),
        "a must that nobody can serve": a_day(vehicle=a_vehicle(capacity=Load(0, 10_000))),
        "announced": told,
        "nobody": replace(a_day(), vehicles=()),
        "duty is paid": replace(a_day(), objective=Objective(duty_per_s=2)),
        "on duty after the shift": replace(a_day(), vehicles=(a_vehicle(shift=Window(0, 500), prefix=Prefix(0, 900)),)),
    }
    found = objections(*map(solved, days.values()))
    assert dict(zip(days, found, strict=True)) == {name: [] for name in days}


def test_it_refuses_what_breaks_a_rule_or_states_another_cost():
    problem, plan = solved(a_day())
    longest = max(plan.routes, key=lambda route: len(route.visits))
    early = replace(
        problem,
        requests=tuple(
            replace(r, stops=tuple(replace(s, windows=(Window(0, 0),)) for s in r.stops))
            if r.id == longest.visits[-1].request
            else r
            for r in problem.requests
        ),
    )
    small = replace(problem, vehicles=tuple(replace(v, capacity=Load(1, 10_000)) for v in problem.vehicles))
    few = replace(problem, vehicles=tuple(replace(v, max_stops=len(longest.visits) - 1) for v in problem.vehicles))
    short = replace(problem, vehicles=tuple(replace(v, max_distance_m=longest.cost.travel) for v in problem.vehicles))
    unready = replace(
        problem, requests=tuple(replace(r, release_s=99_000) if r.from_depot else r for r in problem.requests)
    )
    pair = next(route for route in plan.routes if any(visit.request == "p" for visit in route.visits))
    turned = replace(pair, visits=pair.visits[::-1])
    backwards = replace(plan, routes=tuple(turned if route is pair else route for route in plan.routes))
    cheap = replace(longest, cost=replace(longest.cost, travel=longest.cost.travel - 1))
    cheaper = replace(plan, routes=tuple(cheap if route is longest else route for route in plan.routes))
    others = early, small, few, short, unready
    found = objections(*((each, plan) for each in others), (problem, backwards), (problem, cheaper), (problem, plan))
    assert [len(each) for each in found] == [1, 1, 1, 1, 1, 1, 1, 0]
    assert "cannot be satisfied" in found[0][0] and "travel is stated" in found[6][0]


def test_a_child_answers_and_one_that_is_stopped_is_not_heard():
    problem, plan = solved(a_day())
    assert ortools_objections(problem, plan) == []
    with pytest.raises(OrToolsUnavailable):
        ortools_objections(problem, plan, over=lambda: True)


def test_a_child_that_never_reads_the_question_is_left_when_the_time_is_up():
    looks = iter([False, False])
    deaf = (sys.executable, "-c", "import threading; threading.Event().wait()")
    more_than_a_pipe_holds = bytes(2**21)
    heard_it = run_child(more_than_a_pipe_holds, limit_s=3600, over=lambda: next(looks, True), command=deaf)
    assert heard_it == ([], None)


def test_it_plans_by_itself():
    problem = Problem((line(0, 1, 2, 3),), (a_delivery("a", 1), a_pair("b", 2, 3)), (a_vehicle(),))
    orders = ortools_orders(problem, limit_s=120, over=lambda: False)
    assert sorted(orders["v"]) == [("a", 0), ("b", 0), ("b", 1)]
