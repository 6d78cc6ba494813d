"""Settlement: what one call to a gateway came to is written to the message and its attempt."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import String, bindparam, exists, select
from sqlalchemy.orm import Session, aliased, defer

from notifications import health, ledger
from notifications.claim import Claim
from notifications.message import Attempt, AttemptOutcome, Message
from notifications.moment import MOMENT_COLUMNS, moment_of_row
from notifications.outcomes import mark_refused, mark_sent, requeue
from notifications.settings import NoticeSettings
from notifications.verdicts import verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendResult:
    """What one call came to: an id, or an error and what it says about the message."""

    outcome: AttemptOutcome | None
    provider_id: str | None = None
    code: str | None = None
    trouble: bool = False
    wait_s: float | None = None
    took_ms: int = 0


_another = aliased(Attempt)
_TO_SETTLE = (
    select(
        Message,
        Attempt,
        exists().where(
            _another.gateway == Attempt.gateway,
            _another.provider_id == bindparam("provider_id", type_=String),
            _another.id != Attempt.id,
        ),
        *MOMENT_COLUMNS,
    )
    .join(Attempt, Attempt.message_id == Message.id)
    .where(Attempt.id == bindparam("attempt_id"))
    .with_for_update(of=(Message, Attempt))  # in this order everywhere: the message's row first
    .options(defer(Message.values_json), defer(Message.to_phone))  # nobody needs to decrypt what was said
)
_ANEW = {"populate_existing": True}


def settle(session: Session, claimed: Claim, result: SendResult, settings: NoticeSettings) -> None:
    """Write what the call came to. A receipt or a look-up that came first stays in force."""
    asked = {"attempt_id": claimed.attempt_id, "provider_id": result.provider_id}
    message, attempt, id_is_taken, *clocks = session.execute(_TO_SETTLE, asked, execution_options=_ANEW).one()
    at = moment_of_row(*clocks)
    now = at.real
    attempt.ended_at, attempt.took_ms, attempt.trouble = now, result.took_ms, result.trouble
    if attempt.outcome is not None:
        _settled_before(attempt, result)
        return
    attempt.error_code = result.code
    match result.outcome:
        case AttemptOutcome.SENT:
            mark_sent(session, message, attempt, result.provider_id, at=at, id_is_taken=id_is_taken)
        case AttemptOutcome.NOT_PROCESSED:
            attempt.outcome = AttemptOutcome.NOT_PROCESSED
            requeue(message, now, result.code, result.wait_s)
        case AttemptOutcome.REFUSED:
            attempt.outcome = AttemptOutcome.REFUSED
            mark_refused(session, message, verdict(result.code), result.code or "")
        case _:
            # it may have gone out: nobody touches it until the provider's list must show it
            message.lease_until = now + timedelta(seconds=settings.lag_s)
            message.rung_at = None
            message.reason = f"unclear: {result.code}"
    ledger.write_end(session, message, attempt)
    if result.trouble and health.note_trouble(session, attempt.gateway, settings):
        log.warning("gateway %s fails: its traffic moves", attempt.gateway)


def _settled_before(attempt: Attempt, result: SendResult) -> None:
    if result.outcome is not AttemptOutcome.SENT or attempt.provider_id == result.provider_id:
        return
    if attempt.provider_id is None:
        attempt.provider_id = result.provider_id
    if attempt.outcome is AttemptOutcome.NOT_FOUND:
        log.error(
            "attempt %s was taken after its look-up found nothing: the provider's lag is longer than set", attempt.id
        )
    else:
        log.error("attempt %s has two provider ids", attempt.id)
