"""Handover lists: the day's, one with its lines, and one to be signed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from agents.network import ServiceCentre
from db import now
from dispatch.cases.access_control import visible_lists
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound
from dispatch.custody.handover_list import Direction, HandoverLine, HandoverList
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier


@dataclass(frozen=True, slots=True)
class HandoverListRow:
    """A handover list as a row of the day's lists."""

    list_no: str
    batch: str
    direction: Direction
    centre: str
    courier: str
    made_at: datetime
    lines: int
    differences: int
    centre_signed_at: datetime | None
    courier_signed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One numbered line of a handover list: envelopes are listed, not what the project is about."""

    position: int
    waybill: str
    seal_no: str | None
    pieces: int
    papers: int
    label: str
    difference: str | None


@dataclass(frozen=True, slots=True)
class HandoverSheet:
    """One handover list with its lines."""

    head: HandoverListRow
    lines: tuple[SheetLine, ...]


def _sheets(viewer: Actor) -> Select[*tuple[Any, ...]]:
    return (
        select(
            HandoverList.list_no, HandoverList.batch, HandoverList.direction, ServiceCentre.name.label("centre"),
            func.coalesce(Courier.name, "").label("courier"), HandoverList.made_at,
            func.count(HandoverLine.id).label("lines"), func.count(HandoverLine.difference).label("differences"),
            HandoverList.centre_signed_at, HandoverList.courier_signed_at,
        )
        .join(ServiceCentre, ServiceCentre.id == HandoverList.centre_id)
        .join(HandoverLine, HandoverLine.list_id == HandoverList.id)
        .outerjoin(Courier, Courier.id == HandoverList.courier_id)
        .where(visible_lists(viewer))
        .group_by(HandoverList.id, ServiceCentre.name, Courier.name)
    )  # fmt: skip


def lists_of_today(session: Session, viewer: Actor) -> list[HandoverListRow]:
    """Today's handover lists that the viewer may see: a courier's own, a centre's people those of their subtree."""
    today = day_of(now(session))
    query = _sheets(viewer).where(HandoverList.on == today).order_by(HandoverList.made_at.desc(), HandoverList.id)
    return [HandoverListRow(**row._mapping) for row in session.execute(query.limit(200))]


def handover_sheet(session: Session, viewer: Actor, list_no: str) -> HandoverSheet:
    """One list with its lines, for the screen and for two printed copies. Raises NotFound."""
    row = session.execute(_sheets(viewer).where(HandoverList.list_no == list_no)).first()
    if row is None:
        raise NotFound(f"no handover list {list_no} for this viewer")
    lines = session.execute(
        select(
            HandoverLine.position,
            Parcel.waybill,
            Parcel.seal_no,
            Parcel.pieces,
            func.jsonb_array_length(Parcel.contents).label("papers"),
            func.coalesce(CourierStop.label, "").label("label"),
            HandoverLine.difference,
        )
        .join(HandoverList, HandoverList.id == HandoverLine.list_id)
        .join(Parcel, Parcel.id == HandoverLine.parcel_id)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(HandoverList.list_no == list_no)
        .order_by(HandoverLine.position)
    )
    return HandoverSheet(HandoverListRow(**row._mapping), tuple(SheetLine(**line._mapping) for line in lines))
