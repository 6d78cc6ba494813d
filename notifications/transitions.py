"""Transitions: the two changes that any step may make to a message: finish it, or postpone it."""

from datetime import datetime

from sqlalchemy.orm import Session

import db
from notifications import facts
from notifications.message import Message, State


def finish(session: Session, message: Message, state: State, reason: str, *, real: datetime | None = None) -> None:
    """Move to ``state`` and count it. ``real``: the real time, where the caller knows it; else it is queried."""
    before = message.state
    message.become(state, reason)
    message.lease_until = message.due_since = None
    message.settled_at = real or db.real_now(session)
    measures = {state.value: 1}
    if before in (State.FAILED_TEMPORARY, State.FAILED_PERMANENT, State.UNKNOWN):
        measures[before.value] = -1
    facts.note(session, message, **measures)


def postpone(message: Message, until: datetime) -> None:
    """Nothing is sent before ``until``. The row keeps the moment; no task waits for it."""
    message.not_before, message.due_since, message.rung_at = until, None, None
