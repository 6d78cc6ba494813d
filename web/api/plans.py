"""Plans: an area's courier day as a job; its preview is committed, planned again, or given up."""

from typing import Any

from apiflask import APIBlueprint
from flask import request, url_for

from dispatch.acts.plan_steps import AskForPlan, CancelPlan, CommitPlan, PlanResult, ReplanDay
from dispatch.cases.access_control import plan_for
from dispatch.core.ids import PlanId
from routing.day.day_plan import DayPlan
from web.wiring import jobs
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_schema import Strict, problems
from web.wiring.auth import current_actor, staff_only
from web.wiring.idempotency import idempotent
from web.wiring.transactions import transaction

bp = APIBlueprint("api_plans", __name__, url_prefix="/api/v1", tag="plans")


@bp.post("/plans")
@offers(AskForPlan)
@bp.input(schema_of(AskForPlan), arg_name="body")
@bp.output({}, status_code=202)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def make(body: Strict) -> tuple[PlanResult, int, dict[str, str]]:
    """Queue a plan. 202, with its address: a job of this batch that waits or runs is joined, a preview given up.

    A plan of what is committed already replaces it.
    """
    return _publish(take(command_from(AskForPlan, body)))


def _publish(queued: PlanResult) -> tuple[PlanResult, int, dict[str, str]]:
    jobs.publish(jobs.PLAN, queued.id)
    return queued, 202, {"Location": url_for("api_plans.read", plan_id=queued.id)}


@bp.get("/plans/<int:plan_id>")
@staff_only
@bp.output({})
@bp.doc(responses=problems(404), security="bearer")
def read(plan_id: int) -> dict[str, Any]:
    """State, progress, cost, and in a preview each run's stops and what is left out, with its reason."""
    with transaction() as session:
        return _shown(plan_for(session, current_actor(), plan_id))


@bp.post("/plans/<int:plan_id>/commit")
@offers(CommitPlan)
@bp.input(schema_of(CommitPlan, path=("plan",)), arg_name="body")
@bp.output({})
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def commit(plan_id: int, body: Strict) -> PlanResult:
    """The preview becomes the day's runs; whoever waits is told. 409 with the difference when stops changed."""
    return take(command_from(CommitPlan, body, plan=plan_id))


@bp.post("/plans/<int:plan_id>/replan")
@offers(ReplanDay)
@bp.input(schema_of(ReplanDay, path=("plan",)), arg_name="body")
@bp.output({}, status_code=202)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def replan(plan_id: int, body: Strict) -> tuple[PlanResult, int, dict[str, str]]:
    """Plan the rest of a committed day anew: driven parts frozen, announced windows kept where it pays."""
    return _publish(take(command_from(ReplanDay, body, plan=plan_id)))


@bp.delete("/plans/<int:plan_id>")
@offers(CancelPlan)
@bp.output({}, status_code=204)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def cancel(plan_id: int) -> str:
    """Give a job or a preview up; ``?version=`` as it was read."""
    take(CancelPlan(plan=PlanId(plan_id), version=request.args.get("version", type=int)))
    return ""


def _shown(plan: DayPlan) -> dict[str, Any]:
    return {
        "id": plan.id, "state": plan.state.value, "version": plan.version, "on": plan.on, "cutoff": plan.cutoff.value,
        "limit_s": plan.limit_s, "progress": plan.progress, "cost": plan.cost, "cost_curve": plan.cost_curve,
        "heartbeat_at": plan.heartbeat_at, "fingerprint": plan.fingerprint, "why_failed": plan.why_failed,
        "replaces": plan.replaces_id, "result": plan.result, "stops": len(plan.stop_versions or {}),
    }  # fmt: skip
