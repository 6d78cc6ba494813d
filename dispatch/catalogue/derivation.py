"""Derivation: whether the limits that are kept were folded with the calendar and the catalogue as they are now."""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base


class Derivation(Base):
    """One row: what the limits are to be derived for, and what they were last derived for to the end."""

    __tablename__ = "derivation"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wanted: Mapped[UUID]
    done: Mapped[UUID | None]
    with_catalogue: Mapped[bool]  # not the calendar alone: the limits themselves may be other ones


def want_derivation(session: Session, *, with_catalogue: bool) -> None:
    """Something that limits follow from has changed: they are to be derived anew."""
    values = {"wanted": uuid4(), "with_catalogue": with_catalogue}
    added = insert(Derivation).values(id=1, **values)
    sticks = {**values, "with_catalogue": Derivation.with_catalogue | with_catalogue}
    session.execute(added.on_conflict_do_update(index_elements=["id"], set_=sticks))


def wanted_derivation(session: Session) -> Derivation | None:
    """What the limits have not been derived for to the end; None when they have."""
    return session.scalar(select(Derivation).where(Derivation.done.is_distinct_from(Derivation.wanted)))


def note_derived(session: Session, wanted: UUID) -> None:
    """All limits were derived for this; what changed meanwhile is still wanted."""
    is_same = Derivation.wanted == wanted
    session.execute(update(Derivation).where(is_same).values(done=wanted, with_catalogue=False))
