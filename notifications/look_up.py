"""Look-up: whether an attempt of unknown outcome is in the provider's list, and what follows for its message."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import db
from notifications import outbox, text_catalogue
from notifications.claim import Claim
from notifications.gateways.gateway import ProviderRecord
from notifications.message import Attempt, AttemptOutcome, Message, Priority, State
from notifications.number_lock import lock_number
from notifications.outcomes import mark_sent, requeue
from notifications.settings import NoticeSettings
from notifications.transitions import finish

SKEW = timedelta(minutes=2)
LOOK_UP_AGAIN_AFTER = timedelta(seconds=30)


def settle_look_up(
    session: Session, claimed: Claim, found: list[ProviderRecord] | None, settings: NoticeSettings
) -> ProviderRecord | None:
    """Settle an attempt by the provider's list; return its record, if found.

    Found: it was sent. Not in a list that must show it by now: it was not sent, and is sent again. Else it waits, and
    after an hour it becomes UNKNOWN, for a person to look at.
    """
    sms = claimed.sms
    to_hash = session.scalar(select(Attempt.to_hash).where(Attempt.id == claimed.attempt_id))
    if to_hash is not None:
        lock_number(session, to_hash)  # two identical texts must not take the same entry for their own
    message = session.get_one(Message, sms.message_id, with_for_update=True, populate_existing=True)
    attempt = session.get_one(Attempt, claimed.attempt_id, populate_existing=True)
    if attempt.outcome is not None or message.state is not State.CLAIMED:
        return None
    ours = _matching_record(session, claimed, attempt, found) if found is not None else None
    if ours is not None:
        mark_sent(session, message, attempt, ours.provider_id)
        return ours
    # the last moment at which a worker that was killed or cut off may still have been heard by the provider
    last = attempt.ended_at or attempt.started_at + timedelta(seconds=settings.lease_s)
    listed_by = last + timedelta(seconds=settings.lag_s)
    now = db.real_now(session)
    if (
        found is not None
        and claimed.leased_at >= listed_by
        and not _identical_open_attempts(session, attempt, live=True)
    ):
        attempt.outcome = AttemptOutcome.NOT_FOUND
        if text_catalogue.text_named(message.text_name).once:
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


def _matching_record(
    session: Session, claimed: Claim, attempt: Attempt, found: list[ProviderRecord]
) -> ProviderRecord | None:
    """The record of this attempt: by our reference, else by number, body and time, without those of other attempts."""
    for entry in found:
        if entry.reference == claimed.sms.reference:
            return entry
    alike = [
        f
        for f in found
        if f.reference is None
        and f.provider_id is not None
        and f.body == claimed.sms.body
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
    if len(free) == 0 or (
        len(free) < 1 + _identical_open_attempts(session, attempt)
        and _identical_open_attempts(session, attempt, live=True)
    ):
        return None
    return min(free, key=lambda f: abs(f.at - attempt.started_at) if f.at else timedelta())


def _identical_open_attempts(session: Session, attempt: Attempt, *, live: bool = False) -> int:
    """How many other attempts with the same words to the same number have no outcome. ``live``: still with a worker."""
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
