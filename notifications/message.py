"""Message: one thing to say to one person, what became of it, and each attempt to say it."""

import json
from datetime import datetime
from enum import IntEnum, StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText


class State(StrEnum):
    """Where a message (短信) stands. Nothing follows a final state but the handset's own word that it was delivered."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED_TEMPORARY = "failed_temporary"
    FAILED_PERMANENT = "failed_permanent"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"


OPEN = frozenset({State.QUEUED, State.CLAIMED})
FINAL = frozenset(State) - OPEN - {State.SENT}
_BY_RECEIPT = (State.DELIVERED, State.FAILED_TEMPORARY, State.FAILED_PERMANENT)
NEXT: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset(
        {
            State.CLAIMED,
            State.SENT,
            State.DELIVERED,
            State.FAILED_PERMANENT,
            State.FAILED_TEMPORARY,
            State.EXPIRED,
            State.SUPPRESSED,
        }
    ),
    State.CLAIMED: frozenset(set(State) - {State.CLAIMED}),
    State.SENT: frozenset({State.QUEUED, State.DELIVERED, State.FAILED_TEMPORARY, State.FAILED_PERMANENT}),
    # a person looks at UNKNOWN; a receipt that names the message settles it
    State.UNKNOWN: frozenset({State.SENT, State.QUEUED, *_BY_RECEIPT}),
    State.FAILED_TEMPORARY: frozenset({State.DELIVERED, State.FAILED_PERMANENT}),
    State.FAILED_PERMANENT: frozenset({State.DELIVERED}),
    State.DELIVERED: frozenset(),
    State.EXPIRED: frozenset(),
    State.SUPPRESSED: frozenset(),
}


class Priority(IntEnum):
    """What goes first when a number may not get everything today."""

    CODE = 1
    COURIER = 2
    DEFECT = 3
    PROGRESS = 4
    SURVEY = 5


class WrongState(ValueError):
    """A message was asked to become what it cannot become from where it stands."""


class Message(Base):
    """One text to one number, written in the transaction of the event that it tells."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_due", "priority", "not_before", postgresql_where="state = 'queued'"),
        Index("ix_message_leased", "lease_until", postgresql_where="state = 'claimed'"),
        Index("ix_message_awaiting_receipt", "handed_over_at", postgresql_where="state = 'sent'"),
        Index("ix_message_waiting_number", "to_hash", postgresql_where="state = 'queued'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_key: Mapped[str] = mapped_column(String(200), unique=True)
    text_name: Mapped[str] = mapped_column(String(40))
    text_version: Mapped[int]
    locale: Mapped[str] = mapped_column(String(8))
    values_json: Mapped[str | None] = mapped_column("values", EncryptedText)
    to_phone: Mapped[str | None] = mapped_column(EncryptedText)
    to_hash: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    state: Mapped[State] = mapped_column(default=State.QUEUED)
    reason: Mapped[str | None] = mapped_column(String(60))
    priority: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(index=True)
    """Business moment of the event that it tells; ``posted_at`` is the real one."""
    posted_at: Mapped[datetime]
    not_before: Mapped[datetime]
    """Business moment before which nothing is sent: quiet hours, a number's budget, a later try."""
    retry_at: Mapped[datetime | None]
    """Real moment before which nothing is sent: a provider asked us to wait."""
    expires_at: Mapped[datetime | None]
    due_since: Mapped[datetime | None]
    """Real moment at which somebody first saw that it was due: liveness is the age of the oldest."""
    lease_until: Mapped[datetime | None]
    rung_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    """Business moment at which a provider took it; ``handed_over_at`` is the real one."""
    handed_over_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    gateway: Mapped[str | None] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(80))
    error_code: Mapped[str | None] = mapped_column(String(60))
    segments: Mapped[int | None] = mapped_column(SmallInteger)
    cost_fen: Mapped[int | None]
    carrier_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), index=True)
    """The message that says this one's news too, when a number's budget made them one."""
    carries: Mapped[int] = mapped_column(SmallInteger, default=0)
    resend_of_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), index=True)
    resend_reason: Mapped[str | None]
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)

    @property
    def values(self) -> dict[str, str]:
        """What fills the text's placeholders; empty once it was erased."""
        values: dict[str, str] = json.loads(self.values_json) if self.values_json else {}
        return values

    @values.setter
    def values(self, values: dict[str, str]) -> None:
        self.values_json = json.dumps(values, ensure_ascii=False, sort_keys=True)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    def become(self, state: State, reason: str | None = None) -> None:
        """Move on. Raises WrongState where NEXT does not lead."""
        if state not in NEXT[self.state]:
            raise WrongState(f"message {self.id} cannot become {state} from {self.state}")
        self.state, self.reason = state, reason


class AttemptOutcome(StrEnum):
    """What is known of one attempt. An attempt without an outcome may or may not have reached the provider."""

    SENT = "sent"
    REFUSED = "refused"
    NOT_PROCESSED = "not_processed"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


MAY_HAVE_GONE = (None, AttemptOutcome.SENT, AttemptOutcome.UNKNOWN)


class Attempt(Base):
    """One hand-over to one gateway. While it has no outcome, no other attempt for its message begins."""

    __tablename__ = "message_attempt"
    __table_args__ = (
        UniqueConstraint("message_id", "number"),
        UniqueConstraint("gateway", "provider_id"),
        Index("ix_message_attempt_budget", "to_hash", "at"),
        Index("ix_message_attempt_trouble", "gateway", "ended_at", postgresql_where="trouble"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    gateway: Mapped[str] = mapped_column(String(20))
    to_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]
    """Business moment of the claim: the number's budget counts from here."""
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    took_ms: Mapped[int | None]
    outcome: Mapped[AttemptOutcome | None]
    trouble: Mapped[bool] = mapped_column(default=False)
    """The gateway itself failed here: a time-out, a 5xx, a 429."""
    provider_id: Mapped[str | None] = mapped_column(String(80))
    error_code: Mapped[str | None] = mapped_column(String(60))
    rank: Mapped[int] = mapped_column(SmallInteger, default=0)
    """The strongest word that its receipts have said so far."""
    looked_up: Mapped[int] = mapped_column(SmallInteger, default=0)

    @property
    def reference(self) -> str:
        """What the provider carries back to us with each receipt."""
        return f"{self.message_id}.{self.number}"
