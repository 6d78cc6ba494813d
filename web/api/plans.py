"""Plans: an area's courier day as a job; its preview is committed, planned again, or given up."""

from typing import Any

from apiflask import APIBlueprint
from flask import url_for
from pydantic import Field
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

import db
from agents.network import division_with
from dispatch.acts import route_planning
from dispatch.cases.access_control import visible_plans, within
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound
from routing.day import plan_jobs
from routing.day.day_plan import DayPlan
from routing.day.hours import Cutoff
from web.wiring import jobs
from web.wiring.api_schema import Day, Strict, problems
from web.wiring.auth import current_actor, leads_only, staff_only
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_plans", __name__, url_prefix="/api/v1", tag="plans")


class PlanIn(Strict):
    """An area, a day, a cut-off, and how long to think."""

    area: str = Field(pattern=r"^\d{6,12}$")
    date: Day
    cutoff: Cutoff = Cutoff.AM
    limit: int = Field(default=10, ge=1, le=600, description="Seconds")
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class ReplanIn(Strict):
    """How long to think; the driven parts stay as they are."""

    limit: int = Field(default=5, ge=1, le=120)


def plan_for(session: Session, viewer: Actor, plan_id: int) -> DayPlan:
    """The plan. Raises NotFound."""
    plan = session.scalar(select(DayPlan).where(DayPlan.id == plan_id, visible_plans(viewer)))
    if plan is None:
        raise NotFound(f"no plan {plan_id} for this viewer")
    return plan


@bp.post("/plans")
@leads_only
@bp.input(PlanIn, arg_name="body")
@bp.output({}, status_code=202)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def make(body: PlanIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Queue a plan. 202, with its address: a job of this batch that waits or runs is joined, a preview given up.

    A plan of what is committed already replaces it.
    """
    viewer = current_actor()
    with transaction() as session:
        division = division_with(session, body.area)
        if not session.scalar(select(within(viewer, literal(division.id)))):
            raise NotFound(f"area {body.area} is not this viewer's")
        plan = route_planning.ask_for_plan(
            session, division_id=division.id, on=body.date, cutoff=body.cutoff, limit_s=body.limit, by=viewer,
            at=db.now(session), seed=body.seed,
        )  # fmt: skip
        queued = _queued(plan)
    return _ring(queued)


def _queued(plan: DayPlan) -> dict[str, Any]:
    return {"id": plan.id, "state": plan.state.value}


def _ring(queued: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    jobs.publish(jobs.PLAN, queued["id"])
    return queued, 202, {"Location": url_for("api_plans.read", plan_id=queued["id"])}


@bp.get("/plans/<int:plan_id>")
@staff_only
@bp.output({})
@bp.doc(responses=problems(404), security="bearer")
def read(plan_id: int) -> dict[str, Any]:
    """State, progress, cost, and in a preview each run's stops and what is left out, with its reason."""
    with transaction() as session:
        return _shown(plan_for(session, current_actor(), plan_id))


@bp.post("/plans/<int:plan_id>/commit")
@leads_only
@bp.output({})
@bp.doc(responses=problems(404, 409), security="bearer")
@idempotent
def commit(plan_id: int) -> dict[str, Any]:
    """The preview becomes the day's runs; whoever waits is told. 409 with the difference when stops changed."""
    viewer = current_actor()
    with transaction() as session:
        plan = plan_for(session, viewer, plan_id)
        told = route_planning.commit_plan(session, plan, by=viewer, at=db.now(session))
        return {"id": plan.id, "state": plan.state.value, "told": len(told)}


@bp.post("/plans/<int:plan_id>/replan")
@leads_only
@bp.input(ReplanIn, arg_name="body")
@bp.output({}, status_code=202)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def replan(plan_id: int, body: ReplanIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Plan the rest of a committed day anew: driven parts frozen, announced windows kept where it pays."""
    viewer = current_actor()
    with transaction() as session:
        standing = plan_for(session, viewer, plan_id)
        queued = _queued(
            route_planning.ask_to_replan(session, standing, limit_s=body.limit, by=viewer, at=db.now(session))
        )  # fmt: skip
    return _ring(queued)


@bp.delete("/plans/<int:plan_id>")
@leads_only
@bp.output({}, status_code=204)
@bp.doc(responses=problems(404, 409), security="bearer")
def cancel(plan_id: int) -> str:
    """Give a job or a preview up."""
    with transaction() as session:
        plan_jobs.cancel(session, plan_for(session, current_actor(), plan_id))
    return ""


def _shown(plan: DayPlan) -> dict[str, Any]:
    return {
        "id": plan.id, "state": plan.state.value, "version": plan.version, "on": plan.on, "cutoff": plan.cutoff.value,
        "limit_s": plan.limit_s, "progress": plan.progress, "cost": plan.cost, "cost_curve": plan.cost_curve,
        "heartbeat_at": plan.heartbeat_at, "fingerprint": plan.fingerprint, "why_failed": plan.why_failed,
        "replaces": plan.replaces_id, "result": plan.result, "stops": len(plan.stop_versions or {}),
    }  # fmt: skip
