"""The custody chain of a parcel as programs read it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import parcel_for
from dispatch.core.actor import Actor
from dispatch.custody.handover import Handover


def custody_of(session: Session, viewer: Actor, waybill: str) -> dict[str, Any]:
    """A parcel's whole chain. Raises NotFound."""
    parcel = parcel_for(session, viewer, waybill)
    links = session.scalars(select(Handover).where(Handover.parcel_id == parcel.id).order_by(Handover.seq))
    return {
        "waybill": parcel.waybill, "holder": parcel.holder.value, "length": parcel.chain_length,
        "head": bytes(parcel.chain_head).hex(),
        "links": [
            {
                "seq": link.seq, "at": link.at, "device_at": link.device_at, "action": link.action,
                "from": link.from_holder.value, "to": link.to_holder.value, "by": link.by, "proofs": link.proofs,
                "digest": bytes(link.digest).hex(),
            }
            for link in links
        ],
    }  # fmt: skip
