"""Jobs that try one courier more: ask, claim, find those that are silent, note the answer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import real_now
from routing.day.couriers import VehicleKind
from routing.day.day_plan import DayPlan, PlanConflict, PlanState
from routing.day.plan_jobs import SILENT_S

TRIED = (PlanState.PREVIEW, PlanState.COMMITTED)  # to what one courier more may be tried
UNANSWERED = ("asked", "solving")


def ask_what_if(session: Session, plan: DayPlan, *, vehicle: VehicleKind) -> None:
    """Note on the plan's row what somebody asks; a worker solves it. Raises PlanConflict where there is no day."""
    plan = session.get_one(DayPlan, plan.id, with_for_update=True, populate_existing=True)
    if plan.state not in TRIED or plan.result is None:
        raise PlanConflict(f"plan {plan.id} is {plan.state}", user_message="只有待确认或已下发的路线可以试算")
    note_what_if(session, plan, {"state": "asked", "vehicle": vehicle.value})


def claim_what_if(session: Session, plan_id: int) -> DayPlan | None:
    """Claim the what-if on a plan's row. None when there is none, or another worker has it."""
    plan = session.get(DayPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None or plan.state not in TRIED:
        return None
    what_if = (plan.result or {}).get("what_if")
    if what_if is None or what_if["state"] not in UNANSWERED:
        return None
    if what_if["state"] == "solving" and not _is_old(plan.result, real_now(session)):
        return None
    note_what_if(session, plan, {**what_if, "state": "solving"})
    return plan


def silent_what_ifs(session: Session) -> list[int]:
    """Plans whose what-if nobody has answered for a minute."""
    state, moment = DayPlan.result["what_if"]["state"].as_string(), real_now(session)
    waiting = select(DayPlan).where(DayPlan.state.in_(TRIED), state.in_(UNANSWERED)).order_by(DayPlan.id)
    return [plan.id for plan in session.scalars(waiting) if _is_old(plan.result, moment)]


def note_what_if(session: Session, plan: DayPlan, answer: Mapping[str, Any]) -> None:
    """Write how the what-if stands; the plan itself stays as it is."""
    plan.result = {**(plan.result or {}), "what_if": {**answer, "since": real_now(session).isoformat()}}


def _is_old(result: Mapping[str, Any] | None, moment: datetime) -> bool:
    since = datetime.fromisoformat((result or {})["what_if"]["since"])
    return moment - since > timedelta(seconds=SILENT_S)
