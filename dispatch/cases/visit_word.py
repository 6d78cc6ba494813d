"""Visit word: what is to be said of a courier's visit, and whether an SMS or a person says it."""

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, Index, Uuid, and_, exists, or_, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from db import Base, EncryptedText
from dispatch.core.errors import WrongStage
from notifications.message import Message, State
from notifications.phone import BadNumber, normalise_mobile


class VisitChange(StrEnum):
    """ANNOUNCED 首次告知, MOVED 时段改变, LATE 晚到, ON_WAY 已在路上, CANCELLED 上门取消."""

    ANNOUNCED = "announced"
    MOVED = "moved"
    LATE = "late"
    ON_WAY = "on_way"
    CANCELLED = "cancelled"


CHANGE_LABEL = {
    VisitChange.ANNOUNCED: "告知上门时段",
    VisitChange.MOVED: "时段有改变",
    VisitChange.LATE: "今天晚到",
    VisitChange.ON_WAY: "已在路上",
    VisitChange.CANCELLED: "原定上门取消",
}


class ComingReason(StrEnum):
    """Why a courier says when it comes: ON_WAY 在路上, TRAFFIC 拥堵, EARLIER_STOP 上一站, VEHICLE, WEATHER, OTHER."""

    ON_WAY = "on_way"
    TRAFFIC = "traffic"
    EARLIER_STOP = "earlier_stop"
    VEHICLE = "vehicle"
    WEATHER = "weather"
    OTHER = "other"


COMING_LABEL = {
    ComingReason.ON_WAY: "正在路上",
    ComingReason.TRAFFIC: "路上拥堵",
    ComingReason.EARLIER_STOP: "上一站耽搁",
    ComingReason.VEHICLE: "车辆故障",
    ComingReason.WEATHER: "天气原因",
    ComingReason.OTHER: "其他原因",
}
UNHEARD = (State.FAILED_PERMANENT, State.FAILED_TEMPORARY, State.EXPIRED, State.SUPPRESSED, State.UNKNOWN)
"""Ends of an SMS after which its reader may know nothing."""


class VisitWord(Base):
    """One announced, moved or cancelled visit and who is told of it: by ``message_id``, else by a call.

    The window is in seconds from 00:00 in Shanghai of ``on``. ``superseded_at``: a later word on the same visit was
    said, and this one needs no reader any more. What a courier said on the road has ``why``, its phone's ``event_id``,
    and ``said_by_id``."""

    __tablename__ = "visit_word"
    __table_args__ = (Index("ix_visit_word_division", "division_id", "on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    stop_id: Mapped[int] = mapped_column(ForeignKey("stop.id"), index=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    change: Mapped[VisitChange]
    on: Mapped[date]
    opens_s: Mapped[int]
    closes_s: Mapped[int]
    said_at: Mapped[datetime]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    superseded_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]
    called_by: Mapped[str] = mapped_column(default="")
    call_note: Mapped[str | None] = mapped_column(EncryptedText)
    why: Mapped[ComingReason | None]
    event_id: Mapped[uuid.UUID | None] = mapped_column(Uuid, index=True)
    said_by_id: Mapped[int | None] = mapped_column(ForeignKey("courier.id"))

    def called(self, *, by: str, note: str, at: datetime) -> None:
        """A person has told it. Raises WrongStage where somebody had already."""
        if self.called_at is not None:
            raise WrongStage(f"word {self.id} was told by {self.called_by}", user_message="已有人打过这个电话")
        self.called_at, self.called_by, self.call_note = at, by, note or None


def needs_call() -> ColumnElement[bool]:
    """The words that no SMS carries, or whose SMS did not arrive, and that nobody told yet."""
    sent, again = aliased(Message), aliased(Message)
    said_again = exists(select(again.id).where(again.resend_of_id == sent.id, again.state.not_in(UNHEARD)))
    lost = (sent.state.in_(UNHEARD), sent.carrier_id.is_(None), ~said_again)
    unheard = exists(select(sent.id).where(sent.id == VisitWord.message_id, *lost))
    open_ = and_(VisitWord.superseded_at.is_(None), VisitWord.called_at.is_(None))
    return and_(open_, or_(VisitWord.message_id.is_(None), unheard))


def takes_sms(phone: str) -> bool:
    """Whether an SMS can reach this number: a landline or no number at all is called, or looked up, by a person."""
    try:
        normalise_mobile(phone)
    except BadNumber:
        return False
    return True
