"""Outcomes: what a provider's answer or receipt changes in a message and its number."""

import logging
import random
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import db
from notifications import facts, suppression, text_catalogue
from notifications.message import Attempt, AttemptOutcome, Message, State
from notifications.moment import Moment, read_moment
from notifications.transitions import finish, postpone
from notifications.verdicts import Verdict

log = logging.getLogger(__name__)

TRIES_AFTER = (timedelta(hours=4), timedelta(hours=20))
"""A handset that was not reached: three tries over 24 hours."""
MOST_WAIT_S = 900.0


def mark_sent(
    session: Session,
    message: Message,
    attempt: Attempt,
    provider_id: str | None,
    *,
    at: Moment | None = None,
    id_is_taken: bool | None = None,
) -> None:
    """The provider has it. ``at`` and ``id_is_taken`` save two queries where the caller knows them."""
    at = at or read_moment(session)
    now = at.real
    attempt.outcome, attempt.provider_id, attempt.ended_at = AttemptOutcome.SENT, provider_id, attempt.ended_at or now
    if provider_id is not None and id_is_taken is None:
        id_is_taken = _belongs_to_another(session, attempt, provider_id)
    if id_is_taken:
        # an identical text's look-up took this id for its own: the same words went to the same number either way
        attempt.provider_id = None
        log.error("the provider id of attempt %s already belongs to another", attempt.id)
    before = message.state
    if State.SENT in _may_become(message):
        if before is State.UNKNOWN:
            facts.note(session, message, unknown=-1)
        message.become(State.SENT)
        message.lease_until = message.settled_at = message.retry_at = None
    message.provider_id, message.gateway = attempt.provider_id, attempt.gateway
    message.error_code = None
    counts = {"segments": message.segments or 0, "cost_fen": message.cost_fen or 0}
    if message.handed_over_at is None:
        message.sent_at = attempt.at
        counts |= {"sent": 1, "within_10s": int(_late_s(message, at) <= 10)}
    message.handed_over_at, message.due_since = now, None
    facts.note(session, message, **counts)


def _belongs_to_another(session: Session, attempt: Attempt, provider_id: str) -> bool:
    with session.no_autoflush:
        other = session.scalar(
            select(Attempt.id).where(
                Attempt.gateway == attempt.gateway, Attempt.provider_id == provider_id, Attempt.id != attempt.id
            )
        )
    return other is not None


def _late_s(message: Message, at: Moment) -> float:
    """Seconds from the moment it was due to the moment a provider had it; a moved clock makes nothing late."""
    if at.is_demo:
        return (at.real - (message.due_since or message.posted_at)).total_seconds()
    return (at.now - max(message.not_before, message.created_at)).total_seconds()


def _may_become(message: Message) -> frozenset[State]:
    return {
        State.CLAIMED: frozenset({State.SENT}),
        State.QUEUED: frozenset({State.SENT}),
        State.UNKNOWN: frozenset({State.SENT}),
    }.get(message.state, frozenset())


def requeue(message: Message, now: datetime, code: str | None, wait_s: float | None) -> None:
    """Certainly not sent: it waits for its next try, longer each time, with jitter."""
    message.become(State.QUEUED, code)
    message.lease_until = message.rung_at = None
    if wait_s is None:
        most = min(MOST_WAIT_S, 2.0 ** min(message.attempts, 10))
        wait_s = random.uniform(most / 2, most)
    message.retry_at = now + timedelta(seconds=wait_s)


def mark_refused(session: Session, message: Message, verdict: Verdict, code: str) -> None:
    """The provider said no, at once or by receipt."""
    match verdict:
        case Verdict.TRY_AGAIN if message.state is State.QUEUED:
            message.reason, message.error_code = f"not reached: {code}", code  # its next try is set already
        case Verdict.TRY_AGAIN if _may_try_again(session, message):
            tries = _tries(session, message)
            message.become(State.QUEUED, f"not reached: {code}")
            message.error_code, message.lease_until, message.retry_at = code, None, None
            postpone(message, db.now(session) + TRIES_AFTER[tries - 1])
        case Verdict.TRY_AGAIN | Verdict.NO_RESEND:
            _fail(session, message, State.FAILED_TEMPORARY, "not reached", code)
        case Verdict.STOP_NUMBER:
            _mark(session, message, suppression.SuppressionReason.UNREACHABLE, code)
            _fail(session, message, State.FAILED_PERMANENT, "this number cannot be reached", code)
        case Verdict.OPTED_OUT:
            _mark(session, message, suppression.SuppressionReason.ASKED_PROVIDER, code)
            _fail(session, message, State.FAILED_PERMANENT, "its owner opted out", code)
        case Verdict.OWNER:
            _fail(session, message, State.FAILED_PERMANENT, "the text's owner must look", code)
        case _:
            _fail(session, message, State.FAILED_PERMANENT, "refused", code)


def mark_delivered(session: Session, message: Message, real: datetime) -> None:
    """The handset has it: nothing follows."""
    finish(session, message, State.DELIVERED, "", real=real)
    message.error_code = message.retry_at = None


def _tries(session: Session, message: Message) -> int:
    """How often the provider took it or said that the handset was not reached."""
    counted = select(func.count()).where(
        Attempt.message_id == message.id, Attempt.outcome.in_([AttemptOutcome.SENT, AttemptOutcome.REFUSED])
    )
    return session.scalar(counted) or 1


def _may_try_again(session: Session, message: Message) -> bool:
    return (
        message.state in (State.SENT, State.CLAIMED, State.UNKNOWN)
        and not text_catalogue.text_named(message.text_name).once
        and message.to_phone is not None
        and _tries(session, message) <= len(TRIES_AFTER)
    )


def _fail(session: Session, message: Message, state: State, reason: str, code: str) -> None:
    if message.state is not state:
        finish(session, message, state, reason)
    message.reason, message.error_code = reason, code or None


def _mark(session: Session, message: Message, why: suppression.SuppressionReason, code: str) -> None:
    if message.to_hash is not None:
        suppression.mark_number(session, message.to_hash, message.to_phone, why, code)
