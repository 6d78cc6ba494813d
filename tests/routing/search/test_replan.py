"""A day under way: what is driven stays, announced windows are kept, and the difference is told."""

from dataclasses import replace

import pytest

from routing.model.check import violations
from routing.model.plan import Costs
from routing.model.problem import Objective, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import Window
from routing.model.vehicle import Done, Prefix
from routing.search.day_events import CourierDelayed, CourierLeft, RequestAdded, RequestDropped, UnknownName
from routing.search.day_under_way import frozen_at
from routing.search.pace import Pace
from routing.search.replan import replan
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import FinalPlan, compile_core, improve, solve
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_vehicle, line
from tests.routing.search.announced import with_announced_windows


@pytest.fixture(scope="module")
def day():
    compile_core()
    places = line(0, *(((7 * at) % 23) - 11 for at in range(1, 25)), 5)
    asked = tuple((a_delivery if at % 2 else a_pickup)(f"r{at}", at) for at in range(1, 25))
    problem = Problem((places,), asked, tuple(a_vehicle(f"v{at}") for at in range(4)))
    plan = solve(problem, limit_s=60, max_iterations=1_500)
    told = with_announced_windows(problem, plan, before_s=1_800, after_s=5_400, cost_per_min=600)
    return told, solve(told, limit_s=60, max_iterations=1_500)


def middle(plan):
    route = plan.routes[0]
    return route.visits[len(route.visits) // 2].arrival_s


def test_what_is_driven_stays(day):
    problem, plan = day
    at_s = middle(plan)
    new = replan(problem, plan, [], at_s=at_s, limit_s=60, max_iterations=200)
    assert violations(new.problem, new.plan) == []
    for before, after in zip(plan.routes, new.plan.routes, strict=True):
        driven = [v for v in before.visits if v.start_s <= at_s]
        assert list(after.visits[: len(driven)]) == driven
    assert new.windows_moved == ()


def test_an_insertion_moves_nobody_else_to_another_courier(day):
    problem, plan = day
    new = replan(problem, plan, [RequestAdded(a_pickup("new", 25))], at_s=middle(plan), limit_s=60, max_iterations=0)
    assert violations(new.problem, new.plan) == []
    assert [change.request for change in new.changes if change.was is None] == ["new"]
    assert not any(change.other_courier for change in new.changes)


def test_a_dropped_request_is_visited_no_more(day):
    problem, plan = day
    last = plan.routes[0].visits[-1].request
    new = replan(problem, plan, [RequestDropped(last)], at_s=0, limit_s=60, max_iterations=0)
    assert last not in {visit.request for route in new.plan.routes for visit in route.visits}
    assert [change.now for change in new.changes if change.request == last] == [None]


def test_a_late_courier_starts_nothing_before_he_is_free(day):
    problem, plan = day
    at_s = middle(plan)
    vehicle = plan.routes[0].vehicle
    new = replan(problem, plan, [CourierDelayed(vehicle, at_s + 4_000)], at_s=at_s, limit_s=60, max_iterations=200)
    assert violations(new.problem, new.plan) == []
    prefix = next(v.prefix for v in new.problem.vehicles if v.id == vehicle)
    route = next(route for route in new.plan.routes if route.vehicle == vehicle)
    assert all(visit.arrival_s >= at_s + 4_000 for visit in route.visits[len(prefix.done) :])


def test_what_a_missing_courier_has_on_board_is_fetched_and_brought(day):
    problem, plan = day
    at_s = middle(plan)
    out = plan.routes[0]
    new = replan(problem, plan, [CourierLeft(out.vehicle)], at_s=at_s, limit_s=60, max_iterations=500)
    assert violations(new.problem, new.plan) == []
    assert new.plan.unserved == ()
    left = next(route for route in new.plan.routes if route.vehicle == out.vehicle)
    assert {visit.request for visit in left.visits} <= {visit.request for visit in out.visits}
    assert sum(visit.arrival_s > at_s for visit in left.visits) <= 1  # the stop that he was driving to


def test_a_pair_that_a_missing_courier_has_picked_up_is_fetched_and_brought_inside_its_window():
    pair, later = a_pair("p", 1, 3), a_pair("q", 2, 3)
    problem = Problem((line(0, 1, 2, 3),), (pair, later), (a_vehicle("a"), a_vehicle("b", end=3)))
    first = improve(problem, {"a": [("p", 0), ("q", 0), ("p", 1), ("q", 1)]}, limit_s=60, max_iterations=0)
    told = with_announced_windows(problem, first, before_s=0, after_s=3_600, cost_per_min=60)
    plan = improve(told, {"a": [("p", 0), ("q", 0), ("p", 1), ("q", 1)]}, limit_s=60, max_iterations=0)
    at_s = plan.routes[0].visits[1].start_s
    new = replan(told, plan, [CourierLeft("a")], at_s=at_s - 10, limit_s=60, max_iterations=50)
    assert violations(new.problem, new.plan) == [] and new.plan.unserved == ()
    assert (new.windows_moved, new.windows_kept) == ((), 2)
    brought = {(change.request, change.side): (change.was, change.now) for change in new.changes}
    assert brought.keys() == {("p", 0), ("p", 1), ("q", 0), ("q", 1)}
    assert brought["p", 0][0] is None and brought["p", 1][0] == ("a", first.routes[0].visits[2].start_s)
    assert all(now[0] == "b" for _, now in brought.values())
    # Whoever took it over may drop out as well.
    taken = next(visit for visit in new.plan.routes[-1].visits if visit.request == "p")
    wider = replace(new.problem, vehicles=(*new.problem.vehicles, a_vehicle("c")))
    third = improve(
        wider,
        {r.vehicle: [(v.request, v.side) for v in r.visits] for r in new.plan.routes},
        limit_s=60,
        max_iterations=0,
    )
    again = replan(wider, third, [CourierLeft("b")], at_s=taken.start_s, limit_s=60, max_iterations=50)
    assert violations(again.problem, again.plan) == [] and again.plan.unserved == ()


def test_a_courier_who_has_not_left_is_simply_not_there(day):
    problem, plan = day
    problem = replace(problem, vehicles=tuple(replace(v, shift=Window(100, 100_000)) for v in problem.vehicles))
    now = frozen_at(problem, replace(plan, routes=()), at_s=0)
    assert all(vehicle.prefix is None for vehicle in now.vehicles)


@pytest.mark.parametrize("event", [RequestDropped("nobody"), CourierDelayed("nobody", 1), CourierLeft("nobody")])
def test_an_event_about_nobody_is_refused(day, event):
    problem, plan = day
    with pytest.raises(UnknownName, match="nobody"):
        replan(problem, plan, [event], at_s=0)


ONE_WAY = Profile([[0, 600, 900], [UNREACHABLE, 0, 300], [600, 300, 0]])
"""From place 1 nobody comes straight home; by way of 2 he does."""


def test_what_has_been_driven_needs_no_way_any_more():
    asked = (a_delivery("a", 1), a_delivery("b", 2))
    problem = Problem((ONE_WAY,), asked, (a_vehicle("k"), a_vehicle("other")))
    plan = improve(problem, {"k": [("a", 0), ("b", 0)]}, limit_s=60, max_iterations=0)
    new = replan(problem, plan, [RequestAdded(a_pickup("new", 2))], at_s=700, limit_s=60, max_iterations=50)
    assert violations(new.problem, new.plan) == [] and new.plan.unserved == () and new.why_unchanged is None


def test_who_cannot_come_straight_home_ends_where_he_is_unless_he_visits_more():
    done = Prefix(0, 0, (Done("a", 0, 600, 600, 700),))
    problem = Problem((ONE_WAY,), (a_delivery("a", 1),), (a_vehicle("k", prefix=done),), Objective(duty_per_s=1))
    plan = solve(problem, limit_s=60, max_iterations=20)
    assert violations(problem, plan) == []
    assert (plan.routes[0].end_s, plan.cost.travel, plan.cost.duty) == (700, 600, 700)
    more = replan(problem, plan, [RequestAdded(a_pickup("new", 2))], at_s=700, limit_s=60, max_iterations=20)
    assert [visit.request for visit in more.plan.routes[0].visits] == ["a", "new"]
    assert more.plan.cost.travel == 600 + 300 + 600


def test_visits_are_history_in_whatever_order_they_were_ticked_off():
    asked = (a_pair("p", 1, 2, pieces=3), a_delivery("b", 1))
    ticked = tuple(Done(name, side, at, at, at) for name, side, at in (("p", 1, 10), ("b", 0, 20), ("p", 0, 30)))
    problem = Problem((ONE_WAY,), asked, (a_vehicle("k", prefix=Prefix(0, 0, ticked)),))
    plan = solve(problem, limit_s=60, max_iterations=20)
    assert violations(problem, plan) == [] and plan.unserved == ()
    assert [visit.load.pieces for visit in plan.routes[0].visits] == [0, 0, 0]


def test_what_a_half_done_pair_left_on_board_takes_room():
    asked = (a_pair("p", 1, 3, pieces=9), a_pickup("q", 2, pieces=2))
    begun = Prefix(0, 0, (Done("p", 0, 60, 60, 60),))
    problem = Problem((line(0, 1, 2, 3),), asked, (a_vehicle("k", prefix=begun),))
    plan = improve(problem, {}, limit_s=60, max_iterations=0)
    assert violations(problem, plan) == []
    assert [(visit.request, visit.load.pieces) for visit in plan.routes[0].visits] == [("p", 9), ("p", 0), ("q", 2)]


def test_orders_that_name_a_stop_twice_or_a_pair_the_wrong_way_round_are_put_right():
    problem = Problem((line(0, 1, 2),), (a_pair("p"), a_delivery("a")), (a_vehicle("v"), a_vehicle("w")))
    orders = {"v": [("p", 1), ("a", 0), ("p", 0), ("a", 0)], "w": [("a", 0)]}
    plan = improve(problem, orders, limit_s=60, max_iterations=0)
    assert violations(problem, plan) == [] and plan.unserved == ()


def test_a_plan_that_breaks_a_rule_leaves_the_plan_in_force_with_the_reason(day):
    problem, plan = day
    wrong = replace(plan, routes=tuple(replace(route, cost=Costs(travel=1)) for route in plan.routes))
    new = replan(problem, wrong, [], at_s=middle(plan), limit_s=60, max_iterations=0)
    assert new.plan is wrong and new.problem is problem and new.changes == ()
    assert "stated as 1" in new.why_unchanged


def test_a_search_that_ends_broken_leaves_the_plan_that_it_began_with():
    problem = Problem((line(0, 1, 2),), (a_pair("p"), a_delivery("a")), (a_vehicle("v"),))
    search = Search(model_of(problem), 0)
    search.begin(search.lines_of({"v": [("a", 0)]}))
    ending = FinalPlan(problem, search, "sisr", 0)
    ending.reserve_s(Pace(1.0, None, None))
    nodes = {side: node for node, side in enumerate(search.model.sides)}
    search.begin([[nodes["p", 1], nodes["p", 0]]])
    assert ending.plan() == ending.early
