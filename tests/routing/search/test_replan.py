"""A day under way: what is driven stays, announced windows are kept, and the difference is told."""

from dataclasses import replace

import pytest

from routing.model.check import violations
from routing.model.problem import Problem
from routing.model.quantities import Window
from routing.search.day_events import CourierDelayed, CourierLeft, RequestAdded, RequestDropped, UnknownName
from routing.search.day_under_way import frozen_at, with_announced_windows
from routing.search.replan import replan
from routing.search.solve import compile_core, improve, solve
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_vehicle, line


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
