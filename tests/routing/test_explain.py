"""Explanations name the binding rule, and one more courier is tried, not guessed."""

from routing.explain import another, bindings, one_more, route_costs
from routing.plan import Reason
from routing.problem import Load, Problem, Window
from routing.solve import solve
from tests.routing.small import a_delivery, a_vehicle, line


def test_the_binding_rule_is_said_in_one_sentence():
    asked = (
        a_delivery("skilled", 1, skills=frozenset({"van"})),
        a_delivery("heavy", 1, pieces=11),
        a_delivery("early", 1, Window(0, 10)),
    )
    problem = Problem((line(0, 1),), asked, (a_vehicle(shift=Window(30_600, 61_200)),))
    found = {each.request: each for each in bindings(problem, solve(problem, limit_s=60, max_iterations=20))}
    assert found["skilled"].sentence() == "no courier has van"
    assert found["heavy"].reason is Reason.CAPACITY and "11 pieces" in found["heavy"].sentence()
    assert found["early"].sentence() == (
        "no courier can be there within 00:00-00:00, even alone; shifts are 08:30-17:00"
    )


def test_one_more_courier_serves_what_was_left():
    asked = tuple(a_delivery(f"r{at}", at) for at in range(1, 5))
    problem = Problem((line(0, 1, 2, 3, 4),), asked, (a_vehicle(capacity=Load(2, 0)),))
    plan = solve(problem, limit_s=60, max_iterations=100)
    assert len(plan.unserved) == 2
    more = one_more(problem, plan, newcomer=another(problem, "v"), limit_s=60, max_iterations=100)
    assert more.served == tuple(each.request for each in plan.unserved)
    assert set(route_costs(more.plan)) == {"v", "v+1"}
