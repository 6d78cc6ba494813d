"""Question: what the matching is asked, read from projects and agents at one moment, in a few queries for thousands."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, cast

import sqlalchemy
from sqlalchemy import ARRAY, BigInteger, ColumnElement, String, Text, any_, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from agents import matching
from agents.matching.gc_disabled import gc_disabled
from agents.matching.model import Need, Network
from agents.matching.rules import ancestry
from agents.network import Division, Level, subtree_condition
from agents.roster import Agent, AgentSkill, Duty
from dispatch.assignment.absence_periods import AROUND, long_absent_ids
from dispatch.cases.case import Case
from dispatch.cases.notify import day_of
from dispatch.cases.project import Project, ProjectMember, ProjectState, Referral, TeamRole
from dispatch.cases.review import Review
from dispatch.cases.stages import ENDS
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Matter
from dispatch.core.working_days import Calendar

PRACTISED = 3  # the proficiency from which an agent is an authority on a kind of matter


@dataclass(frozen=True, slots=True)
class MatchingInput:
    """The matching's inputs as read at one moment, and the versions they were read at."""

    needs: tuple[Need, ...]
    agents: tuple[matching.model.MatchingAgent, ...]
    network: Network
    versions: Mapping[int, int]
    path: str | None = None
    """The division whose projects are asked about; None: all of them."""

    def at_home(self) -> Iterator[matching.model.MatchingAgent]:
        """The agents in the division asked about: nobody else's projects compete for them."""
        if self.path is None:
            yield from self.agents
            return
        top = self.path.rpartition(".")[2]
        inside: dict[str, bool] = {}
        for agent in self.agents:
            if agent.node not in inside:
                inside[agent.node] = top in ancestry(self.network, agent.node)
            if inside[agent.node]:
                yield agent


def agents_as_of(
    session: Session,
    on: date,
    *,
    path: str | None = None,
    ids: Iterable[int] | None = None,
    calendar: Calendar | None = None,
) -> list[matching.model.MatchingAgent]:
    """The active agents below ``path``, or those of ``ids``, as the matching sees them.

    Away is who is away longer than a stand-in acts."""
    here: list[ColumnElement[bool]] = []
    if path is not None:
        here.append(subtree_condition(path))
    if ids is not None:
        here.append(among(Agent.id, ids))
    return _agents_where(session, on, *here, calendar=calendar or calendar_of(session))


def _agents_in_reach(
    session: Session, on: date, path: str | None, named: Iterable[int], calendar: Calendar
) -> list[matching.model.MatchingAgent]:
    """Whoever may take a need of projects below ``path``: who sits there or above the counties, and who is named."""
    if path is None:
        return _agents_where(session, on, calendar=calendar)
    reach = or_(subtree_condition(path), Division.level < Level.COUNTY, among(Agent.id, named))
    return _agents_where(session, on, reach, calendar=calendar)


def _agents_where(
    session: Session, on: date, *conditions: ColumnElement[bool], calendar: Calendar
) -> list[matching.model.MatchingAgent]:
    here = select(Agent.id).join(Division, Division.id == Agent.division_id).where(Agent.active, *conditions)
    rows = session.execute(
        select(
            Agent.id, Agent.capacity, Agent.held, sqlalchemy.cast(Agent.languages, Text).label("languages"),
            Agent.stars, Agent.stand_in_id, Agent.team_id, Division.code, Division.level, Division.lon, Division.lat,
        )
        .join(Division, Division.id == Agent.division_id)
        .where(Agent.id.in_(here))
        .order_by(Agent.id)
    ).all()  # fmt: skip
    skills: dict[int, list[str]] = defaultdict(list)
    practised: dict[int, list[str]] = defaultdict(list)
    for agent_id, category, proficiency in session.execute(
        select(AgentSkill.agent_id, AgentSkill.category, AgentSkill.proficiency).where(AgentSkill.agent_id.in_(here))
    ):
        skills[agent_id].append(category)
        if proficiency >= PRACTISED:
            practised[agent_id].append(category)
    away = _long_absent(session, on, calendar)
    return [
        matching.model.MatchingAgent(
            id=row.id,
            node=row.code,
            level=int(row.level),
            capacity=row.capacity,
            held=row.held,
            lon=row.lon,
            lat=row.lat,
            skills=frozenset(skills.get(row.id, ())),
            languages=_listed(row.languages),
            stars=row.stars,
            away=row.id in away,
            stand_in=row.stand_in_id,
            team=row.team_id,
            practised=frozenset(practised.get(row.id, ())),
        )
        for row in rows
    ]


@lru_cache(maxsize=4096)
def _listed(stored: str) -> frozenset[Any]:
    """A JSON list as the column holds it. Thousands of rows hold the same few."""
    return frozenset(json.loads(stored))


def _long_absent(session: Session, on: date, calendar: Calendar) -> set[int]:
    near = select(Duty.agent_id, Duty.starts_on, Duty.ends_on).where(
        Duty.starts_on <= on + AROUND, Duty.ends_on >= on - AROUND
    )
    return long_absent_ids(((row.agent_id, row.starts_on, row.ends_on) for row in session.execute(near)), on, calendar)


def _coded(codes: Iterable[str]) -> ColumnElement[bool]:
    return Division.code == any_(literal(sorted(codes), ARRAY(String)))


def network_of(session: Session, codes: Iterable[str]) -> Network:
    """The divisions with these codes and all above them, as the matching's plain network."""
    rows = session.execute(select(Division.path).where(_coded(codes))).scalars()
    wanted = {code for path in rows for code in path.split(".")}
    found = session.execute(
        select(Division.code, Division.parent_code, Division.level, Division.lon, Division.lat).where(_coded(wanted))
    )
    return {row.code: (row.parent_code, int(row.level), row.lon, row.lat) for row in found}


def among(column: InstrumentedAttribute[int], ids: Iterable[int]) -> ColumnElement[bool]:
    """One array however many there are: thousands of parameters would be slow, and more than the protocol takes."""
    return column == any_(literal(sorted(ids), ARRAY(BigInteger)))


def _skills_needed(session: Session, project_ids: Sequence[int]) -> dict[int, dict[int | None, set[str]]]:
    """Per project and place of the counter: the categories of its open matters."""
    rows = session.execute(
        select(Case.project_id, Review.counter_division_id, Matter.category)
        .join(Review, Review.case_id == Case.id)
        .join(Matter, Matter.id == Review.matter_id)
        .where(among(Case.project_id, project_ids), Case.stage.not_in(ENDS), Review.decided_at.is_(None))
        .distinct()
    )
    needed: dict[int, dict[int | None, set[str]]] = {}
    for row in rows:
        needed.setdefault(row.project_id, {}).setdefault(row.counter_division_id, set()).add(row.category)
    return needed


class MatchingProjectRow(Protocol):
    """What the matching reads of a project: a row of READ."""

    id: int
    enterprise_id: int
    division_id: int
    home_division_id: int
    site_lon: float | None
    site_lat: float | None
    language: str
    priority: int
    bans: str
    escalated: bool
    created_at: datetime


def _acting(session: Session, project_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Who acts in each project now, in one query."""
    rows = session.execute(
        select(
            ProjectMember.project_id, ProjectMember.agent_id, ProjectMember.role, ProjectMember.counter,
            ProjectMember.told_at, ProjectMember.locked,
        ).where(among(ProjectMember.project_id, project_ids), ProjectMember.until.is_(None))
    )  # fmt: skip
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.project_id].append(row)
    return found


def build_needs(
    session: Session, rows: Sequence[MatchingProjectRow], *, at: datetime, calendar: Calendar
) -> list[Need]:
    """The roles that somebody must fill: a lead at home, a liaison for each counter above it. A few queries for all."""
    projects = list(rows)
    ids = [project.id for project in projects]
    acting = _acting(session, ids)
    skills = _skills_needed(session, ids)
    places = {p.division_id for p in projects} | {p.home_division_id for p in projects}
    places |= {place for by_place in skills.values() for place in by_place if place is not None}
    divisions = {
        row.id: row
        for row in session.execute(
            select(Division.id, Division.code, Division.level, Division.lon, Division.lat).where(
                among(Division.id, places)
            )
        )
    }
    above = {place for place, division in divisions.items() if division.level < Level.COUNTY}
    first_asks = {
        row.project_id: row.from_agent_id
        for row in session.execute(
            select(Referral.project_id, Referral.from_agent_id)
            .where(among(Referral.project_id, ids), Referral.accepted_at.is_(None))
            .order_by(Referral.id)  # the last one counts
        )
    }
    served = _previous_agents(session, {p.enterprise_id for p in projects})
    waited_since: dict[date, int] = {}
    found: list[Need] = []
    for project in projects:
        home = divisions[project.home_division_id]
        site = divisions[project.division_id]
        by_place = skills.get(project.id, {})
        upper = above.intersection(by_place) - {home.id}
        team = acting.get(project.id, ())
        # What a liaison handles at its own counter is not asked of the lead.
        at_home = frozenset().union(*(names for place, names in by_place.items() if place not in upper))
        asked_on = day_of(project.created_at)
        if asked_on not in waited_since:
            waited_since[asked_on] = max(0, calendar.working_days_between(asked_on, day_of(at)))
        waited = waited_since[asked_on]
        point = (
            project.site_lon if project.site_lon is not None else site.lon,
            project.site_lat if project.site_lat is not None else site.lat,
        )
        past = _Past(first_asks.get(project.id), frozenset(served.get(project.enterprise_id, ())))
        found.append(_lead_need(project, team, home.code, point, at_home, waited, past))
        found += [_liaison_need(project, team, divisions[place], by_place[place], waited) for place in sorted(upper)]
    return found


class _Past(NamedTuple):
    """Who was asked first for a project, and who served its enterprise before."""

    first_ask: int | None
    previous: frozenset[int]


def _lead_need(
    project: MatchingProjectRow, team: Sequence[Any], node: str, point: tuple[float, float],
    skills: frozenset[str], waited: int, past: _Past,
) -> Need:  # fmt: skip
    lead = next((m for m in team if m.role is TeamRole.LEAD), None)
    lon, lat = point
    return Need(
        id=f"{project.id}:lead",
        role="lead",
        project=project.id,
        node=node,
        lon=lon,
        lat=lat,
        skills=skills,
        language=None if project.language == "zh" else project.language,
        priority=min(9, max(1, project.priority)),
        waiting_days=waited,
        current=None if lead is None else lead.agent_id,
        told=lead is not None and lead.told_at is not None,
        first_ask=past.first_ask if lead is None else None,
        previous=past.previous,
        lock=lead.agent_id if lead is not None and lead.locked else None,
        bans=_listed(project.bans),
        escalated=project.escalated,
    )


def _liaison_need(
    project: MatchingProjectRow, team: Sequence[Any], counter: Any, skills: Iterable[str], waited: int
) -> Need:
    liaison = next((m for m in team if m.role is TeamRole.LIAISON and m.counter == counter.code), None)
    return Need(
        id=f"{project.id}:{counter.code}",
        role="liaison",
        project=project.id,
        node=counter.code,
        lon=counter.lon,
        lat=counter.lat,
        skills=frozenset(skills),
        priority=min(9, max(1, project.priority)),
        waiting_days=waited,
        current=None if liaison is None else liaison.agent_id,
        told=liaison is not None and liaison.told_at is not None,
    )


def _previous_agents(session: Session, enterprises: Iterable[int]) -> dict[int, set[int]]:
    rows = session.execute(
        select(Project.enterprise_id, ProjectMember.agent_id)
        .join(ProjectMember, ProjectMember.project_id == Project.id)
        .where(
            among(Project.enterprise_id, enterprises),
            ProjectMember.role == TeamRole.LEAD,
            ProjectMember.replaced_at.is_(None),
        )
        .distinct()
    )
    served: dict[int, set[int]] = {}
    for row in rows:
        served.setdefault(row.enterprise_id, set()).add(row.agent_id)
    return served


READ = (
    Project.id, Project.version, Project.enterprise_id, Project.division_id, Project.home_division_id, Project.site_lon,
    Project.site_lat, Project.language, Project.priority, Project.escalated, Project.created_at,
    sqlalchemy.cast(Project.banned_agents, Text).label("bans"),
)  # fmt: skip


@gc_disabled()
def build_input(session: Session, *, at: datetime, path: str | None = None) -> MatchingInput:
    """Read everything that a batch needs, in a few queries."""
    calendar = calendar_of(session)
    query = select(*READ).where(Project.state != ProjectState.CLOSED)
    if path is not None:
        query = query.join(Division, Division.id == Project.home_division_id).where(subtree_condition(path))
    projects = session.execute(query.order_by(Project.id)).all()
    needs = build_needs(session, cast(Sequence[MatchingProjectRow], projects), at=at, calendar=calendar)
    named = {int(who) for need in needs for who in (need.current, need.lock) if who is not None}
    agents = _agents_in_reach(session, day_of(at), path, named, calendar)
    network = network_of(session, {agent.node for agent in agents} | {need.node for need in needs})
    return MatchingInput(tuple(needs), tuple(agents), network, {p.id: p.version for p in projects}, path)
