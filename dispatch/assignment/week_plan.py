"""Week plan: the agents' weekly hours shared out over their projects by effort, and what waits for lack of hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.matching.hours import WorkOffer, share_hours
from agents.matching.model import Id
from agents.matching.rules import bar, pair_terms, waiting_terms
from agents.roster import Agent
from dispatch.assignment.matching_input import among, build_input
from dispatch.assignment.propose import WEIGHTS
from dispatch.cases.case import Case
from dispatch.cases.project import Project
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import ENDS

HOURS_TO_PREPARE, HOURS_TO_FOLLOW = 4, 1
"""A week's hours for a matter: its papers before it is filed, its progress afterwards. No source states them."""


@dataclass(frozen=True, slots=True)
class ProjectWeek:
    """One project's week: its hours, who has it now, and whose hours it gets; empty when it waits."""

    project_no: str
    name: str
    hours: int
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class AgentWeek:
    """One agent's week: the hours that there are, and those that nothing needs."""

    name: str
    hours: int
    left: int


@dataclass(frozen=True, slots=True)
class WeekProposal:
    """The week of an area; no sharing out costs less than the one shown when it is ``proven``."""

    projects: tuple[ProjectWeek, ...]
    agents: tuple[AgentWeek, ...]
    proven: bool


def propose_week(session: Session, *, at: datetime, path: str | None = None, limit_s: float = 10.0) -> WeekProposal:
    """Every open project below ``path`` to one agent within the weekly hours. Nothing is changed.

    Staying with one's agent costs least; a move costs what it costs a batch; what waits longest matters most."""
    question = build_input(session, at=at, path=path)
    network, needs = question.network, [need for need in question.needs if need.role == "lead"]
    agents = [agent for agent in question.at_home() if not agent.away]
    people = {
        row.id: row
        for row in session.execute(select(Agent.id, Agent.name, Agent.weekly_hours).where(Agent.active)).all()
    }
    effort = _effort(session, [int(need.project) for need in needs])
    offers = [
        WorkOffer(
            need.id, agent.id, effort[int(need.project)], pair_terms(need, agent, question.network, WEIGHTS).total
        )
        for need in needs
        for agent in agents
        if agent.id == need.current or bar(need, agent, network) is None
    ]
    weekly: dict[Id, int] = {agent.id: people[int(agent.id)].weekly_hours for agent in agents}
    waiting: dict[Id, int] = {need.id: waiting_terms(need, WEIGHTS).total for need in needs}
    found = share_hours(weekly, offers, waiting, limit_s=limit_s)
    rows = session.execute(
        select(Project.id, Project.project_no, Project.name).where(among(Project.id, effort))
    )  # fmt: skip
    projects = {row.id: (row.project_no, row.name) for row in rows}

    def named(agent_id: Id | None) -> str:
        return "" if agent_id is None else people[int(agent_id)].name

    return WeekProposal(
        tuple(
            ProjectWeek(
                *projects[int(need.project)], effort[int(need.project)], named(need.current),
                named(found.agent.get(need.id)),
            )
            for need in needs
        ),
        tuple(AgentWeek(named(agent_id), hours, found.hours_left[agent_id]) for agent_id, hours in weekly.items()),
        found.proven,
    )  # fmt: skip


def _effort(session: Session, project_ids: list[int]) -> Mapping[int, int]:
    """Each project's hours this week, one at least."""
    filed = func.count().filter(Review.state.not_in((ReviewState.PREPARED, ReviewState.SIMULATED)))
    rows = session.execute(
        select(Case.project_id, func.count() - filed, filed)
        .join(Review, Review.case_id == Case.id)
        .where(among(Case.project_id, project_ids), Case.stage.not_in(ENDS), Review.decided_at.is_(None))
        .group_by(Case.project_id)
    )
    hours = dict.fromkeys(project_ids, 1)
    for project_id, to_prepare, to_follow in rows:
        hours[project_id] = max(1, HOURS_TO_PREPARE * to_prepare + HOURS_TO_FOLLOW * to_follow)
    return hours
