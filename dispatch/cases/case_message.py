"""Case message: what enterprise and office write to each other inside a case, and whether it was read and answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Row
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText


class CaseMessage(Base):
    """One message (留言) in a case, read by both sides.

    ``settled_at``: the office dealt with it otherwise than by a message, as ``settled_because`` says."""

    __tablename__ = "case_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    is_theirs: Mapped[bool]
    """The enterprise wrote it."""
    words: Mapped[str] = mapped_column(EncryptedText)
    written_at: Mapped[datetime]
    written_by: Mapped[str]
    read_at: Mapped[datetime | None]
    """When the other side read it."""
    read_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settled_because: Mapped[str | None] = mapped_column(EncryptedText)


def answered_at(message: CaseMessage | Row[Any], conversation: Sequence[CaseMessage | Row[Any]]) -> datetime | None:
    """When an enterprise's message was dealt with: by the office's next message that stands, or otherwise.

    ``conversation``: the messages of the case. One that was withdrawn asks nothing any more."""
    answers = [
        one.written_at for one in conversation if not one.is_theirs and one.withdrawn_at is None and one.id > message.id
    ]
    ends = [*answers, *(at for at in (message.settled_at, message.withdrawn_at) if at is not None)]
    return min(ends, default=None)
