"""Number budget: apply the rules of budget.py to one number's rows: send now, postpone, or merge what waits."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications import budget, outbox, text_catalogue, text_rendering, texts
from notifications.message import Attempt, AttemptOutcome, Message, Priority, State
from notifications.moment import Moment
from notifications.outgoing import body_hash_of, routes_of
from notifications.quiet import when_allowed
from notifications.settings import NoticeSettings
from notifications.transitions import finish, postpone

AFTER_URGENT = timedelta(seconds=30)


def fits_budget(session: Session, message: Message, to_hash: bytes, at: Moment, settings: NoticeSettings) -> bool:
    """True when the message may go now; else it was postponed or merged. The caller holds the number's lock."""
    now = at.now
    codes_apart = settings.codes_apart(routes_of(message, settings))
    if codes_apart and message.priority == Priority.CODE:
        return True
    sent = _sent(session, to_hash, now, settings, codes_apart)
    waiting = _waiting(session, to_hash, now)
    left = budget.remaining(sent, settings)
    if len(waiting) > 1 and len(waiting) > left:
        _merge(session, waiting, left, settings)
        if message.state is not State.QUEUED:
            return False
    priority = Priority(message.priority)
    is_legal = text_catalogue.text_named(message.text_name).legal
    urgent = {
        body_hash_of(session, w, settings)
        for w in waiting
        if w.state is State.QUEUED
        and w.priority < priority
        and not (codes_apart and w.priority == Priority.CODE)
        and w.not_before <= now
        and w.retry_at is None
    }
    if not sent and not urgent:
        return True
    body_hash = body_hash_of(session, message, settings)
    free = budget.allowed_at(sent, body_hash, priority, len(urgent), settings, is_legal=is_legal)
    if free is None:
        return True
    if urgent and not is_legal and budget.allowed_at(sent, body_hash, priority, 0, settings) is None:
        message.retry_at = at.real + AFTER_URGENT  # what matters more is on its way: see what it leaves
    else:
        postpone(message, when_allowed(max(free, now), settings))
    return False


def _sent(
    session: Session, to_hash: bytes, now: datetime, settings: NoticeSettings, codes_apart: bool
) -> list[budget.SentText]:
    rows = (
        select(Attempt.body_hash, Attempt.at)
        .where(Attempt.to_hash == to_hash, Attempt.at > now - settings.day)
        .where(Attempt.outcome.is_(None) | Attempt.outcome.in_([AttemptOutcome.SENT, AttemptOutcome.UNKNOWN]))
    )
    if codes_apart:
        rows = rows.join(Message, Message.id == Attempt.message_id).where(Message.priority != int(Priority.CODE))
    return [budget.SentText(body_hash, at) for body_hash, at in session.execute(rows)]


def _waiting(session: Session, to_hash: bytes, now: datetime) -> list[Message]:
    """The number's queued messages whose event has happened, this one among them: due or postponed."""
    rows = select(Message).where(Message.to_hash == to_hash, Message.state == State.QUEUED, Message.created_at <= now)
    return list(session.scalars(rows.order_by(Message.id).with_for_update()))


def _merge(session: Session, waiting: list[Message], left: int, settings: NoticeSettings) -> None:
    rows = {m.id: m for m in waiting}
    plan = budget.plan_merges(
        [
            budget.PendingText(m.id, m.text_name, m.case_id, m.locale, 1 + m.carries)
            for m in waiting
            if text_catalogue.text_named(m.text_name).priority is not Priority.CODE
        ],
        left,
        text_catalogue.catalogue(),
    )
    for merge in plan:
        carrier, absorbed = rows[merge.carrier], [rows[i] for i in merge.absorbed]
        if merge.text is not None:
            values = {"count": str(merge.count)}
            for one in (*absorbed, carrier):
                values |= {k: v for k, v in one.values.items() if k not in values}
            if merge.text != "news" and not text_catalogue.text_named(merge.text).digest:
                values |= carrier.values  # of a pair, the later one's day, window and code count
            carrier.text_version = texts.current(session, merge.text, carrier.locale).version
            carrier.text_name = merge.text
            carrier.values = text_rendering.fitted(merge.text, values, settings)
        carrier.carries = merge.count - 1
        carrier.priority = min(carrier.priority, *(one.priority for one in absorbed))
        carrier.not_before = min(carrier.not_before, *(one.not_before for one in absorbed))
        for one in absorbed:
            finish(session, one, State.SUPPRESSED, f"said by message {carrier.id}")
            one.carrier_id = carrier.id
        carrier.rung_at = None
        outbox.publish_after_commit(session, [(carrier.id, Priority(carrier.priority))])
