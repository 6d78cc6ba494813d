"""Verification: chains and anchors derived again from their rows; the first bad link of each."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch.custody.anchors import CustodyAnchor, anchor_digest
from dispatch.custody.handover import Handover, digest_of
from dispatch.custody.parcel import Parcel


@dataclass(frozen=True, slots=True)
class BadLink:
    """The first place where a chain does not verify."""

    waybill: str
    seq: int
    reason: str

    def __str__(self) -> str:
        return f"{self.waybill} link {self.seq}: {self.reason}"


def first_bad_link(parcel: Parcel, links: Iterable[Handover]) -> BadLink | None:
    """Re-derive a whole chain from its rows; None when it is sound."""
    previous, holder, seq = b"", None, 0
    for seq, link in enumerate(links, start=1):
        if link.seq != seq:
            return BadLink(parcel.waybill, seq, f"a row is missing or out of order: found {link.seq}")
        if bytes(link.previous) != previous:
            return BadLink(parcel.waybill, seq, "it does not follow from the link before")
        if digest_of(parcel.waybill, link) != bytes(link.digest):
            return BadLink(parcel.waybill, seq, "its content was changed")
        if holder is not None and (link.from_holder, link.from_ref) != holder:
            return BadLink(parcel.waybill, seq, "the papers were with somebody else")
        previous, holder = bytes(link.digest), (link.to_holder, link.to_ref)
    if seq < parcel.chain_length:
        return BadLink(parcel.waybill, seq + 1, f"the tail is cut: {parcel.chain_length} links were recorded")
    if seq > parcel.chain_length:
        return BadLink(parcel.waybill, parcel.chain_length + 1, "a link was added behind the recorded head")
    if previous != bytes(parcel.chain_head):
        return BadLink(parcel.waybill, seq, "the recorded head is another one")
    return None


def verify(session: Session, waybills: Sequence[str] = ()) -> Iterator[BadLink]:
    """The first bad link of each chain that does not verify, and anchors that no chain explains any more."""
    query = select(Parcel).order_by(Parcel.id)
    if waybills:
        query = query.where(Parcel.waybill.in_(waybills))
    for parcel in session.scalars(query.execution_options(yield_per=500)):
        links = session.scalars(
            select(Handover).where(Handover.parcel_id == parcel.id).order_by(Handover.seq, Handover.id)
        )
        if bad := first_bad_link(parcel, links):
            yield bad
    if not waybills:
        yield from _verify_anchors(session)


def unknown_waybills(session: Session, waybills: Sequence[str]) -> list[str]:
    """Those of ``waybills`` that no parcel bears, each once, in their order."""
    known = set(session.scalars(select(Parcel.waybill).where(Parcel.waybill.in_(waybills))))
    return [waybill for waybill in dict.fromkeys(waybills) if waybill not in known]


def _verify_anchors(session: Session) -> Iterator[BadLink]:
    previous = b""
    for row in session.scalars(select(CustodyAnchor).order_by(CustodyAnchor.on)):
        if bytes(row.previous) != previous or anchor_digest(row.on, row.heads, previous) != bytes(row.digest):
            yield BadLink(f"anchor {row.on}", 0, "the day's anchor was changed, or one before it removed")
        previous = bytes(row.digest)
        known = dict(
            session.execute(
                select(Parcel.waybill, Handover.digest)
                .join(Handover, Handover.parcel_id == Parcel.id)
                .where(
                    text("(parcel.waybill, handover.seq) IN (SELECT key, (value->>0)::int FROM jsonb_each(:heads))")
                ),
                {"heads": json.dumps(row.heads)},
            ).all()
        )
        for waybill, (length, head) in row.heads.items():
            if bytes(known.get(waybill, b"")).hex() != head:
                yield BadLink(waybill, length, f"the anchor of {row.on} recorded this link, it is gone or changed")
