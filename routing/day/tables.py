"""Runs: couriers and shifts, the stops asked for, the day's plans and runs, and what happened at each stop."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base, EncryptedText


class RunError(Exception):
    """A rule of the courier's day was broken; nothing was changed. ``words`` is for the person at the screen."""

    def __init__(self, message: str, *, user_message: str) -> None:
        super().__init__(message)
        self.user_message = user_message


class WrongStop(RunError):
    """The act does not fit the state that the stop is in."""


class PlanConflict(RunError):
    """The stops changed since the preview, or another plan of the same area and cut-off is committed."""

    def __init__(self, message: str, *, user_message: str, difference: dict[str, Any] | None = None) -> None:
        super().__init__(message, user_message=user_message)
        self.difference = difference or {}


class VehicleKind(StrEnum):
    """What a courier (揽投员) drives."""

    EBIKE = "ebike"
    VAN = "van"


VEHICLE_LABEL = {VehicleKind.EBIKE: "电动车", VehicleKind.VAN: "面包车"}


class Cutoff(StrEnum):
    """The two batches of a day: what is asked for by 11:30 runs in the afternoon, by 16:30 the next morning."""

    AM = "AM"
    PM = "PM"


class StopKind(StrEnum):
    """What happens at a stop: papers come, papers go, or both."""

    PICKUP = "pickup"
    DELIVERY = "delivery"
    EXCHANGE = "exchange"


STOP_LABEL = {StopKind.PICKUP: "揽收", StopKind.DELIVERY: "投递", StopKind.EXCHANGE: "换件"}


class StopState(StrEnum):
    """OPEN 待排, PLANNED 已排, ARRIVED 已到达, DONE 完成(妥投), FAILED 未妥投, RELEASED 已释放, CANCELLED 已取消."""

    OPEN = "open"
    PLANNED = "planned"
    ARRIVED = "arrived"
    DONE = "done"
    FAILED = "failed"
    RELEASED = "released"
    CANCELLED = "cancelled"


STOP_STATE_LABEL = {
    StopState.OPEN: "待排",
    StopState.PLANNED: "已排",
    StopState.ARRIVED: "已到达",
    StopState.DONE: "已完成",
    StopState.FAILED: "未妥投",
    StopState.RELEASED: "已释放",
    StopState.CANCELLED: "已取消",
}

NEXT_STOP: dict[StopState, frozenset[StopState]] = {
    StopState.OPEN: frozenset({StopState.PLANNED, StopState.DONE, StopState.RELEASED, StopState.CANCELLED}),
    StopState.PLANNED: frozenset(
        {StopState.OPEN, StopState.ARRIVED, StopState.DONE, StopState.FAILED, StopState.RELEASED, StopState.CANCELLED}
    ),
    StopState.ARRIVED: frozenset({StopState.PLANNED, StopState.DONE, StopState.FAILED}),
    StopState.DONE: frozenset({StopState.PLANNED}),  # undone by the courier within the day
    StopState.FAILED: frozenset({StopState.PLANNED, StopState.OPEN, StopState.RELEASED}),
    StopState.RELEASED: frozenset(),
    StopState.CANCELLED: frozenset(),
}


class FailReason(StrEnum):
    """Why an attempt failed (揽收未成, 未妥投)."""

    NOBODY_IN = "nobody_in"
    OUTSIDE_HOURS = "outside_hours"
    PAPERS_NOT_READY = "papers_not_ready"
    AUTHORISATION_MISMATCH = "authorisation_mismatch"
    WRONG_ADDRESS = "wrong_address"
    REFUSED = "refused"
    ZONE_ACCESS = "zone_access"
    SEAL_BROKEN = "seal_broken"
    WINDOW_CLOSED = "window_closed"
    VEHICLE = "vehicle"
    WEATHER = "weather"
    OTHER = "other"


FAIL_LABEL = {
    FailReason.NOBODY_IN: "无人在场",
    FailReason.OUTSIDE_HOURS: "非办公时间",
    FailReason.PAPERS_NOT_READY: "材料未备齐",
    FailReason.AUTHORISATION_MISMATCH: "授权人不符",
    FailReason.WRONG_ADDRESS: "地址有误",
    FailReason.REFUSED: "对方拒收",
    FailReason.ZONE_ACCESS: "园区无法进入",
    FailReason.SEAL_BROKEN: "封签破损",
    FailReason.WINDOW_CLOSED: "已过约定时段",
    FailReason.VEHICLE: "车辆故障",
    FailReason.WEATHER: "天气原因",
    FailReason.OTHER: "其他原因",
}


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


class RunState(StrEnum):
    """READY 待出发, OUT 在途, DONE 已收班."""

    READY = "ready"
    OUT = "out"
    DONE = "done"


class Courier(Base):
    """An EMS courier (揽投员) of one county, with a depot, a vehicle and its capacities."""

    __tablename__ = "courier"

    id: Mapped[int] = mapped_column(primary_key=True)
    courier_no: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    pinyin: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(EncryptedText)
    phone_hash: Mapped[bytes] = mapped_column(index=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    centre_id: Mapped[int] = mapped_column(ForeignKey("service_centre.id"))
    vehicle: Mapped[VehicleKind] = mapped_column(default=VehicleKind.EBIKE)
    pieces_capacity: Mapped[int] = mapped_column(default=120)
    grams_capacity: Mapped[int] = mapped_column(default=60_000)
    active: Mapped[bool] = mapped_column(default=True)


class Shift(Base):
    """When a courier works on a day; seconds from 00:00 in Shanghai."""

    __tablename__ = "shift"
    __table_args__ = (
        UniqueConstraint("courier_id", "on"),
        CheckConstraint("ends_s > starts_s", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    courier_id: Mapped[int] = mapped_column(ForeignKey("courier.id"))
    on: Mapped[date] = mapped_column(index=True)
    starts_s: Mapped[int]
    ends_s: Mapped[int]
    break_opens_s: Mapped[int | None]
    break_closes_s: Mapped[int | None]
    break_s: Mapped[int] = mapped_column(default=0)
    out_from_s: Mapped[int | None]  # the courier dropped out of the day at this second
    late_s: Mapped[int] = mapped_column(default=0)


class CourierStop(Base):
    """One address at which papers are collected, delivered or exchanged, in a window that the customer chose."""

    __tablename__ = "stop"
    __table_args__ = (
        Index("ix_stop_area", "division_id", "on", "cutoff", "state"),
        Index("ix_stop_run_position", "run_id", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    on: Mapped[date]
    cutoff: Mapped[Cutoff]
    kind: Mapped[StopKind]
    state: Mapped[StopState] = mapped_column(default=StopState.OPEN)
    lon: Mapped[float]
    lat: Mapped[float]
    address: Mapped[str] = mapped_column(EncryptedText)
    contact_name: Mapped[str] = mapped_column(EncryptedText)
    contact_phone: Mapped[str] = mapped_column(EncryptedText)
    label: Mapped[str] = mapped_column(default="")  # the organisation's name, as on a shop sign
    windows: Mapped[list[Any]]
    service_s: Mapped[int] = mapped_column(default=300)
    pieces: Mapped[int] = mapped_column(default=1)
    grams: Mapped[int] = mapped_column(default=200)
    priority: Mapped[int] = mapped_column(default=1)
    needs_van: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    fail_reason: Mapped[FailReason | None]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    position: Mapped[int | None]
    eta_s: Mapped[int | None]
    announced_opens_s: Mapped[int | None]
    announced_closes_s: Mapped[int | None]
    unserved_reason: Mapped[dict[str, Any] | None]
    done_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    proposed_lon: Mapped[float | None]
    proposed_lat: Mapped[float | None]
    retry_of_id: Mapped[int | None] = mapped_column(ForeignKey("stop.id"))

    run: Mapped["CourierRun | None"] = relationship(back_populates="stops")

    def move_to(self, state: StopState) -> None:
        """Raises WrongStop when ``state`` may not follow."""
        if state not in NEXT_STOP[self.state]:
            raise WrongStop(
                f"stop {self.id} is {self.state}, {state} may not follow", user_message="这一站的状态不允许此操作"
            )
        self.state = state
        self.version += 1


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
    why_failed: Mapped[str | None] = mapped_column(Text)

    def move_to(self, state: PlanState) -> None:
        """Raises PlanConflict when ``state`` may not follow."""
        if state not in NEXT_PLAN[self.state]:
            raise PlanConflict(
                f"plan {self.id} is {self.state}, {state} may not follow",
                user_message=f"该计划{PLAN_LABEL[self.state]}，不能执行此操作",
            )
        self.state = state
        self.version += 1


class CourierRun(Base):
    """One courier's day from a committed plan: numbered stops, in order."""

    __tablename__ = "run"
    __table_args__ = (UniqueConstraint("plan_id", "courier_id"), Index("ix_run_courier_id_on", "courier_id", "on"))

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    courier_id: Mapped[int] = mapped_column(ForeignKey("courier.id"))
    on: Mapped[date]
    state: Mapped[RunState] = mapped_column(default=RunState.READY)
    version: Mapped[int] = mapped_column(default=1)
    starts_s: Mapped[int]
    ends_s: Mapped[int]
    metres: Mapped[int] = mapped_column(default=0)
    travel_s: Mapped[int] = mapped_column(default=0)
    cost_terms: Mapped[dict[str, Any]] = mapped_column(default=dict)
    changed_words: Mapped[str | None] = mapped_column(Text)

    courier: Mapped[Courier] = relationship()
    stops: Mapped[list[CourierStop]] = relationship(back_populates="run", order_by="CourierStop.position")


class StopAct(StrEnum):
    """What a courier's phone reports."""

    ARRIVED = "arrived"
    COLLECTED = "collected"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNDONE = "undone"
    PROBLEM = "problem"


class StopEvent(Base):
    """One act at a stop, as the phone recorded it and as the server received it; idempotent by the phone's UUID."""

    __tablename__ = "stop_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    stop_id: Mapped[int] = mapped_column(ForeignKey("stop.id"), index=True)
    courier_id: Mapped[int | None] = mapped_column(ForeignKey("courier.id"))
    act: Mapped[StopAct]
    at: Mapped[datetime]
    device_at: Mapped[datetime | None]
    drift_s: Mapped[float | None]
    reason: Mapped[FailReason | None]
    note: Mapped[str | None] = mapped_column(EncryptedText)
    waybills: Mapped[list[Any]] = mapped_column(default=list)
    proofs: Mapped[list[Any]] = mapped_column(default=list)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("stop_event.id"))
