"""Places and people: divisions, centres, matters, agents."""

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy import select

from agents.roster import Agent, skills_of
from dispatch.cases.access_control import visible_agents
from dispatch.catalogue.matter import Family, Matter
from dispatch.views import place_list
from web.wiring import cursors
from web.wiring.api_schema import PageQuery, problems
from web.wiring.auth import current_actor, signed_in, staff_only
from web.wiring.transactions import transaction

bp = APIBlueprint("api_places", __name__, url_prefix="/api/v1", tag="places")


class DivisionsQuery(PageQuery):
    """Which divisions."""

    parent: str | None = Field(default=None, pattern=r"^\d{12}$")


class MattersQuery(PageQuery):
    """Which matters."""

    family: Family | None = None


@bp.get("/divisions")
@signed_in
@bp.input(DivisionsQuery, location="query", arg_name="asked")
@bp.output({})
@bp.doc(responses=problems(422), security="bearer")
def divisions(asked: DivisionsQuery) -> dict[str, Any]:
    """The province and its cities, or what stands directly below ``parent``."""
    after = cursors.decode(asked.cursor, str)
    with transaction() as session:
        rows = place_list.places(session, parent=asked.parent, after=after[0] if after else None, limit=asked.limit)
    items, following = cursors.page(rows, asked.limit, lambda row: (row.code,))
    return {
        "items": [
            {"code": d.code, "name": d.name, "level": int(d.level), "parent": d.parent_code, "lon": d.lon, "lat": d.lat}
            for d in items
        ],
        "next_cursor": following,
    }


@bp.get("/centres")
@signed_in
@bp.output({})
@bp.doc(responses=problems(), security="bearer")
def centres() -> dict[str, Any]:
    """Every service centre."""
    with transaction() as session:
        rows = place_list.centres(session)
        return {
            "items": [
                {"centre_no": c.centre_no, "name": c.name, "level": c.level, "lon": c.lon, "lat": c.lat} for c in rows
            ],
            "next_cursor": None,
        }


@bp.get("/matters")
@signed_in
@bp.input(MattersQuery, location="query", arg_name="asked")
@bp.output({})
@bp.doc(responses=problems(422), security="bearer")
def matters(asked: MattersQuery) -> dict[str, Any]:
    """The catalogue, with its limits in working days and how well each is known."""
    after = cursors.decode(asked.cursor, str)
    query = select(Matter).where(Matter.retired_on.is_(None)).order_by(Matter.code)
    if asked.family is not None:
        query = query.where(Matter.family == asked.family)
    if after is not None:
        query = query.where(Matter.code > after[0])
    with transaction() as session:
        rows = session.scalars(query.limit(asked.limit + 1)).all()
    items, following = cursors.page(rows, asked.limit, lambda row: (row.code,))
    return {
        "items": [
            {
                "code": m.code, "name": m.name, "name_en": m.name_en, "family": m.family.value, "phase": m.phase,
                "department": m.department, "statutory_wd": m.statutory_wd, "committed_wd": m.committed_wd,
                "counts_in_target": m.counts_in_target, "confidence_statutory": m.confidence_statutory.value,
                "confidence_committed": m.confidence_committed.value, "source": m.source,
            }
            for m in items
        ],
        "next_cursor": following,
    }  # fmt: skip


@bp.get("/agents")
@staff_only
@bp.input(PageQuery, location="query", arg_name="asked")
@bp.output({})
@bp.doc(responses=problems(422), security="bearer")
def agents(asked: PageQuery) -> dict[str, Any]:
    """The agents that I may see, with load and skills."""
    after = cursors.decode(asked.cursor, int)
    query = select(Agent).where(visible_agents(current_actor()), Agent.active).order_by(Agent.id)
    if after is not None:
        query = query.where(Agent.id > after[0])
    with transaction() as session:
        rows = session.scalars(query.limit(asked.limit + 1)).all()
        items, following = cursors.page(rows, asked.limit, lambda row: (row.id,))
        skills = skills_of(session, [agent.id for agent in items])
    return {
        "items": [
            {
                "id": a.id, "agent_no": a.agent_no, "name": a.name, "held": a.held, "capacity": a.capacity,
                "stars": a.stars, "languages": a.languages, "skills": skills[a.id], "office_phone": a.office_phone,
            }
            for a in items
        ],
        "next_cursor": following,
    }  # fmt: skip
