"""Plans: an area's courier day as a job; its preview is committed, planned again, or given up."""

from typing import Any

from apiflask import APIBlueprint
from flask import current_app, request, url_for
from pydantic import Field

from dispatch.acts.live_moves import MOST_PLACES, LockResult, LockStop, MoveResult, MoveStop, UndoMove
from dispatch.acts.plan_steps import AskForPlan, CancelPlan, CommitPlan, PlanResult, ReplanDay
from dispatch.cases.access_control import plan_for
from dispatch.core.actor import Role
from dispatch.core.ids import BIGGEST, PlanId, StopId
from dispatch.views import live_board, plan_resource, resource_lists
from dispatch.views.live_board import MoveEffect
from dispatch.views.plan_resource import PlanView
from dispatch.views.resource_lists import ListPart, PlanLine
from routing.day.day_plan import PlanState
from web.wiring import cursors, jobs
from web.wiring.act_door import command_from, offers, schema_of, take
from web.wiring.api_answers import answers, page_model
from web.wiring.api_schema import Day, PageQuery, Strict, problems
from web.wiring.auth import current_actor, roles, staff_only
from web.wiring.idempotency import idempotent
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_plans", __name__, url_prefix="/api/v1", tag="plans")


class PlansQuery(PageQuery):
    """Which plans."""

    state: PlanState | None = None
    on: Day | None = None


@bp.get("/plans")
@roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@bp.input(PlansQuery, location="query", arg_name="asked")
@answers(page_model(PlanLine))
@bp.doc(responses=problems(422), security="bearer")
def listed(asked: PlansQuery) -> dict[str, Any]:
    """The plans that I may see, newest first."""
    after = cursors.decode(asked.cursor, int)
    part = ListPart(None if after is None else after[0], asked.limit)
    with transaction() as session:
        rows = resource_lists.plan_lines(session, current_actor(), part, state=asked.state, on=asked.on)
    items, following = cursors.page(rows, asked.limit, lambda row: (row.id,))
    return {"items": [as_json(row) for row in items], "next_cursor": following}


@bp.post("/plans")
@offers(AskForPlan)
@bp.input(schema_of(AskForPlan), arg_name="body")
@answers(PlanResult, 202)
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
@answers(PlanView)
@bp.doc(responses=problems(404), security="bearer")
def read(plan_id: int) -> PlanView:
    """State, progress, cost, and in a preview each run's stops and what is left out, with its reason."""
    with transaction() as session:
        return plan_resource.plan_view(plan_for(session, current_actor(), plan_id))


@bp.post("/plans/<int:plan_id>/commit")
@offers(CommitPlan)
@bp.input(schema_of(CommitPlan, path=("plan",)), arg_name="body")
@answers(PlanResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def commit(plan_id: int, body: Strict) -> PlanResult:
    """The preview becomes the day's runs; whoever waits is told. 409 with the difference when stops changed."""
    return take(command_from(CommitPlan, body, plan=plan_id))


@bp.post("/plans/<int:plan_id>/replan")
@offers(ReplanDay)
@bp.input(schema_of(ReplanDay, path=("plan",)), arg_name="body")
@answers(PlanResult, 202)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def replan(plan_id: int, body: Strict) -> tuple[PlanResult, int, dict[str, str]]:
    """Plan the rest of a committed day anew: driven parts frozen, announced windows kept where it pays."""
    return _publish(take(command_from(ReplanDay, body, plan=plan_id)))


class MoveQuery(Strict):
    """Which stop would go where: the ``place``-th of what is still to do there."""

    stop: int = Field(default=0, ge=0, le=BIGGEST)
    courier: int = Field(default=0, ge=0, le=BIGGEST)
    place: int = Field(default=1, ge=1, le=MOST_PLACES)


@bp.get("/plans/<int:plan_id>/moves")
@roles(Role.LEAD, Role.SUPERVISOR, Role.OPERATOR)
@bp.input(MoveQuery, location="query", arg_name="asked")
@answers(MoveEffect)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def look_at_move(plan_id: int, asked: MoveQuery) -> MoveEffect:
    """What a move by hand would do: minutes, metres, who is told, what becomes late. Nothing is changed."""
    travel = current_app.extensions["daiban.travel"]
    with transaction() as session:
        return live_board.move_effect(
            session, current_actor(), plan_id, asked.stop, asked.courier, asked.place, travel=travel
        )


@bp.post("/plans/<int:plan_id>/moves")
@offers(MoveStop)
@bp.input(schema_of(MoveStop, path=("plan", "travel")), arg_name="body")
@answers(MoveResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def move(plan_id: int, body: Strict) -> MoveResult:
    """A stop of a committed plan goes to another courier or place, and stays there when the day is planned anew."""
    travel = current_app.extensions["daiban.travel"]
    return take(command_from(MoveStop, body, plan=PlanId(plan_id), travel=travel))


@bp.post("/plans/<int:plan_id>/moves/undo")
@offers(UndoMove)
@bp.input(schema_of(UndoMove, path=("plan", "travel")), arg_name="body")
@answers(MoveResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
@idempotent
def undo_move(plan_id: int, body: Strict) -> MoveResult:
    """The last move by hand is taken back."""
    travel = current_app.extensions["daiban.travel"]
    return take(command_from(UndoMove, body, plan=PlanId(plan_id), travel=travel))


@bp.put("/stops/<int:stop_id>/lock")
@offers(LockStop)
@bp.input(schema_of(LockStop, path=("stop",)), arg_name="body")
@answers(LockResult)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def lock(stop_id: int, body: Strict) -> LockResult:
    """A stop stays with its courier when the day is planned anew, or may go to another again."""
    return take(command_from(LockStop, body, stop=StopId(stop_id)))


@bp.delete("/plans/<int:plan_id>")
@offers(CancelPlan)
@answers(None, 204)
@bp.doc(responses=problems(404, 409, 422), security="bearer")
def cancel(plan_id: int) -> str:
    """Give a job or a preview up; ``?version=`` as it was read."""
    take(CancelPlan(plan=PlanId(plan_id), version=request.args.get("version", type=int)))
    return ""
