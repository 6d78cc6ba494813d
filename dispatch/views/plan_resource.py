"""Plans as programs read them: state, progress, cost, and in a preview each run's stops."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from routing.day.day_plan import DayPlan


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan of an area's courier day. ``cost_curve``: pairs of seconds and cost; ``stops``: how many it plans."""

    id: int
    state: str
    version: int
    on: date
    cutoff: str
    limit_s: int
    progress: float
    cost: float | None
    cost_curve: list[Any]
    heartbeat_at: datetime | None
    fingerprint: str | None
    why_failed: str | None
    replaces: int | None
    result: dict[str, Any] | None
    stops: int


def plan_view(plan: DayPlan) -> PlanView:
    """The plan as it is now."""
    return PlanView(
        id=plan.id,
        state=plan.state.value,
        version=plan.version,
        on=plan.on,
        cutoff=plan.cutoff.value,
        limit_s=plan.limit_s,
        progress=plan.progress,
        cost=plan.cost,
        cost_curve=plan.cost_curve,
        heartbeat_at=plan.heartbeat_at,
        fingerprint=plan.fingerprint,
        why_failed=plan.failure,
        replaces=plan.replaces_id,
        result=plan.result,
        stops=len(plan.stop_versions or {}),
    )
