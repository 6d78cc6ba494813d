"""Inbound: what people answer to an SMS (上行短信), and pushes that nobody can read. Nothing is dropped."""

import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import LargeBinary, String, UniqueConstraint, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from db import Base, EncryptedText
from notifications import suppression
from notifications.phone import BadNumber, mask, normalise
from notifications.suppression import SuppressionReason

STOP_WORDS = frozenset({"T", "TD", "N", "R", "退订", "拒收", "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
"""What a person sends to get no more: the mainland carriers' words and those that Twilio knows."""
START_WORDS = frozenset({"START", "UNSTOP", "恢复"})
LONGEST = 1000
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as a provider hands it on. ``is_stopped``: the provider blocks the number by itself from now on."""

    gateway: str
    provider_id: str
    phone: str
    words: str
    is_stopped: bool = False


class InboundSms(Base):
    """One SMS that somebody sent to us."""

    __tablename__ = "inbound_sms"
    __table_args__ = (UniqueConstraint("gateway", "provider_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    gateway: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str] = mapped_column(String(80))
    from_hash: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    masked: Mapped[str] = mapped_column(String(30))
    words: Mapped[str | None] = mapped_column(EncryptedText)
    """What was written; None once it was erased."""
    stops: Mapped[bool]
    """Whether its sender wants no more notices."""
    received_at: Mapped[datetime]


class OddPush(Base):
    """Something that a provider sent which is neither a receipt nor an answer: kept for an operator, whole."""

    __tablename__ = "odd_push"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    gateway: Mapped[str] = mapped_column(String(20))
    body: Mapped[str | None] = mapped_column(EncryptedText)
    times: Mapped[int]
    received_at: Mapped[datetime]


def take_reply(session: Session, reply: Reply) -> InboundSms | None:
    """Keep one answer, and leave its sender alone if that is what it says; None when it came before."""
    try:
        number = normalise(reply.phone)
    except BadNumber:
        keep_odd(session, reply.gateway, {"phone_number": reply.phone, "content": reply.words})
        return None
    words = _kept(reply.words)
    said = unicodedata.normalize("NFKC", words).strip().upper().rstrip("。.!")
    stops = reply.is_stopped or said in STOP_WORDS
    row = {
        "gateway": reply.gateway, "provider_id": reply.provider_id[:80], "from_hash": db.keyed_hash(number),
        "masked": mask(number), "words": words, "stops": stops, "received_at": db.now(session),
    }  # fmt: skip
    made = session.scalars(
        insert(InboundSms).values(**row).on_conflict_do_nothing().returning(InboundSms)
    ).one_or_none()
    if made is None:
        return None
    if stops:
        why = SuppressionReason.ASKED_PROVIDER if reply.is_stopped else SuppressionReason.ASKED_US
        suppression.mark_number(session, db.keyed_hash(number), number, why, said[:60])
    elif said in START_WORDS:
        suppression.lift_by_owner(session, db.keyed_hash(number))
    return made


def keep_odd(session: Session, gateway: str, row: Any) -> None:
    """Keep what cannot be read; the same thing again counts."""
    body = _kept(json.dumps(row, ensure_ascii=False, sort_keys=True))
    kept = insert(OddPush).values(
        digest=db.keyed_hash(f"{gateway} {body}"), gateway=gateway, body=body, times=1, received_at=db.now(session)
    )
    session.execute(kept.on_conflict_do_update(index_elements=["digest"], set_={"times": OddPush.times + 1}))


def _kept(text: str) -> str:
    """What a table can hold of a text: no half of a pair, no NUL, and not without end."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:LONGEST]


def odd_pushes(session: Session) -> list[OddPush]:
    """The newest things that nobody could read."""
    return list(session.scalars(select(OddPush).order_by(OddPush.id.desc()).limit(MOST_SHOWN)))


def forget_sender(session: Session, from_hash: bytes) -> None:
    """A person's data are erased: that somebody answered stays, who and what goes."""
    gone = {"from_hash": None, "words": None, "masked": "****"}
    session.execute(update(InboundSms).where(InboundSms.from_hash == from_hash).values(gone))


def forget_old(session: Session, *, keep: timedelta) -> None:
    """What is old enough loses who and what."""
    before = db.now(session) - keep
    gone = {"from_hash": None, "words": None, "masked": "****"}
    session.execute(
        update(InboundSms).where(InboundSms.received_at < before, InboundSms.words.is_not(None)).values(gone)
    )
    session.execute(update(OddPush).where(OddPush.received_at < before, OddPush.body.is_not(None)).values(body=None))
