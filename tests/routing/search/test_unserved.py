"""What the solver says of a request that it leaves out, and what the check finds by itself, are the same."""

import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings

import routing
from routing.model.check import true_reasons
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.model.quantities import Load, Window
from routing.model.vehicle import Done, Prefix
from routing.search.solve import compile_core, solve
from routing.search.unserved import claims
from tests.routing.day.days import problems
from tests.routing.model.small import a_delivery, a_pair, a_vehicle, line

ROUTING = Path(routing.__file__).parent


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    compile_core()


def stops_of(plan: Plan) -> dict[str, int]:
    """How many stops each vehicle makes."""
    return {route.vehicle: len(route.visits) for route in plan.routes}


@given(problems())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_solver_and_the_check_find_the_same_reasons_each_by_itself(problem):
    plan = solve(problem, limit_s=60, max_iterations=40)
    names = [each.request for each in plan.unserved]
    note(f"{plan.unserved}")
    assert list(claims(problem, names, stops_of(plan))) == list(true_reasons(problem, plan).values())


def test_what_a_vehicle_on_duty_holds_is_said_of_it_alone():
    has = a_vehicle("has", prefix=Prefix(0, 0, (Done("a", 0, 60, 60, 60),)), shift=Window(0, 100))
    free = a_vehicle("free", capacity=Load(0))
    problem = Problem((line(0, 1, 2),), (a_pair("a", 1, 2), a_delivery("b")), (has, free))
    plan = solve(problem, limit_s=60, max_iterations=10)
    assert [each.request for each in plan.unserved] == ["a", "b"]
    stated = list(claims(problem, ["a", "b"], stops_of(plan)))
    assert stated == list(true_reasons(problem, plan).values()) == list(plan.unserved)


def imported(module: str) -> set[str]:
    """The modules of the project that one reads when it is imported, their own included."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = ROUTING.parent / (name.replace(".", "/") + ".py")
        if name in seen or not path.is_file():
            continue
        seen.add(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("routing."):
                waiting.append(node.module)
            elif isinstance(node, ast.Import):
                waiting += [each.name for each in node.names if each.name.startswith("routing.")]
    return seen


def test_the_check_shares_no_code_with_the_solver():
    judge = imported("routing.model.check")
    solver = imported("routing.search.sisr.search") | imported("routing.search.unserved")
    own = {"check", "check_structure", "check_route", "check_costs", "reasons", "tail"}
    assert [name for name in judge if not name.startswith("routing.model.")] == []
    assert {f"routing.model.{name}" for name in own} <= judge - solver
