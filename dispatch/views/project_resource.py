"""Projects as programs read them: the team, the cases, and why this agent."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.access_control import project_for
from dispatch.cases.case import Case
from dispatch.cases.project import Enterprise, ProjectMember
from dispatch.core.actor import Actor


def project_detail(session: Session, viewer: Actor, project_no: str) -> dict[str, Any]:
    """A project with its team and cases. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    cases = session.execute(
        select(Case.case_no, Case.stage, Case.created_at).where(Case.project_id == project.id).order_by(Case.id)
    )
    team = session.execute(
        select(ProjectMember, Agent)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .where(ProjectMember.project_id == project.id, ProjectMember.until.is_(None))
        .order_by(ProjectMember.id)
    )
    return {
        "project_no": project.project_no, "project_code": project.project_code, "name": project.name,
        "family": project.family.value, "state": project.state.value, "version": project.version,
        "phase": project.phase, "investment_wan": project.investment_wan,
        "enterprise": session.get_one(Enterprise, project.enterprise_id).name,
        "division": session.get_one(Division, project.division_id).name,
        "created_at": project.created_at,
        "team": [
            {"role": member.role.value, "counter": member.counter, "agent_id": agent.id, "name": agent.name,
             "office_phone": agent.office_phone, "since": member.since}
            for member, agent in team
        ],
        "cases": [
            {"case_no": row.case_no, "stage": row.stage.value, "created_at": row.created_at}
            for row in cases
        ],
    }  # fmt: skip


def why(session: Session, viewer: Actor, project_no: str) -> dict[str, Any]:
    """Why this agent: the stored reason, and who acts now. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    lead = project.lead
    return {
        "project_no": project.project_no,
        "state": project.state.value,
        "agent_id": None if lead is None else lead.agent_id,
        "chosen_by": None if lead is None else lead.chosen_by,
        "locked": bool(lead and lead.locked),
        "reason": project.assignment_reason or {},
    }
