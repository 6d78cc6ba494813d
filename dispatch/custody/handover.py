"""Handovers: the links of a chain of custody, each with a digest over itself and the link before."""

import hashlib
import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base


class Holder(StrEnum):
    """Who can hold papers."""

    ENTERPRISE = "enterprise"
    COURIER = "courier"
    CENTRE = "centre"
    AUTHORITY = "authority"
    TRUNK = "trunk"


HOLDER_LABEL = {
    Holder.ENTERPRISE: "企业",
    Holder.COURIER: "邮政揽投员",
    Holder.CENTRE: "政务服务中心",
    Holder.AUTHORITY: "审批部门",
    Holder.TRUNK: "邮政干线",
}


def scan_with(session: Session, scan_id: str) -> "Handover | None":
    """The handover that this scan became, of whichever parcel."""
    return session.scalar(select(Handover).where(Handover.scan_id == scan_id))


class Handover(Base):
    """One link of a chain of custody. The table refuses UPDATE and DELETE (a trigger of the migrations)."""

    __tablename__ = "handover"
    __table_args__ = (UniqueConstraint("parcel_id", "seq"), UniqueConstraint("scan_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    parcel_id: Mapped[int] = mapped_column(ForeignKey("parcel.id"))
    seq: Mapped[int]
    scan_id: Mapped[str]
    action: Mapped[str]
    from_holder: Mapped[Holder]
    from_ref: Mapped[str]
    to_holder: Mapped[Holder]
    to_ref: Mapped[str]
    at: Mapped[datetime]
    device_at: Mapped[datetime | None]
    by: Mapped[str]
    proofs: Mapped[list[Any]]
    previous: Mapped[bytes]
    digest: Mapped[bytes]


def digest_of(waybill: str, link: Handover) -> bytes:
    """SHA-256 over the link's line."""
    return hashlib.sha256(line_of(waybill, link).encode()).digest()


def line_of(waybill: str, link: Handover) -> str:
    """A link as canonical JSON: sorted keys, no spaces, UTC microseconds, the previous digest inside."""
    plain = {
        "waybill": waybill,
        "seq": link.seq,
        "scan_id": link.scan_id,
        "action": link.action,
        "from": [link.from_holder.value, link.from_ref],
        "to": [link.to_holder.value, link.to_ref],
        "at": _microseconds(link.at),
        "device_at": None if link.device_at is None else _microseconds(link.device_at),
        "by": link.by,
        "proofs": list(link.proofs),
        "previous": bytes(link.previous).hex(),
    }
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _microseconds(moment: datetime) -> int:
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
