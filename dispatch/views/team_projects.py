"""One project as the team sees it: its members, candidates, cases, and whom to call."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.access_control import (
    project_for,
    visible_agents,
)
from dispatch.cases.case import Case
from dispatch.cases.project import Enterprise, Intermediary, Project, ProjectMember, Referral
from dispatch.cases.project_path import project_path
from dispatch.core.actor import Actor, Role
from dispatch.views.contact_strip import ContactStrip, contact_strip
from dispatch.views.joint_groups import JointGroupLine, joint_groups
from dispatch.views.loading import PROJECT_PARTS
from dispatch.views.path_figures import PathFigures, path_figures
from dispatch.views.project_corrections import ProjectCorrectionLine, correction_lines, kept_number


@dataclass(frozen=True, slots=True)
class MemberLine:
    """An agent of the project's team, now or before."""

    member: ProjectMember
    agent: Agent


@dataclass(frozen=True, slots=True)
class TeamProjectPage:
    """One project: its team, why this agent, its cases, delegation, intermediaries."""

    project: Project
    enterprise: Enterprise
    division: Division
    team: list[MemberLine]
    former: list[MemberLine]
    cases: list[Case]
    referral: Referral | None
    candidates: list[Agent]
    intermediaries: list[Intermediary]
    corrections: tuple[ProjectCorrectionLine, ...]
    merged_into: str | None
    figures: PathFigures | None
    joint_groups: tuple[JointGroupLine, ...]
    strip: ContactStrip | None


def project_page(session: Session, viewer: Actor, project_no: str, *, at: datetime) -> TeamProjectPage:
    """One project. Raises NotFound."""
    project = project_for(session, viewer, project_no, loaded=PROJECT_PARTS)
    mine = project_path(session, project, at=at)
    cases = list(session.scalars(select(Case).where(Case.project_id == project.id).order_by(Case.id.desc())))
    members = session.execute(
        select(ProjectMember, Agent)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .where(ProjectMember.project_id == project.id, ProjectMember.replaced_at.is_(None))
        .order_by(ProjectMember.since, ProjectMember.id)
    ).all()
    home = session.get_one(Division, project.home_division_id)
    able = (
        select(Agent)
        .join(Division, Division.id == Agent.division_id)
        .where(Agent.active, Agent.held < Agent.capacity, visible_agents(viewer))
        .where(or_(Division.id == home.id, Division.parent_code == home.code))
        .order_by(Agent.held * 1.0 / Agent.capacity, Agent.pinyin)
        .limit(80)
    )
    return TeamProjectPage(
        project=project,
        enterprise=session.get_one(Enterprise, project.enterprise_id),
        division=session.get_one(Division, project.division_id),
        team=[MemberLine(m, a) for m, a in members if m.until is None],
        former=[MemberLine(m, a) for m, a in members if m.until is not None],
        cases=cases,
        referral=session.scalar(
            select(Referral).where(and_(Referral.project_id == project.id, Referral.accepted_at.is_(None))).limit(1)
        ),
        candidates=[] if viewer.role is Role.SUPERVISOR else list(session.scalars(able)),
        intermediaries=list(project.intermediaries),
        corrections=correction_lines(session, project),
        merged_into=kept_number(session, project),
        figures=None if mine is None else path_figures(session, project, mine),
        joint_groups=joint_groups(session, project, mine, cases, at=at),
        strip=contact_strip(session, viewer, project.id, at=at),
    )
