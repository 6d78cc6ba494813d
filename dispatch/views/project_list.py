"""The list of projects: filtered, in an order and in pages, counted whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.access_control import visible_projects
from dispatch.cases.case import Case
from dispatch.cases.project import Enterprise, Project, ProjectMember, ProjectState, TeamRole
from dispatch.cases.stages import ENDS
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor

PROJECTS_PAGE = 50
PROJECT_SORT = {
    "": "最新",
    "oldest": "最早",
    "name": "项目名称",
    "enterprise": "企业",
    "agent": "代办员",
    "cases": "在办件多的在前",
}


@dataclass(frozen=True, slots=True)
class ProjectFilter:
    """Which projects and in which order: a key of PROJECT_SORT."""

    state: ProjectState | None = None
    family: Family | None = None
    agent_id: int | None = None
    town_id: int | None = None
    words: str = ""
    sort: str = ""


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """One project of the list."""

    project_no: str
    name: str
    enterprise: str
    place: str
    family: Family
    state: ProjectState
    agent: str
    open_cases: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProjectList:
    """A page of projects, and how many there are on all pages."""

    lines: Sequence[ProjectLine]
    total: int


def projects(
    session: Session, viewer: Actor, asked: ProjectFilter, *, page: int = 1, size: int = PROJECTS_PAGE
) -> ProjectList:
    """The projects of the viewer's reach that are asked for."""
    opened = (
        select(func.count())
        .select_from(Case)
        .where(Case.project_id == Project.id, Case.stage.not_in(ENDS))
        .scalar_subquery()
    )
    lead = (
        select(Agent.name)
        .join(ProjectMember, ProjectMember.agent_id == Agent.id)
        .where(
            ProjectMember.project_id == Project.id, ProjectMember.until.is_(None), ProjectMember.role == TeamRole.LEAD
        )
        .limit(1)
        .scalar_subquery()
    )
    conditions = _conditions(viewer, asked)
    query = (
        select(
            Project.project_no, Project.name, Enterprise.name.label("enterprise"), Division.name.label("place"),
            Project.family, Project.state, lead.label("agent"), opened.label("open_cases"), Project.created_at,
        )
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .join(Division, Division.id == Project.division_id)
        .where(*conditions)
    )  # fmt: skip
    orders: dict[str, tuple[Any, ...]] = {
        "oldest": (Project.id,),
        "name": (Project.name, Project.id),
        "enterprise": (Enterprise.name, Project.id),
        "agent": (query.selected_columns["agent"].asc().nulls_last(), Project.id),
        "cases": (query.selected_columns["open_cases"].desc(), Project.id),
    }
    ordered = query.order_by(*orders.get(asked.sort, (Project.id.desc(),))).offset((page - 1) * size).limit(size)
    lines = [
        ProjectLine(
            row.project_no, row.name, row.enterprise, row.place, row.family, row.state, row.agent or "",
            row.open_cases, row.created_at,
        )
        for row in session.execute(ordered)
    ]  # fmt: skip
    counted = select(func.count()).select_from(Project).join(Enterprise, Enterprise.id == Project.enterprise_id)
    return ProjectList(lines, session.scalar(counted.where(*conditions)) or 0)


def _conditions(viewer: Actor, asked: ProjectFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [visible_projects(viewer)]
    if asked.state is not None:
        conditions.append(Project.state == asked.state)
    if asked.family is not None:
        conditions.append(Project.family == asked.family)
    if asked.town_id is not None:
        conditions.append(Project.division_id == asked.town_id)
    if asked.agent_id is not None:
        led = select(ProjectMember.project_id).where(
            ProjectMember.agent_id == asked.agent_id, ProjectMember.until.is_(None),
            ProjectMember.role == TeamRole.LEAD,
        )  # fmt: skip
        conditions.append(Project.id.in_(led))
    if typed := asked.words.strip():
        names = (Project.name, Enterprise.name, Project.project_no)
        conditions.append(or_(*(name.contains(typed, autoescape=True) for name in names)))
    return conditions
