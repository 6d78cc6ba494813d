"""Receipts: the handovers of a parcel with what a stranger needs to check them without asking anybody."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.cases.access_control import parcel_for
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.custody.cosignatures import best_checkpoint, trusted, witnessed_note
from dispatch.custody.handover import Handover, line_of
from dispatch.custody.signed_note import ORIGIN, key_line
from dispatch.custody.transparency_log import checkpoint_before, log_tree, positions_of

FORMAT = "daiban-custody-receipt/2"


@dataclass(frozen=True, slots=True)
class LoggedHandover:
    """One handover: the very line that was hashed, its place in the log, and the way from there to the root.

    ``proof``: hashes in hexadecimal, lowest first (RFC 9162, 2.1.3). ``logged_after``: the last note without it."""

    line: str
    position: int
    proof: list[str]
    logged_after: str | None


@dataclass(frozen=True, slots=True)
class CustodyReceipt:
    """A parcel's handovers under one signed checkpoint; ``waiting``: handovers that no checkpoint holds yet.

    ``checkpoint``: of those that hold them all, the one that most witnesses signed. ``witnesses``: their keys."""

    format: str
    origin: str
    key: str
    witnesses: tuple[str, ...]
    waybill: str
    checkpoint: str
    handovers: tuple[LoggedHandover, ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class LogConsistency:
    """That the log of ``second`` entries begins with the log of ``first`` (RFC 9162, 2.1.4); hashes in hexadecimal."""

    first: int
    second: int
    proof: list[str]


def parcel_receipt(session: Session, viewer: Actor, waybill: str) -> CustodyReceipt:
    """Everything that the log holds of a parcel. Raises NotFound, and Refused before the first checkpoint."""
    parcel = parcel_for(session, viewer, waybill)
    links = session.scalars(select(Handover).where(Handover.parcel_id == parcel.id).order_by(Handover.seq)).all()
    places = positions_of(session, [link.id for link in links])
    under = best_checkpoint(session, max(places.values())) if places else None
    if under is None:
        raise Refused(
            f"parcel {waybill} is in no checkpoint yet", user_message="交接记录还没有入链，请在几分钟后再下载凭证"
        )
    tree = log_tree(session)
    logged = tuple(
        LoggedHandover(
            line_of(parcel.waybill, link),
            places[link.id],
            [one.hex() for one in tree.inclusion_proof(places[link.id], under.size)],
            None if (before := checkpoint_before(session, places[link.id])) is None else before.note,
        )
        for link in links
        if link.id in places
    )
    witnesses = tuple(witness.key for witness in trusted(session))
    return CustodyReceipt(
        FORMAT, ORIGIN, key_line(), witnesses, parcel.waybill, witnessed_note(session, under), logged,
        len(links) - len(logged),
    )  # fmt: skip


def log_consistency(session: Session, first: int, second: int) -> LogConsistency:
    """The proof between two sizes. Raises Refused for sizes that the log never had."""
    tree = log_tree(session)
    if not 0 < first <= second <= tree.size:
        raise Refused(f"no log of {first} in one of {second}", user_message="没有这样的记录数")
    return LogConsistency(first, second, [one.hex() for one in tree.consistency_proof(first, second)])
