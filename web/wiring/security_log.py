"""Security log: who came in or was kept out, who changed whose access, who took data along. Rows are only ever added.

The database refuses to change a row, and to delete one before KEPT has passed (网络安全法 art. 21). The same line goes
to the process's log, where a collector that no administrator of the program can reach may keep it.
"""

import time
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from flask import current_app, has_request_context, request
from sqlalchemy import ForeignKey, String, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from web.wiring.network_line import network_of

log = structlog.get_logger()

KEPT = timedelta(days=200)
PAGE = 100
REFUSED_AGAIN_S = 60.0  # the same refusal of the same person is written once a minute


class SecurityKind(StrEnum):
    """What an auditor asks for."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_BLOCKED = "sign_in_blocked"
    CODE_ASKED = "code_asked"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    TOKEN_MADE = "token_made"  # noqa: S105
    TOKEN_ENDED = "token_ended"  # noqa: S105
    ACCOUNT_CHANGED = "account_changed"
    ACCESS_REFUSED = "access_refused"
    FILE_SENT = "file_sent"
    EXPORTED = "exported"
    PERSONAL_DATA = "personal_data"
    CONFIGURED = "configured"


ACTS = {
    "UnmaskNumber": SecurityKind.PERSONAL_DATA, "ExportPerson": SecurityKind.PERSONAL_DATA,
    "ErasePerson": SecurityKind.PERSONAL_DATA, "StopNotices": SecurityKind.PERSONAL_DATA,
    "ResumeNotices": SecurityKind.PERSONAL_DATA, "EditText": SecurityKind.CONFIGURED,
    "RevertText": SecurityKind.CONFIGURED, "EditPath": SecurityKind.CONFIGURED,
    "SubscribeWebhook": SecurityKind.EXPORTED, "ChangeWebhookKey": SecurityKind.EXPORTED,
}  # fmt: skip
"""The steps that leave a line here besides their own in `act_record`."""


class SecurityEvent(db.Base):
    """One line: what, who, of what, from where. No number, name or secret stands in it."""

    __tablename__ = "security_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)
    kind: Mapped[SecurityKind]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    subject: Mapped[str] = mapped_column(String(80), default="")
    network: Mapped[str] = mapped_column(String(60), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


def record(
    session: Session, kind: SecurityKind, *, account_id: int | None, subject: str = "", **detail: str | int | bool
) -> None:
    """Write a line in the caller's transaction: what it tells and the line stand or fall together."""
    network = network_of(request.remote_addr) if has_request_context() else "console"
    session.add(
        SecurityEvent(kind=kind, account_id=account_id, subject=subject[:80], network=network, detail=dict(detail))
    )
    session.flush()
    log.info("security", kind=kind.value, account=account_id, subject=subject, network=network, **detail)


def record_apart(kind: SecurityKind, *, account_id: int | None, subject: str = "", **detail: str | int | bool) -> None:
    """A line in a transaction of its own, for what only reads or is refused. Where nothing can be written, it is lost
    to the table; reading goes on."""
    with suppress(SQLAlchemyError), current_app.extensions["daiban.sessions"].begin() as session:
        record(session, kind, account_id=account_id, subject=subject, **detail)


def record_refusal(account_id: int, endpoint: str) -> None:
    """Somebody asked for what is not for the role; who asks again and again fills no disk."""
    said: dict[tuple[int, str], float] = current_app.extensions.setdefault("daiban.refusals", {})
    now = time.monotonic()
    if now - said.get((account_id, endpoint), -REFUSED_AGAIN_S) < REFUSED_AGAIN_S:
        return
    if len(said) > 10_000:
        said.clear()
    said[account_id, endpoint] = now
    record_apart(SecurityKind.ACCESS_REFUSED, account_id=account_id, subject=endpoint)


def events(
    session: Session, *, kind: SecurityKind | None = None, account_id: int | None = None, before: int | None = None,
    limit: int = PAGE,
) -> list[SecurityEvent]:  # fmt: skip
    """Lines, the newest first."""
    asked = select(SecurityEvent).order_by(SecurityEvent.id.desc()).limit(limit)
    if kind is not None:
        asked = asked.where(SecurityEvent.kind == kind)
    if account_id is not None:
        asked = asked.where(SecurityEvent.account_id == account_id)
    if before is not None:
        asked = asked.where(SecurityEvent.id < before)
    return list(session.scalars(asked))


def forget_old_events(session: Session) -> int:
    """Delete the lines that need not be kept any longer; how many."""
    old = SecurityEvent.at < func.clock_timestamp() - KEPT
    return len(session.execute(delete(SecurityEvent).where(old).returning(SecurityEvent.id)).all())
