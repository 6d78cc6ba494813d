"""Roadside passes as couriers and dispatchers see them: who gives what to whom, where and when, and who said so."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from db import now
from dispatch.cases.access_control import visible_passes
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from dispatch.custody.roadside_pass import RoadsidePass, still_to_pass
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier, Shift


@dataclass(frozen=True, slots=True)
class PassLine:
    """An envelope, or a stop's ordinary mail (``waybill`` is empty then), and which side has said it."""

    id: int
    version: int
    waybill: str
    pieces: int
    label: str
    given_at: datetime | None
    taken_at: datetime | None

    @property
    def last4(self) -> str:
        return self.waybill[-6:-2]


@dataclass(frozen=True, slots=True)
class PassGroup:
    """What one courier gives to another, or brings back to the centre (``receiver`` is empty then)."""

    giver_id: int
    giver: str
    giver_phone: str
    receiver_id: int | None
    receiver: str
    receiver_phone: str
    place: str
    meet_s: int | None
    lines: list[PassLine]


@dataclass(frozen=True, slots=True)
class CourierToMeet:
    """Another courier of the area who works today."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class HeldEnvelope:
    """An envelope that a courier holds, and where it goes."""

    waybill: str
    last4: str
    label: str


def open_passes(session: Session, viewer: Actor, *conditions: object) -> list[PassGroup]:
    """What is still to change hands within the viewer's reach; a courier sees both what to give and what to take."""
    giver, receiver = aliased(Courier), aliased(Courier)
    rows = session.execute(
        select(RoadsidePass, giver, receiver, Parcel.waybill, CourierStop)
        .join(giver, giver.id == RoadsidePass.giver_id)
        .outerjoin(receiver, receiver.id == RoadsidePass.receiver_id)
        .outerjoin(Parcel, Parcel.id == RoadsidePass.parcel_id)
        .outerjoin(CourierStop, CourierStop.id == RoadsidePass.stop_id)
        .where(visible_passes(viewer), still_to_pass(), *conditions)  # type: ignore[arg-type]
        .where(RoadsidePass.on >= day_of(now(session)) - timedelta(days=3))
        .order_by(RoadsidePass.giver_id, RoadsidePass.meet_s.nulls_last(), RoadsidePass.id)
    )
    groups: dict[tuple[int, int | None], PassGroup] = {}
    for row, gives, takes, waybill, stop in rows:
        group = groups.setdefault(
            (row.giver_id, row.receiver_id),
            PassGroup(
                gives.id, gives.name, gives.phone, row.receiver_id, "" if takes is None else takes.name,
                "" if takes is None else takes.phone, row.place or "", row.meet_s, [],
            ),
        )  # fmt: skip
        label = "" if stop is None else stop.label or stop.address
        pieces = 1 if waybill is not None or stop is None else stop.pieces
        group.lines.append(PassLine(row.id, row.version, waybill or "", pieces, label, row.given_at, row.taken_at))
    return list(groups.values())


def colleagues(session: Session, viewer: Actor) -> list[CourierToMeet]:
    """Who else of the courier's area works today."""
    mine = select(Courier.division_id).where(Courier.id == viewer.courier_id).scalar_subquery()
    rows = session.execute(
        select(Courier.id, Courier.name)
        .join(Shift, Shift.courier_id == Courier.id)
        .where(Shift.on == day_of(now(session)), Courier.active, Courier.division_id == mine)
        .where(Courier.id != viewer.courier_id)
        .order_by(Courier.name, Courier.id)
    )
    return [CourierToMeet(courier_id, name) for courier_id, name in rows]


def held_by(session: Session, viewer: Actor, arranged: Iterable[PassGroup]) -> list[HeldEnvelope]:
    """What this courier holds, beside what is arranged to be passed on."""
    known = {line.waybill for group in arranged if group.giver_id == viewer.courier_id for line in group.lines}
    rows = session.execute(
        select(Parcel.waybill, CourierStop)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(Parcel.holder == Holder.COURIER, Parcel.holder_ref == f"courier:{viewer.courier_id}")
        .order_by(CourierStop.position, Parcel.id)
    )
    return [
        HeldEnvelope(waybill, waybill[-6:-2], "" if stop is None else stop.label or stop.address)
        for waybill, stop in rows
        if waybill not in known
    ]
