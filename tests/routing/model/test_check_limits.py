"""Each rule of the check at its very limit: the last value that is right passes, the first wrong one is caught."""

from dataclasses import replace

import pytest

from routing.model.check import violations
from routing.model.check_costs import costs
from routing.model.plan import Costs, Plan, Reason, Route, Unserved, Visit
from routing.model.problem import Objective, Problem
from routing.model.quantities import NOTHING, Load, Window
from routing.model.request import Announced
from routing.model.rules import Rule
from routing.model.vehicle import Break, Done, Prefix
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_problem, a_vehicle, line, timed

ROAD = line(0, 1, 2, 3)
"""Places 0, 1, 2, 3 a minute apart."""
ONLY_TRAVEL = Objective()
WAITING = Objective(travel_per_s=0, waiting_per_s=1)


def rules(problem: Problem, plan: Plan) -> set[Rule]:
    return {each.rule for each in violations(problem, plan)}


def a_plan(problem: Problem, *visits: Visit, start_s: int, end_s: int, break_s: int | None = None) -> Plan:
    """The one vehicle's route as it is stated, with the costs that follow from its times."""
    route = Route("v", start_s, visits, end_s, NOTHING, break_s)
    whole = replace(Plan(problem.fingerprint(), (route,), (), Costs(), "by hand"), cost=Costs())
    cost = costs(problem, whole)
    return replace(whole, routes=(replace(route, cost=cost),), cost=cost)


def nothing_at(place: int, name: str = "a", *windows: Window, **more: object):
    """A pickup of nothing, so that no load has to be stated."""
    return a_pickup(name, place, *windows, pieces=0, **more)


def visit(name: str, arrival_s: int, start_s: int, departure_s: int) -> Visit:
    return Visit(name, 0, arrival_s, start_s, departure_s, NOTHING)


# ---------------------------------------------------------------- served once


def test_a_pair_whose_both_sides_are_done_is_not_unserved():
    done = (Done("p", 0, 60, 60, 60), Done("p", 1, 120, 120, 120))
    problem = a_problem(ROAD, [a_pair("p", 1, 2)], [a_vehicle(prefix=Prefix(0, 0, done))])
    assert violations(problem, timed(problem, {})) == []
    assert rules(problem, timed(problem, {}, unserved=[Unserved("p", Reason.TIME, ("v",))])) == {Rule.ONCE}


def test_a_pair_of_which_one_side_is_done_may_be_unserved():
    prefix = Prefix(0, 0, (Done("p", 0, 60, 60, 60),))
    problem = a_problem(ROAD, [a_pair("p", 1, 2)], [a_vehicle(prefix=prefix, shift=Window(0, 100))])
    assert violations(problem, timed(problem, {}, unserved=[Unserved("p", Reason.TIME, ("v",))])) == []


def test_a_request_that_is_visited_and_not_done_is_not_unserved():
    problem = a_problem(ROAD, [a_pair("p", 1, 2)], [a_vehicle()])
    half = timed(problem, {"v": [("p", 0)]}, unserved=[Unserved("p", Reason.TIME, ("v",))])
    assert rules(problem, half) == {Rule.ONCE}


def test_a_route_with_fewer_visits_than_are_done_is_caught():
    prefix = Prefix(0, 0, (Done("p", 0, 60, 60, 60),))
    problem = a_problem(ROAD, [a_pair("p", 1, 2)], [a_vehicle(prefix=prefix, shift=Window(0, 100))])
    plan = timed(problem, {}, unserved=[Unserved("p", Reason.TIME, ("v",))])
    forgotten = replace(plan.routes[0], visits=())
    found = violations(problem, replace(plan, routes=(forgotten,)))
    assert [(each.rule, each.facts) for each in found] == [(Rule.PREFIX, "0 visits, 1 are done")]


# ---------------------------------------------------------------- the break


REST = Break(Window(0, 1_000), 50)


def a_break_problem(*requests, objective: Objective = ONLY_TRAVEL) -> Problem:
    return a_problem(ROAD, requests or (nothing_at(1),), [a_vehicle(rest=REST)], objective)


def test_a_break_that_begins_as_the_vehicle_leaves_delays_its_arrival():
    problem = a_break_problem()
    assert violations(problem, a_plan(problem, visit("a", 120, 120, 120), start_s=10, end_s=180, break_s=10)) == []
    stays = a_plan(problem, visit("a", 70, 120, 120), start_s=10, end_s=180, break_s=10)
    assert rules(problem, stays) == {Rule.TRAVEL}


def test_a_break_that_begins_on_arrival_is_part_of_the_stay():
    problem = a_break_problem()
    assert violations(problem, a_plan(problem, visit("a", 70, 120, 120), start_s=10, end_s=180, break_s=70)) == []
    delayed = a_plan(problem, visit("a", 120, 120, 120), start_s=10, end_s=180, break_s=70)
    assert rules(problem, delayed) == {Rule.TRAVEL}


def test_a_break_may_end_in_the_second_in_which_service_starts_and_no_later():
    problem = a_break_problem()
    late = a_plan(problem, visit("a", 70, 119, 119), start_s=10, end_s=179, break_s=70)
    assert rules(problem, late) == {Rule.BREAK}


def test_a_break_may_begin_as_service_ends_and_no_earlier():
    problem = a_break_problem(nothing_at(1, service_s=30), nothing_at(2, "b"))
    visits = visit("a", 60, 60, 90), visit("b", 200, 200, 200)
    assert violations(problem, a_plan(problem, *visits, start_s=0, end_s=320, break_s=90)) == []
    begun = visit("a", 60, 60, 90), visit("b", 150, 200, 200)
    assert rules(problem, a_plan(problem, *begun, start_s=0, end_s=320, break_s=89)) == {Rule.BREAK}


@pytest.mark.parametrize(("window", "right"), [((70, 70), True), ((71, 99), False), ((0, 69), False)])
def test_a_break_begins_inside_its_window(window: tuple[int, int], right: bool):
    problem = a_problem(ROAD, [nothing_at(1)], [a_vehicle(rest=Break(Window(*window), 50))])
    plan = a_plan(problem, visit("a", 70, 120, 120), start_s=10, end_s=180, break_s=70)
    assert rules(problem, plan) == (set() if right else {Rule.BREAK})


def test_a_break_on_the_way_home_begins_after_the_last_service():
    problem = a_break_problem(nothing_at(1, service_s=30))
    last = visit("a", 60, 60, 90)
    assert violations(problem, a_plan(problem, last, start_s=0, end_s=200, break_s=90)) == []
    assert rules(problem, a_plan(problem, last, start_s=0, end_s=150, break_s=89)) == {Rule.BREAK}


def test_a_break_that_begins_on_the_return_ends_the_route_with_it():
    problem = a_break_problem()
    at_home = visit("a", 60, 60, 60)
    assert violations(problem, a_plan(problem, at_home, start_s=0, end_s=170, break_s=120)) == []
    assert Rule.TRAVEL in rules(problem, a_plan(problem, at_home, start_s=0, end_s=120, break_s=120))


def test_a_break_that_begins_on_arrival_is_no_waiting():
    problem = a_break_problem(objective=WAITING)
    plan = a_plan(problem, visit("a", 70, 120, 120), start_s=10, end_s=180, break_s=70)
    assert (violations(problem, plan), plan.cost) == ([], Costs())


def test_a_break_that_begins_after_a_stop_of_no_length_is_not_taken_off_its_waiting():
    problem = a_break_problem(nothing_at(1, "a", Window(100, 100)), nothing_at(2, "b"), objective=WAITING)
    visits = visit("a", 60, 100, 100), visit("b", 210, 210, 210)
    plan = a_plan(problem, *visits, start_s=0, end_s=330, break_s=100)
    assert (violations(problem, plan), plan.cost) == ([], Costs(waiting=40))


# ---------------------------------------------------------------- windows, grace and what they cost


@pytest.mark.parametrize(("away_s", "minutes"), [(0, 0), (1, 1), (59, 1), (60, 1), (61, 2), (120, 2), (121, 3)])
@pytest.mark.parametrize("early", [True, False])
def test_each_minute_begun_outside_the_announced_window_costs(away_s: int, minutes: int, early: bool):
    announced = Window(60 + away_s, 5_000) if early else Window(0, 1_000 - away_s)
    start_s = 60 if early else 1_000
    request = nothing_at(1, "a", Window(start_s, 5_000), announced=Announced(announced, 7))
    problem = a_problem(ROAD, [request], [a_vehicle()], Objective(travel_per_s=0))
    plan = timed(problem, {"v": [("a", 0)]})
    assert (violations(problem, plan), plan.cost) == ([], Costs(moved=7 * minutes))


TWO_WINDOWS = Window(100, 150), Window(500, 600)


def served_at(start_s: int) -> tuple[Problem, Plan]:
    """A stop with two windows and a grace of 100 s at 3 a second, its service started then."""
    request = nothing_at(1, "a", *TWO_WINDOWS, grace_s=100, late_per_s=3)
    problem = a_problem(ROAD, [request], [a_vehicle()], Objective(travel_per_s=0))
    plan = a_plan(problem, visit("a", start_s, start_s, start_s), start_s=start_s - 60, end_s=start_s + 60)
    return problem, plan


@pytest.mark.parametrize(("start_s", "late_s"), [(100, 0), (150, 0), (500, 0), (600, 0), (601, 1), (700, 100)])
def test_lateness_is_counted_from_the_end_of_the_last_window(start_s: int, late_s: int):
    problem, plan = served_at(start_s)
    assert (violations(problem, plan), plan.cost) == ([], Costs(lateness=3 * late_s))


@pytest.mark.parametrize("start_s", [99, 151, 200, 499, 701])
def test_there_is_no_grace_before_the_last_window_opens_nor_after_it_ends(start_s: int):
    problem, plan = served_at(start_s)
    assert rules(problem, plan) == {Rule.WINDOW}


def test_a_late_start_costs_nothing_where_lateness_has_no_price():
    request = nothing_at(1, "a", Window(0, 10), grace_s=100)
    problem = a_problem(ROAD, [request], [a_vehicle()], Objective(travel_per_s=0))
    plan = timed(problem, {"v": [("a", 0)]})
    assert (violations(problem, plan), plan.cost) == ([], Costs())


# ---------------------------------------------------------------- shift, duty, load


@pytest.mark.parametrize(
    ("vehicle", "rule"),
    [
        ({"shift": Window(1, 9_999)}, Rule.SHIFT),
        ({"shift": Window(0, 119)}, Rule.SHIFT),
        ({"max_duty_s": 119}, Rule.DUTY),
        ({"max_stops": 0}, Rule.STOPS),
        ({"max_distance_m": 1_999}, Rule.DISTANCE),
        ({"capacity": Load(1, 0)}, Rule.CAPACITY),
    ],
)
def test_one_second_piece_stop_or_metre_too_many_is_caught_and_the_last_that_fits_passes(vehicle, rule: Rule):
    fits = a_vehicle(shift=Window(0, 120), max_duty_s=120, max_stops=1, max_distance_m=2_000, capacity=Load(2, 0))
    roomy = a_problem(ROAD, [a_delivery("a", 1, pieces=2)], [fits])
    assert violations(roomy, timed(roomy, {"v": [("a", 0)]})) == []
    tight = a_problem(ROAD, [a_delivery("a", 1, pieces=2)], [replace(fits, **vehicle)])
    assert rules(tight, timed(tight, {"v": [("a", 0)]}, starts={"v": 0})) == {rule}


def test_what_a_vehicle_has_behind_it_counts_among_its_stops_and_metres():
    behind = Prefix(0, 0, (Done("a", 0, 120, 120, 120),))
    requests = [nothing_at(2), nothing_at(3, "b")]
    fits = a_problem(ROAD, requests, [a_vehicle(prefix=behind, max_stops=2, max_distance_m=6_000)])
    assert violations(fits, timed(fits, {"v": [("b", 0)]})) == []
    for less, rule in (({"max_stops": 1}, Rule.STOPS), ({"max_distance_m": 5_999}, Rule.DISTANCE)):
        tight = a_problem(ROAD, requests, [a_vehicle(prefix=behind, **less)])
        assert rules(tight, timed(tight, {"v": [("b", 0)]})) == {rule}


def test_a_vehicle_leaves_when_the_last_of_its_papers_is_there_and_no_earlier():
    asked = [replace(a_delivery("a", 1), release_s=50), replace(a_delivery("b", 2), release_s=70)]
    problem = a_problem(ROAD, asked, [a_vehicle()])
    order = {"v": [("a", 0), ("b", 0)]}
    assert violations(problem, timed(problem, order, starts={"v": 70})) == []
    assert rules(problem, timed(problem, order, starts={"v": 69})) == {Rule.RELEASE}
    left = a_problem(ROAD, asked, [a_vehicle(prefix=Prefix(0, 0, (), frozenset({"a", "b"})))])
    assert violations(left, timed(left, order)) == []


def test_a_pair_makes_two_stops():
    problem = a_problem(ROAD, [a_pair("p", 1, 2)], [a_vehicle(max_stops=1)])
    assert rules(problem, timed(problem, {"v": [("p", 0), ("p", 1)]})) == {Rule.STOPS}


def test_a_vehicle_on_duty_leaves_when_it_is_free():
    problem = a_problem(ROAD, [nothing_at(1)], [a_vehicle(prefix=Prefix(0, 30))])
    assert violations(problem, a_plan(problem, visit("a", 90, 90, 90), start_s=0, end_s=150)) == []
    too_early = a_plan(problem, visit("a", 60, 60, 60), start_s=0, end_s=120)
    assert rules(problem, too_early) == {Rule.TRAVEL}


@pytest.mark.parametrize(("fair_duty_s", "beyond_s"), [(119, 1), (120, 0), (121, 0)])
def test_only_duty_beyond_the_fair_one_costs(fair_duty_s: int, beyond_s: int):
    uneven = Objective(travel_per_s=0, evenness_per_s=5, fair_duty_s=fair_duty_s)
    problem = a_problem(ROAD, [a_delivery("a", 1)], [a_vehicle()], uneven)
    assert timed(problem, {"v": [("a", 0)]}).cost == Costs(evenness=5 * beyond_s)
