"""Jobs: what the program does by itself or in the background; each takes ids and may run twice."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from celery import shared_task
from flask import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.acts import daily_rules
from dispatch.assignment import apply_batch, propose
from dispatch.assignment.assign_one import place_waiting as place_one
from dispatch.cases import duration_training
from dispatch.cases import expected_dates as forecasts
from dispatch.cases.case import Material
from dispatch.cases.project import Delegation, Project, ProjectState
from dispatch.core.actor import SYSTEM
from dispatch.core.errors import Stale
from dispatch.custody import custody
from dispatch.custody.custody import Handover
from notifications.tasks import BROKER_TIMEOUT_S, quick_producers
from routing.day import plan_jobs as runs_of_day
from routing.day.tables import StopEvent
from web.wiring import files
from web.wiring.codes import forget_old_codes
from web.wiring.idempotency import forget_old_keys
from web.wiring.transactions import session_factory, transaction

log = structlog.get_logger()

# What these rows name is never swept.
files.names_files(Material.sha256, Delegation.sha256, StopEvent.proofs, Handover.proofs)

QUEUE = "jobs"
DAY = "web.jobs.day"
PLAN = "web.solving.plan"
WHAT_IF = "web.solving.what_if"
TOLD_AT_ONCE = 200  # placements that a batch tells of itself; a larger one leaves it to the schedule
FORECASTS = 300  # cases that one run looks at: some ten seconds

# What the day brings by itself, in the order in which one may depend on another.
DAILY: tuple[Callable[..., Any], ...] = (
    daily_rules.accept_by_silence,
    daily_rules.return_overdue,
    daily_rules.remind_supplements,
    daily_rules.escalate_referrals,
    daily_rules.close_unrated,
)


def _alone(session: Session, name: str) -> bool:
    """Whether this transaction is the only one doing this job now."""
    return bool(session.scalar(text("select pg_try_advisory_xact_lock(hashtext(:name))"), {"name": f"job:{name}"}))


@shared_task(name=DAY)
def day() -> None:
    """Silence that accepts, papers overdue, reminders, referrals, unrated cases: each in a transaction of its own."""
    run_day(session_factory())


def run_day(sessions: sessionmaker[Session]) -> dict[str, int]:
    """Every step of the day at the business moment; how much each found. A step that fails does not stop the others."""
    found: dict[str, int] = {}
    for step in DAILY:
        try:
            with sessions.begin() as session:
                if _alone(session, step.__name__):
                    done = step(session, at=db.now(session))
                    found[step.__name__] = done if isinstance(done, int) else len(done)
        except Exception:  # the outer edge of a job: one step's fault must not keep the rest of the day from coming
            log.exception("the day's step failed", step=step.__name__)
    with sessions.begin() as session:
        if _alone(session, "anchor"):
            moment = db.now(session)
            custody.anchor(session, on=moment.astimezone(db.SHANGHAI).date(), at=moment)
    return found


@shared_task(name="web.jobs.place_waiting")
def place_waiting() -> None:
    """Find an agent for each project that waits for one, the longest waiting first."""
    sessions = session_factory()
    with sessions() as session:
        waiting = list(
            session.scalars(
                select(Project.id)
                .where(Project.state == ProjectState.WAITING)
                .order_by(Project.priority.desc(), Project.id)
                .limit(500)
            )
        )
    for project_id in waiting:
        place(project_id)


@shared_task(name="web.jobs.place")
def place(project_id: int) -> None:
    """Find an agent for one project, unless somebody was quicker."""
    with transaction() as session:
        if placed := place_one(session, project_id, by=SYSTEM):
            apply_batch.tell_placed(session, at=db.now(session), project_id=project_id)
            log.info("project placed", project=project_id, agent=placed.agent_id)


@shared_task(name="web.jobs.assign_batch")
def assign_batch(path: str | None = None) -> None:
    """The batch: the best assignment of everything that waits, applied to rows that nobody changed meanwhile."""
    run_batch(session_factory(), path=path, dry_run=False)


def run_batch(
    sessions: sessionmaker[Session], *, path: str | None, dry_run: bool, seen: str | None = None
) -> tuple[propose.Proposal, apply_batch.BatchResult | None]:
    """Propose outside any transaction that holds locks, then apply; a dry run changes nothing.

    ``seen``: the fingerprint of the proposal that somebody agreed to. Raises Stale when it is another one by now."""
    with sessions() as session:
        moment: datetime = db.now(session)
        proposal = propose.propose(session, at=moment, path=path)
    if dry_run:
        return proposal, None
    if seen is not None and seen != proposal.fingerprint:
        raise Stale("the proposal is not the one that was seen", user_message="情况有变化，请核对新的建议后再派件")
    with sessions.begin() as session:
        applied = apply_batch.apply(session, proposal, by=SYSTEM, at=db.now(session))
        if len(applied.done) <= TOLD_AT_ONCE:
            apply_batch.tell_placed(session, at=db.now(session), limit=TOLD_AT_ONCE)
    return proposal, applied


@shared_task(name="web.jobs.tell_placed")
def tell_placed() -> None:
    """Tell agents and enterprises of what a large batch placed, a portion in each transaction."""
    for _ in range(20):
        with transaction() as session:
            if apply_batch.tell_placed(session, at=db.now(session), limit=TOLD_AT_ONCE) < TOLD_AT_ONCE:
                return


@shared_task(name="web.jobs.forecast")
def forecast() -> None:
    """Look anew at open cases that nobody looked at today."""
    run_forecasts(session_factory())


def run_forecasts(sessions: sessionmaker[Session], *, limit: int = FORECASTS, together: int = 50) -> int:
    """At most ``limit`` cases, ``together`` in one transaction; how many were looked at."""
    with sessions() as session:
        waiting = forecasts.due(session, at=db.now(session), limit=limit)
    looked_at = 0
    for first in range(0, len(waiting), together):
        with sessions.begin() as session:
            looked_at += forecasts.renew_many(session, waiting[first : first + together], at=db.now(session))
    return looked_at


@shared_task(name="web.jobs.relearn")
def relearn() -> None:
    """Learn once a day from what was decided: durations, and how probabilities have to be read."""
    with transaction() as session:
        learn_today(session)


def learn_today(session: Session) -> bool:
    """Whether there was something to do: nobody else is at it, and today has no lesson yet."""
    if not _alone(session, "relearn") or duration_training.fitted_today(session, at=db.now(session)):
        return False
    lesson = duration_training.fit_durations(session, at=db.now(session))
    log.info("learned", matters=lesson.matters, promises=lesson.promises)
    return True


@shared_task(name="web.jobs.take_over_plans")
def take_over_plans() -> None:
    """Plans that nobody works on: the doorbell was lost, or the worker."""
    with session_factory()() as session:
        silent = runs_of_day.silent_plans(session)
        unanswered = runs_of_day.silent_what_ifs(session)
    for plan_id in silent:
        ring(PLAN, plan_id)
    for plan_id in unanswered:
        ring(WHAT_IF, plan_id)


def ring(task: str, *args: object) -> bool:
    """Hand a task to the queue now, by its name, so that who asks need not load what does it.

    A broker that is down is told, not raised: the schedule finds what was missed.
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
            gone = {
                "codes": forget_old_codes(session),
                "keys": forget_old_keys(session),
                "files": files.sweep(session),
            }
            log.info("tidied", **gone)


SCHEDULE: dict[str, dict[str, Any]] = {
    "the day": {"task": "web.jobs.day", "schedule": 60.0, "options": {"expires": 60}},
    "waiting projects": {"task": "web.jobs.place_waiting", "schedule": 30.0, "options": {"expires": 30}},
    "placements to tell": {"task": "web.jobs.tell_placed", "schedule": 30.0, "options": {"expires": 30}},
    "expected dates": {"task": "web.jobs.forecast", "schedule": 60.0, "options": {"expires": 60}},
    "lessons": {"task": "web.jobs.relearn", "schedule": 3600.0, "options": {"expires": 3600}},
    "silent plans": {"task": "web.jobs.take_over_plans", "schedule": 20.0, "options": {"expires": 20}},
    "tidy": {"task": "web.jobs.tidy", "schedule": 3600.0, "options": {"expires": 3600}},
}
