"""Roadside pass (当面交接): an envelope that one courier gives to another on the road, or brings back to the centre."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, and_, func, or_, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from db import Base, EncryptedText
from dispatch.core.errors import WrongStage
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel


class RoadsidePass(Base):
    """One envelope, or one stop's ordinary mail, that is to change hands; both couriers say so by themselves.

    Without ``receiver_id`` it goes back to the centre. ``meet_s``: when, in seconds from 00:00 in Shanghai; ``place``:
    where the giver stands. Custody passes when both have said it, in whichever order their phones had signal."""

    __tablename__ = "roadside_pass"
    __table_args__ = (
        Index("ix_roadside_pass_giver", "giver_id", "on"),
        Index("ix_roadside_pass_receiver", "receiver_id", "on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    on: Mapped[date]
    giver_id: Mapped[int] = mapped_column(ForeignKey("courier.id"))
    receiver_id: Mapped[int | None] = mapped_column(ForeignKey("courier.id"))
    stop_id: Mapped[int | None] = mapped_column(ForeignKey("stop.id"), index=True)
    parcel_id: Mapped[int | None] = mapped_column(ForeignKey("parcel.id"), index=True)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plan.id"))
    meet_s: Mapped[int | None]
    place: Mapped[str | None] = mapped_column(EncryptedText)
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    made_at: Mapped[datetime]
    given_at: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    called_off_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str] = mapped_column(default="")

    def call_off(self, *, by: str, at: datetime) -> None:
        """It is not to be passed on any more. Raises WrongStage where both have said that it was."""
        if self.done_at is not None or self.called_off_at is not None:
            raise WrongStage(f"pass {self.id} is settled", user_message="这一件已经交接或已撤销")
        self.called_off_at, self.changed_by = at, by
        self.version += 1


def still_to_pass() -> ColumnElement[bool]:
    """The passes that nobody settled, of envelopes that are still with their giver."""
    is_open = and_(RoadsidePass.done_at.is_(None), RoadsidePass.called_off_at.is_(None))
    giver = func.concat("courier:", RoadsidePass.giver_id)
    held = aliased(Parcel)
    with_giver = (
        select(held.id)
        .where(held.id == RoadsidePass.parcel_id, held.holder == Holder.COURIER, held.holder_ref == giver)
        .exists()
    )
    return and_(is_open, or_(RoadsidePass.parcel_id.is_(None), with_giver))
