"""Divisions and service centres as programs read them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, ServiceCentre


def places(session: Session, *, parent: str | None, after: str | None, limit: int) -> list[Division]:
    """Divisions below ``parent`` (or the province), by code."""
    query = select(Division).where(Division.retired_on.is_(None)).order_by(Division.code)
    query = query.where(Division.parent_code == parent) if parent else query.where(Division.level <= 2)
    if after is not None:
        query = query.where(Division.code > after)
    return list(session.scalars(query.limit(limit + 1)))


def centres(session: Session) -> Sequence[ServiceCentre]:
    """All service centres, by number."""
    query = select(ServiceCentre).where(ServiceCentre.retired_on.is_(None)).order_by(ServiceCentre.centre_no)
    return session.scalars(query).all()
