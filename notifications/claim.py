"""The claim: one worker takes one due message, decides whether and how it goes out, and commits a lease."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, exists, func, literal_column, select
from sqlalchemy.orm import Session, aliased

import db
from notifications import budget, facts, health, ledger, outbox, suppression, texts
from notifications.crash_points import reached
from notifications.gateways.gateway import OutgoingSms
from notifications.message import OPEN, Attempt, AttemptOutcome, Message, Priority, State
from notifications.moment import MOMENT_COLUMNS, Moment, moment_of_row
from notifications.phone import NumberType, line_of
from notifications.quiet import when_allowed
from notifications.segments import segments
from notifications.settings import GatewayShare, NoticeSettings
from notifications.synchronous_commit import SYNCHRONOUS_COMMIT

AFTER_URGENT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on one message. ``look_up``: an earlier attempt may have gone out, so ask before anything else."""

    letter: OutgoingSms
    gateway: str
    attempt_id: int
    look_up: bool
    leased_at: datetime
    since: float
    """``time.monotonic()`` before the lease was taken: a worker that was held up must not call any more."""


_NUMBERS_KEY: ColumnElement[int] = literal_column(
    "('x' || encode(substring(message.to_hash from 1 for 8), 'hex'))::bit(64)::bigint"
)
_LOCK_ITS_NUMBER = select(Message.to_hash, func.pg_advisory_xact_lock(_NUMBERS_KEY), SYNCHRONOUS_COMMIT).where(
    Message.id == bindparam("message_id"), Message.state.in_(OPEN)
)
_other = aliased(Message)
_TAKE_IT = (
    select(
        Message,
        suppression.why_of(Message.to_hash).scalar_subquery(),
        exists().where(Attempt.to_hash == Message.to_hash)
        | exists().where(_other.to_hash == Message.to_hash, _other.state == State.QUEUED, _other.id != Message.id),
        *MOMENT_COLUMNS,
    )
    .where(Message.id == bindparam("message_id"))
    .with_for_update(of=Message, skip_locked=True)
)
"""The row; why its number is left alone; whether the number's budget has anything to count; the moment."""
_ANEW = {"populate_existing": True}


def lock_number(session: Session, to_hash: bytes) -> None:
    """What is decided about one number is decided by one transaction at a time, and is kept once it is committed.

    Taken before any message's row, and in a statement of its own: the next one sees what the last holder did.
    """
    key = int.from_bytes(to_hash[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key), SYNCHRONOUS_COMMIT))


def expires_by(message: Message, at: Moment) -> datetime:
    """The business moment by which a message's expiry is judged.

    That is now; but the clock of a demo jumps by days, and what came due on the way was not late: it is judged at its
    own moment, as if the workers had been up all the time. Quiet hours and budget are judged where the clock stands.
    """
    return min(at.now, max(message.not_before, message.created_at)) if at.is_demo else at.now


def claim(session: Session, message_id: int, settings: NoticeSettings) -> Claim | None:
    """The lease, or None when the message is not due, somebody else's, final, or was merged or held just now."""
    since = time.monotonic()
    to_hash = session.execute(_LOCK_ITS_NUMBER, {"message_id": message_id}).scalar()
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
    _speak_what_is_registered(session, message, settings)
    if not _may_go(session, message, to_hash, why, at, settings, alone=not has_company):
        return None
    return _lease(session, message, at, since, settings)


def _speak_what_is_registered(session: Session, message: Message, settings: NoticeSettings) -> None:
    """A domestic provider sends registered words only: where there are none in the message's language, Chinese ones."""
    for route in _routes(message, settings):
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
    letter = _letter(message, attempt, _body(session, message, settings))
    return Claim(letter, attempt.gateway, attempt.id, True, real, since)


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
    return alone or _fits_budget(session, message, to_hash, at, settings)


def _fits_budget(session: Session, message: Message, to_hash: bytes, at: Moment, settings: NoticeSettings) -> bool:
    now = at.now
    codes_apart = settings.codes_apart(_routes(message, settings))
    if codes_apart and message.priority == Priority.CODE:
        return True
    gone = _gone(session, to_hash, now, settings, codes_apart)
    waiting = _waiting(session, to_hash, now)
    left = budget.remaining(gone, settings)
    if len(waiting) > 1 and len(waiting) > left:
        _merge(session, waiting, left, settings)
        if message.state is not State.QUEUED:
            return False
    priority = Priority(message.priority)
    urgent = {
        _body_hash(session, w, settings)
        for w in waiting
        if w.state is State.QUEUED
        and w.priority < priority
        and not (codes_apart and w.priority == Priority.CODE)
        and w.not_before <= now
        and w.retry_at is None
    }
    if not gone and not urgent:
        return True
    body_hash = _body_hash(session, message, settings)
    free = budget.allowed_at(gone, body_hash, priority, len(urgent), settings)
    if free is None:
        return True
    if urgent and budget.allowed_at(gone, body_hash, priority, 0, settings) is None:
        message.retry_at = at.real + AFTER_URGENT  # what matters more is on its way: see what it leaves
    else:
        postpone(message, when_allowed(max(free, now), settings))
    return False


def _gone(
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
    """What has happened and was not said yet, this message among it: due, or held for the budget or the morning."""
    rows = select(Message).where(Message.to_hash == to_hash, Message.state == State.QUEUED, Message.created_at <= now)
    return list(session.scalars(rows.order_by(Message.id).with_for_update()))


def _merge(session: Session, waiting: list[Message], left: int, settings: NoticeSettings) -> None:
    rows = {m.id: m for m in waiting}
    plan = budget.plan_merges(
        [
            budget.PendingText(m.id, m.text_name, Priority(m.priority), m.case_id, m.locale, 1 + m.carries)
            for m in waiting
            if texts.text_named(m.text_name).priority is not Priority.CODE
        ],
        left,
        texts.catalogue(),
    )
    for merge in plan:
        carrier, absorbed = rows[merge.carrier], [rows[i] for i in merge.absorbed]
        if merge.text is not None:
            values = {"count": str(merge.count)}
            for one in (*absorbed, carrier):
                values |= {k: v for k, v in one.values.items() if k not in values}
            if merge.text != "news" and not texts.text_named(merge.text).digest:
                values |= carrier.values  # of a pair, the later one's day, window and code count
            carrier.text_version = texts.current(session, merge.text, carrier.locale).version
            carrier.text_name = merge.text
            carrier.values = texts.fitted(merge.text, values, settings)
        carrier.carries = merge.count - 1
        carrier.priority = min(carrier.priority, *(one.priority for one in absorbed))
        carrier.not_before = min(carrier.not_before, *(one.not_before for one in absorbed))
        for one in absorbed:
            finish(session, one, State.SUPPRESSED, f"said by message {carrier.id}")
            one.carrier_id = carrier.id
        carrier.rung_at = None
        outbox.publish_after_commit(session, [(carrier.id, Priority(carrier.priority))])


def _lease(session: Session, message: Message, at: Moment, since: float, settings: NoticeSettings) -> Claim:
    gateway = health.choose(session, _routes(message, settings))
    session.flush()  # what a merge made of it, and of others
    session.expunge(message)  # from here on one statement writes it
    message.become(State.CLAIMED)
    message.attempts += 1
    body = _body(session, message, settings)
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
    return Claim(_letter(message, attempt, body), gateway, attempt.id, False, at.real, since)


def _routes(message: Message, settings: NoticeSettings) -> tuple[GatewayShare, ...]:
    match line_of(message.to_phone or ""):
        case NumberType.MAGIC:
            return (GatewayShare("console"),)
        case NumberType.FOREIGN:
            return settings.foreign
        case _:
            return settings.mainland


def _body(session: Session, message: Message, settings: NoticeSettings) -> str:
    words = texts.committed_words(session, message.text_name, message.locale, message.text_version)
    return texts.render(words, message.values, message.locale, settings)


def _body_hash(session: Session, message: Message, settings: NoticeSettings) -> bytes:
    return db.keyed_hash(_body(session, message, settings))


def _letter(message: Message, attempt: Attempt, body: str) -> OutgoingSms:
    valid_s = None
    if message.expires_at is not None:
        valid_s = int((message.expires_at - attempt.at).total_seconds())
    return OutgoingSms(
        message_id=message.id,
        reference=attempt.reference,
        to=message.to_phone or "",
        body=body,
        text=message.text_name,
        locale=message.locale,
        values=message.values,
        started_at=attempt.started_at,
        valid_s=valid_s,
    )


# ---------------------------------------------------------------- what any step may do to a message


def finish(session: Session, message: Message, state: State, reason: str, *, real: datetime | None = None) -> None:
    """A final word, and its count. ``real`` saves the question what the time is."""
    before = message.state
    message.become(state, reason)
    message.lease_until = message.due_since = None
    message.settled_at = real or db.real_now(session)
    measures = {state.value: 1}
    if before in (State.FAILED_TEMPORARY, State.FAILED_PERMANENT, State.UNKNOWN):
        measures[before.value] = -1
    facts.note(session, message, **measures)


def postpone(message: Message, until: datetime) -> None:
    """Not now: the row keeps the moment, and nobody sleeps for it."""
    message.not_before, message.due_since, message.rung_at = until, None, None
