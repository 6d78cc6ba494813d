"""The seven lists (七张清单) of a project as its page shows and prints them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.access_control import project_for
from dispatch.cases.project import Project, ProjectMember, TeamRole
from dispatch.cases.project_path import project_path
from dispatch.core.actor import Actor
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting
from dispatch.path.schedule import schedule
from dispatch.path.seven_lists import SheetList, seven_lists
from dispatch.views.enterprise_path import dates_of


@dataclass(frozen=True, slots=True)
class ListsPage:
    """A project and its seven lists; no lists while nothing applies to it."""

    project: Project
    lists: tuple[SheetList, ...]


def lists_page(session: Session, viewer: Actor, project_no: str, *, at: datetime) -> ListsPage:
    """Made anew from the path each time. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    mine = project_path(session, project, at=at)
    if mine is None:
        return ListsPage(project, ())
    team = session.execute(
        select(ProjectMember.role, Agent.name, Division.level)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .join(Division, Division.id == Agent.division_id)
        .where(ProjectMember.project_id == project.id, ProjectMember.until.is_(None))
    ).all()
    lead = next((row.name for row in team if row.role is TeamRole.LEAD), "")
    liaisons = {row.level.name.lower(): row.name for row in team if row.role is TeamRole.LIAISON}
    plan = schedule(mine.path, Basis.COMMITTED, Counting.ELAPSED)
    return ListsPage(project, seven_lists(mine.path, plan, dates_of(session, mine), agent=lead, liaisons=liaisons))
