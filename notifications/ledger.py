"""The ledger: a claim, and what it came to, each written by one statement for the message and its attempt."""

from functools import cache
from typing import cast

from sqlalchemy import Table, bindparam, inspect, null, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Update

from db import Base
from notifications.message import Attempt, Message, State

# The session's own flush writes row after row and costs some three times as much.
_MESSAGE, _ATTEMPT = cast(Table, Message.__table__), cast(Table, Attempt.__table__)
_OF_THE_CLAIM = ("attempts", "gateway", "lease_until", "segments", "cost_fen", "locale", "text_version")
_leased = (
    update(_MESSAGE)
    .where(_MESSAGE.c.id == bindparam("m_id"))
    .values(
        state=State.CLAIMED,
        reason=null(),
        retry_at=null(),
        **{name: bindparam(f"m_{name}", type_=_MESSAGE.c[name].type) for name in _OF_THE_CLAIM},
    )
    .cte("leased")
)
_CLAIM = (
    insert(_ATTEMPT)
    .values({c: bindparam(f"a_{c.name}", type_=c.type) for c in _ATTEMPT.c if c.name != "id"})
    .add_cte(_leased)
    .returning(_ATTEMPT.c.id)
)


def write_claim(session: Session, message: Message, attempt: Attempt) -> None:
    """The lease and its attempt, which gets its id. ``message`` left the session before: its row is written here."""
    given = {"m_id": message.id} | {f"m_{name}": getattr(message, name) for name in _OF_THE_CLAIM}
    given |= {f"a_{c.name}": getattr(attempt, c.name) for c in _ATTEMPT.c}
    attempt.id = session.scalars(_CLAIM, given).one()


def write_end(session: Session, message: Message, attempt: Attempt) -> None:
    """What changed in both rows, at once. They leave the session: the caller is done with them."""
    changed = _changed(message), _changed(attempt)
    given = {"m_id": message.id, "a_id": attempt.id}
    given |= {f"m_{name}": getattr(message, name) for name in changed[0]}
    given |= {f"a_{name}": getattr(attempt, name) for name in changed[1]}
    session.expunge(message)
    session.expunge(attempt)
    if changed[0] or changed[1]:
        session.execute(_end(*changed), given)


def _changed(row: Base) -> frozenset[str]:
    state = inspect(row)
    return frozenset(state.mapper.column_attrs.keys()) - state.unmodified


@cache
def _end(of_message: frozenset[str], of_attempt: frozenset[str]) -> Update:
    statements = []
    for model, table, prefix, names in ((Message, _MESSAGE, "m", of_message), (Attempt, _ATTEMPT, "a", of_attempt)):
        columns = model.__mapper__.columns
        given = {columns[name]: bindparam(f"{prefix}_{name}", type_=columns[name].type) for name in sorted(names)}
        if given:
            row = columns["id"] == bindparam(f"{prefix}_id")
            statements.append(update(table).where(row).values(given))
    first, *rest = statements
    return first.add_cte(*(statement.cte("also") for statement in rest))
