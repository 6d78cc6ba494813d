"""Receipts: what providers say afterwards, in any order and as often as they like; one end for each message."""

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column, sessionmaker
from twilio.request_validator import RequestValidator

from db import Base
from notifications import outcomes
from notifications.crash_points import reached
from notifications.inbound import Reply
from notifications.message import NEXT, Attempt, AttemptOutcome, Message, State
from notifications.moment import MOMENT_COLUMNS, Moment, moment_of_row
from notifications.settings import NoticeSettings
from notifications.synchronous_commit import SYNCHRONOUS_COMMIT
from notifications.verdicts import Verdict, receipt_verdict

log = logging.getLogger(__name__)

RANK = {
    Verdict.TRY_AGAIN: 2,
    Verdict.NO_RESEND: 3,
    Verdict.REFUSED: 4,
    Verdict.OWNER: 5,
    Verdict.STOP_NUMBER: 6,
    Verdict.OPTED_OUT: 7,
}
DELIVERED, TAKEN = 9, 1
"""The strongest word wins, whichever came first: so every order of the same receipts ends alike."""

_DELIVERED = frozenset({"delivered", "read"})
_FAILED = frozenset({"undelivered", "failed", "canceled"})
_ON_ITS_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"})


class Receipt(Base):
    """One thing that a provider said of one of its messages, however often it said it."""

    __tablename__ = "message_receipt"
    __table_args__ = (UniqueConstraint("gateway", "provider_id", "status", "error_code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), index=True)
    gateway: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(30))
    error_code: Mapped[str] = mapped_column(String(60))
    times: Mapped[int]
    received_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class ProviderReceipt:
    """One receipt, whoever it came from. ``reference`` is what we gave the provider to carry back."""

    gateway: str
    provider_id: str
    reference: str
    status: str
    error_code: str | None = None


class ReceiptResult(StrEnum):
    """What became of a receipt. Each is answered with 200: the provider did its part."""

    CHANGED = "changed"
    NOTHING_NEW = "nothing_new"
    UNKNOWN_MESSAGE = "unknown_message"


class BadReceipt(ValueError):
    """This is not a receipt."""


# ---------------------------------------------------------------- at the door


def verify(
    settings: NoticeSettings, gateway: str, path_and_query: str, form: Mapping[str, str], signature: str
) -> bool:
    """Whether Twilio signed this for our public URL. ``path_and_query`` is as the request line had it."""
    account = settings.twilio.get(gateway)
    if account is None or not signature:
        return False
    url = settings.public_url.rstrip("/") + path_and_query
    return bool(RequestValidator(account.token).validate(url, dict(form), signature))


def verify_domestic(settings: NoticeSettings, secret: str) -> bool:
    """The domestic provider signs nothing: its URL holds a secret that only it was given."""
    return bool(settings.receipt_secret) and hmac.compare_digest(secret.encode(), settings.receipt_secret.encode())


def from_twilio(query: Mapping[str, str], form: Mapping[str, str]) -> ProviderReceipt:
    """Raises BadReceipt."""
    sid, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
    if not sid or not status or len(sid) > 80 or len(status) > 30:
        raise BadReceipt("a receipt names a message and a status")
    return ProviderReceipt(
        query.get("g", "twilio"), sid, query.get("m", ""), status, (form.get("ErrorCode") or "")[:60] or None
    )


@dataclass(frozen=True, slots=True)
class DomesticPush:
    """What one push of the domestic provider holds, each row by itself."""

    receipts: tuple[ProviderReceipt, ...]
    replies: tuple[Reply, ...]
    odd: tuple[Any, ...]


_SUCCESS = {"true": True, "false": False}


def from_domestic(gateway: str, body: bytes) -> DomesticPush:
    """The rows of one push of Alibaba Cloud SMS (SmsReport, SmsUp); an odd one spoils no other. Raises BadReceipt."""
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError):
        raise BadReceipt("a push is a JSON list") from None
    if not isinstance(rows, list):
        raise BadReceipt("a push is a JSON list")
    receipts: list[ProviderReceipt] = []
    replies: list[Reply] = []
    odd: list[Any] = []
    for row in rows:
        if (receipt := _domestic_receipt(gateway, row)) is not None:
            receipts.append(receipt)
        elif (reply := _domestic_reply(gateway, row)) is not None:
            replies.append(reply)
        else:
            odd.append(row)
    return DomesticPush(tuple(receipts), tuple(replies), tuple(odd))


def _domestic_receipt(gateway: str, row: Any) -> ProviderReceipt | None:
    if not isinstance(row, dict):
        return None
    success, known = row.get("success"), [str(row.get(name) or "") for name in ("biz_id", "out_id", "err_code")]
    ok = _SUCCESS.get(str(success).strip().lower())
    if ok is None or not known[0] or not all(one.isprintable() for one in known):
        return None  # what no provider numbers by, a table cannot keep either
    biz_id, out_id, code = known
    said = "delivered" if ok else "undelivered"
    return ProviderReceipt(gateway, biz_id[:80], out_id, said, None if ok else code[:60] or None)


def _domestic_reply(gateway: str, row: Any) -> Reply | None:
    if not isinstance(row, dict):
        return None
    phone, words = row.get("phone_number"), row.get("content")
    if not isinstance(phone, str) or not isinstance(words, str):
        return None
    known = row.get("sequence_id") or f"{phone} {row.get('send_time')} {words}"
    return Reply(gateway, hashlib.sha256(str(known).encode()).hexdigest(), phone, words)


def reply_from_twilio(query: Mapping[str, str], form: Mapping[str, str]) -> Reply:
    """An answer to a number of Twilio's. Raises BadReceipt."""
    sid, sender = form.get("MessageSid", ""), form.get("From", "")
    if not sid or not sender or len(sid) > 80 or len(sender) > 40:
        raise BadReceipt("an answer names a message and its sender")
    stopped = form.get("OptOutType") == "STOP"
    return Reply(query.get("g", "twilio")[:20], sid, sender, form.get("Body", ""), stopped)


# ---------------------------------------------------------------- applied


def receive(sessions: sessionmaker[Session], receipt: ProviderReceipt) -> ReceiptResult:
    """One receipt in a transaction of its own."""
    with sessions.begin() as session:
        applied = apply(session, receipt)
        reached("receipt.locked")
    reached("receipt.committed")
    return applied


def apply(session: Session, receipt: ProviderReceipt) -> ReceiptResult:
    """What the provider said becomes what the message is. The receipts of one attempt commute and may repeat."""
    found = _attempt_of(session, receipt)
    if found is None:
        log.info("a receipt of gateway %s for %s names no message of ours", receipt.gateway, receipt.provider_id)
        return ReceiptResult.UNKNOWN_MESSAGE
    message, attempt, at = found
    if attempt.provider_id not in (None, receipt.provider_id):
        log.warning("attempt %s is not %s of gateway %s", attempt.id, receipt.provider_id, receipt.gateway)
        return ReceiptResult.UNKNOWN_MESSAGE
    _record(session, message, receipt)
    if attempt.outcome is AttemptOutcome.REFUSED:
        return ReceiptResult.NOTHING_NEW
    was = (message.state, attempt.rank)
    if attempt.outcome is not AttemptOutcome.SENT:
        # the worker died before it could say so, or a look-up gave up too soon: the provider has it after all
        if attempt.outcome is AttemptOutcome.NOT_FOUND:
            log.warning("attempt %s was taken although its look-up found nothing", attempt.id)
        outcomes.mark_sent(session, message, attempt, receipt.provider_id, at=at)
    elif attempt.provider_id is None:
        attempt.provider_id = message.provider_id = receipt.provider_id
    _apply_if_stronger(session, message, attempt, receipt, at.real)
    return ReceiptResult.NOTHING_NEW if (message.state, attempt.rank) == was else ReceiptResult.CHANGED


_LOCKED = (
    select(Message, Attempt, SYNCHRONOUS_COMMIT, *MOMENT_COLUMNS)
    .join(Attempt, Attempt.message_id == Message.id)
    .with_for_update(of=(Message, Attempt))  # in this order everywhere: the message's row first
    .execution_options(populate_existing=True)
)


def _attempt_of(session: Session, receipt: ProviderReceipt) -> tuple[Message, Attempt, Moment] | None:
    """The message and the attempt that a receipt is about, both locked, and the moment."""
    mine = _LOCKED.where(Attempt.gateway == receipt.gateway)
    found = session.execute(mine.where(Attempt.provider_id == receipt.provider_id)).first()
    if found is None:
        message_id, _, number = receipt.reference.partition(".")
        if not (message_id.isdecimal() and number.isdecimal() and len(message_id) < 19 and len(number) < 5):
            return None
        named = mine.where(Attempt.message_id == int(message_id), Attempt.number == int(number))
        found = session.execute(named).first()
    if found is None:
        return None
    message, attempt, _, *clocks = found
    return message, attempt, moment_of_row(*clocks)


def _record(session: Session, message: Message, receipt: ProviderReceipt) -> None:
    statement = insert(Receipt).values(
        message_id=message.id,
        gateway=receipt.gateway,
        provider_id=receipt.provider_id,
        status=receipt.status,
        error_code=receipt.error_code or "",
        times=1,
        received_at=func.clock_timestamp(),
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["gateway", "provider_id", "status", "error_code"], set_={"times": Receipt.times + 1}
        )
    )


def _apply_if_stronger(
    session: Session, message: Message, attempt: Attempt, receipt: ProviderReceipt, real: datetime
) -> None:
    if receipt.status in _DELIVERED:
        rank, code = DELIVERED, ""
    elif receipt.status in _FAILED:
        verdict = receipt_verdict(receipt.error_code)
        rank, code = RANK[verdict], receipt.error_code or ""
    elif receipt.status in _ON_ITS_WAY:
        rank, code = TAKEN, ""
    else:
        log.warning("gateway %s said %r of message %s", receipt.gateway, receipt.status, message.id)
        return
    if (rank, code) <= (attempt.rank, attempt.error_code or ""):
        return
    attempt.rank, attempt.error_code = rank, code or None
    if rank == DELIVERED:
        if State.DELIVERED in NEXT[message.state]:
            outcomes.mark_delivered(session, message, real)
    elif rank > TAKEN and attempt.number == message.attempts and message.state not in _NOT_FAILED_BY_RECEIPT:
        outcomes.mark_refused(session, message, verdict, code)


_NOT_FAILED_BY_RECEIPT = frozenset({State.DELIVERED, State.EXPIRED, State.SUPPRESSED})
