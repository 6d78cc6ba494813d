"""Jobs: what the program does by itself or in the background; each takes ids and may run twice."""

from dataclasses import dataclass
from typing import Any

import structlog
from celery import shared_task
from flask import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.acts.act import ActContext, act, perform
from dispatch.acts.assigning import MOST_NOTIFIED, ApplyBatch, NotifyPlaced, PlaceWaiting, waiting_projects
from dispatch.acts.daily_rules import DAILY
from dispatch.acts.forecasting import LearnDurations, RenewForecasts
from dispatch.cases import expected_dates
from dispatch.cases.case import Material
from dispatch.cases.courier_report import CourierReport
from dispatch.cases.evidence import Evidence
from dispatch.cases.fact_event import FactEvent
from dispatch.cases.project import Delegation
from dispatch.cases.review_event import ReviewEvent
from dispatch.core.actor import SYSTEM
from dispatch.core.ids import AreaCode
from dispatch.custody.handover import Handover
from notifications.tasks import BROKER_TIMEOUT_S, quick_producers
from notifications.webhooks.delivery import forget_old_deliveries
from routing.day import plan_jobs, what_if_jobs
from routing.day.courier_stop import StopEvent
from web.wiring import files
from web.wiring.codes import forget_old_codes
from web.wiring.deriving import derive_limits
from web.wiring.guesses import forget_old_guesses
from web.wiring.idempotency import forget_old_keys
from web.wiring.login_sessions import forget_old_sessions
from web.wiring.security_alarms import sound_alarms
from web.wiring.security_log import forget_old_events
from web.wiring.sheet_draft import forget_old_sheets
from web.wiring.transactions import session_factory, transaction

log = structlog.get_logger()

# What these rows name is never swept.
files.names_files(
    Material.sha256,
    Delegation.sha256,
    ReviewEvent.document,
    FactEvent.document,
    Evidence.sha256,
    StopEvent.proofs,
    Handover.proofs,
    CourierReport.proofs,
)

QUEUE = "jobs"
DAY = "web.jobs.day"
PLAN = "web.solving.plan"
WHAT_IF = "web.solving.what_if"
FORECASTS, FORECASTS_TOGETHER = 300, 50  # cases that one run looks at, some ten seconds; in one transaction


def _alone(session: Session, name: str) -> bool:
    """Whether this transaction is the only one doing this job now."""
    return bool(session.scalar(text("select pg_try_advisory_xact_lock(hashtext(:name))"), {"name": f"job:{name}"}))


@shared_task(name=DAY)
def day() -> None:
    """Silence that accepts, papers overdue, reminders, referrals, unrated cases: each in a transaction of its own."""
    run_day(session_factory())
    # Who changed the calendar or the catalogue may not have come so far.
    if moved := derive_limits(session_factory(), is_waited_for=False):
        log.info("limits derived", moved=len(moved))


def run_day(sessions: sessionmaker[Session]) -> dict[str, int]:
    """Every step of the day at the business moment; how much each found. A step that fails does not stop the others."""
    found: dict[str, int] = {}
    for step in DAILY:
        try:
            with sessions.begin() as session:
                if _alone(session, step.__name__):
                    found[step.__name__] = perform(session, step(), SYSTEM)
        except Exception:  # the outer edge of a job: one step's fault must not keep the rest of the day from coming
            log.exception("the day's step failed", step=step.__name__)
    return found


@shared_task(name="web.jobs.place_waiting")
def place_waiting() -> None:
    """Find an agent for each project that waits for one, the longest waiting first."""
    with session_factory()() as session:
        waiting = waiting_projects(session)
    for project_id in waiting:
        place(project_id)


@shared_task(name="web.jobs.place")
def place(project_id: int) -> None:
    """Find an agent for one project, unless somebody was quicker."""
    with transaction() as session:
        if agent_id := perform(session, PlaceWaiting(project_id=project_id), SYSTEM):
            log.info("project placed", project=project_id, agent=agent_id)


@shared_task(name="web.jobs.assign_batch")
def assign_batch(area: str | None = None) -> None:
    """The batch: the best assignment of all that waits in an area, applied to rows that nobody changed meanwhile."""
    with transaction() as session:
        perform(session, ApplyBatch(area=None if area is None else AreaCode(area)), SYSTEM)


@shared_task(name="web.jobs.tell_placed")
def tell_placed() -> None:
    """Notify agents and enterprises of what a large batch placed, a portion in each transaction."""
    for _ in range(20):
        with transaction() as session:
            if perform(session, NotifyPlaced(), SYSTEM) < MOST_NOTIFIED:
                return


@shared_task(name="web.jobs.forecast")
def forecast() -> None:
    """Look anew at open cases that nobody looked at today."""
    run_forecasts(session_factory())


def run_forecasts(sessions: sessionmaker[Session]) -> int:
    """At most ``FORECASTS`` cases, ``FORECASTS_TOGETHER`` in one transaction; how many were looked at."""
    with sessions() as session:
        waiting = expected_dates.due(session, at=db.now(session), limit=FORECASTS)
    looked_at = 0
    for first in range(0, len(waiting), FORECASTS_TOGETHER):
        these = waiting[first : first + FORECASTS_TOGETHER]
        with sessions.begin() as session:
            looked_at += perform(session, RenewForecasts(case_ids=tuple(these)), SYSTEM)
    return looked_at


@shared_task(name="web.jobs.relearn")
def relearn() -> None:
    """Learn once a day from what was decided: durations, and how probabilities have to be read."""
    with transaction() as session:
        learn_today(session)


def learn_today(session: Session) -> bool:
    """Whether there was something to do: nobody else is at it, and today nothing was learned yet."""
    learned = perform(session, LearnDurations(), SYSTEM) if _alone(session, "relearn") else None
    if learned is not None:
        log.info("learned", matters=learned.matters, promises=learned.promises)
    return learned is not None


@shared_task(name="web.jobs.take_over_plans")
def take_over_plans() -> None:
    """Plans that nobody works on: the task was lost, or the worker."""
    with session_factory()() as session:
        silent = plan_jobs.silent_plans(session)
        unanswered = what_if_jobs.silent_what_ifs(session)
    for plan_id in silent:
        publish(PLAN, plan_id)
    for plan_id in unanswered:
        publish(WHAT_IF, plan_id)


def publish(task: str, *args: object) -> bool:
    """Hand a task to the queue now, by its name, so that who asks need not load what does it.

    False when the broker is down: the schedule finds what was missed.
    """
    celery = current_app.extensions["celery"]
    try:
        with quick_producers(celery).acquire(block=True, timeout=BROKER_TIMEOUT_S) as producer:
            celery.send_task(task, args, retry=False, ignore_result=True, producer=producer)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("the queue does not answer", task=task, error=str(error)[:200])
        return False
    return True


@shared_task(name="web.jobs.tidy")
def tidy() -> None:
    """Forget codes and answers that count for nothing any more, and files that no row names."""
    with transaction() as session:
        if _alone(session, "tidy"):
            perform(session, TidyUp(), SYSTEM)


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class TidyUp:
    """Codes and answers that count for nothing any more are deleted, and files that no row names; how many in all."""

    def perform(self, context: ActContext) -> int:
        session = context.session
        gone = {
            "codes": forget_old_codes(session),
            "keys": forget_old_keys(session),
            "sessions": forget_old_sessions(session),
            "guesses": forget_old_guesses(session),
            "security lines": forget_old_events(session),
            "files": files.sweep(session),
            "webhooks": forget_old_deliveries(session),
            "sheets": forget_old_sheets(session),
        }
        log.info("tidied", **gone)
        sound_alarms(session)
        return sum(gone.values())


SCHEDULE: dict[str, dict[str, Any]] = {
    "the day": {"task": "web.jobs.day", "schedule": 60.0, "options": {"expires": 60}},
    "waiting projects": {"task": "web.jobs.place_waiting", "schedule": 30.0, "options": {"expires": 30}},
    "placements to notify": {"task": "web.jobs.tell_placed", "schedule": 30.0, "options": {"expires": 30}},
    "expected dates": {"task": "web.jobs.forecast", "schedule": 60.0, "options": {"expires": 60}},
    "duration training": {"task": "web.jobs.relearn", "schedule": 3600.0, "options": {"expires": 3600}},
    "silent plans": {"task": "web.jobs.take_over_plans", "schedule": 20.0, "options": {"expires": 20}},
    "tidy": {"task": "web.jobs.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
}
