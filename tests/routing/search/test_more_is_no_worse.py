"""More is no worse: another vehicle, a wider window, more time; and names mean nothing. On days of every kind of rule.

A search is no proof: drawn at random, a day in some hundreds ends worse with more than with less. The days here are the
same in every run, and on none of them does it, beyond the noise that is stated.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.model.plan import Plan, Reason
from routing.model.problem import Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import InvalidProblem, Load, Window
from routing.model.vehicle import Prefix
from routing.search.solve import compile_core, solve
from tests.routing.day.days import problems
from tests.routing.model.small import a_delivery, a_pickup, a_vehicle, line

ROUNDS = 400
NOISE = 0.02
"""Of the terms, where as much is served."""
AGAIN = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    compile_core()


def best(problem: Problem, rounds: int = ROUNDS) -> Plan:
    return solve(problem, limit_s=60, max_iterations=rounds, seed=5)


def no_worse(more: Plan, less: Plan, problem: Problem) -> None:
    """Not less served, not more vehicles where they come first, and no dearer beyond the noise."""
    rich, poor = more.rank(problem.objective), less.rank(problem.objective)
    assert rich[:3] <= poor[:3]
    if rich[:3] == poor[:3]:
        assert rich[3] <= poor[3] * (1 + NOISE)


@given(problems(most=6))
@AGAIN
def test_another_vehicle_is_no_worse(problem):
    wider = replace(problem, vehicles=(*problem.vehicles, a_vehicle("more", shift=Window(0, 30_000))))
    no_worse(best(wider), best(problem), problem)


@given(problems(most=6), st.integers(1, 4_000))
@AGAIN
def test_a_wider_window_is_no_worse(problem, by_s):
    def widened(stop):
        if not stop.windows:
            return stop
        first, last = stop.windows[0], stop.windows[-1]
        return replace(stop, windows=(Window(max(0, first.opens_s - by_s), last.closes_s + by_s),))

    wider = replace(
        problem, requests=tuple(replace(r, stops=tuple(widened(stop) for stop in r.stops)) for r in problem.requests)
    )
    no_worse(best(wider), best(problem), problem)


@given(problems(most=6))
@AGAIN
def test_more_time_is_no_worse(problem):
    no_worse(best(problem, 4 * ROUNDS), best(problem, ROUNDS), problem)


@given(problems(), st.sampled_from(["x{}", "名{}", "{}/{}"]))
@AGAIN
def test_names_mean_nothing(problem, form):
    new = {each.id: form.format(each.id, each.id) for each in (*problem.requests, *problem.vehicles)}

    def begun(prefix: Prefix | None) -> Prefix | None:
        if prefix is None:
            return None
        done = tuple(replace(each, request=new[each.request]) for each in prefix.done)
        return replace(prefix, done=done, on_board=frozenset(new[name] for name in prefix.on_board))

    named = replace(
        problem,
        requests=tuple(replace(each, id=new[each.id]) for each in problem.requests),
        vehicles=tuple(replace(each, id=new[each.id], prefix=begun(each.prefix)) for each in problem.vehicles),
    )
    plan, other = (solve(each, limit_s=60, max_iterations=80, seed=3) for each in (problem, named))
    assert plan.cost == other.cost
    assert [(new[r.vehicle], [(new[v.request], v.side, v.start_s) for v in r.visits]) for r in plan.routes] == [
        (r.vehicle, [(v.request, v.side, v.start_s) for v in r.visits]) for r in other.routes
    ]
    assert [(new[each.request], each.reason) for each in plan.unserved] == [
        (each.request, each.reason) for each in other.unserved
    ]


# ---------------------------------------------------------------- the edges


def test_when_every_window_is_closed_nobody_drives_and_each_is_told_why():
    early = tuple(a_delivery(f"r{at}", at, Window(0, 50)) for at in range(1, 4))
    problem = Problem((line(0, 1, 2, 3),), early, (a_vehicle(shift=Window(1_000, 9_000)), a_vehicle("w")))
    plan = best(problem)
    assert plan.routes == ()
    assert [each.reason for each in plan.unserved] == [Reason.TIME] * 3
    assert not plan.feasible


def test_an_island_is_left_out_and_the_mainland_served():
    far = UNREACHABLE
    seconds = [[0, 60, 90, far], [60, 0, 40, far], [90, 40, 0, far], [far, far, far, 0]]
    asked = (a_delivery("a", 1), a_pickup("b", 2), a_delivery("island", 3))
    plan = best(Problem((Profile(seconds),), asked, (a_vehicle(),)))
    assert {visit.request for route in plan.routes for visit in route.visits} == {"a", "b"}
    assert [(each.request, each.reason) for each in plan.unserved] == [("island", Reason.UNREACHABLE)]


def test_a_vehicle_that_can_carry_nothing_still_goes_where_nothing_is_carried():
    asked = (a_delivery("paper", 1), a_delivery("a word", 2, pieces=0))
    plan = best(Problem((line(0, 1, 2),), asked, (a_vehicle(capacity=Load()),)))
    assert [visit.request for route in plan.routes for visit in route.visits] == ["a word"]
    assert [(each.request, each.reason) for each in plan.unserved] == [("paper", Reason.CAPACITY)]


@pytest.mark.parametrize("entry", [-1, float("nan"), float("inf"), 1.5, 2**31])
def test_a_matrix_that_cannot_be_is_refused_by_its_cell(entry):
    with pytest.raises(InvalidProblem, match=r"\[1, 0\]"):
        Profile([[0, 60], [entry, 0]])
    with pytest.raises(InvalidProblem, match=r"metres\[0, 1\]"):
        Profile([[0, 60], [60, 0]], [[0, entry], [60, 0]])


def test_a_window_at_the_end_of_thirty_years_is_waited_for():
    late = Window(10**9 - 100, 10**9)
    plan = best(Problem((line(0, 1),), (a_pickup("a", 1, late),), (a_vehicle(shift=Window(0, 2 * 10**9)),)))
    assert plan.unserved == ()
    (visit,) = plan.routes[0].visits
    assert late.opens_s <= visit.start_s <= late.closes_s
