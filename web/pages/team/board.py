"""The live board: one stop of a committed day is moved or locked by hand, its effect shown before, taken back after."""

from typing import Any

from flask import current_app, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

import db
from dispatch.acts.live_moves import LockStop, MoveStop, UndoMove
from dispatch.core.actor import Role
from dispatch.core.ids import PlanId, StopId
from dispatch.views import day_runs, live_board
from dispatch.views.live_board import MoveEffect
from routing.day.hours import seconds_of_day
from web.pages.team.blueprint import RULES, bp, say, take_form
from web.pages.team.map import gantt
from web.pages.team.runs import runs_readers
from web.wiring.act_door import offers
from web.wiring.auth import current_actor
from web.wiring.formatting import today
from web.wiring.transactions import transaction


@bp.get("/plans/<int:plan_id>/board")
@runs_readers
def board(plan_id: int) -> str:
    """Every courier's stops, and what the move that is asked about would do."""
    with transaction() as session:
        page = live_board.board_page(session, current_actor(), plan_id)
        effect = _effect(session, plan_id)
        now_s = seconds_of_day(db.now(session)) if page.on == today() else None
        return render_template(
            "team/board.html", page=page, effect=effect, now_s=now_s,
            gantt=gantt(page.area, [row for row in page.rows if row.stops], now_s),
            words=day_runs.CUTOFF_LABEL[page.cutoff],
            may_act=page.is_live and current_actor().role is not Role.SUPERVISOR,
        )  # fmt: skip


def _effect(session: Session, plan_id: int) -> MoveEffect | None:
    """What the move in the address would do; None where none is asked about, or it cannot be."""
    asked = [request.args.get(name, type=int) for name in ("stop", "courier", "place")]
    stop_id, courier_id, place = asked
    if stop_id is None or courier_id is None:
        return None
    travel = current_app.extensions["daiban.travel"]
    try:
        return live_board.move_effect(
            session, current_actor(), plan_id, stop_id, courier_id, max(1, place or 1), travel=travel
        )
    except RULES as error:
        say(error)
        return None


def _back(plan_id: int) -> str:
    return url_for("team.board", plan_id=plan_id)


@bp.post("/plans/<int:plan_id>/moves")
@offers(MoveStop)
def move_stop(plan_id: int) -> Response:
    """Make the move that was looked at."""
    given: dict[str, Any] = {"plan": PlanId(plan_id), "travel": current_app.extensions["daiban.travel"]}
    return take_form(MoveStop, "已调整，揽投员和客户已按此告知", back=_back(plan_id), **given)


@bp.post("/plans/<int:plan_id>/moves/undo")
@offers(UndoMove)
def undo_move(plan_id: int) -> Response:
    """Take the last move back."""
    given: dict[str, Any] = {"plan": PlanId(plan_id), "travel": current_app.extensions["daiban.travel"]}
    return take_form(UndoMove, "已撤销上一次调整", back=_back(plan_id), **given)


@bp.post("/plans/<int:plan_id>/stops/<int:stop_id>/lock")
@offers(LockStop)
def lock_stop(plan_id: int, stop_id: int) -> Response:
    """Keep a stop with its courier, or let it go again."""
    back, path = f"{_back(plan_id)}#stop-{stop_id}", [(PlanId, plan_id)]
    return take_form(LockStop, "已保存", back=back, stop=StopId(stop_id), path=path)
