"""The planning job: an area's open stops become a problem, the solver plans it, and a preview is left behind."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from db import now, real_now
from routing.day.day_plan import DayPlan, PlanState
from routing.day.day_rows import read_rows
from routing.day.hours import seconds_into
from routing.day.plan_commit import UNHEARD
from routing.day.plan_jobs import claim_plan
from routing.day.plan_result import plan_result
from routing.day.routing_input import RoutingInput, build_input
from routing.model.plan import Plan, Reason
from routing.model.problem import Problem
from routing.model.quantities import InvalidProblem
from routing.search.child import OrToolsUnavailable
from routing.search.explain import another_courier, one_more
from routing.search.pace import SolveProgress
from routing.search.solve import BrokenPlan, compile_core, improve, solve
from routing.travel.fallback import WithFallback
from routing.travel.places import TravelTimes

log = logging.getLogger(__name__)


def work_on(
    sessions: sessionmaker[Session],
    plan_id: int,
    *,
    travel: TravelTimes,
    verify: Callable[[Problem, Plan], Sequence[object]] | None = None,
    record: Callable[..., list[str]] | None = None,
    max_iterations: int | None = None,
) -> PlanState | None:
    """Plan one area. May run twice: the second finds nothing to do. Returns the state it left, None if not its own.

    No transaction is open while travel times are looked up or the plan is searched. A worker that was silent too
    long finds that the claim is another's, and writes nothing. ``record`` compares the plan with the model of record;
    its objections stand in the preview, and ``commit`` refuses a plan that has any.
    """
    compile_core()  # before the claim: one that is silent while the compiler works would be taken over
    with sessions.begin() as session:
        plan = claim_plan(session, plan_id)
        if plan is None:
            return None
        claim, limit_s, seed = plan.started_at, plan.limit_s, plan.seed
    with sessions.begin() as session:
        plan = session.get_one(DayPlan, plan_id)
        replacing = None if plan.replaces_id is None else session.get(DayPlan, plan.replaces_id)
        at_s = seconds_into(plan.on, now(session)) if replacing is not None else 0
        rows = read_rows(session, plan.division_id, plan.on, plan.cutoff, replacing=replacing, at_s=at_s)
    beat = _Heartbeat(sessions, plan_id, limit_s, claim)
    try:
        routing_input = build_input(rows, travel)
        answer = _answer(routing_input, beat, limit_s=limit_s, seed=seed, max_iterations=max_iterations)
        if problems := verify(routing_input.problem, answer) if verify is not None else None:
            return _leave(sessions, plan_id, claim, failure=f"the plan did not pass its check: {problems}")
        result = plan_result(answer, routing_input)
        if isinstance(travel, WithFallback) and travel.failure:
            result["travel_failure"] = travel.failure
        if routing_input.orders is None:
            result["one_more"] = _one_more(
                routing_input, answer, beat, limit_s=limit_s, seed=seed, max_iterations=max_iterations
            )
        if record is not None:
            result["objections"] = _objections(plan_id, routing_input.problem, answer, record, beat)
    except SQLAlchemyError:  # a database error is not the plan's: the next worker tries again
        raise
    except (InvalidProblem, BrokenPlan) as error:
        return _leave(sessions, plan_id, claim, failure=str(error))
    except Exception as error:  # else the row would be taken over every minute and fail in the same way
        log.exception("plan %s failed", plan_id)
        return _leave(sessions, plan_id, claim, failure=f"{type(error).__name__}: {error}"[:500])
    return _leave(sessions, plan_id, claim, answer=answer, routing_input=routing_input, result=result, curve=beat.curve)


def _objections(
    plan_id: int, problem: Problem, answer: Plan, record: Callable[..., list[str]], beat: "_Heartbeat"
) -> list[str]:
    """What the model of record has against the plan. That it was not heard is an objection too."""
    try:
        found = record(problem, answer, over=beat.should_stop)
    except OrToolsUnavailable as error:
        log.error("plan %s: the model of record gave no answer: %s", plan_id, error)
        return [UNHEARD]
    for each in found:
        log.error("plan %s: the model of record disagrees: %s", plan_id, each)
    return found


def _answer(
    routing_input: RoutingInput, beat: "_Heartbeat", *, limit_s: float, seed: int, max_iterations: int | None
) -> Plan:
    if routing_input.orders is None:
        return solve(
            routing_input.problem, limit_s=limit_s, max_iterations=max_iterations, seed=seed, on_progress=beat.progress,
            should_stop=beat.should_stop,
        )  # fmt: skip
    return improve(
        routing_input.problem, routing_input.orders, limit_s=limit_s, max_iterations=max_iterations, seed=seed,
        should_stop=beat.should_stop,
    )  # fmt: skip


def _one_more(
    routing_input: RoutingInput,
    answer: Plan,
    beat: "_Heartbeat",
    *,
    limit_s: float,
    seed: int,
    max_iterations: int | None,
) -> dict[str, Any] | None:
    """What one more courier would bring, where it is couriers that are short."""
    short = next((left for left in answer.unserved if left.reason is Reason.NO_ROOM and left.candidates), None)
    if short is None:
        return None
    like = short.candidates[0]
    try:
        more = one_more(
            routing_input.problem, answer, newcomer=another_courier(routing_input.problem, like),
            limit_s=max(1.0, limit_s / 3), max_iterations=max_iterations, seed=seed, should_stop=beat.should_stop,
        )  # fmt: skip
    except (ValueError, BrokenPlan) as error:  # the plan itself is found and checked: it is not lost for a what-if
        log.error("one courier more cannot be tried: %s", error)
        return None
    return {
        "served": len(more.served), "saved": more.saved, "like": routing_input.couriers[like].vehicle.value,
        **more.plan.proof(),
    }  # fmt: skip


def _leave(
    sessions: sessionmaker[Session],
    plan_id: int,
    claim: datetime | None,
    *,
    failure: str | None = None,
    answer: Plan | None = None,
    routing_input: RoutingInput | None = None,
    result: dict[str, Any] | None = None,
    curve: list[list[float]] | None = None,
) -> PlanState:
    """Write what came of the job, unless it was cancelled or taken over meanwhile."""
    with sessions.begin() as session:
        plan = session.get_one(DayPlan, plan_id, with_for_update=True, populate_existing=True)
        if plan.state is not PlanState.RUNNING or plan.started_at != claim:
            return plan.state
        plan.finished_at = real_now(session)
        if answer is None or routing_input is None:
            plan.move_to(PlanState.FAILED)
            plan.failure = failure
            return plan.state
        plan.fingerprint = routing_input.problem.fingerprint()
        plan.stop_versions = {str(stop.id): stop.version for stop in routing_input.stops.values()}
        plan.progress, plan.cost, plan.cost_curve = 1.0, float(answer.cost.total), curve or []
        plan.result = result
        plan.move_to(PlanState.PREVIEW)
        return plan.state


class _Heartbeat:
    """Writes progress about once a second, and learns on the way that the job was cancelled or is another's now."""

    def __init__(self, sessions: sessionmaker[Session], plan_id: int, limit_s: float, claim: datetime | None) -> None:
        self.sessions, self.plan_id, self.limit_s, self.claim = sessions, plan_id, limit_s, claim
        self.began_s = self.written_s = monotonic()
        self.curve: list[list[float]] = []
        self.given_up = False

    def progress(self, state: SolveProgress) -> None:
        if monotonic() - self.written_s >= 1.0:
            self.curve.append([round(float(state.seconds), 1), float(state.cost)])
            self._write(float(state.cost))

    def should_stop(self) -> bool:
        if monotonic() - self.written_s >= 1.5:
            self._write(None)
        return self.given_up

    def _write(self, cost: float | None) -> None:
        self.written_s = monotonic()
        with self.sessions.begin() as session:
            plan = session.get_one(DayPlan, self.plan_id, with_for_update=True)
            self.given_up = plan.state is not PlanState.RUNNING or plan.started_at != self.claim
            if self.given_up:
                return
            plan.heartbeat_at = real_now(session)
            plan.progress = min(0.99, (self.written_s - self.began_s) / max(self.limit_s, 0.1))
            if cost is not None:
                plan.cost, plan.cost_curve = cost, list(self.curve)
