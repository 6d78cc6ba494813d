"""Planning jobs: queue one, claim it for a worker, find those that are silent, cancel."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import real_now
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff

SILENT_S = 60  # a running job whose heartbeat is older is taken over


def queue_plan(
    session: Session,
    *,
    division_id: int,
    on: date,
    cutoff: Cutoff,
    limit_s: int,
    by: str,
    at: datetime,
    replaces: DayPlan | None = None,
) -> DayPlan:
    """A row that a worker will take. Nothing is computed here."""
    plan = DayPlan(
        division_id=division_id,
        on=on,
        cutoff=cutoff,
        limit_s=limit_s,
        requested_by=by,
        requested_at=at,
        replaces_id=None if replaces is None else replaces.id,
    )
    session.add(plan)
    session.flush()
    return plan


def claim_plan(session: Session, plan_id: int) -> DayPlan | None:
    """Claim a job: queued, or running but silent for a minute. None when it is somebody else's, or over."""
    plan = session.get(DayPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None:
        return None
    moment = real_now(session)
    silent = plan.heartbeat_at is None or moment - plan.heartbeat_at > timedelta(seconds=SILENT_S)
    if plan.state is PlanState.QUEUED or (plan.state is PlanState.RUNNING and silent):
        plan.move_to(PlanState.RUNNING)
        plan.started_at = plan.heartbeat_at = moment
        plan.progress, plan.cost_curve = 0.0, []
        return plan
    return None


def silent_plans(session: Session) -> list[int]:
    """Jobs that nobody works on: queued for a minute, or running without a heartbeat."""
    old = real_now(session) - timedelta(seconds=SILENT_S)
    waiting = select(DayPlan.id).where(DayPlan.state == PlanState.QUEUED)
    lost = select(DayPlan.id).where(DayPlan.state == PlanState.RUNNING, DayPlan.heartbeat_at < old)
    return [*session.scalars(waiting.order_by(DayPlan.id)), *session.scalars(lost.order_by(DayPlan.id))]


def cancel(session: Session, plan: DayPlan) -> None:
    """Give a job or a preview up; a running worker stops at its next heartbeat."""
    plan.move_to(PlanState.CANCELLED)
