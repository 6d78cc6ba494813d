"""Saved view: a list's filter and order under a name, kept for the person who set it."""

from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db import Base

LONGEST_QUERY = 500


class ListName(StrEnum):
    """The lists of which a view may be kept."""

    CASES = "cases"
    PROJECTS = "projects"
    OWED = "owed"
    TICKETS = "tickets"
    AGENTS = "agents"


class SavedView(Base):
    """One view of one list of one account; ``query`` is what stands behind the question mark of its address."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("account_id", "list_name", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    list_name: Mapped[ListName]
    name: Mapped[str] = mapped_column(String(40))
    query: Mapped[str] = mapped_column(String(LONGEST_QUERY))
