"""Number lock: one transaction at a time decides about one phone number."""

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select
from sqlalchemy.orm import Session

from notifications.message import OPEN, Message
from notifications.synchronous_commit import SYNCHRONOUS_COMMIT

_NUMBERS_KEY: ColumnElement[int] = literal_column(
    "('x' || encode(substring(message.to_hash from 1 for 8), 'hex'))::bit(64)::bigint"
)
LOCK_NUMBER_OF_MESSAGE = select(Message.to_hash, func.pg_advisory_xact_lock(_NUMBERS_KEY), SYNCHRONOUS_COMMIT).where(
    Message.id == bindparam("message_id"), Message.state.in_(OPEN)
)


def lock_number(session: Session, to_hash: bytes) -> None:
    """Hold the number until the transaction ends, so that only one transaction at a time decides about it.

    Take it before any message's row and in its own statement: the next statement sees what the last holder committed.
    """
    key = int.from_bytes(to_hash[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key), SYNCHRONOUS_COMMIT))
