"""Explanations name the binding rule, and one more courier is tried, not guessed."""

import pytest

from routing.model.plan import Reason
from routing.model.problem import Problem
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind
from routing.model.vehicle import Vehicle
from routing.search.explain import Binding, another_courier, bindings, one_more
from routing.search.solve import solve
from tests.routing.model.small import a_delivery, a_stop, a_vehicle, line


def test_the_binding_rule_is_said_in_one_sentence():
    asked = (
        a_delivery("skilled", 1, skills=frozenset({"van"})),
        a_delivery("heavy", 1, pieces=11),
        a_delivery("early", 1, Window(0, 10)),
    )
    problem = Problem((line(0, 1),), asked, (a_vehicle(shift=Window(30_600, 61_200)),))
    found = {each.request: each for each in bindings(problem, solve(problem, limit_s=60, max_iterations=20))}
    assert found["skilled"].sentence() == "no courier has van"
    assert found["heavy"].reason is Reason.CAPACITY
    assert (
        found["heavy"].sentence() == "no vehicle has room for 11 pieces: v, the nearest to it, lacks room for 1 piece"
    )
    assert found["early"].sentence() == (
        "no courier can be there within 00:00-00:00, even alone; shifts are 08:30-17:00"
    )


def bound_by(request: Request, *vehicles: Vehicle) -> Binding:
    """What keeps the request out of these vehicles."""
    problem = Problem((line(0, 1),), (request,), vehicles)
    (binding,) = bindings(problem, solve(problem, limit_s=60, max_iterations=5))
    return binding


def test_what_does_not_fit_is_measured_by_one_vehicle_and_not_by_the_best_of_several():
    wide, strong = a_vehicle("wide", capacity=Load(20, 500)), a_vehicle("strong", capacity=Load(9, 20_000))
    binding = bound_by(Request("heavy", RequestKind.DELIVERY, (a_stop(1, delivers=Load(10, 1_000)),)), wide, strong)
    assert (binding.room, binding.nearest, binding.lacks) == (Load(10, 1_000), "strong", Load(1))
    assert binding.sentence() == (
        "no vehicle has room for 10 pieces and 1000 g: strong, the nearest to it, lacks room for 1 piece"
    )
    binding = bound_by(Request("heavier", RequestKind.DELIVERY, (a_stop(1, delivers=Load(30, 1_000)),)), wide, strong)
    assert (binding.nearest, binding.lacks) == ("wide", Load(10, 500))
    assert "wide, the nearest to it, lacks room for 10 pieces and 500 g" in binding.sentence()


def test_an_exchange_needs_room_for_what_it_brings_and_for_what_it_fetches():
    stop = a_stop(1, delivers=Load(3, 10), collects=Load(1, 900))
    binding = bound_by(Request("swap", RequestKind.EXCHANGE, (stop,)), a_vehicle(capacity=Load(2, 800)))
    assert (binding.room, binding.lacks) == (Load(3, 900), Load(1, 100))


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        (RequestKind.DELIVERY, "starts at"),
        (RequestKind.PICKUP, "ends at"),
        (RequestKind.EXCHANGE, "starts and ends at"),
    ],
)
def test_only_the_end_of_the_day_that_counts_is_asked_of_the_depot(kind, ends):
    binding = bound_by(Request("r", kind, (a_stop(1),), depot=1), a_vehicle(start=0, end=0))
    assert binding.reason is Reason.DEPOT
    assert binding.sentence() == f"no courier with the right skills {ends} its depot"


def test_one_more_courier_serves_what_was_left():
    asked = tuple(a_delivery(f"r{at}", at) for at in range(1, 5))
    problem = Problem((line(0, 1, 2, 3, 4),), asked, (a_vehicle(capacity=Load(2, 0)),))
    plan = solve(problem, limit_s=60, max_iterations=100)
    assert len(plan.unserved) == 2
    more = one_more(problem, plan, newcomer=another_courier(problem, "v"), limit_s=60, max_iterations=100)
    assert more.served == tuple(each.request for each in plan.unserved)
    assert {route.vehicle for route in more.plan.routes} == {"v", "v+1"}
