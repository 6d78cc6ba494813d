"""One agent's page: what is known, what is held, when away and who stands in; and what leaving for good would move."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, Level, ancestors, subtree_condition
from agents.roster import Agent, Duty, DutyKind, Team, skills_of
from dispatch.assignment.departure import Departure, propose_departure
from dispatch.cases.access_control import visible_agents
from dispatch.cases.project import PROJECT_LABEL, Enterprise, Project, ProjectMember, TeamRole
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound
from dispatch.core.ids import AgentId
from dispatch.views.agents_board import AWAY
from dispatch.views.moves import MoveLine, move_lines

MOST_COLLEAGUES = 400
LEAVES_SHOWN = 30


@dataclass(frozen=True, slots=True)
class LeaveLine:
    """One absence, both ends included."""

    id: int
    kind: DutyKind
    words: str
    starts_on: date
    ends_on: date
    has_begun: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class HeldProject:
    """One project that the agent acts for, and since when."""

    project_no: str
    name: str
    enterprise: str
    role: TeamRole
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class StandInChoice:
    """Who may stand in."""

    id: int
    name: str
    station: str


@dataclass(frozen=True, slots=True)
class AgentPage:
    """Everything of one agent; ``phone`` is for who may edit it."""

    id: int
    version: int
    agent_no: str
    name: str
    phone: str
    office_phone: str
    station: str
    station_code: str
    team: str
    active: bool
    held: int
    capacity: int
    weekly_hours: int
    stars: int
    languages: tuple[str, ...]
    skills: dict[str, int]
    stand_in_id: int | None
    stand_in: str
    stands_in_for: tuple[str, ...]
    leaves: tuple[LeaveLine, ...]
    projects: tuple[HeldProject, ...]
    colleagues: tuple[StandInChoice, ...]


@dataclass(frozen=True, slots=True)
class DeparturePage:
    """An agent's leaving, as it would go now."""

    agent: AgentPage
    found: Departure
    moves: tuple[MoveLine, ...]
    waiting: tuple[MoveLine, ...]


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A project that would change hands; ``after`` is empty where nobody can take it."""

    project_no: str
    project: str
    counter: str
    after: str


@dataclass(frozen=True, slots=True)
class DeparturePreview:
    """A leaving for good as a program reads it. ``seen`` is asked for by the step."""

    seen: str
    notices: int
    others: int
    moves: tuple[HandedOver, ...]
    waiting: tuple[HandedOver, ...]
    tickets: tuple[str, ...]
    offers: int


def preview_of(page: DeparturePage) -> DeparturePreview:
    """The same for programs."""
    moves, waiting = (
        tuple(HandedOver(line.project_no, line.project, line.counter, line.after) for line in lines)
        for lines in (page.moves, page.waiting)
    )
    found = page.found
    return DeparturePreview(
        found.fingerprint, found.notices, found.others, moves, waiting, found.tickets, found.offers
    )  # fmt: skip


def agent_page(session: Session, viewer: Actor, agent_id: AgentId, *, today: date) -> AgentPage:
    """One agent of the viewer's reach. Raises NotFound."""
    agent = session.scalar(select(Agent).where(Agent.id == agent_id, visible_agents(viewer)))
    if agent is None:
        raise NotFound(f"no agent {agent_id}")
    station = session.get_one(Division, agent.division_id)
    team = None if agent.team_id is None else session.get(Team, agent.team_id)
    stand_in = None if agent.stand_in_id is None else session.get(Agent, agent.stand_in_id)
    covered = select(Agent.name).where(Agent.stand_in_id == agent.id, Agent.active).order_by(Agent.id)
    return AgentPage(
        id=agent.id, version=agent.version, agent_no=agent.agent_no, name=agent.name, phone=agent.phone,
        office_phone=agent.office_phone, station=station.name, station_code=station.code,
        team="" if team is None else team.name, active=agent.active, held=agent.held, capacity=agent.capacity,
        weekly_hours=agent.weekly_hours, stars=agent.stars, languages=tuple(agent.languages),
        skills=skills_of(session, [agent.id])[agent.id], stand_in_id=agent.stand_in_id,
        stand_in="" if stand_in is None else stand_in.name, stands_in_for=tuple(session.scalars(covered)),
        leaves=_leaves(session, agent, today), projects=_held(session, agent),
        colleagues=_colleagues(session, agent, station),
    )  # fmt: skip


def departure_page(session: Session, viewer: Actor, agent_id: AgentId, *, at: datetime, today: date) -> DeparturePage:
    """Who would take over, before anything changes. Raises NotFound, also for who has left already."""
    page = agent_page(session, viewer, agent_id, today=today)
    if not page.active:
        raise NotFound(f"agent {agent_id} has left")
    found = propose_departure(session, session.get_one(Agent, agent_id), at=at)
    return DeparturePage(page, found, move_lines(session, found.moves), move_lines(session, found.waiting))


def _leaves(session: Session, agent: Agent, today: date) -> tuple[LeaveLine, ...]:
    rows = session.scalars(
        select(Duty).where(Duty.agent_id == agent.id).order_by(Duty.starts_on.desc(), Duty.id).limit(LEAVES_SHOWN)
    )
    return tuple(
        LeaveLine(
            row.id, row.kind, AWAY[row.kind], row.starts_on, row.ends_on, row.starts_on < today, row.ends_on < today
        )
        for row in rows
    )  # fmt: skip


def _held(session: Session, agent: Agent) -> tuple[HeldProject, ...]:
    rows = session.execute(
        select(
            Project.project_no, Project.name, Enterprise.name.label("enterprise"), ProjectMember.role, Project.state,
            ProjectMember.since,
        )
        .join(Project, Project.id == ProjectMember.project_id)
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .where(ProjectMember.agent_id == agent.id, ProjectMember.until.is_(None))
        .order_by(ProjectMember.since, ProjectMember.id)
    )  # fmt: skip
    return tuple(
        HeldProject(row.project_no, row.name, row.enterprise, row.role, PROJECT_LABEL[row.state], row.since)
        for row in rows
    )


def _colleagues(session: Session, agent: Agent, station: Division) -> tuple[StandInChoice, ...]:
    """The other agents of the county, or of the place itself where it lies above counties."""
    line = [*ancestors(session, station), station]
    area = next((place for place in line if place.level == Level.COUNTY), station)
    rows = session.execute(
        select(Agent.id, Agent.name, Division.name)
        .join(Division, Division.id == Agent.division_id)
        .where(Agent.active, Agent.id != agent.id, subtree_condition(area.path))
        .order_by(Division.level, Division.code, Agent.pinyin, Agent.id)
        .limit(MOST_COLLEAGUES)
    )
    return tuple(StandInChoice(*row) for row in rows)
