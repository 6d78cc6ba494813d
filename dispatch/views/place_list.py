"""Divisions and service centres as programs read them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, Level, ServiceCentre
from agents.place_names import NamedPlace, PlaceIndex
from dispatch.cases.access_control import within
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.localized_text import LocalizedText
from dispatch.views.resource_lists import holds


def places(session: Session, *, parent: str | None, q: str = "", after: str | None, limit: int) -> list[Division]:
    """Divisions below ``parent`` (or the province), by code; those whose name holds ``q``, of any level."""
    query = select(Division).where(Division.retired_on.is_(None)).order_by(Division.code)
    if q:
        query = query.where(holds(q, Division.name))  # type: ignore[arg-type]
    if parent or not q:
        query = query.where(Division.parent_code == parent) if parent else query.where(Division.level <= 2)
    if after is not None:
        query = query.where(Division.code > after)
    return list(session.scalars(query.limit(limit + 1)))


def centres(session: Session) -> Sequence[ServiceCentre]:
    """All service centres, by number."""
    query = select(ServiceCentre).where(ServiceCentre.retired_on.is_(None)).order_by(ServiceCentre.centre_no)
    return session.scalars(query).all()


def place_index(session: Session) -> PlaceIndex:
    """Cities, counties, towns and zones in force, by every form of their names."""
    rows = session.execute(
        select(
            Division.code, Division.name, Division.level, Division.parent_code, Division.lon, Division.lat
        ).where(Division.level <= Level.TOWN, Division.retired_on.is_(None))
    )  # fmt: skip
    return PlaceIndex(NamedPlace(*row) for row in rows)


MOST_NAMED = 6


def place_named(session: Session, viewer: Actor, typed: str) -> Division:
    """The one place of the viewer's reach that was typed, name or code. Raises Refused, naming what it may be."""
    index = place_index(session)
    own = _reach(session, viewer, [place.code for place in index.named(typed)])
    if len(own) == 1:
        return own[0]
    near = own or _reach(session, viewer, [place.code for place in index.proposals(typed)])
    if not near:
        raise Refused(f"no place {typed!r}", user_message="没有找到这个地方，请填写名称或12位代码")
    names = [index.full_name(index.by_code[place.code]) for place in near[:MOST_NAMED]]
    raise Refused(
        f"{typed!r} may be {names}",
        user_message=LocalizedText("请写明是哪里：%(places)s", places="、".join(names)),
    )


def _reach(session: Session, viewer: Actor, codes: list[str]) -> Sequence[Division]:
    mine = select(Division).where(Division.code.in_(codes), within(viewer, Division.id))  # type: ignore[arg-type]
    return session.scalars(mine.order_by(Division.path)).all()
