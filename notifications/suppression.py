"""Suppression: the numbers that get nothing more from us, and why."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Select, String, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from db import Base
from notifications.message import Priority
from notifications.phone import mask, normalise


class SuppressionReason(StrEnum):
    """Why a number is left alone (退订, 停发)."""

    ASKED_US = "asked_us"
    """Its owner said so on the portal, or to a lead. Codes that the owner asks for are still sent."""
    ASKED_PROVIDER = "asked_provider"
    """The provider says that its owner opted out: never again, not even a code."""
    UNREACHABLE = "unreachable"
    """No SMS reaches it: a landline, a number that is not in use."""


class SuppressedNumber(Base):
    """A number that is left alone until somebody lifts it."""

    __tablename__ = "suppressed_number"

    id: Mapped[int] = mapped_column(primary_key=True)
    to_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    masked: Mapped[str] = mapped_column(String(30))
    reason: Mapped[SuppressionReason]
    code: Mapped[str | None] = mapped_column(String(60))
    note: Mapped[str | None]
    by_account: Mapped[int | None]
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"))
    """Whose note it is: the division of the account that wrote it; None for the program's and the operator's own."""
    since: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class NeverAgain(ValueError):
    """The owner of this number told the provider to stop: only they can undo it, there."""


def opt_out(
    session: Session, phone: str, *, by_account: int | None, division_id: int | None = None, note: str = ""
) -> None:
    """Its owner wants no more notices. Raises BadNumber."""
    number, reason = normalise(phone), SuppressionReason.ASKED_US
    row = {"note": note, "by_account": by_account, "division_id": division_id}
    _mark(session, db.keyed_hash(number), mask(number), reason, row)


def opt_in(session: Session, phone: str, *, by_account: int | None, note: str = "") -> None:
    """Its owner wants notices again, or a number was mended. Raises BadNumber and NeverAgain."""
    row = session.scalars(
        select(SuppressedNumber).where(SuppressedNumber.to_hash == db.keyed_hash(normalise(phone))).with_for_update()
    ).first()
    if row is None or row.lifted_at is not None:
        return
    if row.reason is SuppressionReason.ASKED_PROVIDER:
        raise NeverAgain(f"{row.masked} opted out with the provider")
    row.lifted_at, row.by_account, row.note = db.now(session), by_account, note or row.note


def lift_by_owner(session: Session, to_hash: bytes) -> None:
    """The number's owner wrote that they want notices again: they alone may undo what they told the provider."""
    session.execute(
        update(SuppressedNumber)
        .where(SuppressedNumber.to_hash == to_hash, SuppressedNumber.lifted_at.is_(None))
        .where(SuppressedNumber.reason != SuppressionReason.UNREACHABLE)
        .values(lifted_at=db.now(session))
    )


def mark_number(session: Session, to_hash: bytes, phone: str | None, reason: SuppressionReason, code: str) -> None:
    """A provider's answer says that this number is to be left alone."""
    _mark(session, to_hash, mask(phone or ""), reason, {"code": code})


def _mark(
    session: Session, to_hash: bytes, masked: str, reason: SuppressionReason, given: Mapping[str, int | str | None]
) -> None:
    new: dict[str, object] = {"code": None, "note": None, "by_account": None, "division_id": None, **given}
    new |= {"reason": reason, "since": db.now(session), "lifted_at": None}
    # what the provider was told stands above everything that we were told
    session.execute(
        insert(SuppressedNumber)
        .values(to_hash=to_hash, masked=masked, **new)
        .on_conflict_do_update(
            index_elements=["to_hash"], set_=new, where=SuppressedNumber.reason != SuppressionReason.ASKED_PROVIDER
        )
    )


def stop_of(session: Session, phone: str) -> SuppressedNumber | None:
    """The living entry of this number, locked. Raises BadNumber."""
    living = select(SuppressedNumber).where(SuppressedNumber.lifted_at.is_(None))
    return session.scalar(living.where(SuppressedNumber.to_hash == db.keyed_hash(normalise(phone))).with_for_update())


def reason_of(to_hash: Any) -> Select[SuppressionReason]:
    """The question why a number, or a column's, is left alone."""
    return select(SuppressedNumber.reason).where(
        SuppressedNumber.to_hash == to_hash, SuppressedNumber.lifted_at.is_(None)
    )


def holds_back(reason: SuppressionReason | None, priority: Priority) -> SuppressionReason | None:
    """Whether ``reason`` holds back a message of this priority: who wants no notices still gets codes."""
    return None if reason is SuppressionReason.ASKED_US and priority is Priority.CODE else reason
