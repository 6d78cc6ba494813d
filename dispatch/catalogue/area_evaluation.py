"""Area evaluations (区域评估成果): what a zone had evaluated once for all projects inside it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from agents.network import Division
from db import Base
from dispatch.catalogue.matter import AreaKind
from dispatch.path import area_effects


class AreaEvaluation(Base):
    """An evaluation that a zone had made for all projects inside it (区域评估成果), shared free while valid."""

    __tablename__ = "area_evaluation"
    __table_args__ = (
        UniqueConstraint("division_id", "kind", "valid_from"),
        CheckConstraint("valid_to >= valid_from", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"))
    kind: Mapped[AreaKind]
    title: Mapped[str] = mapped_column(server_default="", default="")
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    negative_list: Mapped[list[str]] = mapped_column(server_default=text("'[]'::jsonb"), default=list)
    saved_cents: Mapped[int | None]  # what one project saves by sharing it, as the zone states


def site_of(division: Division, *, line: Iterable[Division], industry: str = "") -> area_effects.EvaluatedSite:
    """The site of a project as an area evaluation is judged by: wholly inside every division it belongs to."""
    inside = frozenset(d.name for d in (*line, division))
    return area_effects.EvaluatedSite(inside, industry=industry)


def area_evaluations(session: Session, division: Division) -> list[area_effects.ZoneEvaluation]:
    """What the zones that a place belongs to had evaluated, old ones too: the path says which still serve."""
    rows = session.execute(
        select(AreaEvaluation, Division.name)
        .join(Division, Division.id == AreaEvaluation.division_id)
        .where(Division.code.in_(division.path.split(".")))
        .order_by(AreaEvaluation.kind, AreaEvaluation.valid_from.desc(), AreaEvaluation.id)
    )
    return [
        area_effects.ZoneEvaluation(
            kind=row.kind,
            zone=zone,
            approved_on=row.valid_from,
            valid_to=row.valid_to,
            negative_list=frozenset(row.negative_list),
            cost_saved_yuan=(row.saved_cents or 0) // 100,
        )
        for row, zone in rows
    ]
