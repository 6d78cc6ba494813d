"""A courier's stop: its kind, its states and what may follow, and the events that a phone reported there."""

import uuid
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText
from routing.day.errors import RunError
from routing.day.hours import Cutoff, seconds_into


class WrongStop(RunError):
    """The act does not fit the state that the stop is in."""


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


SETUP_S = 120
LEAST_DOOR_S = 60


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
    is_placed: Mapped[bool] = mapped_column(default=True)
    """Whether the point is the address's own; else no plan takes the stop before a lead has placed it."""
    address: Mapped[str] = mapped_column(EncryptedText)
    contact_name: Mapped[str] = mapped_column(EncryptedText)
    contact_phone: Mapped[str] = mapped_column(EncryptedText)
    label: Mapped[str] = mapped_column(default="")  # the organisation's name, as on a shop sign
    windows: Mapped[list[Any]]
    service_s: Mapped[int] = mapped_column(default=300)  # for a stop alone at its address, entering it included
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
    papers_at: Mapped[datetime | None]
    """When what goes to the door is at the centre; None where it is there."""
    done_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    proposed_lon: Mapped[float | None]
    proposed_lat: Mapped[float | None]
    retry_of_id: Mapped[int | None] = mapped_column(ForeignKey("stop.id"))
    locked_to_id: Mapped[int | None] = mapped_column(ForeignKey("courier.id"))
    """The courier with whom it stays when the day is planned anew."""

    @property
    def setup_s(self) -> int:
        """What of ``service_s`` is entering the address (停车、登记): paid once for the stops served there in a row."""
        return min(SETUP_S, max(0, self.service_s - LEAST_DOOR_S))

    @property
    def door_s(self) -> int:
        """What is left of ``service_s`` once the courier is at the door."""
        return self.service_s - self.setup_s

    @property
    def release_s(self) -> int:
        """From which second of its day a courier may leave with its papers; 0 where they are at the centre before."""
        return 0 if self.papers_at is None else seconds_into(self.on, self.papers_at)

    def move_to(self, state: StopState) -> None:
        """Raises WrongStop when ``state`` may not follow."""
        if state not in NEXT_STOP[self.state]:
            raise WrongStop(
                f"stop {self.id} is {self.state}, {state} may not follow", user_message="这一站的状态不允许此操作"
            )
        self.state = state
        self.version += 1


class StopAct(StrEnum):
    """What a courier's phone reports."""

    ARRIVED = "arrived"
    COLLECTED = "collected"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNDONE = "undone"
    PROBLEM = "problem"


class StopEvent(Base):
    """One act at a stop, idempotent by the phone's UUID.

    ``at``: when it happened, by the phone's clock corrected for its drift; ``recorded_at``: when the server took it.
    ``waybills``: what it is about; ``left_behind``: what stayed where it was, though the visit was for it too."""

    __tablename__ = "stop_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    stop_id: Mapped[int] = mapped_column(ForeignKey("stop.id"), index=True)
    courier_id: Mapped[int | None] = mapped_column(ForeignKey("courier.id"))
    act: Mapped[StopAct]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    device_at: Mapped[datetime | None]
    drift_s: Mapped[float | None]
    reason: Mapped[FailReason | None]
    note: Mapped[str | None] = mapped_column(EncryptedText)
    waybills: Mapped[list[Any]] = mapped_column(default=list)
    left_behind: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    proofs: Mapped[list[Any]] = mapped_column(default=list)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("stop_event.id"))
