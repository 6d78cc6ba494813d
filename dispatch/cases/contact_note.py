"""Contact note: what was said with the enterprise about a case, by whom, and what was left to come back to."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db import Base, EncryptedText


class ContactWay(StrEnum):
    """How the two sides met: PHONE, VISIT at a counter or the site, MESSAGE by any messenger."""

    PHONE = "phone"
    VISIT = "visit"
    MESSAGE = "message"


CONTACT_WAY_LABEL = {ContactWay.PHONE: "电话", ContactWay.VISIT: "当面", ContactWay.MESSAGE: "短信或微信"}


class ContactNote(Base):
    """One contact (联系记录) with the enterprise. The office alone reads it.

    ``follow_up_on``: the day by which the office comes back to it; ``followed_at``: when it did. A wrong one is
    replaced by a further row (``corrects``) or is void; it is kept and counts no more."""

    __tablename__ = "contact_note"
    __table_args__ = (
        Index("uq_contact_note_corrects", "corrects", unique=True, postgresql_where=text("corrects IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("dispatch_case.id"), index=True)
    way: Mapped[ContactWay]
    is_theirs: Mapped[bool]
    """The enterprise began it."""
    was_missed: Mapped[bool]
    """Nobody answered."""
    person: Mapped[str] = mapped_column(EncryptedText)
    words: Mapped[str] = mapped_column(EncryptedText)
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    follow_up_on: Mapped[date | None]
    followed_at: Mapped[datetime | None]
    followed_by: Mapped[str | None]
    account_id: Mapped[int | None]
    late_reason: Mapped[str | None] = mapped_column(Text)
    corrects: Mapped[int | None] = mapped_column(ForeignKey("contact_note.id"))
    replaced_at: Mapped[datetime | None]
    replaced_by: Mapped[str | None]
    correction_reason: Mapped[str | None] = mapped_column(Text)
    """Why this one counts no more."""
