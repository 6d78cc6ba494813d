"""People: who saw whose number, what we hold of one person, and how it is forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, literal, select, union_all, update
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from db import Base
from notifications import inbound, outbox
from notifications.message import FINAL, Attempt, Message, State
from notifications.number_lock import lock_number
from notifications.phone import mask, normalise
from notifications.settings import NoticeSettings
from notifications.suppression import SuppressedNumber
from notifications.transitions import finish

ERASED = "erased on request"
"""Why a message that still waited was never sent: its reader's data were erased."""
BATCH = 1000
BUDGET_MEMORY = timedelta(days=2)
"""A number's budget looks back a day; after two nothing needs to know whose attempt it was."""


class Unmasking(Base):
    """Somebody was shown a whole number: who, when, and the reason they gave."""

    __tablename__ = "unmasking"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    account_id: Mapped[int]
    reason: Mapped[str]
    at: Mapped[datetime]


class PersonRequest(Base):
    """A person's request that was carried out (查阅、删除). The number itself is not kept, only its mask."""

    __tablename__ = "person_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    masked: Mapped[str] = mapped_column(String(30))
    account_id: Mapped[int]
    reason: Mapped[str]
    messages: Mapped[int]
    at: Mapped[datetime]
    unfinished: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The number's hash while one of its messages was on its way: the retention job comes back for it."""


class NoReason(ValueError):
    """Personal data are shown or erased for a reason, and it is written down."""


def shown(message: Message) -> str:
    """The number as pages, exports and logs may have it."""
    return mask(message.to_phone) if message.to_phone else "—"


def unmask(session: Session, message: Message, *, account_id: int, reason: str) -> str:
    """The whole number; that it was asked for is written down first. Raises NoReason."""
    if not reason.strip():
        raise NoReason("a number is unmasked for a reason")
    session.add(Unmasking(message_id=message.id, account_id=account_id, reason=reason.strip(), at=db.now(session)))
    session.flush()
    return message.to_phone or ""


@dataclass(frozen=True, slots=True)
class ExportedMessage:
    """One message as its receiver may read it: the number masked, codes covered."""

    to: str
    body: str
    text: str
    state: State
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


def export(session: Session, phone: str, *, account_id: int, reason: str) -> list[ExportedMessage]:
    """Everything that was said to one number, codes covered, for its owner. Raises BadNumber and NoReason."""
    number = normalise(phone)
    rows = session.scalars(select(Message).where(Message.to_hash == db.keyed_hash(number)).order_by(Message.id)).all()
    _note(session, "export", number, account_id, reason, len(rows))
    return [
        ExportedMessage(
            shown(m), outbox.body_of(session, m), m.text_name, m.state, m.created_at, m.sent_at, m.settled_at
        )
        for m in rows
    ]


def erase(session: Session, phone: str, *, account_id: int, reason: str) -> int:
    """Forget one number: what waits is not sent, what was sent loses number and words. Raises BadNumber and NoReason.

    That a number opted out stays known, as a hash: forgetting it would start the messages again.
    """
    number = normalise(phone)
    to_hash = db.keyed_hash(number)
    forgotten, left = _forget_number(session, to_hash)
    done = _note(session, "erase", number, account_id, reason, forgotten)
    done.unfinished = to_hash if left else None
    return forgotten


def _forget_number(session: Session, to_hash: bytes) -> tuple[int, int]:
    """How many messages were forgotten, and how many are on their way to the provider this second."""
    lock_number(session, to_hash)
    rows = session.scalars(select(Message).where(Message.to_hash == to_hash).with_for_update()).all()
    left = [m for m in rows if m.state is State.CLAIMED]
    for message in rows:
        if message.state is State.QUEUED:
            finish(session, message, State.SUPPRESSED, ERASED)
        if message.state is not State.CLAIMED:
            _forget(message)
    session.execute(update(SuppressedNumber).where(SuppressedNumber.to_hash == to_hash).values(masked="****"))
    inbound.forget_sender(session, to_hash)
    return len(rows) - len(left), len(left)


def retention(session: Session, settings: NoticeSettings) -> int:
    """Forget who and what of messages that are old enough; the day's figures stay. How many, at most a batch."""
    now, real = db.now(session), db.real_now(session)
    inbound.forget_old(session, keep=timedelta(days=settings.keep_values_days))
    old = (
        select(Message)
        .where(Message.created_at < now - timedelta(days=settings.keep_values_days))
        .where(Message.values_json.is_not(None) | Message.to_phone.is_not(None))
        .where(Message.state.in_(FINAL) | (Message.handed_over_at < real - settings.receipt_within))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(old).all()
    for message in rows:
        _forget(message)
    for request in session.scalars(select(PersonRequest).where(PersonRequest.unfinished.is_not(None)).limit(BATCH)):
        forgotten, left = _forget_number(session, request.unfinished or b"")
        request.messages += forgotten
        request.unfinished = request.unfinished if left else None
    session.execute(
        update(Attempt)
        .where(Attempt.to_hash.is_not(None), Attempt.at < now - BUDGET_MEMORY, Attempt.outcome.is_not(None))
        .values(to_hash=None)
    )
    return len(rows)


def _forget(message: Message) -> None:
    message.to_phone = message.to_hash = message.values_json = message.resend_reason = None


def _note(session: Session, kind: str, number: str, account_id: int, reason: str, messages: int) -> PersonRequest:
    if not reason.strip():
        raise NoReason("personal data are exported and erased for a reason")
    done = PersonRequest(
        kind=kind,
        masked=mask(number),
        account_id=account_id,
        reason=reason.strip(),
        messages=messages,
        at=db.now(session),
    )
    session.add(done)
    return done


@dataclass(frozen=True, slots=True)
class Access:
    """One line of the access log: who saw, exported or erased what of whom, and the reason given."""

    at: datetime
    kind: str
    account_id: int
    masked: str
    reason: str
    messages: int
    unfinished: bool


def accesses(session: Session, *, skip: int = 0, limit: int = 50) -> list[Access]:
    """Every unmasking, export and erasure, newest first."""
    seen = select(
        Unmasking.at,
        literal("unmask").label("kind"),
        Unmasking.account_id,
        Unmasking.message_id,
        literal("").label("masked"),
        Unmasking.reason,
        literal(1).label("messages"),
        literal(False).label("unfinished"),
        Unmasking.id,
    )
    asked = select(
        PersonRequest.at,
        PersonRequest.kind,
        PersonRequest.account_id,
        literal(None, BigInteger).label("message_id"),
        PersonRequest.masked,
        PersonRequest.reason,
        PersonRequest.messages,
        PersonRequest.unfinished.is_not(None).label("unfinished"),
        PersonRequest.id,
    )
    both = union_all(seen, asked).subquery()
    newest = select(both).order_by(both.c.at.desc(), both.c.kind, both.c.id.desc()).offset(skip).limit(limit)
    rows = session.execute(newest).all()
    ids = [row.message_id for row in rows if row.message_id is not None]
    numbers = {m.id: shown(m) for m in session.scalars(select(Message).where(Message.id.in_(ids)))} if ids else {}
    return [
        Access(
            row.at,
            row.kind,
            row.account_id,
            row.masked or numbers.get(row.message_id, "—"),
            row.reason,
            row.messages,
            row.unfinished,
        )
        for row in rows
    ]
