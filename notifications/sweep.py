"""Sweep: every few seconds it finds the messages that are due, stuck or expired. The rows are the truth."""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

import db
from notifications import facts, heartbeat, text_catalogue, text_rendering
from notifications.message import Message, Priority, State
from notifications.settings import NoticeSettings
from notifications.transitions import finish

BATCH = 2000
SWEEP_LOCK = 0x6E6F_7469


def sweep(
    session: Session,
    settings: NoticeSettings,
    *,
    at_once: bool = False,
    queue_takes: Callable[[Priority], bool] = lambda _: True,
) -> list[tuple[int, Priority]]:
    """The messages that need a task. Rows that somebody works on are left alone. ``at_once``: those with a task, too.

    ``queue_takes`` is asked once for each: what a full queue cannot take is left for a later sweep.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(SWEEP_LOCK))):
        return []  # another one is at it: waiting for it would only keep workers from sending
    _expire(session)
    _fail_without_receipt(session, settings)
    _cover_codes(session)
    due = _due(session, 0 if at_once else settings.publish_again_s, queue_takes)
    facts.fold(session)
    heartbeat.beat(session, "sweep", len(due))
    return due


def _due(
    session: Session, again_after_s: float, queue_takes: Callable[[Priority], bool] = lambda _: True
) -> list[tuple[int, Priority]]:
    real, now = db.real_now(session), db.now(session)
    has_no_task = Message.rung_at.is_(None) | (Message.rung_at < real - timedelta(seconds=again_after_s))
    queued = (
        select(Message.id, Message.priority)
        .where(Message.state == State.QUEUED, Message.not_before <= now, has_no_task)
        .where(Message.retry_at.is_(None) | (Message.retry_at <= real))
        .order_by(Message.priority, Message.not_before, Message.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    leased = (
        select(Message.id, Message.priority)
        .where(Message.state == State.CLAIMED, Message.lease_until < real, has_no_task)
        .order_by(Message.lease_until)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    # what a dead worker left has waited longest, and a backlog must not keep it waiting
    everything = [*session.execute(leased), *session.execute(queued)]
    found = [(message_id, Priority(priority)) for message_id, priority in everything if queue_takes(Priority(priority))]
    if found:
        session.execute(
            update(Message)
            .where(Message.id.in_([message_id for message_id, _ in found]))
            .values(rung_at=real, due_since=func.coalesce(Message.due_since, real)),
            execution_options={"synchronize_session": False},
        )
    return found


def _expire(session: Session) -> None:
    if db.is_demo(session):
        return  # judged by the claim at its own moment: a clock that jumped must not make it too late
    over = select(Message).where(Message.state == State.QUEUED, Message.expires_at <= db.now(session))
    for message in session.scalars(over.limit(BATCH).with_for_update(skip_locked=True)):
        finish(session, message, State.EXPIRED, "its time had passed")


def _fail_without_receipt(session: Session, settings: NoticeSettings) -> None:
    since = db.real_now(session) - settings.receipt_within
    silent = select(Message).where(Message.state == State.SENT, Message.handed_over_at < since)
    for message in session.scalars(silent.limit(BATCH).with_for_update(skip_locked=True)):
        finish(session, message, State.FAILED_TEMPORARY, "no receipt in time")


def _cover_codes(session: Session) -> None:
    """A one-time code whose time is over is covered in its message; only a demo keeps it readable."""
    if db.is_demo(session):
        return
    once = [t.name for t in text_catalogue.catalogue().texts.values() if t.once]
    now = db.now(session)
    old = select(Message).where(
        Message.text_name.in_(once),
        Message.expires_at.between(now - timedelta(hours=6), now),
        Message.state.not_in([State.QUEUED, State.CLAIMED]),
        Message.values_json.is_not(None),
    )
    for message in session.scalars(old.limit(BATCH).with_for_update(skip_locked=True)):
        if (hidden := text_rendering.hide_secrets(message.values)) != message.values:
            message.values = hidden
