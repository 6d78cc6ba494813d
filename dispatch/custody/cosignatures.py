"""Cosignatures: which witnesses are trusted, and what each has signed; kept beside the checkpoints, never changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base
from dispatch.custody.signed_note import BadNote, NoteKey
from dispatch.custody.transparency_log import BadLog, CustodyCheckpoint
from dispatch.custody.witness import cosigned_at


class CustodyWitness(Base):
    """A witness by name and key; ``ended_at``: since then no new signature of it is taken."""

    __tablename__ = "custody_witness"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), index=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    trusted_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CustodyCosignature(Base):
    """A witness's line under a checkpoint. The table refuses UPDATE and DELETE."""

    __tablename__ = "custody_cosignature"

    size: Mapped[int] = mapped_column(ForeignKey("custody_checkpoint.size"), primary_key=True, autoincrement=False)
    witness_id: Mapped[int] = mapped_column(ForeignKey("custody_witness.id"), primary_key=True, autoincrement=False)
    line: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class WitnessLine:
    """A trusted witness as the page of the log shows it: its key, and the last checkpoint that it signed."""

    name: str
    key: str
    since: datetime
    size: int | None
    at: datetime | None


def trusted(session: Session) -> Sequence[CustodyWitness]:
    """Whose signatures are taken, by name."""
    living = select(CustodyWitness).where(CustodyWitness.ended_at.is_(None))
    return session.scalars(living.order_by(CustodyWitness.name, CustodyWitness.id)).all()


def witness_lines(session: Session) -> list[WitnessLine]:
    """Every trusted witness and what it signed last."""
    newest = (
        select(CustodyCosignature.witness_id, func.max(CustodyCosignature.size), func.max(CustodyCosignature.at))
        .group_by(CustodyCosignature.witness_id)
    )  # fmt: skip
    last = {witness_id: (size, at) for witness_id, size, at in session.execute(newest)}
    return [WitnessLine(one.name, one.key, one.trusted_at, *last.get(one.id, (None, None))) for one in trusted(session)]


def lines_under(session: Session, size: int) -> list[str]:
    """What witnesses signed of the checkpoint of this size."""
    query = select(CustodyCosignature.line).where(CustodyCosignature.size == size)
    return list(session.scalars(query.order_by(CustodyCosignature.witness_id)))


def witnessed_note(session: Session, checkpoint: CustodyCheckpoint) -> str:
    """The signed note with every witness's line under the log's own."""
    return checkpoint.note + "".join(f"{line}\n" for line in lines_under(session, checkpoint.size))


def best_checkpoint(session: Session, above: int) -> CustodyCheckpoint | None:
    """Of the checkpoints that hold the entry at ``above``, the one that most witnesses signed, then the newest."""
    signatures = (
        select(func.count()).where(CustodyCosignature.size == CustodyCheckpoint.size).correlate(CustodyCheckpoint)
    ).scalar_subquery()
    holding = select(CustodyCheckpoint).where(CustodyCheckpoint.size > above)
    return session.scalars(holding.order_by(signatures.desc(), CustodyCheckpoint.size.desc()).limit(1)).first()


def verify_cosignatures(session: Session) -> Iterator[BadLog]:
    """Each line of a witness that is not under the checkpoint that it signed."""
    rows = session.execute(
        select(CustodyCosignature, CustodyCheckpoint.note, CustodyWitness.key)
        .join(CustodyCheckpoint, CustodyCheckpoint.size == CustodyCosignature.size)
        .join(CustodyWitness, CustodyWitness.id == CustodyCosignature.witness_id)
        .order_by(CustodyCosignature.size)
    )
    for row, note, key in rows:
        try:
            fits = cosigned_at(NoteKey.parse(key), note, [row.line]) is not None
        except BadNote:
            fits = False
        if not fits:
            yield BadLog(row.size, "a witness's signature does not fit its checkpoint")
