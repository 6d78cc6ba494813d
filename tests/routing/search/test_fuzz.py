"""No legal day ends in an exception: random days solved, improved and planned again while they are under way.

``make fuzz`` makes a hundred thousand calls (``FUZZ=...`` for another number, ``FUZZ_FROM=...`` for other days).
"""

import logging
import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from routing.model.problem import Problem
from routing.search.day_events import UnknownName
from routing.search.replan import replan
from routing.search.solve import compile_core, improve, solve
from tests.routing.search.fuzzed import DAY_S, a_random_day, driven_in_any_order, random_events

log = logging.getLogger(__name__)

CALLS = int(os.environ.get("FUZZ", "400"))
FIRST = int(os.environ.get("FUZZ_FROM", "0"))


class Calls:
    """What was called, and what went wrong, each with the number that draws the day again."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.faults: list[str] = []

    def call(self, name: str, seed: int, answer: Callable[[], Any]) -> Any:
        """The answer; None where there is none, which is a fault unless an event named what is not there."""
        self.made[name] += 1
        try:
            found = answer()
        except UnknownName:
            return None
        except Exception as error:  # noqa: BLE001 - every fault is collected, whatever it is
            self.faults.append(f"day {seed}: {name}: {type(error).__name__}: {error}")
            return None
        if name == "replan" and found.why_unchanged is not None:
            self.faults.append(f"day {seed}: replan: {found.why_unchanged}")
        return found


def a_day_through(calls: Calls, seed: int, more: Random | None = None) -> None:
    """One random day: planned, improved from two orders, ticked off in any order, and planned again."""
    draw = Random(seed)
    problem = a_random_day(draw, more)
    plan = calls.call("solve", seed, lambda: solve(problem, limit_s=60, max_iterations=30, seed=seed % 7))
    if plan is None:
        return
    orders = {route.vehicle: [(visit.request, visit.side) for visit in route.visits] for route in plan.routes}
    given = draw.choice([orders, shuffled(draw, problem)])
    rounds = draw.choice([0, 20])
    calls.call("improve", seed, lambda: improve(problem, given, limit_s=60, max_iterations=rounds))
    under_way = calls.call("under way", seed, lambda: driven_in_any_order(draw, problem, plan))
    if under_way is not None:
        calls.call("improve", seed, lambda: improve(under_way, orders, limit_s=60, max_iterations=rounds))
        rest = calls.call("solve", seed, lambda: solve(under_way, limit_s=60, max_iterations=20))
        if rest is not None:
            again(calls, seed, draw, under_way, rest, draw.randint(0, DAY_S))
    now, at_s = (problem, plan), 0
    for _ in range(3):
        at_s += draw.randint(0, 6_000)
        found = again(calls, seed, draw, *now, at_s)
        if found is None:
            return
        now = found.problem, found.plan


def again(calls: Calls, seed: int, draw: Random, problem: Problem, plan: Any, at_s: int) -> Any:
    events = random_events(draw, problem, draw.randint(0, 3))
    rounds = draw.choice([0, 0, 20])
    return calls.call(
        "replan", seed, lambda: replan(problem, plan, events, at_s=at_s, limit_s=60, max_iterations=rounds)
    )


def shuffled(draw: Random, problem: Problem) -> dict[str, list[tuple[str, int]]]:
    """Orders that make no sense: pairs taken apart or the wrong way round."""
    sides = [(request.id, side) for request in problem.requests for side in range(len(request.stops))]
    draw.shuffle(sides)
    return {vehicle.id: sides[at :: len(problem.vehicles)] for at, vehicle in enumerate(problem.vehicles)}


@pytest.mark.filterwarnings("ignore")
def test_no_legal_day_ends_in_an_exception(caplog):
    compile_core()
    calls, seed = Calls(), FIRST
    while calls.made.total() < CALLS:
        a_day_through(calls, seed, Random(-1 - seed))
        seed += 1
    made = dict(calls.made)
    log.info("days %d to %d: %s, %d calls, %d faults", FIRST, seed - 1, made, calls.made.total(), len(calls.faults))
    assert calls.faults == []
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [202001])
def test_days_on_which_a_search_made_a_broken_plan(seed, caplog):
    """202001: what is announced holds a start back, the longest duty does not; the one cost more than the other."""
    compile_core()
    calls = Calls()
    a_day_through(calls, seed)
    assert calls.faults == []
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []
