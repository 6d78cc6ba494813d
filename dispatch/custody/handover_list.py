"""Handover lists (交接清单): the parcels of a batch that a centre and a courier sign for."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db import Base
from dispatch.custody.parcel import Parcel


class Direction(StrEnum):
    """Which way a batch goes: OUT 交邮政, IN 交中心."""

    OUT = "out"
    IN = "in"


class HandoverList(Base):
    """A handover list (交接清单) per batch: numbered, both sides sign, a difference refuses its line only."""

    __tablename__ = "handover_list"
    __table_args__ = (Index("ix_handover_list_centre_id_on", "centre_id", "on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_no: Mapped[str] = mapped_column(unique=True)
    centre_id: Mapped[int] = mapped_column(ForeignKey("service_centre.id"))
    courier_id: Mapped[int | None] = mapped_column(ForeignKey("courier.id"))
    on: Mapped[date]
    batch: Mapped[str]
    direction: Mapped[Direction]
    made_at: Mapped[datetime]
    centre_signed_at: Mapped[datetime | None]
    courier_signed_at: Mapped[datetime | None]
    lines: Mapped[list["HandoverLine"]] = relationship(order_by="HandoverLine.position", back_populates="list")

    @property
    def is_signed(self) -> bool:
        return self.centre_signed_at is not None and self.courier_signed_at is not None


class HandoverLine(Base):
    """One parcel on a handover list; refused with a difference, or passed when both have signed."""

    __tablename__ = "handover_line"
    __table_args__ = (UniqueConstraint("list_id", "parcel_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("handover_list.id"))
    position: Mapped[int]
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"))
    difference: Mapped[str | None] = mapped_column(Text)
    list: Mapped[HandoverList] = relationship(back_populates="lines")
    parcel: Mapped[Parcel] = relationship()
