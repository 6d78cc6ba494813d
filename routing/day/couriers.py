"""Couriers (揽投员): what they drive, how much they carry, and when they work."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText


class VehicleKind(StrEnum):
    """What a courier (揽投员) drives."""

    EBIKE = "ebike"
    VAN = "van"


VEHICLE_LABEL = {VehicleKind.EBIKE: "电动车", VehicleKind.VAN: "面包车"}


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
    range_m: Mapped[int | None]  # how far the vehicle goes in one run; None where that is no limit
    active: Mapped[bool] = mapped_column(default=True)
    rostered_until: Mapped[date | None]  # up to this day the shifts follow the roster's rules


class Shift(Base):
    """When a courier works on a day, in seconds from 00:00 in Shanghai, and what each run of that day holds at most."""

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
    most_stops: Mapped[int | None]
    longest_m: Mapped[int | None]
