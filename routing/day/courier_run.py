"""A courier's run: the numbered stops of one committed plan."""

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier


class RunState(StrEnum):
    """READY 待出发, OUT 在途, DONE 已收班."""

    READY = "ready"
    OUT = "out"
    DONE = "done"


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
    stops: Mapped[list[CourierStop]] = relationship(order_by=CourierStop.position)
