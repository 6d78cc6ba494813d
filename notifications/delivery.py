"""Delivery: hand over a claimed message once; when that is not certain, look it up before anything else."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import String, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased, defer, sessionmaker

import db
from notifications import health, ledger, outbox, receipts, texts
from notifications.bucket import Bucket
from notifications.claim import Claim, claim, finish, lock_number
from notifications.crash_points import reached
from notifications.gateways.console import Console
from notifications.gateways.gateway import Gateway, NotProcessed, ProviderRecord, SmsRefused, Unclear
from notifications.message import Attempt, AttemptOutcome, Message, Priority, State
from notifications.moment import MOMENT_COLUMNS, moment_of_row
from notifications.outcomes import mark_refused, mark_sent, requeue
from notifications.settings import NoticeSettings
from notifications.verdicts import verdict

log = logging.getLogger(__name__)

SKEW = timedelta(minutes=2)
MAX_TOKEN_WAIT_S = 1.0
"""So long a worker waits for a token itself; longer waits are the row's."""
LOOK_UP_AGAIN_AFTER = timedelta(seconds=30)
COMPUTING_THREADS = 4
"""So many of a process's threads claim and settle at a time: more would only take the interpreter from each other."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What one call came to: an id, or an error and what it says about the message."""

    outcome: AttemptOutcome | None
    provider_id: str | None = None
    code: str | None = None
    trouble: bool = False
    wait_s: float | None = None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """Everything a delivery needs beside the message: the database, the gateways, the rates, the rules."""

    sessions: sessionmaker[Session]
    gateways: Mapping[str, Gateway]
    bucket: Bucket
    settings: NoticeSettings
    few: threading.Semaphore = field(default_factory=lambda: threading.BoundedSemaphore(COMPUTING_THREADS))
    """Held while a thread computes, never while it waits for a provider."""


def deliver(post: DeliveryContext, message_id: int) -> None:
    """One try at one message. May be called twice, by anybody, at any time."""
    reached("task.started")
    with post.few, post.sessions.begin() as session:
        claimed = claim(session, message_id, post.settings)
    if claimed is None:
        return
    reached("claim.committed")
    if claimed.look_up:
        _look_up(post, claimed)
        return
    result = attempt(post, claimed)
    reached("send.returned")
    with post.few, post.sessions.begin() as session:
        settle(session, claimed, result, post.settings)
        reached("settle.written")
    reached("settle.committed")
    gateway = post.gateways.get(claimed.gateway)
    if isinstance(gateway, Console) and result.provider_id:
        status, code = gateway.ending(claimed.letter)
        receipts.receive(
            post.sessions,
            receipts.ProviderReceipt(claimed.gateway, result.provider_id, claimed.letter.reference, status, code),
        )


def attempt(post: DeliveryContext, claimed: Claim) -> SendResult:
    """The call, with no transaction open around it."""
    gateway = post.gateways.get(claimed.gateway)
    if gateway is None:
        return SendResult(AttemptOutcome.NOT_PROCESSED, code="no such gateway")
    waited = 0.0
    while (wait_s := post.bucket.take(claimed.gateway)) > 0:
        if waited + wait_s > MAX_TOKEN_WAIT_S:
            return SendResult(AttemptOutcome.NOT_PROCESSED, code="rate", wait_s=wait_s)
        time.sleep(wait_s)
        waited += wait_s
    reached("bucket.passed")
    if time.monotonic() - claimed.since > post.settings.lease_s / 2:
        return SendResult(AttemptOutcome.NOT_PROCESSED, code="held up", wait_s=0)  # too late to finish inside the lease
    reached("send.calling")
    began = time.monotonic()
    try:
        provider_id = gateway.send(claimed.letter)
        result = SendResult(AttemptOutcome.SENT, provider_id=provider_id)
    except SmsRefused as error:
        result = SendResult(AttemptOutcome.REFUSED, code=error.code)
    except NotProcessed as error:
        result = SendResult(AttemptOutcome.NOT_PROCESSED, code=error.code, trouble=error.trouble)
    except Unclear as error:
        result = SendResult(None, code=error.code, trouble=True)
    took_ms = int((time.monotonic() - began) * 1000)
    return SendResult(result.outcome, result.provider_id, result.code, result.trouble, result.wait_s, took_ms)


# ---------------------------------------------------------------- what the call came to


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
    """Write down what the call came to. A receipt or a look-up that was faster is not overruled."""
    asked = {"attempt_id": claimed.attempt_id, "provider_id": result.provider_id}
    message, attempt, is_anothers, *clocks = session.execute(_TO_SETTLE, asked, execution_options=_ANEW).one()
    at = moment_of_row(*clocks)
    now = at.real
    attempt.ended_at, attempt.took_ms, attempt.trouble = now, result.took_ms, result.trouble
    if attempt.outcome is not None:
        _settled_before(attempt, result)
        return
    attempt.error_code = result.code
    match result.outcome:
        case AttemptOutcome.SENT:
            mark_sent(session, message, attempt, result.provider_id, at=at, is_anothers=is_anothers)
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


# ---------------------------------------------------------------- was it sent?


def _look_up(post: DeliveryContext, claimed: Claim) -> None:
    reached("lookup.calling")
    gateway = post.gateways.get(claimed.gateway)
    found: list[ProviderRecord] | None = None
    if gateway is not None:
        try:
            found = gateway.find(claimed.letter)
        except (Unclear, NotProcessed, SmsRefused) as error:
            log.warning("message %s could not be looked up: %s", claimed.letter.message_id, error)
    reached("lookup.answered")
    with post.few, post.sessions.begin() as session:
        status = settle_look_up(session, claimed, found, post.settings)
        reached("lookup.written")
    reached("lookup.committed")
    if status is not None and status.provider_id is not None:
        said = receipts.ProviderReceipt(
            claimed.gateway, status.provider_id, claimed.letter.reference, status.status, status.error_code
        )
        receipts.receive(post.sessions, said)


def settle_look_up(
    session: Session, claimed: Claim, found: list[ProviderRecord] | None, settings: NoticeSettings
) -> ProviderRecord | None:
    """Found: it was sent. Not in a list that must show it by now: it was not, and may be. Else it waits, and after an
    hour a person looks. The entry that was found, if any.
    """
    letter = claimed.letter
    to_hash = session.scalar(select(Attempt.to_hash).where(Attempt.id == claimed.attempt_id))
    if to_hash is not None:
        lock_number(session, to_hash)  # two identical texts must not take the same entry for their own
    message = session.get_one(Message, letter.message_id, with_for_update=True, populate_existing=True)
    attempt = session.get_one(Attempt, claimed.attempt_id, populate_existing=True)
    if attempt.outcome is not None or message.state is not State.CLAIMED:
        return None
    ours = _ours(session, claimed, attempt, found) if found is not None else None
    if ours is not None:
        mark_sent(session, message, attempt, ours.provider_id)
        return ours
    # the last moment at which a worker that was killed or cut off may still have been heard by the provider
    last = attempt.ended_at or attempt.started_at + timedelta(seconds=settings.lease_s)
    listed_by = last + timedelta(seconds=settings.lag_s)
    now = db.real_now(session)
    if found is not None and claimed.leased_at >= listed_by and not _rivals(session, attempt, live=True):
        attempt.outcome = AttemptOutcome.NOT_FOUND
        if texts.text_named(message.text_name).once:
            finish(session, message, State.FAILED_TEMPORARY, "a one-time code is not resent")
        else:
            requeue(message, now, "not found by its look-up", 0)
            outbox.publish_after_commit(session, [(message.id, Priority(message.priority))])
    elif now >= attempt.started_at + timedelta(seconds=settings.unknown_after_s):
        attempt.outcome = AttemptOutcome.UNKNOWN
        finish(session, message, State.UNKNOWN, "nobody can say whether it was sent")
    else:
        message.lease_until = (
            max(listed_by, now + LOOK_UP_AGAIN_AFTER) if found is None or now >= listed_by else listed_by
        )
        message.rung_at = None
    return None


def _ours(session: Session, claimed: Claim, attempt: Attempt, found: list[ProviderRecord]) -> ProviderRecord | None:
    """The entry that is this attempt: by our reference, else by number, body and time, less those that are known."""
    for entry in found:
        if entry.reference == claimed.letter.reference:
            return entry
    alike = [
        f
        for f in found
        if f.reference is None
        and f.provider_id is not None
        and f.body == claimed.letter.body
        and (f.at is None or f.at >= attempt.started_at - SKEW)
    ]
    if not alike:
        return None
    known = set(
        session.scalars(
            select(Attempt.provider_id).where(
                Attempt.gateway == attempt.gateway, Attempt.provider_id.in_([f.provider_id for f in alike])
            )
        )
    )
    free = [f for f in alike if f.provider_id not in known]
    if len(free) == 0 or (len(free) < 1 + _rivals(session, attempt) and _rivals(session, attempt, live=True)):
        return None
    return min(free, key=lambda f: abs(f.at - attempt.started_at) if f.at else timedelta())


def _rivals(session: Session, attempt: Attempt, *, live: bool = False) -> int:
    """Other attempts with the same words to the same number of which nobody knows the end."""
    rows = (
        select(func.count())
        .select_from(Attempt)
        .join(Message, Message.id == Attempt.message_id)
        .where(
            Attempt.id != attempt.id,
            Attempt.gateway == attempt.gateway,
            Attempt.to_hash == attempt.to_hash,
            Attempt.body_hash == attempt.body_hash,
            Attempt.outcome.is_(None),
        )
    )
    if live:
        rows = rows.where(Attempt.ended_at.is_(None), Message.lease_until > func.clock_timestamp())
    return session.scalar(rows) or 0
