"""Anchors: a day's digest over every chain's head and length."""

import hashlib
import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base
from dispatch.custody.parcel import Parcel


class CustodyAnchor(Base):
    """A day's digest over every parcel's head and length: a chain cut together with its parcel row shows here."""

    __tablename__ = "custody_anchor"

    on: Mapped[date] = mapped_column(primary_key=True)
    up_to_parcel_id: Mapped[int]
    links: Mapped[int]
    heads: Mapped[dict[str, Any]]
    previous: Mapped[bytes]
    digest: Mapped[bytes]
    made_at: Mapped[datetime]


def anchor_digest(on: date, heads: dict[str, Any], previous: bytes) -> bytes:
    plain = json.dumps([on.isoformat(), heads, bytes(previous).hex()], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).digest()


def anchor(session: Session, *, on: date, at: datetime) -> CustodyAnchor:
    """Record the heads of the chains that moved since the last anchor. Once a day; a second call changes nothing."""
    if existing := session.get(CustodyAnchor, on):
        return existing
    last = session.scalars(select(CustodyAnchor).order_by(CustodyAnchor.on.desc()).limit(1)).first()
    moved = select(Parcel.waybill, Parcel.chain_length, Parcel.chain_head, Parcel.id).where(Parcel.chain_length > 0)
    if last is not None:
        moved = moved.where(Parcel.moved_at >= last.made_at)
    rows = session.execute(moved.order_by(Parcel.id)).all()
    heads = {row.waybill: [row.chain_length, bytes(row.chain_head).hex()] for row in rows}
    previous = b"" if last is None else bytes(last.digest)
    row = CustodyAnchor(
        on=on,
        up_to_parcel_id=max((r.id for r in rows), default=0),
        links=sum(r.chain_length for r in rows),
        heads=heads,
        previous=previous,
        digest=anchor_digest(on, heads, previous),
        made_at=at,
    )
    session.add(row)
    session.flush()
    return row
