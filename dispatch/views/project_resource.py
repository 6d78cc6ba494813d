"""Projects as programs read them: the team, the cases, and why this agent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.assignment import explanation
from dispatch.assignment.explanation import RoleExplanation
from dispatch.cases.access_control import project_for
from dispatch.cases.case import Case
from dispatch.cases.project import Enterprise, Project, ProjectMember
from dispatch.core.actor import Actor


@dataclass(frozen=True, slots=True)
class TeamMember:
    """An agent of the project's team, now (``until`` is null) or before; ``recorded_at``: when it was written down."""

    assignment_id: int
    role: str
    counter: str
    agent_id: int
    name: str
    office_phone: str
    since: datetime
    until: datetime | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class CaseOfProject:
    """A case of the project."""

    case_no: str
    stage: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProjectDetail:
    """One project with its team and cases."""

    project_no: str
    project_code: str | None
    name: str
    family: str
    state: str
    version: int
    phase: int
    investment_wan: float | None
    enterprise: str
    division: str
    created_at: datetime
    team: tuple[TeamMember, ...]
    former: tuple[TeamMember, ...]
    cases: tuple[CaseOfProject, ...]


@dataclass(frozen=True, slots=True)
class ProjectAssignment:
    """Who acts now, and the reason that was stored with the choice."""

    project_no: str
    state: str
    agent_id: int | None
    chosen_by: str | None
    locked: bool
    reason: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AssignmentExplained(ProjectAssignment):
    """The same with every role explained anew, as things stand."""

    explanation: tuple[RoleExplanation, ...]


@dataclass(frozen=True, slots=True)
class ProjectNamed:
    """A project by its number."""

    project_no: str


def project_detail(session: Session, viewer: Actor, project_no: str) -> ProjectDetail:
    """A project with its team and cases. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    members = _members(session, project)
    return ProjectDetail(
        project_no=project.project_no,
        project_code=project.project_code,
        name=project.name,
        family=project.family.value,
        state=project.state.value,
        version=project.version,
        phase=project.phase,
        investment_wan=None if project.investment_wan is None else float(project.investment_wan),
        enterprise=session.get_one(Enterprise, project.enterprise_id).name,
        division=session.get_one(Division, project.division_id).name,
        created_at=project.created_at,
        team=tuple(one for one in members if one.until is None),
        former=tuple(one for one in members if one.until is not None),
        cases=_cases(session, project),
    )


def _members(session: Session, project: Project) -> tuple[TeamMember, ...]:
    rows = session.execute(
        select(ProjectMember, Agent)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .where(ProjectMember.project_id == project.id, ProjectMember.replaced_at.is_(None))
        .order_by(ProjectMember.since, ProjectMember.id)
    )
    return tuple(
        TeamMember(
            one.id, one.role.value, one.counter, agent.id, agent.name, agent.office_phone, one.since, one.until,
            one.recorded_at,
        )
        for one, agent in rows
    )  # fmt: skip


def _cases(session: Session, project: Project) -> tuple[CaseOfProject, ...]:
    rows = session.execute(
        select(Case.case_no, Case.stage, Case.created_at).where(Case.project_id == project.id).order_by(Case.id)
    )
    return tuple(CaseOfProject(case_no, stage.value, created_at) for case_no, stage, created_at in rows)


def why(session: Session, viewer: Actor, project_no: str) -> ProjectAssignment:
    """Why this agent: the stored reason, and who acts now. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    lead = project.lead
    return ProjectAssignment(
        project.project_no,
        project.state.value,
        None if lead is None else lead.agent_id,
        None if lead is None else lead.chosen_by,
        bool(lead and lead.locked),
        project.assignment_reason or {},
    )


def explained(session: Session, viewer: Actor, project_no: str, *, at: datetime) -> AssignmentExplained:
    """Why this agent or why nobody: the stored reason and each role as it stands. Raises NotFound."""
    kept = why(session, viewer, project_no)
    roles = explanation.why(session, project_for(session, viewer, project_no), at=at)
    return AssignmentExplained(
        kept.project_no, kept.state, kept.agent_id, kept.chosen_by, kept.locked, kept.reason, tuple(roles)
    )
