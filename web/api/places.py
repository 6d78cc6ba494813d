"""Places and people: divisions, centres, matters, agents."""

from dataclasses import dataclass
from typing import Any

from apiflask import APIBlueprint
from pydantic import Field
from sqlalchemy import select

from agents.roster import Agent, skills_of
from dispatch.cases.access_control import visible_agents
from dispatch.catalogue.matter import Confidence, Family, Matter
from dispatch.core.limit import limit_form
from dispatch.views import place_list
from web.wiring import cursors
from web.wiring.api_answers import answers, page_model
from web.wiring.api_schema import PageQuery, problems
from web.wiring.auth import current_actor, signed_in, staff_only
from web.wiring.resource_json import as_json
from web.wiring.transactions import transaction

bp = APIBlueprint("api_places", __name__, url_prefix="/api/v1", tag="places")


class DivisionsQuery(PageQuery):
    """Which divisions."""

    parent: str | None = Field(default=None, pattern=r"^\d{12}$")
    q: str = Field(default="", max_length=40, description="A part of the name, of any level")


class MattersQuery(PageQuery):
    """Which matters."""

    family: Family | None = None


@dataclass(frozen=True, slots=True)
class DivisionAnswer:
    """A province, city, county, town or village; ``lon``, ``lat``: its middle in WGS-84."""

    code: str
    name: str
    level: int
    parent: str | None
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class CentreAnswer:
    """A service centre."""

    centre_no: str
    name: str
    level: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class MatterLine:
    """A matter of the catalogue. Limits: ``immediate``, ``5wd``, ``30cal``; null: none.

    It applies when the condition ``applies_when`` on a project's facts holds; empty: always."""

    code: str
    name: str
    name_en: str
    family: Family
    phase: int
    department: str
    statutory_limit: str | None
    committed_limit: str | None
    legal_minimum: str | None
    counts_in_target: bool
    confidence_statutory: Confidence
    confidence_committed: Confidence
    source: str
    applies_when: str
    result: str
    result_en: str


@dataclass(frozen=True, slots=True)
class AgentAnswer:
    """An agent: how many projects are held of how many, and what the agent is good at."""

    id: int
    agent_no: str
    name: str
    held: int
    capacity: int
    stars: int
    languages: list[str]
    skills: dict[str, int]
    office_phone: str


def _matter(row: Matter) -> MatterLine:
    return MatterLine(
        row.code, row.name, row.name_en, row.family, row.phase, row.department, limit_form(row.statutory_limit),
        limit_form(row.committed_limit), limit_form(row.legal_minimum), row.counts_in_target,
        row.confidence_statutory, row.confidence_committed, row.source, row.applies_when, row.result_name,
        row.result_name_en,
    )  # fmt: skip


@bp.get("/divisions")
@signed_in
@bp.input(DivisionsQuery, location="query", arg_name="asked")
@answers(page_model(DivisionAnswer))
@bp.doc(responses=problems(422), security="bearer")
def divisions(asked: DivisionsQuery) -> dict[str, Any]:
    """The province and its cities, or what stands directly below ``parent``."""
    after = cursors.decode(asked.cursor, str)
    with transaction() as session:
        rows = place_list.places(
            session, parent=asked.parent, q=asked.q, after=after[0] if after else None, limit=asked.limit
        )
    items, following = cursors.page(rows, asked.limit, lambda row: (row.code,))
    return {
        "items": [as_json(DivisionAnswer(d.code, d.name, int(d.level), d.parent_code, d.lon, d.lat)) for d in items],
        "next_cursor": following,
    }


@bp.get("/centres")
@signed_in
@answers(page_model(CentreAnswer))
@bp.doc(responses=problems(), security="bearer")
def centres() -> dict[str, Any]:
    """Every service centre."""
    with transaction() as session:
        rows = place_list.centres(session)
        return {
            "items": [as_json(CentreAnswer(c.centre_no, c.name, c.level, c.lon, c.lat)) for c in rows],
            "next_cursor": None,
        }


@bp.get("/matters")
@signed_in
@bp.input(MattersQuery, location="query", arg_name="asked")
@answers(page_model(MatterLine))
@bp.doc(responses=problems(422), security="bearer")
def matters(asked: MattersQuery) -> dict[str, Any]:
    """The catalogue with its limits (``immediate``, ``5wd``, ``30cal``; null: none) and how well each is known."""
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
        "items": [as_json(_matter(row)) for row in items],
        "next_cursor": following,
    }


@bp.get("/agents")
@staff_only
@bp.input(PageQuery, location="query", arg_name="asked")
@answers(page_model(AgentAnswer))
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
            as_json(
                AgentAnswer(
                    a.id, a.agent_no, a.name, a.held, a.capacity, a.stars, a.languages, skills[a.id], a.office_phone
                )
            )
            for a in items
        ],
        "next_cursor": following,
    }
