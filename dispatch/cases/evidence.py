"""Evidence register: results and papers that an enterprise holds already, so that nothing is asked of it twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import ForeignKey, Index, Text, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base


class EvidenceOrigin(StrEnum):
    """Where a row comes from: RESULT 办理结果, PAPER 已核验的材料, ENTERED 查询登记."""

    RESULT = "result"
    PAPER = "paper"
    ENTERED = "entered"


ORIGIN_LABEL = {
    EvidenceOrigin.RESULT: "办理结果",
    EvidenceOrigin.PAPER: "核验过的材料",
    EvidenceOrigin.ENTERED: "查询登记",
}


class Evidence(Base):
    """One paper that the enterprise holds: what, its number, from when to when, and what proves it.

    ``project_id``: it counts for that project alone; None: for every project of the enterprise. A row is withdrawn,
    never deleted."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index(
            "ix_evidence_standing", "enterprise_id", "name", postgresql_where=text("withdrawn_at IS NULL")
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    name: Mapped[str]
    origin: Mapped[EvidenceOrigin]
    number: Mapped[str] = mapped_column(default="")
    issued_on: Mapped[date | None]
    valid_until: Mapped[date | None]
    reference: Mapped[str] = mapped_column(Text, default="")
    sha256: Mapped[str | None]
    review_id: Mapped[int | None] = mapped_column(ForeignKey("review.id"), index=True)
    material_id: Mapped[int | None] = mapped_column(ForeignKey("material.id", use_alter=True), index=True)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    account_id: Mapped[int | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str] = mapped_column(Text, default="")

    def is_valid(self, on: date) -> bool:
        """It stands, and has not run out by that day."""
        return self.withdrawn_at is None and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True, slots=True)
class EvidenceHolder:
    """Whose papers are looked up, and for which project."""

    enterprise_id: int
    project_id: int


class EvidenceSource(Protocol):
    """A register that can be asked what an enterprise holds: ours, later one of the authorities'."""

    def look_up(
        self, session: Session, holder: EvidenceHolder, names: Collection[str], *, on: date
    ) -> Mapping[str, Evidence]:
        """The valid row of each of these papers that is known here."""


class LocalRegister:
    """Our own table."""

    def look_up(
        self, session: Session, holder: EvidenceHolder, names: Collection[str], *, on: date
    ) -> Mapping[str, Evidence]:
        """The newest valid row of each; one of the project itself before one of the enterprise."""
        rows = session.scalars(
            select(Evidence)
            .where(
                Evidence.enterprise_id == holder.enterprise_id, Evidence.name.in_(names),
                Evidence.withdrawn_at.is_(None),
                or_(Evidence.project_id.is_(None), Evidence.project_id == holder.project_id),
            )
            .order_by(Evidence.project_id.asc().nulls_first(), Evidence.id)
        )  # fmt: skip
        return {row.name: row for row in rows if row.is_valid(on)}


SOURCES: tuple[EvidenceSource, ...] = (LocalRegister(),)
"""Asked in this order."""


def find_evidence(
    session: Session, holder: EvidenceHolder, names: Collection[str], *, on: date
) -> Mapping[str, Evidence]:
    """What is held already of these papers, from the first source that knows it."""
    found: dict[str, Evidence] = {}
    for source in SOURCES:
        left = [name for name in names if name not in found]
        if left:
            found.update(source.look_up(session, holder, left, on=on))
    return found
