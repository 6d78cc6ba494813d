"""The log of handovers: every link of every chain is a leaf, in the order in which it was seen, under checkpoints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Text, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base
from dispatch.custody.handover import Handover, line_of
from dispatch.custody.merkle import MerkleTree, leaf_hash
from dispatch.custody.parcel import Parcel
from dispatch.custody.signed_note import Checkpoint, sign

_LOCK = 0x637573746F6479
"""One publisher at a time."""


class CustodyLeaf(Base):
    """An entry of the log: a handover at its position. The table refuses UPDATE and DELETE."""

    __tablename__ = "custody_leaf"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    handover_id: Mapped[int] = mapped_column(ForeignKey("handover.id"), unique=True)
    leaf_hash: Mapped[bytes]


class CustodyCheckpoint(Base):
    """The log's size and root at a moment, as it was signed and shown. The table refuses UPDATE and DELETE."""

    __tablename__ = "custody_checkpoint"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class BadLog:
    """The first place where the log is not what the checkpoints say."""

    position: int
    reason: str

    def __str__(self) -> str:
        return f"log entry {self.position}: {self.reason}"


def publish(session: Session, *, at: datetime) -> int:
    """Take the handovers that are not in the log yet, and sign a checkpoint over it; how many were new."""
    session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
    known = select(CustodyLeaf.handover_id)
    fresh = session.execute(
        select(Handover, Parcel.waybill)
        .join(Parcel, Parcel.id == Handover.parcel_id)
        .where(Handover.id.not_in(known))
        .order_by(Handover.id)
    ).all()
    if not fresh:
        return 0
    begin = session.scalar(select(func.count()).select_from(CustodyLeaf)) or 0
    for position, (link, waybill) in enumerate(fresh, start=begin):
        entry = line_of(waybill, link).encode()
        session.add(CustodyLeaf(position=position, handover_id=link.id, leaf_hash=leaf_hash(entry)))
    session.flush()
    tree = log_tree(session)
    checkpoint = Checkpoint(tree.size, tree.root(), at)
    session.add(CustodyCheckpoint(size=tree.size, root=checkpoint.root, at=at, note=sign(checkpoint)))
    session.flush()
    return len(fresh)


def log_tree(session: Session) -> MerkleTree:
    """The tree over every leaf that there is."""
    leaves = session.scalars(select(CustodyLeaf.leaf_hash).order_by(CustodyLeaf.position))
    return MerkleTree([bytes(leaf) for leaf in leaves])


def latest_checkpoint(session: Session) -> CustodyCheckpoint | None:
    """The newest checkpoint; None before the first handover was taken."""
    return session.scalars(select(CustodyCheckpoint).order_by(CustodyCheckpoint.size.desc()).limit(1)).first()


def checkpoint_before(session: Session, position: int) -> CustodyCheckpoint | None:
    """The last checkpoint that does not hold the entry at ``position``."""
    earlier = select(CustodyCheckpoint).where(CustodyCheckpoint.size <= position)
    return session.scalars(earlier.order_by(CustodyCheckpoint.size.desc()).limit(1)).first()


def positions_of(session: Session, handover_ids: Sequence[int]) -> dict[int, int]:
    """Where these handovers stand in the log; those that are not in it yet are left out."""
    query = select(CustodyLeaf.handover_id, CustodyLeaf.position).where(CustodyLeaf.handover_id.in_(handover_ids))
    return dict(session.execute(query).all())


def verify_log(session: Session) -> Iterator[BadLog]:
    """The first entry that is not its handover any more, and each checkpoint that the log does not come to."""
    rows = session.execute(
        select(CustodyLeaf, Handover, Parcel.waybill)
        .outerjoin(Handover, Handover.id == CustodyLeaf.handover_id)
        .outerjoin(Parcel, Parcel.id == Handover.parcel_id)
        .order_by(CustodyLeaf.position)
    )
    leaves: list[bytes] = []
    for leaf, link, waybill in rows:
        if leaf.position != len(leaves):
            yield BadLog(len(leaves), "an entry is missing")
            return
        if link is None or leaf_hash(line_of(waybill, link).encode()) != bytes(leaf.leaf_hash):
            yield BadLog(leaf.position, "its handover is gone or changed")
            return
        leaves.append(bytes(leaf.leaf_hash))
    tree = MerkleTree(leaves)
    for row in session.scalars(select(CustodyCheckpoint).order_by(CustodyCheckpoint.size)):
        signed = Checkpoint(row.size, bytes(row.root), row.at)
        if row.size > tree.size or tree.root(row.size) != bytes(row.root) or sign(signed) != row.note:
            yield BadLog(row.size, "the checkpoint of this size is of another log")
