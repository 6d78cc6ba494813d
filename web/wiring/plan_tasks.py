"""The task that plans an area's runs: only workers and the command line load the solver with it."""

from collections.abc import Collection
from typing import Any

import structlog
from celery import shared_task, signals
from flask import current_app
from sqlalchemy.orm import Session, sessionmaker

from routing.day.day_plan import PlanState
from routing.day.planning import work_on
from routing.day.what_if import answer_what_if
from routing.model.check import violations
from routing.search.child import ortools_objections
from routing.search.solve import compile_core
from routing.travel import TravelTimes
from web.wiring.jobs import PLAN, QUEUE, WHAT_IF
from web.wiring.transactions import session_factory

log = structlog.get_logger(__name__)


@signals.celeryd_after_setup.connect
def _compile_before_the_first_job(instance: Any, **_: object) -> None:
    make_ready(instance.app.amqp.queues.consume_from)


def make_ready(queues: Collection[str]) -> bool:
    """Compile the core, or load it, where heavy jobs are done: before the pool forks, so that no plan waits for it."""
    if QUEUE not in queues:
        return False
    compile_core()
    log.info("the routing core is ready")
    return True


@shared_task(name=PLAN)
def plan(plan_id: int) -> None:
    """Plan one area's runs; the row holds progress and heartbeat, and a second worker finds nothing to do."""
    state = run_day_plan(session_factory(), plan_id, current_app.extensions["daiban.travel"])
    log.info("plan worked on", plan=plan_id, state=state)


@shared_task(name=WHAT_IF)
def what_if(plan_id: int) -> None:
    """Solve what one courier more would bring to a plan; the question and its answer stand on the plan's row."""
    state = answer_what_if(session_factory(), plan_id, travel=current_app.extensions["daiban.travel"])
    log.info("one courier more was tried", plan=plan_id, state=state)


def run_day_plan(sessions: sessionmaker[Session], plan_id: int, travel: TravelTimes) -> PlanState | None:
    """Solve, check without the solver, ask the model of record, and leave a preview or the reason for none."""
    return work_on(sessions, plan_id, travel=travel, verify=violations, record=ortools_objections)
