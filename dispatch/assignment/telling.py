"""Telling who acts: the agent hears of the project, the enterprise of the agent; once, whichever path assigned."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.assignment.rules import lead_given
from dispatch.cases.case import Case
from dispatch.cases.notify import queue_agent_notice, queue_notice, queue_stage_notice
from dispatch.cases.project import Project, ProjectMember, TeamRole
from dispatch.cases.stages import ENDS, NOTICE, Stage
from dispatch.core.actor import Actor
from notifications import outbox

GIVEN = "project_for_agent"


def tell_placed(session: Session, *, at: datetime, limit: int = 200, project_id: int | None = None) -> int:
    """Tell agents and enterprises of placements that nobody was told of yet; how many members were told."""
    untold = select(ProjectMember).where(ProjectMember.told_at.is_(None), ProjectMember.until.is_(None))
    if project_id is not None:
        untold = untold.where(ProjectMember.project_id == project_id)
    members = session.scalars(untold.order_by(ProjectMember.id).limit(limit).with_for_update(skip_locked=True)).all()
    for member in members:
        tell_member(session, member, at=at)
    return len(members)


def tell_member(session: Session, member: ProjectMember, *, at: datetime) -> None:
    """Tell of one place in a team: a case hears who acts, or of the change when it had another agent before."""
    member.told_at = at
    project, agent = session.get_one(Project, member.project_id), session.get_one(Agent, member.agent_id)
    tell_agent(session, agent, project, key=f"{agent.id}:{member.id}", at=at)
    if member.role is not TeamRole.LEAD:
        return
    values = agent_values(session, agent)
    known_until = [m.until for m in project.members if m.role is TeamRole.LEAD and m.until and m.told_at]
    for case in session.scalars(select(Case).where(Case.project_id == project.id, Case.stage.not_in(ENDS))):
        if any(until >= case.created_at for until in known_until):
            queue_notice(session, case, "agent_changed", at=at, key=str(member.id), values=values)
        else:
            queue_notice(session, case, NOTICE[Stage.ASSIGNED], at=at, values=values)


def tell_wrongly_given(session: Session, member: ProjectMember, *, at: datetime) -> None:
    """Who was told of a project by mistake hears once that it is another's; what is still to be told is not told."""
    if member.told_at is None:
        return
    project, agent = session.get_one(Project, member.project_id), session.get_one(Agent, member.agent_id)
    key = f"{agent.id}:{member.id}"
    if outbox.withdraw(session, f"{project.project_no}:{GIVEN}:{key}"):
        return
    queue_agent_notice(
        session, agent, project, text="project_wrongly_given", key=key, at=at, values={"project": project.name}
    )  # fmt: skip


def tell_agent(session: Session, agent: Agent, project: Project, *, key: str, at: datetime) -> None:
    """A project for this agent, to act for or to take over."""
    queue_agent_notice(
        session, agent, project, text=GIVEN, key=key, at=at,
        values={"project": project.name, "case_no": project.project_no},
    )  # fmt: skip


def tell_assigned(session: Session, case: Case, agent: Agent, *, at: datetime, by: Actor) -> None:
    """One more case of a project that has its agent."""
    queue_stage_notice(
        session,
        case,
        at=at,
        by=by,
        words=lead_given(agent.name).words,
        **agent_values(session, agent),
    )


def agent_values(session: Session, agent: Agent) -> dict[str, str]:
    """What a notice says of an agent: the office's number, never the private one."""
    station = session.get_one(Division, agent.division_id)
    return {"agent": agent.name, "station": f"{station.name}代办站", "office_phone": agent.office_phone}
