"""Courier's word: what a dispatcher says to a courier's phone, and when it was read."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText


class CourierWord(Base):
    """A dispatcher's message to one courier; ``read_at`` is by the phone's corrected clock."""

    __tablename__ = "courier_word"
    __table_args__ = (Index("ix_courier_word_courier", "courier_id", "said_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    courier_id: Mapped[int] = mapped_column(ForeignKey("courier.id"))
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    words: Mapped[str] = mapped_column(EncryptedText)
    said_at: Mapped[datetime]
    said_by: Mapped[str]
    read_at: Mapped[datetime | None]
