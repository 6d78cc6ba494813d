"""A planning job of an area, a day and a cut-off: its states and what may follow."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base
from routing.day.errors import RunError
from routing.day.hours import Cutoff


class PlanConflict(RunError):
    """The stops changed since the preview, or another plan of the same area and cut-off is committed."""

    def __init__(self, message: str, *, user_message: str, difference: dict[str, Any] | None = None) -> None:
        super().__init__(message, user_message=user_message)
        self.difference = difference or {}


class PlanState(StrEnum):
    """Where a planning job is. One PREVIEW becomes COMMITTED 已下发 for an area, a day and a cut-off."""

    QUEUED = "queued"
    RUNNING = "running"
    PREVIEW = "preview"
    COMMITTED = "committed"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    CANCELLED = "cancelled"


PLAN_LABEL = {
    PlanState.QUEUED: "排队中",
    PlanState.RUNNING: "计算中",
    PlanState.PREVIEW: "待确认",
    PlanState.COMMITTED: "已下发",
    PlanState.SUPERSEDED: "已被替代",
    PlanState.FAILED: "失败",
    PlanState.CANCELLED: "已取消",
}
NEXT_PLAN: dict[PlanState, frozenset[PlanState]] = {
    PlanState.QUEUED: frozenset({PlanState.RUNNING, PlanState.CANCELLED, PlanState.FAILED}),
    PlanState.RUNNING: frozenset({PlanState.RUNNING, PlanState.PREVIEW, PlanState.FAILED, PlanState.CANCELLED}),
    PlanState.PREVIEW: frozenset({PlanState.COMMITTED, PlanState.SUPERSEDED, PlanState.CANCELLED}),
    PlanState.COMMITTED: frozenset({PlanState.SUPERSEDED}),
    PlanState.SUPERSEDED: frozenset(),
    PlanState.FAILED: frozenset(),
    PlanState.CANCELLED: frozenset(),
}


class DayPlan(Base):
    """One planning job for an area, a day and a cut-off, from the queue to the commit."""

    __tablename__ = "plan"
    __table_args__ = (
        Index(
            "uq_plan_one_committed", "division_id", "on", "cutoff", unique=True,
            postgresql_where=text("state = 'committed'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    on: Mapped[date]
    cutoff: Mapped[Cutoff]
    state: Mapped[PlanState] = mapped_column(default=PlanState.QUEUED, index=True)
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(default="")
    limit_s: Mapped[int] = mapped_column(default=10)
    seed: Mapped[int] = mapped_column(default=0)
    requested_by: Mapped[str] = mapped_column(default="")
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    committed_at: Mapped[datetime | None]
    committed_by: Mapped[str | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    progress: Mapped[float] = mapped_column(default=0.0)
    cost: Mapped[float | None]
    cost_curve: Mapped[list[Any]] = mapped_column(default=list)
    fingerprint: Mapped[str | None]
    stop_versions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any] | None]
    difference: Mapped[dict[str, Any] | None]
    failure: Mapped[str | None] = mapped_column(Text)

    def move_to(self, state: PlanState) -> None:
        """Raises PlanConflict when ``state`` may not follow."""
        if state not in NEXT_PLAN[self.state]:
            raise PlanConflict(
                f"plan {self.id} is {self.state}, {state} may not follow",
                user_message=f"该计划{PLAN_LABEL[self.state]}，不能执行此操作",
            )
        self.state = state
        self.version += 1
