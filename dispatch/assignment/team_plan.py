"""Team plan: who together could take a waiting project that needs more skills than any agent who may come has."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.matching.model import MatchingAgent, Need
from agents.matching.rules import bar
from agents.matching.teams import plan_teams
from agents.roster import Agent
from dispatch.assignment.matching_input import MatchingInput, among, build_input
from dispatch.assignment.propose import WEIGHTS
from dispatch.cases.project import Project


@dataclass(frozen=True, slots=True)
class TeamProposal:
    """A waiting project and its smallest team, each member with the skills that it brings; empty: nobody has one."""

    project_no: str
    name: str
    skills: tuple[str, ...]
    members: tuple[tuple[str, tuple[str, ...]], ...]
    proven: bool


def propose_teams(
    session: Session, *, at: datetime, path: str | None = None, limit_s: float = 30.0
) -> list[TeamProposal]:
    """A team for each project below ``path`` that waits because nobody alone has all its skills. Nothing is changed."""
    question = build_input(session, at=at, path=path)
    waiting = [need for need in question.needs if _needs_a_team(need, question)]
    plans = plan_teams(waiting, question.agents, question.network, WEIGHTS, limit_s=limit_s)
    agents = {agent.id: agent for agent in question.agents}
    team_of = {
        need: ([agents[member] for member in team], plan.proven) for plan in plans for need, team in plan.teams.items()
    }
    rows = session.execute(
        select(Project.id, Project.project_no, Project.name).where(
            among(Project.id, [int(need.project) for need in waiting])
        )
    )
    projects = {row.id: (row.project_no, row.name) for row in rows}
    names = _names(session, (agent for team, _ in team_of.values() for agent in team))
    return [
        TeamProposal(
            *projects[int(need.project)],
            tuple(sorted(need.skills)),
            tuple((names[int(agent.id)], tuple(sorted(need.skills & agent.skills))) for agent in team_of[need.id][0]),
            team_of[need.id][1],
        )
        for need in waiting
    ]


def _needs_a_team(need: Need, question: MatchingInput) -> bool:
    """Whether it waits for a lead, and no agent who may come, busy or free, has every skill."""
    if need.role != "lead" or need.current is not None or len(need.skills) < 2:
        return False
    return not any(bar(need, agent, question.network) is None for agent in question.agents)


def _names(session: Session, agents: Iterable[MatchingAgent]) -> dict[int, str]:
    ids = {int(agent.id) for agent in agents}
    return {row.id: row.name for row in session.execute(select(Agent.id, Agent.name).where(among(Agent.id, ids)))}
