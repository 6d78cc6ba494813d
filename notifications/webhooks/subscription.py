"""Webhook subscription: where a person's program wants to be told, its key, and whether it listens now."""

import base64
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText

LONGEST_URL = 500
KEY_BYTES = 32
FORMER_KEY_COUNTS = timedelta(hours=24)
"""After a change of key both sign for this long, so that the other program can change over without a gap."""


class SubscriptionState(StrEnum):
    """ACTIVE is told; PAUSED is told later, nothing is lost; ENDED is told nothing any more."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class PauseCause(StrEnum):
    """Who stopped it: the OWNER; GONE, the other side said so (410); UNANSWERED, it took nothing for days."""

    OWNER = "owner"
    GONE = "gone"
    UNANSWERED = "unanswered"


class WebhookSubscription(Base):
    """One address of one account: of an enterprise's cases, of those in one place and all below it, or of all.

    Whether the account may still read an event is looked at again before it is told."""

    __tablename__ = "webhook_subscription"
    __table_args__ = (Index("ix_webhook_subscription_account", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    division_path: Mapped[str | None]
    url: Mapped[str]
    purpose: Mapped[str]
    key: Mapped[str] = mapped_column(EncryptedText)
    former_key: Mapped[str | None] = mapped_column(EncryptedText)
    key_changed_at: Mapped[datetime | None]
    state: Mapped[SubscriptionState] = mapped_column(default=SubscriptionState.ACTIVE)
    pause_cause: Mapped[PauseCause | None]
    failures: Mapped[int] = mapped_column(default=0)
    """Tries in a row that found nobody there."""
    retry_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    def keys_at(self, at: datetime) -> list[str]:
        """The keys that sign at this moment, the newest first."""
        keys = [self.key]
        if self.former_key and self.key_changed_at and at - self.key_changed_at < FORMER_KEY_COUNTS:
            keys.append(self.former_key)
        return keys

    def pause_by_owner(self) -> None:
        """The owner stops it; what another cause stopped stays so."""
        if self.state is SubscriptionState.ACTIVE:
            self.state, self.pause_cause = SubscriptionState.PAUSED, PauseCause.OWNER

    def resume(self) -> None:
        """It listens again, and is tried at once."""
        self.state, self.pause_cause = SubscriptionState.ACTIVE, None
        self.failures, self.retry_at = 0, None

    def end(self) -> None:
        """It listens no more, and nobody can sign in its name."""
        self.state, self.pause_cause = SubscriptionState.ENDED, None
        self.key, self.former_key = "", None


def new_key() -> str:
    """A key as Standard Webhooks writes it: ``whsec_`` and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def is_address(url: str) -> bool:
    """Whether this can be told anything: http or https, a host, no password, no fragment, nothing unprintable."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
    return is_web and parts.username is None and parts.password is None and not parts.fragment
