"""Implementations (实施清单): how a division handles a matter, over what stands above it in the tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from agents.network import Division, Level, ServiceCentre
from db import Base
from dispatch.catalogue.authority_names import authority_name
from dispatch.catalogue.limit_column import LimitForm, limits_are_limits
from dispatch.catalogue.matter import Matter
from dispatch.core.limit import IMMEDIATE, Limit


class Implementation(Base):
    """How one division handles a matter (实施清单). A column that is None keeps what stands above it in the tree."""

    __tablename__ = "implementation"
    __table_args__ = (
        UniqueConstraint("matter_id", "division_id"),
        CheckConstraint("legal_fee_cents >= 0", name="not_negative"),
        limits_are_limits("statutory_limit", "committed_limit"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[int] = mapped_column(ForeignKey("matter.id"))
    division_id: Mapped[int] = mapped_column(ForeignKey("division.id"), index=True)
    authority: Mapped[str | None]
    counter_place: Mapped[str | None]
    centre_id: Mapped[int | None] = mapped_column(ForeignKey("service_centre.id"))
    seal: Mapped[str | None]
    statutory_limit: Mapped[Limit | None] = mapped_column(LimitForm)
    committed_limit: Mapped[Limit | None] = mapped_column(LimitForm)
    legal_fee_cents: Mapped[int | None]
    fee_basis: Mapped[str | None]
    fee_payer: Mapped[str | None]
    same_day: Mapped[bool | None]


@dataclass(frozen=True, slots=True)
class Handling:
    """How a matter is handled for a place: the catalogue's defaults under what the divisions above it say."""

    matter_code: str
    authority: str
    division_id: int  # the authority's division
    counter_division_id: int  # where the counter is: an agent of that division stands at it
    counter_place: str
    centre_id: int | None
    centre_no: str | None  # whose opening hours the counter keeps
    seal: str
    statutory: Limit | None
    committed: Limit | None
    today: Limit | None
    legal_fee_cents: int | None
    fee_basis: str
    fee_payer: str
    same_day: bool


def handlings_of(session: Session, matters: Iterable[Matter], division: Division) -> dict[str, Handling]:
    """How each matter is handled for a place. A division's own row wins over those above it, column by column."""
    wanted = list(matters)
    line = session.scalars(
        select(Division).where(Division.code.in_(division.path.split("."))).order_by(Division.level.desc())
    ).all()
    centres: dict[int, ServiceCentre] = {}
    for centre in session.scalars(
        select(ServiceCentre)
        .where(ServiceCentre.division_id.in_([d.id for d in line]), ServiceCentre.retired_on.is_(None))
        .order_by(ServiceCentre.centre_no.desc())
    ):
        centres[centre.division_id] = centre
    rows: dict[tuple[int, int], Implementation] = {
        (row.matter_id, row.division_id): row
        for row in session.scalars(
            select(Implementation).where(
                Implementation.matter_id.in_([m.id for m in wanted]),
                Implementation.division_id.in_([d.id for d in line]),
            )
        )
    }
    return {
        matter.code: _handling(
            matter, line, [rows[matter.id, d.id] for d in line if (matter.id, d.id) in rows], centres
        )
        for matter in wanted
    }


def _handling(
    matter: Matter, line: Iterable[Division], rows: list[Implementation], centres: Mapping[int, ServiceCentre]
) -> Handling:
    """``line`` and ``rows`` run from the place upwards."""
    upwards = list(line)

    def said(column: str, default: Any) -> Any:
        return next((value for row in rows if (value := getattr(row, column)) is not None), default)

    authority_at = _nearest(upwards, matter.level)
    counter_at = _nearest(upwards, matter.counter_level)
    centre = next((centres[d.id] for d in upwards if d.level <= counter_at.level and d.id in centres), None)
    statutory: Limit | None = said("statutory_limit", matter.statutory_limit)
    committed: Limit | None = said("committed_limit", matter.committed_limit)
    centre_id = said("centre_id", centre.id if centre else None)
    own_commitment = any(row.committed_limit is not None for row in rows)
    return Handling(
        matter_code=matter.code,
        authority=said("authority", None) or authority_name(matter.department, authority_at.name),
        division_id=authority_at.id,
        counter_division_id=counter_at.id,
        counter_place=said("counter_place", None) or (centre.name if centre else f"{counter_at.name}政务服务中心"),
        centre_id=centre_id,
        centre_no=next((c.centre_no for c in centres.values() if c.id == centre_id), None),
        seal=said("seal", ""),
        statutory=statutory,
        committed=committed,
        today=committed if own_commitment else matter.today_limit,
        legal_fee_cents=said("legal_fee_cents", None),
        fee_basis=said("fee_basis", ""),
        fee_payer=said("fee_payer", ""),
        same_day=said("same_day", IMMEDIATE in (statutory, committed)),
    )


def _nearest(upwards: list[Division], level: Level) -> Division:
    """The division of that level on the way up; the place itself when it stands higher already."""
    return next((division for division in upwards if division.level <= level), upwards[-1])
