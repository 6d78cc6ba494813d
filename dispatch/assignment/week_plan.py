"""Week plan: the agents' weekly hours shared out over their projects by effort, and what waits for lack of hours."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.matching.model import Id, MatchingAgent, Need
from agents.matching.rules import bar, pair_terms, waiting_terms
from agents.matching.staffing import WeekPlan, WorkOffer
from agents.roster import Agent
from dispatch.assignment.matching_input import MatchingInput, among, build_input
from dispatch.assignment.propose import WEIGHTS
from dispatch.cases.case import Case
from dispatch.cases.project import Project
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import ENDS
from dispatch.core.errors import Refused

HOURS_TO_PREPARE, HOURS_TO_FOLLOW = 4, 1
"""A week's hours for a matter: its papers before it is filed, its progress afterwards. No source states them."""

MOST_PAIRS = 200_000
"""Projects times agents that one week may be shared out over: a county has a few thousand, a large city this."""


class HoursSolver(Protocol):
    """``share_hours``, in this process or in a child."""

    def __call__(
        self, weekly_hours: Mapping[Id, int], offers: Sequence[WorkOffer], waiting: Mapping[Id, int], *, limit_s: float
    ) -> WeekPlan: ...


class WeekReason(StrEnum):
    """Why a project's week is as it is: it stays, is new, leaves who is away or has too few hours, or waits."""

    STAYS = "stays"
    NEW = "new"
    AWAY = "away"
    SHORT = "short"
    NOBODY_FITS = "nobody_fits"
    NO_HOURS = "no_hours"


@dataclass(frozen=True, slots=True)
class ProjectWeek:
    """One project's week: its hours, who has it now, whose hours it gets (empty when it waits), and why."""

    project_no: str
    name: str
    version: int
    hours: int
    now: str
    then: str
    then_id: int | None
    reason: WeekReason


@dataclass(frozen=True, slots=True)
class AgentWeek:
    """One agent's week: the hours that there are, those that nothing needs, and the projects that share the rest."""

    agent_id: int
    name: str
    hours: int
    left: int
    projects: int


@dataclass(frozen=True, slots=True)
class WeekProposal:
    """The week of an area; no sharing out costs less than the one shown when it is ``proven``."""

    projects: tuple[ProjectWeek, ...]
    agents: tuple[AgentWeek, ...]
    proven: bool


@dataclass(frozen=True, slots=True)
class WeekQuestion:
    """The open projects with their effort, the agents with their hours, and what both are called."""

    needs: tuple[Need, ...]
    effort: Mapping[int, int]
    weekly: Mapping[Id, int]
    offers: tuple[WorkOffer, ...]
    projects: Mapping[int, tuple[str, str]]
    versions: Mapping[int, int]
    names: Mapping[int, str]


def week_question(
    session: Session, *, at: datetime, path: str | None = None,
    to_prepare: int = HOURS_TO_PREPARE, to_follow: int = HOURS_TO_FOLLOW,
) -> WeekQuestion:  # fmt: skip
    """What there is to do below ``path`` and who has hours for it. Raises Refused when that is too much at once."""
    question = build_input(session, at=at, path=path)
    needs = tuple(need for need in question.needs if need.role == "lead")
    agents = [agent for agent in question.at_home() if not agent.away]
    check_size(len(needs), len(agents))
    people = {
        row.id: row
        for row in session.execute(
            select(Agent.id, Agent.name, Agent.weekly_hours).where(
                among(Agent.id, [int(agent.id) for agent in question.agents])
            )
        )
    }
    effort = _effort(session, [int(need.project) for need in needs], to_prepare, to_follow)
    rows = session.execute(select(Project.id, Project.project_no, Project.name).where(among(Project.id, effort)))
    return WeekQuestion(
        needs, effort, {agent.id: people[int(agent.id)].weekly_hours for agent in agents},
        tuple(_offers(needs, agents, effort, question)), {row.id: (row.project_no, row.name) for row in rows},
        question.versions, {agent_id: person.name for agent_id, person in people.items()},
    )  # fmt: skip


def check_size(projects: int, agents: int) -> None:
    """Raises Refused when so many are too much for one week's question."""
    if projects * agents > MOST_PAIRS:
        raise Refused(f"{projects} projects for {agents} agents", user_message="范围太大，请选择一个区县")


def propose_week(question: WeekQuestion, *, solve: HoursSolver, limit_s: float) -> WeekProposal:
    """Every open project of the question to one agent within the weekly hours. Nothing is changed.

    Staying with one's agent costs least; a move costs what it costs a batch; what waits longest matters most."""
    waiting: dict[Id, int] = {need.id: waiting_terms(need, WEIGHTS).total for need in question.needs}
    found = solve(question.weekly, question.offers, waiting, limit_s=limit_s)
    offered = {offer.project for offer in question.offers}
    loads = Counter(found.agent.values())
    return WeekProposal(
        tuple(_project_week(need, question, found.agent.get(need.id), offered) for need in question.needs),
        tuple(
            AgentWeek(int(one), question.names[int(one)], hours, found.hours_left[one], loads[one])
            for one, hours in question.weekly.items()
        ),
        found.proven,
    )


def _project_week(need: Need, question: WeekQuestion, then: Id | None, offered: set[Id]) -> ProjectWeek:
    project = int(need.project)
    return ProjectWeek(
        *question.projects[project],
        version=question.versions[project],
        hours=question.effort[project],
        now="" if need.current is None else question.names.get(int(need.current), ""),
        then="" if then is None else question.names[int(then)],
        then_id=None if then is None else int(then),
        reason=_reason(need, question, then, offered),
    )


def _reason(need: Need, question: WeekQuestion, then: Id | None, offered: set[Id]) -> WeekReason:
    if then is None:
        return WeekReason.NO_HOURS if need.id in offered else WeekReason.NOBODY_FITS
    if need.current is None:
        return WeekReason.NEW
    if then == need.current:
        return WeekReason.STAYS
    return WeekReason.SHORT if need.current in question.weekly else WeekReason.AWAY


def _offers(
    needs: Sequence[Need], agents: Sequence[MatchingAgent], effort: Mapping[int, int], question: MatchingInput
) -> list[WorkOffer]:
    network = question.network
    return [
        WorkOffer(need.id, agent.id, effort[int(need.project)], pair_terms(need, agent, network, WEIGHTS).total)
        for need in needs
        for agent in agents
        if agent.id == need.current or bar(need, agent, network) is None
    ]


def _effort(session: Session, project_ids: list[int], to_prepare: int, to_follow: int) -> Mapping[int, int]:
    """Each project's hours this week, one at least."""
    filed = func.count().filter(Review.state.not_in((ReviewState.PREPARED, ReviewState.SIMULATED)))
    rows = session.execute(
        select(Case.project_id, func.count() - filed, filed)
        .join(Review, Review.case_id == Case.id)
        .where(among(Case.project_id, project_ids), Case.stage.not_in(ENDS), Review.decided_at.is_(None))
        .group_by(Case.project_id)
    )
    hours = dict.fromkeys(project_ids, 1)
    for project_id, preparing, following in rows:
        hours[project_id] = max(1, to_prepare * preparing + to_follow * following)
    return hours
