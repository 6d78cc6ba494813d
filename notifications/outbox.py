"""Outbox: a message is a row written in the transaction of its event; its task is published after the commit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, event, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, make_transient_to_detached

import db
from notifications import facts, task_publisher, text_catalogue, text_rendering, texts
from notifications.message import Message, Priority, State
from notifications.moment import MOMENT_COLUMNS, Moment, moment_of_row, read_moment
from notifications.phone import BadNumber, NumberType, line_of, normalise
from notifications.quiet import when_allowed
from notifications.settings import NoticeSettings
from notifications.transitions import finish

TAKEN_BACK = "its event was corrected"
"""Why a message that still waited was never sent: what it was to tell is not so."""

_settings = NoticeSettings()


def configure(settings: NoticeSettings) -> None:
    """From now on this process posts under ``settings``."""
    global _settings
    _settings = settings


def settings() -> NoticeSettings:
    return _settings


_COLUMNS = {key: column for key, column in Message.__mapper__.columns.items() if key != "id"}
_ROWS = cast(Table, Message.__table__)
_WRITE = insert(_ROWS).on_conflict_do_nothing(index_elements=["event_key"]).returning(_ROWS.c.id, _ROWS.c.event_key)
_IN_FORCE = (
    select(texts.TextVersion.version, texts.TextVersion.words, texts.TextVersion.by_file, *MOMENT_COLUMNS)
    .where(texts.TextVersion.name == bindparam("name"), texts.TextVersion.locale == bindparam("locale"))
    .order_by(texts.TextVersion.version.desc())
    .limit(1)
)


class NotResendable(ValueError):
    """This message must not be said again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """One message to write for one event. ``at``: the business moment from which it may go out."""

    event_key: str
    text: str
    to: str
    values: Mapping[str, str]
    at: datetime
    locale: str = "zh"
    division_id: int | None = None
    case_id: int | None = None
    project_id: int | None = None
    expires_at: datetime | None = None


def queue_message(session: Session, new: NewMessage) -> Message:
    """Write ``new`` in the caller's transaction; a second call with the same event key returns the first row.

    Quiet hours postpone it until they end. A number that takes no SMS fails the message at once, and not the event.
    Raises UnknownText and MissingValue: mistakes of the program.
    """
    (row,) = queue_messages(session, [new])
    return row


def queue_messages(session: Session, news: Sequence[NewMessage]) -> list[Message]:
    """The same for many: the words in force are asked for once a text, and what is posted is counted together."""
    in_force: dict[tuple[str, str], tuple[int, Moment]] = {}
    rows = []
    for new in news:
        locale = new.locale if new.locale in text_catalogue.LOCALES else "zh"
        if (new.text, locale) not in in_force:
            in_force[new.text, locale] = _version_and_moment(session, new.text, locale)
        rows.append(_row(new, locale, *in_force[new.text, locale]))
    return _insert_all(session, rows)


def _row(new: NewMessage, locale: str, version: int, here: Moment) -> Message:
    known = text_catalogue.text_named(new.text)
    filled = text_rendering.fitted(new.text, new.values, _settings)
    not_before = new.at if known.priority is Priority.CODE else when_allowed(new.at, _settings)
    is_due = not_before <= here.now
    row = Message(
        event_key=new.event_key,
        text_name=new.text,
        text_version=version,
        locale=locale,
        state=State.QUEUED,
        attempts=0,
        carries=0,
        priority=int(known.priority),
        created_at=new.at,
        posted_at=here.real,
        not_before=not_before,
        due_since=here.real if is_due else None,
        rung_at=here.real if is_due else None,
        expires_at=new.expires_at or (new.at + known.expires if known.expires else None),
        division_id=new.division_id,
        case_id=new.case_id,
        project_id=new.project_id,
    )
    row.values = filled
    _address(row, new.to)
    return row


def withdraw(session: Session, event_key: str) -> bool:
    """Take back what was to be said of an event and that nobody can have heard yet; whether there was such a thing."""
    unheard = (Message.state == State.QUEUED, Message.attempts == 0, Message.carries == 0)
    row = session.scalar(select(Message).where(Message.event_key == event_key, *unheard).with_for_update())
    if row is None:
        return False
    finish(session, row, State.SUPPRESSED, TAKEN_BACK)
    return True


def readdress(session: Session, *, case_id: int, was: str, to: str) -> int:
    """What a case's wrong number has not heard yet goes to the right one; how many messages.

    One that carries a code is not sent at all: whoever corrects the number says a new one."""
    unheard = (Message.state == State.QUEUED, Message.attempts == 0, Message.carries == 0)
    mine = (Message.case_id == case_id, Message.to_hash == db.keyed_hash(was))
    rows = session.scalars(select(Message).where(*mine, *unheard).order_by(Message.id).with_for_update()).all()
    for row in rows:
        if text_rendering.hide_secrets(row.values) != row.values:
            finish(session, row, State.SUPPRESSED, TAKEN_BACK)
        else:
            _address(row, to)
    return len(rows)


def _address(row: Message, to: str) -> None:
    try:
        number = normalise(to)
    except BadNumber:
        row.to_phone, row.to_hash = to[:40], db.keyed_hash(to)
        row.state, row.reason = State.FAILED_PERMANENT, "not a phone number"
        return
    row.to_phone, row.to_hash = number, db.keyed_hash(number)
    if line_of(number) is NumberType.MAINLAND_LANDLINE:
        row.state, row.reason, row.error_code = State.FAILED_PERMANENT, "a landline takes no SMS", "21614"


def _version_and_moment(session: Session, name: str, locale: str) -> tuple[int, Moment]:
    """The words in force and what the time is, in one question."""
    found = session.execute(_IN_FORCE, {"name": name, "locale": locale}).first()
    if found is not None:
        version, words, by_file, *clocks = found
        if not by_file or words == text_catalogue.text_named(name).words[locale]:
            return version, moment_of_row(*clocks)
    return texts.current(session, name, locale).version, read_moment(session)  # a new release's words


def _insert_all(session: Session, rows: Sequence[Message]) -> list[Message]:
    """Write the rows; for an event that has its message already, that one is the answer."""
    given = [{column.name: getattr(row, key) for key, column in _COLUMNS.items()} for row in rows]
    made = {event_key: row_id for row_id, event_key in session.execute(_WRITE, given)} if given else {}
    told = {row.event_key: row for row in reversed(rows) if row.event_key in made}
    for row in told.values():
        row.id = made[row.event_key]
        for key in _COLUMNS:
            setattr(row, key, getattr(row, key))  # what was not said is None, and need not be asked for again
        make_transient_to_detached(row)  # it is in the database as it stands here
        session.add(row)
    facts.note_posted(session, told.values())
    due = [row for row in told.values() if row.state is State.QUEUED and row.rung_at is not None]
    publish_after_commit(session, [(row.id, Priority(row.priority)) for row in due])
    earlier = {row.event_key for row in rows} - made.keys()
    if earlier:
        told |= {row.event_key: row for row in session.scalars(select(Message).where(Message.event_key.in_(earlier)))}
    return [told[row.event_key] for row in rows]


# ---------------------------------------------------------------- the task after the commit


def publish_after_commit(session: Session, due: Iterable[tuple[int, Priority]]) -> None:
    """Publish a task for each of ``due`` once this session's transaction is committed, never after a rollback."""
    waiting: list[tuple[int, Priority]] = session.info.setdefault("notices_due", [])
    waiting.extend(due)
    if not session.info.get("notices_listening"):
        session.info["notices_listening"] = True
        event.listen(session, "after_commit", _publish_waiting)
        event.listen(session, "after_rollback", _forget_waiting)


def _publish_waiting(session: Session) -> None:
    if session.in_nested_transaction():
        return
    waiting = session.info["notices_due"]
    session.info["notices_due"] = []
    task_publisher.publish_due(waiting)


def _forget_waiting(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info["notices_due"] = []


# ---------------------------------------------------------------- what people do


def resend(session: Session, message: Message, *, reason: str, by_account: int | None, at: datetime) -> Message:
    """The same words again, because a person said why. Raises NotResendable."""
    if not reason.strip():
        raise NotResendable("a resend needs a reason")
    if text_catalogue.text_named(message.text_name).once:
        raise NotResendable("a one-time code is never resent: a new one is made")
    if message.state not in (State.FAILED_TEMPORARY, State.FAILED_PERMANENT, State.UNKNOWN, State.EXPIRED):
        raise NotResendable(f"a message that is {message.state} is not sent again")
    if message.to_phone is None or message.values_json is None:
        raise NotResendable("its personal data were erased")
    again = queue_message(
        session,
        NewMessage(
            event_key=f"again:{message.id}",
            text=message.text_name,
            to=message.to_phone,
            values=message.values,
            at=at,
            locale=message.locale,
            division_id=message.division_id,
            case_id=message.case_id,
            project_id=message.project_id,
        ),
    )
    again.resend_of_id, again.resend_reason = message.id, f"{reason.strip()} (account {by_account})"
    return again


def forget_codes(session: Session, *, case_id: int, texts_named: Iterable[str] = ()) -> int:
    """Cover the codes in a case's messages once they were used; ``******`` stands there from now on."""
    rows = select(Message).where(Message.case_id == case_id, Message.values_json.is_not(None))
    if wanted := list(texts_named):
        rows = rows.where(Message.text_name.in_(wanted))
    covered = 0
    for message in session.scalars(rows.where(Message.state.not_in([State.QUEUED, State.CLAIMED])).with_for_update()):
        if (hidden := text_rendering.hide_secrets(message.values)) != message.values:
            message.values = hidden
            covered += 1
    return covered


def body_of(session: Session, message: Message, *, plain: bool = False) -> str:
    """What was or will be sent, codes covered unless ``plain`` (a demo database, or the gateway itself)."""
    if message.values_json is None:
        return ""
    values = message.values if plain else text_rendering.hide_secrets(message.values)
    words = texts.words_of(session, message.text_name, message.locale, message.text_version)
    return text_rendering.render(words, values, message.locale, _settings)
