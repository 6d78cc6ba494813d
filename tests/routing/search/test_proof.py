"""Proofs: a bound is never above what any plan costs, other code confirms it, and a bound that is raised is caught."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from routing.model.bound_check import PARTS, BoundCertificate, bound_objections
from routing.model.plan import NoBound
from routing.model.problem import Objective, Primary, Problem
from routing.model.quantities import Load, Window
from routing.model.vehicle import Break, Done, Prefix
from routing.search.pace import Pace
from routing.search.proof.bounding import Bounding
from routing.search.proof.columns import Columns
from routing.search.proof.fleets import DualPoint, least_cost, needed
from routing.search.proof.messages import BoundRaised, Recombined
from routing.search.proof.partner import Partner, pool_rows, why_alone
from routing.search.proof.recombine import recombined
from routing.search.proof.relaxation import relaxed
from routing.search.sisr.drive import Drive
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import compile_core, improve, solve
from tests.routing.day.days import problems
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_vehicle, line

ENOUGH = 150
"""Rounds: a small day's bound has long stopped rising."""


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    compile_core()


def proved(problem: Problem, rounds: int = ENOUGH) -> BoundCertificate | NoBound:
    """What column generation proves of a problem, from a search of a few iterations."""
    search = Search(model_of(problem), 0, pools=True)
    Drive(search, Pace(60.0), fleet_first=False).first()
    search.run(200, search.model.hot, 1.0)
    relaxation = relaxed(problem)
    if isinstance(relaxation, NoBound):
        return relaxation
    rows = pool_rows(search)
    bounding = Bounding(relaxation, rows.cost)
    bounding.take_in(rows)
    for _ in range(rounds):
        if not bounding.step():
            break
    return bounding.certificate()


def a_day(count=14, *, penalty=None, vehicle=None, fleet=3, **objective) -> Problem:
    places = line(0, *(((7 * at) % 23) - 11 for at in range(1, count + 1)))
    each = [a_delivery, a_pickup]
    windows = [Window(600 * (at % 5), 600 * (at % 5) + 2_400) for at in range(count + 1)]
    asked = [each[at % 2](f"r{at}", at, windows[at], penalty=penalty, service_s=60) for at in range(1, count + 1)]
    vans = tuple(replace(vehicle or a_vehicle(fixed_cost=500), id=f"v{at}") for at in range(fleet))
    return Problem((places,), tuple(asked), vans, Objective(**objective))


DAYS = {
    "plain": a_day(),
    "penalties, too few vehicles": a_day(penalty=2_000, fleet=1),
    "loads that bind": a_day(vehicle=a_vehicle(capacity=Load(4, 10_000), fixed_cost=500)),
    "duty is paid": a_day(duty_per_s=2, waiting_per_s=1, evenness_per_s=3, fair_duty_s=600),
    "metres and speed": a_day(travel_per_m=2, vehicle=a_vehicle(speed_pct=130, fixed_cost=90)),
    "break and longest duty": a_day(vehicle=a_vehicle(rest=Break(Window(600, 3_000), 300), max_duty_s=9_000)),
    "kinds": replace(
        a_day(),
        vehicles=(
            a_vehicle("a", fixed_cost=300),
            a_vehicle("b", shift=Window(900, 4_000)),
            a_vehicle("c", start=3, end=3),
        ),
    ),
}


@pytest.mark.parametrize("name", DAYS)
def test_a_bound_lies_below_the_best_plan_and_other_code_confirms_it(name):
    problem = DAYS[name]
    plan = solve(problem, limit_s=60, max_iterations=3_000)
    certificate = proved(problem)
    assert isinstance(certificate, BoundCertificate)
    assert 0 < certificate.bound <= plan.cost.total
    assert bound_objections(problem, certificate) == []


def test_where_nothing_is_relaxed_the_bound_meets_the_plan():
    problem = a_day()
    certificate = proved(problem)
    assert isinstance(certificate, BoundCertificate)
    best = min(solve(problem, limit_s=60, max_iterations=2_000, seed=seed).cost.total for seed in range(3))
    assert certificate.bound >= 0.97 * best


@given(problems(most=6))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_on_days_of_every_rule_no_plan_is_below_its_bound(problem):
    problem = replace(problem, objective=replace(problem.objective, primary=Primary.DISTANCE))
    plan = solve(problem, limit_s=60, max_iterations=400)
    certificate = proved(problem, 40)
    if isinstance(certificate, BoundCertificate) and plan.feasible:
        assert certificate.bound <= plan.cost.total
        assert bound_objections(problem, certificate) == []


def under_way() -> Problem:
    problem = a_day()
    first = problem.requests[0]
    done = (Done(first.id, 0, 600, 700, 760),)
    ahead = frozenset(r.id for r in problem.requests if r.from_depot)
    courier = replace(problem.vehicles[0], prefix=Prefix(0, 900, done, ahead))
    return replace(problem, vehicles=(courier, *problem.vehicles[1:]))


def test_a_day_under_way_has_a_bound_with_what_is_driven_in_it():
    problem = under_way()
    plan = improve(problem, {}, limit_s=60, max_iterations=2_000)
    certificate = proved(problem)
    assert isinstance(certificate, BoundCertificate)
    assert plan.feasible and certificate.bound <= plan.cost.total
    assert bound_objections(problem, certificate) == []


def test_pairs_are_bounded_as_two_stops():
    problem = Problem(
        (line(0, 2, 4, 6, 8),), (a_pair("p", 1, 2, service_s=60), a_pair("q", 3, 4, service_s=60)), (a_vehicle(),)
    )
    certificate = proved(problem)
    assert isinstance(certificate, BoundCertificate)
    assert certificate.bound <= solve(problem, limit_s=60, max_iterations=300).cost.total
    assert bound_objections(problem, certificate) == []


def test_a_raised_bound_is_caught_wherever_it_is_raised():
    problem = a_day()
    certificate = proved(problem)
    assert isinstance(certificate, BoundCertificate)
    assert "the points say" in bound_objections(problem, replace(certificate, bound=certificate.bound + 1))[0]
    point = certificate.points[-1]
    far = {name: least + 400 * PARTS for name, least in point.least.items()}
    raised = replace(certificate, points=(*certificate.points[:-1], replace(point, least=far)))
    assert any("may cost less" in each for each in bound_objections(problem, raised))
    dearer = {side: worth + 300 * PARTS for side, worth in point.worth.items()}
    raised = replace(certificate, points=(*certificate.points[:-1], replace(point, worth=dearer)))
    assert any("may cost less" in each for each in bound_objections(problem, raised))


def test_a_stop_is_worth_no_more_than_leaving_it_out_costs():
    problem = a_day(penalty=2_000, fleet=1)
    certificate = proved(problem)
    assert isinstance(certificate, BoundCertificate)
    point = certificate.points[0]
    worth = {**point.worth, ("r1", 0): 2_001 * PARTS}
    false = replace(certificate, points=(replace(point, worth=worth), *certificate.points[1:]))
    assert any("leaving it out costs" in each for each in bound_objections(problem, false))


def test_each_number_of_vehicles_has_the_best_of_its_duals():
    none = DualPoint(np.array([0, 0]), (30,))
    some = DualPoint(np.array([50, 50]), (-10,))
    assert none.costs([3]).tolist() == [0, 30, 60, 90]
    assert some.costs([3]).tolist() == [100, 90, 80, 70]
    assert least_cost([none, some], [3]) == 80
    assert least_cost(needed([none, some, none], [3]), [3]) == 80


def test_some_days_have_no_bound_and_say_why():
    at_once = tuple(a_delivery(f"r{at}", at) for at in range(1, 4))
    still = Problem((line(0, 5, 5, 5),), at_once, (a_vehicle(),))
    assert proved(still) is NoBound.NO_CLOCK
    many = tuple(a_delivery(f"r{at}", 1) for at in range(601))
    assert relaxed(Problem((line(0, 1),), many, (a_vehicle(),))) is NoBound.LARGE


# ---------------------------------------------------------------- the partner of a search


def a_search(problem: Problem, *, pools: bool = True, rounds: int = 2_000) -> Search:
    search = Search(model_of(problem), 3, pools=pools)
    Drive(search, Pace(60.0), fleet_first=False).first()
    search.run(rounds, search.model.hot, 1.0)
    return search


def test_keeping_a_pool_changes_nothing_of_a_search():
    with_pool, without = a_search(a_day()), a_search(a_day(), pools=False)
    assert (with_pool.best(), with_pool.rank) == (without.best(), without.rank)
    assert len(pool_rows(without).by) == 0 < len(pool_rows(with_pool).by)


def test_each_pooled_route_can_be_driven_at_the_cost_that_it_states():
    problem = DAYS["kinds"]
    search = a_search(problem)
    for v, cost, nodes in pool_rows(search).routes:
        alone = Search(model_of(problem), 0)
        assert alone.stands(v, list(nodes))
        alone.begin([list(nodes) if r == v else [] for r in range(len(problem.vehicles))])
        assert alone.rank[1] == cost


def a_partner(search: Search) -> Partner:
    """One whose child process is not there: it is told what such a process would say."""
    partner = object.__new__(Partner)
    partner.search, partner.pace, partner.why, partner.bound = search, Pace(60.0), NoBound.UNHEARD, None
    return partner


def test_a_worse_set_of_routes_is_left_and_a_better_one_taken():
    search = a_search(a_day(), rounds=20)
    best, rank = search.best(), search.rank
    partner = a_partner(search)
    partner.heed(Recombined([[node] for node in range(3)]))
    assert (search.best(), search.rank) == (best, rank)
    better = a_search(a_day(), rounds=20_000)
    assert better.rank < rank
    partner.heed(Recombined(better.best()))
    assert search.rank == better.rank


def test_a_bound_above_a_plan_is_a_fault_and_not_stated(caplog):
    plan = solve(a_day(), limit_s=60, max_iterations=500)
    partner = a_partner(a_search(a_day()))
    partner.heed(BoundRaised(plan.cost.total - 100, 0))
    assert partner.sign(plan).gap == pytest.approx(100 / plan.cost.total)
    partner.heed(BoundRaised(plan.cost.total + 1, 0))
    assert (partner.sign(plan).bound, partner.sign(plan).no_bound) == (None, NoBound.UNHEARD)
    assert "is above the cost" in caplog.text


def test_the_choice_of_whole_routes_is_the_best_there_is():
    columns = Columns()
    costs = {
        columns.add(0, cost, stops): cost for cost, stops in ((9.0, (0, 1)), (4.0, (0,)), (3.0, (1,)), (8.0, (2,)))
    }
    every = {"prices": np.array([50.0, 50.0, 5.0]), "limits": [3], "begin": [0], "limit_s": 60.0}
    assert recombined(columns, costs, most=3, **every) == [1, 2]
    assert recombined(columns, costs, most=1, **every) == [0]


IN_A_PROCESS_OF_ITS_OWN = """
import json, sys
from routing.model.problem import Problem
from routing.model.quantities import Window
from routing.search.solve import solve
from tests.routing.model.small import a_delivery, a_vehicle, line
stops = tuple(a_delivery(f"r{at}", at, Window(0, 9_000), service_s=60) for at in range(1, 9))
problem = Problem((line(0, 1, -2, 3, -4, 5, -6, 7, -8),), stops, (a_vehicle("a", fixed_cost=100), a_vehicle("b")))
plan = solve(problem, limit_s=240.0)
loaded = [name for name in sys.modules if name.split(".")[0] == "ortools"]
print(json.dumps([plan.cost.total, plan.bound, plan.seconds, loaded]))
"""


def test_a_plan_that_is_proved_best_ends_its_search_and_the_search_never_loads_or_tools():
    done = subprocess.run([sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN], capture_output=True, text=True, check=True)
    cost, bound, seconds, loaded = json.loads(done.stdout)
    assert cost == bound
    assert seconds < 230
    assert loaded == []


def test_a_child_that_dies_costs_the_bound_and_nothing_else():
    search, pace = a_search(a_day()), Pace(60.0)
    partner = Partner(a_day(), search, pace, command=(sys.executable, "-c", "raise SystemExit(3)"))
    while partner.colleague.exit_code is None:
        partner.meet()
    partner.end()
    plan = partner.sign(solve(a_day(), limit_s=60, max_iterations=100))
    assert (plan.bound, plan.no_bound) == (None, NoBound.UNHEARD)


def test_who_counts_iterations_or_asks_for_the_search_alone_has_no_partner():
    assert solve(a_day(), limit_s=60, max_iterations=50).no_bound is NoBound.COUNTED
    assert solve(a_day(), limit_s=0.1).no_bound is NoBound.SHORT
    assert solve(a_day(), limit_s=0.1, engine="sisr").no_bound is NoBound.NOT_ASKED
    assert why_alone(replace(a_day(), vehicles=()), Pace(60.0)) is NoBound.NOTHING
