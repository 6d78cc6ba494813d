"""Claim: one worker takes one due message, decides whether it goes out now, and commits a lease."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session, aliased

import db
from notifications import health, ledger, suppression, texts
from notifications.crash_points import reached
from notifications.gateways.gateway import OutgoingSms
from notifications.message import Attempt, Message, Priority, State
from notifications.moment import MOMENT_COLUMNS, Moment, moment_of_row
from notifications.number_budget import fits_budget
from notifications.number_lock import LOCK_NUMBER_OF_MESSAGE
from notifications.outgoing import body_of_message, outgoing_sms, routes_of
from notifications.quiet import when_allowed
from notifications.segments import segments
from notifications.settings import NoticeSettings
from notifications.transitions import finish, postpone


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on one message. ``look_up``: an earlier attempt may have gone out, so ask before anything else."""

    sms: OutgoingSms
    gateway: str
    attempt_id: int
    look_up: bool
    leased_at: datetime
    since: float
    """``time.monotonic()`` before the lease was taken: a worker that was held up must not call any more."""


_other = aliased(Message)
_TAKE_IT = (
    select(
        Message,
        suppression.reason_of(Message.to_hash).scalar_subquery(),
        exists().where(Attempt.to_hash == Message.to_hash)
        | exists().where(_other.to_hash == Message.to_hash, _other.state == State.QUEUED, _other.id != Message.id),
        *MOMENT_COLUMNS,
    )
    .where(Message.id == bindparam("message_id"))
    .with_for_update(of=Message, skip_locked=True)
)
"""The row; why its number is left alone; whether the number's budget has anything to count; the moment."""
_ANEW = {"populate_existing": True}


def expires_by(message: Message, at: Moment) -> datetime:
    """The business moment by which a message's expiry is judged.

    That is now; but the clock of a demo jumps by days, and what came due on the way was not late: it is judged at its
    own moment, as if the workers had been up all the time. Quiet hours and budget are judged where the clock stands.
    """
    return min(at.now, max(message.not_before, message.created_at)) if at.is_demo else at.now


def claim(session: Session, message_id: int, settings: NoticeSettings) -> Claim | None:
    """The lease, or None when the message is not due, somebody else's, final, or was merged or postponed just now."""
    since = time.monotonic()
    to_hash = session.execute(LOCK_NUMBER_OF_MESSAGE, {"message_id": message_id}).scalar()
    if to_hash is None:
        return None
    found = session.execute(_TAKE_IT, {"message_id": message_id}, execution_options=_ANEW).first()
    if found is None:
        return None
    message, why, has_company, *clocks = found
    reached("claim.locked")
    at = moment_of_row(*clocks)
    if message.state is State.CLAIMED:
        return _take_over(session, message, at.real, since, settings)
    if message.state is not State.QUEUED or message.not_before > at.now:
        return None
    if message.retry_at is not None and message.retry_at > at.real:
        return None
    _use_registered_language(session, message, settings)
    if not _may_go(session, message, to_hash, why, at, settings, alone=not has_company):
        return None
    return _lease(session, message, at, since, settings)


def _use_registered_language(session: Session, message: Message, settings: NoticeSettings) -> None:
    """A domestic provider sends registered words only. When the message's language has none, it is sent in Chinese."""
    for route in routes_of(message, settings):
        account = settings.domestic.get(route.gateway)
        if account is None or f"{message.text_name}/{message.locale}" in account.templates:
            continue
        if f"{message.text_name}/zh" in account.templates:
            message.locale = "zh"
            message.text_version = texts.current(session, message.text_name, "zh").version
            return


def _take_over(
    session: Session, message: Message, real: datetime, since: float, settings: NoticeSettings
) -> Claim | None:
    if message.lease_until is not None and message.lease_until > real:
        return None
    attempt = session.scalars(
        select(Attempt)
        .where(Attempt.message_id == message.id, Attempt.outcome.is_(None))
        .order_by(Attempt.number.desc())
        .limit(1)
    ).one()
    attempt.looked_up += 1
    message.lease_until = real + timedelta(seconds=settings.lease_s)
    sms = outgoing_sms(message, attempt, body_of_message(session, message, settings))
    return Claim(sms, attempt.gateway, attempt.id, True, real, since)


def _may_go(
    session: Session,
    message: Message,
    to_hash: bytes,
    why: suppression.SuppressionReason | None,
    at: Moment,
    settings: NoticeSettings,
    *,
    alone: bool,
) -> bool:
    priority = Priority(message.priority)
    if message.expires_at is not None and message.expires_at <= expires_by(message, at):
        finish(session, message, State.EXPIRED, "its time had passed")
        return False
    if held := suppression.holds_back(why, priority):
        finish(session, message, State.SUPPRESSED, held.value)
        return False
    if priority is not Priority.CODE and (morning := when_allowed(at.now, settings)) > at.now:
        postpone(message, morning)
        return False
    # nothing went to this number lately and nothing else waits for it: there is nothing to count
    return alone or fits_budget(session, message, to_hash, at, settings)


def _lease(session: Session, message: Message, at: Moment, since: float, settings: NoticeSettings) -> Claim:
    gateway = health.choose(session, routes_of(message, settings))
    session.flush()  # what a merge made of it, and of others
    session.expunge(message)  # from here on one statement writes it
    message.become(State.CLAIMED)
    message.attempts += 1
    body = body_of_message(session, message, settings)
    message.gateway, message.retry_at = gateway, None
    message.lease_until = at.real + timedelta(seconds=settings.lease_s)
    message.segments = segments(body)
    message.cost_fen = message.segments * settings.fen_a_segment.get(gateway, 0)
    attempt = Attempt(
        message_id=message.id,
        number=message.attempts,
        gateway=gateway,
        to_hash=message.to_hash,
        body_hash=db.keyed_hash(body),
        at=at.now,
        started_at=at.real,
        trouble=False,
        rank=0,
        looked_up=0,
    )
    ledger.write_claim(session, message, attempt)
    return Claim(outgoing_sms(message, attempt, body), gateway, attempt.id, False, at.real, since)
