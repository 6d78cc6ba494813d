"""Team plan: who together could take a waiting project that needs more skills than any agent who may come has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.matching.model import Id, MatchingAgent, Need, Network, Weights
from agents.matching.rules import Bar, bar, home_county
from agents.matching.staffing import TeamPlan
from agents.roster import Agent
from dispatch.assignment.matching_input import MatchingInput, among, build_input
from dispatch.assignment.propose import WEIGHTS
from dispatch.cases.project import Project


class TeamSolver(Protocol):
    """``plan_teams``, in this process or in a child."""

    def __call__(
        self, needs: Sequence[Need], agents: Sequence[MatchingAgent], network: Network, weights: Weights, *,
        limit_s: float,
    ) -> list[TeamPlan]: ...  # fmt: skip


class Lack(StrEnum):
    """Why a skill is not covered: nobody there has it, who has it is away, may not come, or has no free slot."""

    NOBODY = "nobody"
    AWAY = "away"
    BARRED = "barred"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class SkillGap:
    """A skill that no team could have, why, and how many in the county have it at all."""

    skill: str
    lack: Lack
    holders: int


@dataclass(frozen=True, slots=True)
class PlannedMember:
    """One member of a team, with the skills that it brings."""

    agent_id: int
    name: str
    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TeamProposal:
    """A waiting project and its smallest team, the member with the most skills first; empty: it finds none.

    Without members and without gaps, the free slots go to projects that are more urgent."""

    project_no: str
    name: str
    version: int
    skills: tuple[str, ...]
    members: tuple[PlannedMember, ...]
    gaps: tuple[SkillGap, ...]
    proven: bool


@dataclass(frozen=True, slots=True)
class TeamQuestion:
    """The projects that wait for a team, everybody who may come, and what both are called."""

    needs: tuple[Need, ...]
    agents: tuple[MatchingAgent, ...]
    network: Network
    projects: Mapping[int, tuple[str, str]]
    versions: Mapping[int, int]
    names: Mapping[int, str]


def team_question(session: Session, *, at: datetime, path: str | None = None) -> TeamQuestion:
    """What waits below ``path`` because nobody alone has all its skills."""
    question = build_input(session, at=at, path=path)
    needs = tuple(need for need in question.needs if _needs_a_team(need, question))
    if not needs:
        return TeamQuestion((), (), {}, {}, {}, {})
    rows = session.execute(
        select(Project.id, Project.project_no, Project.name).where(
            among(Project.id, [int(need.project) for need in needs])
        )
    )
    people = select(Agent.id, Agent.name).where(among(Agent.id, [int(agent.id) for agent in question.agents]))
    return TeamQuestion(
        needs, question.agents, question.network, {row.id: (row.project_no, row.name) for row in rows},
        question.versions, {row.id: row.name for row in session.execute(people)},
    )  # fmt: skip


def propose_teams(question: TeamQuestion, *, solve: TeamSolver, limit_s: float) -> list[TeamProposal]:
    """A team for each project of the question. Nothing is changed."""
    if not question.needs:
        return []
    plans = solve(question.needs, question.agents, question.network, WEIGHTS, limit_s=limit_s)
    found = {need: (team, plan.proven) for plan in plans for need, team in plan.teams.items()}
    return [_proposal(need, question, *found[need.id]) for need in question.needs]


def _proposal(need: Need, question: TeamQuestion, team: Sequence[Id], proven: bool) -> TeamProposal:
    together = set(team)
    members = [
        PlannedMember(int(agent.id), question.names[int(agent.id)], tuple(sorted(need.skills & agent.skills)))
        for agent in question.agents
        if agent.id in together
    ]
    members.sort(key=lambda member: -len(member.skills))
    return TeamProposal(
        *question.projects[int(need.project)],
        version=question.versions[int(need.project)],
        skills=tuple(sorted(need.skills)),
        members=tuple(members),
        gaps=() if members else tuple(_gaps(need, question)),
        proven=proven,
    )


def _needs_a_team(need: Need, question: MatchingInput) -> bool:
    """Whether it waits for a lead, and no agent who may come, busy or free, has every skill."""
    if need.role != "lead" or need.current is not None or len(need.skills) < 2:
        return False
    return not any(bar(need, agent, question.network) is None for agent in question.agents)


def _gaps(need: Need, question: TeamQuestion) -> list[SkillGap]:
    network, anybody = question.network, replace(need, skills=frozenset())
    area = home_county(network, need.node)
    at_home = [agent for agent in question.agents if home_county(network, agent.node) == area]
    gaps = []
    for skill in sorted(need.skills):
        holders = [agent for agent in at_home if skill in agent.skills]
        lack = _lack(holders, [bar(anybody, agent, network) for agent in holders])
        if lack is not None:
            gaps.append(SkillGap(skill, lack, len(holders)))
    return gaps


def _lack(holders: Sequence[MatchingAgent], barred_by: Sequence[Bar | None]) -> Lack | None:
    """What keeps every holder of a skill from a team; None: at least one is free to join."""
    if not holders:
        return Lack.NOBODY
    able = [agent for agent, rule in zip(holders, barred_by, strict=True) if rule is None]
    if not able:
        return Lack.AWAY if set(barred_by) == {Bar.AWAY} else Lack.BARRED
    return Lack.FULL if all(agent.held >= agent.capacity for agent in able) else None
