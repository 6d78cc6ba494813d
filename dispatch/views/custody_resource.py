"""The custody chain of a parcel as programs read it."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import parcel_for
from dispatch.core.actor import Actor
from dispatch.custody.handover import Handover


@dataclass(frozen=True, slots=True)
class CustodyLink:
    """One handover of the chain; ``from`` and ``to`` in JSON are its two holders."""

    seq: int
    at: datetime
    device_at: datetime | None
    action: str
    from_holder: str = field(metadata={"json": "from"})
    to_holder: str = field(metadata={"json": "to"})
    by: str
    proofs: list[str]
    digest: str


@dataclass(frozen=True, slots=True)
class CustodyChain:
    """Who holds a parcel, and everyone who held it before."""

    waybill: str
    holder: str
    length: int
    head: str
    links: tuple[CustodyLink, ...]


def custody_of(session: Session, viewer: Actor, waybill: str) -> CustodyChain:
    """A parcel's whole chain. Raises NotFound."""
    parcel = parcel_for(session, viewer, waybill)
    links = session.scalars(select(Handover).where(Handover.parcel_id == parcel.id).order_by(Handover.seq))
    return CustodyChain(
        parcel.waybill,
        parcel.holder.value,
        parcel.chain_length,
        bytes(parcel.chain_head).hex(),
        tuple(
            CustodyLink(
                link.seq, link.at, link.device_at, link.action, link.from_holder.value, link.to_holder.value, link.by,
                link.proofs, bytes(link.digest).hex(),
            )
            for link in links
        ),
    )  # fmt: skip
