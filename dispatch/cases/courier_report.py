"""Courier's report: what a courier said that a dispatcher reads and settles, and the phone that said it."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText
from dispatch.core.errors import WrongStage
from routing.day.courier_stop import StopAct


class ReportKind(StrEnum):
    """FACT 未入账的操作, PROBLEM 反映情况, ENTRANCE 定位有误, CUSTODY 实物与记录不符, RUN 整条线路的情况."""

    FACT = "fact"
    PROBLEM = "problem"
    ENTRANCE = "entrance"
    CUSTODY = "custody"
    RUN = "run"


REPORT_LABEL = {
    ReportKind.FACT: "未入账的操作",
    ReportKind.PROBLEM: "反映情况",
    ReportKind.ENTRANCE: "定位有误",
    ReportKind.CUSTODY: "实物与记录不符",
    ReportKind.RUN: "线路情况",
}


class WhyHeld(StrEnum):
    """Why an act of a phone could not be taken into the record by itself."""

    STOP_MOVED = "stop_moved"
    UNKNOWN_STOP = "unknown_stop"
    WRONG_CODE = "wrong_code"
    RETIRED_CODE = "retired_code"
    UNKNOWN_WAYBILL = "unknown_waybill"
    MISSING_PROOF = "missing_proof"
    NOT_ON_BOARD = "not_on_board"
    RULE = "rule"


HELD_LABEL = {
    WhyHeld.STOP_MOVED: "这一站已改派或退出",
    WhyHeld.UNKNOWN_STOP: "不是该揽投员线路上的站点",
    WhyHeld.WRONG_CODE: "验证码不对",
    WhyHeld.RETIRED_CODE: "联系人更正前的旧验证码",
    WhyHeld.UNKNOWN_WAYBILL: "邮件号对不上",
    WhyHeld.MISSING_PROOF: "缺交接凭证",
    WhyHeld.NOT_ON_BOARD: "邮件没有装车记录",
    WhyHeld.RULE: "与现有记录不符",
}


class ReportState(StrEnum):
    """OPEN 待处理, TAKEN 已入账, DECLINED 不予入账, ANSWERED 已答复, OVERTAKEN 已由后来的操作办成."""

    OPEN = "open"
    TAKEN = "taken"
    DECLINED = "declined"
    ANSWERED = "answered"
    OVERTAKEN = "overtaken"


REPORT_STATE_LABEL = {
    ReportState.OPEN: "待处理",
    ReportState.TAKEN: "已入账",
    ReportState.DECLINED: "不予入账",
    ReportState.ANSWERED: "已答复",
    ReportState.OVERTAKEN: "后已办成",
}


class CourierReport(Base):
    """Something that a courier said and a dispatcher settles with an answer; idempotent by the phone's UUID.

    ``said`` is the whole report as JSON without its code, so that it can be taken later. ``happened_at``: the phone's
    corrected time; ``recorded_at``: the server's."""

    __tablename__ = "courier_report"
    __table_args__ = (
        Index("ix_courier_report_division", "division_id", "state"),
        Index("ix_courier_report_courier", "courier_id", "recorded_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    kind: Mapped[ReportKind]
    hold_reason: Mapped[WhyHeld | None]
    act: Mapped[StopAct | None]
    courier_id: Mapped[int] = mapped_column(ForeignKey("courier.id"))
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    stop_id: Mapped[int | None] = mapped_column(ForeignKey("stop.id"), index=True)
    said: Mapped[str] = mapped_column(EncryptedText, default="{}")
    note: Mapped[str | None] = mapped_column(EncryptedText)
    waybills: Mapped[list[Any]] = mapped_column(default=list)
    proofs: Mapped[list[Any]] = mapped_column(default=list)
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    drift_s: Mapped[float | None]
    state: Mapped[ReportState] = mapped_column(default=ReportState.OPEN)
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(EncryptedText)
    seen_at: Mapped[datetime | None]

    def settle(self, state: ReportState, *, answer: str | None, by: str, at: datetime) -> None:
        """Raises WrongStage where it is settled already."""
        if self.state is not ReportState.OPEN:
            raise WrongStage(f"report {self.id} is {self.state}", user_message="这一条已经处理过")
        self.state, self.answer, self.changed_by, self.settled_at = state, answer, by, at
        self.version += 1


class CourierPhone(Base):
    """A phone as it last spoke: how far its clock is off, what waits on it, and when it was heard."""

    __tablename__ = "courier_phone"
    __table_args__ = (UniqueConstraint("courier_id", "device"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    courier_id: Mapped[int] = mapped_column(ForeignKey("courier.id"))
    device: Mapped[uuid.UUID] = mapped_column(Uuid)
    heard_at: Mapped[datetime]
    skew_s: Mapped[float | None]
    waiting: Mapped[int] = mapped_column(default=0)
    stuck: Mapped[int] = mapped_column(default=0)
    others: Mapped[int] = mapped_column(default=0)
    oldest_at: Mapped[datetime | None]
    program: Mapped[str] = mapped_column(default="")
