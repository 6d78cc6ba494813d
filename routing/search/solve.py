"""Solve: the best plan found within a limit, by the compiled core or by OR-Tools, checked before it leaves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from routing.model.check import violations
from routing.model.plan import NoBound, Plan, Side
from routing.model.problem import Primary, Problem
from routing.search.answer import PlanBuilder, fullest
from routing.search.areas import LARGEST, divisible
from routing.search.child import ortools_orders
from routing.search.large_day import LargeDay
from routing.search.pace import Pace, SolveProgress
from routing.search.proof import pricing
from routing.search.proof.partner import why_alone, working_beside
from routing.search.sisr import warm
from routing.search.sisr.drive import Drive
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Lines, Search
from routing.search.together import improve_together

REPLAN_HEAT = 0.1
"""A plan in force is a good one: a search from it begins nearly cold."""

WORTH_DIVIDING = 600
"""Stops from which two workers on two halves do better than two on the whole."""

ENGINES = ("auto", "sisr", "ortools")


class BrokenPlan(RuntimeError):
    """The engine made a plan that breaks a rule. It never leaves; the message says which."""


log = logging.getLogger(__name__)


def compile_core() -> None:
    """Compile the core, or load it from its cache. Call it at set-up; a solve does it before its clock starts."""
    warm.up()
    pricing.warm_up()


def solve(
    problem: Problem,
    *,
    limit_s: float,
    max_iterations: int | None = None,
    seed: int = 0,
    workers: int = 1,
    engine: str = "auto",
    on_progress: Callable[[SolveProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Plan:
    """The best plan found within ``limit_s``. Stops that cannot be served are in ``Plan.unserved``, never dropped.

    With ``max_iterations`` and one worker the same seed gives the same plan, bit for bit; the limit still ends it.
    The engine ``ortools`` answers with the core's first solution where OR-Tools found nothing within the limit.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine is {engine!r}: it must be one of {', '.join(ENGINES)}")
    if workers < 1:
        raise ValueError(f"workers is {workers}: it must be at least 1")
    _possible(limit_s, max_iterations, seed)
    compile_core()
    pace = Pace(limit_s, max_iterations, should_stop)
    fleet_first = problem.objective.primary is Primary.VEHICLES
    used = "ortools" if engine == "ortools" else "sisr"
    stops = sum(len(request.stops) for request in problem.requests)
    if engine != "ortools" and divisible(problem) and stops > (LARGEST * 3 // 2 if workers == 1 else WORTH_DIVIDING):
        day = LargeDay(problem, pace, seed=seed, workers=workers, fleet_first=fleet_first, on_progress=on_progress)
        plan = _checked(problem, fullest(problem, day.routes(), engine=used, seed=seed))
        return replace(
            plan, limit_s=limit_s, seconds=pace.elapsed_s, iterations=pace.iterations, workers=workers,
            no_bound=NoBound.LARGE if engine == "auto" else NoBound.NOT_ASKED,
        )  # fmt: skip
    alone = why_alone(problem, pace) if engine == "auto" else NoBound.NOT_ASKED
    search = Search(model_of(problem), seed, pools=alone is None)
    ending = FinalPlan(problem, search, used, seed)
    drive = Drive(search, pace, fleet_first=fleet_first, on_progress=on_progress)
    drive.first()
    pace.reserve_s = ending.reserve_s(pace)
    if engine == "ortools":
        pace.iterations = 0
        left_s = max(0.0, limit_s - pace.reserve_s - pace.elapsed_s)
        found = ortools_orders(problem, limit_s=left_s, over=lambda: pace.over, max_iterations=max_iterations)
        if found:
            search.begin(search.lines_of(found))
    else:
        with working_beside(problem, search, pace, alone) as partner:
            if workers > 1:
                improve_together(
                    search, pace, seed=seed, workers=workers, fleet_first=fleet_first, on_progress=on_progress,
                    beside=partner.meet,
                )  # fmt: skip
            else:
                drive.beside = partner.meet
                drive.improve()
        return partner.sign(_finished(ending.plan(), pace, workers))
    return _finished(ending.plan(), pace, workers)


def _finished(plan: Plan, pace: Pace, workers: int = 1) -> Plan:
    return replace(
        plan, limit_s=pace.limit_s, seconds=pace.elapsed_s, iterations=pace.iterations, workers=workers
    )  # fmt: skip


def _possible(limit_s: float, max_iterations: int | None, seed: int) -> None:
    """Raises ValueError for a limit, a number of iterations or a seed that no search can use."""
    if not limit_s >= 0:
        raise ValueError(f"limit_s is {limit_s}: it must be at least 0")
    if max_iterations is not None and max_iterations < 0:
        raise ValueError(f"max_iterations is {max_iterations}: it must be at least 0")
    if seed < 0:
        raise ValueError(f"seed is {seed}: it must be at least 0")


class FinalPlan:
    """Makes a checked plan of the best that a search has found. How long that takes is measured on an early one."""

    def __init__(self, problem: Problem, search: Search, engine: str, seed: int, before: Plan | None = None) -> None:
        self.problem, self.search, self.engine, self.seed = problem, search, engine, seed
        self.answers = PlanBuilder(problem, search, before)
        self.early: Plan | None = None
        self.early_lines: Lines = []

    def reserve_s(self, pace: Pace) -> float:
        """The time to keep back for it."""
        began_s = pace.elapsed_s
        self.early_lines, self.early = self.search.best(), None
        self.early = self.plan()
        return 1.25 * (pace.elapsed_s - began_s) + 0.01

    def plan(self) -> Plan:
        """The plan of the best. A search that found nothing since gets the early one: its limit may be over already."""
        if self.early is not None and self.search.best() == self.early_lines:
            return self.early
        try:
            return self.plan_of(self.search.filled())
        except BrokenPlan:
            if self.early is None:
                raise
            log.exception("what the search found last is broken: the plan that it began with stays")
            return self.early

    def plan_of(self, lines: Lines) -> Plan:
        """The checked plan of these lines. Raises BrokenPlan."""
        return _checked(self.problem, self.answers.plan(lines, engine=self.engine, seed=self.seed))


def improve(
    problem: Problem,
    orders: Mapping[str, Sequence[Side]],
    *,
    limit_s: float,
    max_iterations: int | None = None,
    seed: int = 0,
    should_stop: Callable[[], bool] | None = None,
    before: Plan | None = None,
) -> Plan:
    """A plan found from another one's order of visits by vehicle, changed as little as its improvement needs.

    Visits that the problem does not know, or that are done, are passed over. With ``max_iterations=0`` whatever the
    orders lack goes where it costs least, and nothing else moves. Routes of the plan ``before`` that are the same to
    the second are taken over as they are, where the requests are the same.
    """
    _possible(limit_s, max_iterations, seed)
    compile_core()
    pace = Pace(limit_s, max_iterations, should_stop)
    model = model_of(problem, neighbours=0) if max_iterations == 0 else model_of(problem)
    alone = why_alone(problem, pace)
    search = Search(model, seed, searches=max_iterations != 0, pools=alone is None)
    search.begin(search.lines_of(orders))
    ending = FinalPlan(problem, search, "sisr", seed, before)
    lines = search.filled()
    if max_iterations == 0:
        return _finished(ending.plan_of(lines), pace)
    search.begin(lines)
    pace.reserve_s = ending.reserve_s(pace)
    with working_beside(problem, search, pace, alone) as partner:
        Drive(search, pace, fleet_first=False, heat=REPLAN_HEAT, beside=partner.meet).improve()
    return partner.sign(_finished(ending.plan(), pace))


def _checked(problem: Problem, plan: Plan) -> Plan:
    found = violations(problem, plan)
    if found:
        raise BrokenPlan("; ".join(str(each) for each in found[:5]))
    return plan
