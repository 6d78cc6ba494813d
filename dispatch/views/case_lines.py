"""A case as one line of the team's lists: what about it, when it is due, how urgent it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from agents.roster import Agent
from dispatch.cases.access_control import (
    visible_cases,
)
from dispatch.cases.case import Case
from dispatch.cases.notify import day_of
from dispatch.cases.obligations.obligation import lamp_of
from dispatch.cases.project import Enterprise, Project, ProjectMember, TeamRole
from dispatch.cases.stages import LABEL, Stage
from dispatch.core.actor import Actor
from dispatch.core.legal_clock import Lamp
from dispatch.core.working_days import Calendar


@dataclass(frozen=True, slots=True)
class MorningLine:
    """One row of a list: a case, what about it, when, how urgent."""

    case_no: str
    project: str
    enterprise: str
    words: str
    due: datetime | None = None
    left_wd: int | None = None
    lamp: Lamp = Lamp.GREEN
    stage: str = ""
    agent: str = ""
    risk: float | None = None
    advice: str = ""


def case_query(viewer: Actor, *conditions: ColumnElement[bool], limit: int = 60) -> Select[Any]:
    """The viewer's cases with their project, enterprise and lead."""
    lead = (
        select(Agent.name)
        .join(ProjectMember, ProjectMember.agent_id == Agent.id)
        .where(
            ProjectMember.project_id == Project.id, ProjectMember.until.is_(None), ProjectMember.role == TeamRole.LEAD
        )
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(Case, Project.name.label("project"), Enterprise.name.label("enterprise"), lead.label("agent"))
        .join(Project, Project.id == Case.project_id)
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .where(visible_cases(viewer), *conditions)
        .order_by(Case.id)
        .limit(limit)
    )


def case_line(row: Any, words: str, calendar: Calendar, at: datetime, *, due_at: datetime | None = None) -> MorningLine:
    """A row of ``case_query`` as a line, with the lamp of what is due in it."""
    left = None if due_at is None else calendar.working_days_between(day_of(at), day_of(due_at))
    case = row.Case
    return MorningLine(
        case.case_no, row.project, row.enterprise, words, due_at, left, lamp_of(due_at, calendar, at),
        LABEL[case.stage], row.agent or "", case.miss_probability, case.advice or "",
    )  # fmt: skip


NEXT_ACT = {
    Stage.REQUESTED: "派件",
    Stage.ASSIGNED: "预审",
    Stage.CORRECTION: "等企业补正",
    Stage.PRESCREENED: "收取原件或报送",
    Stage.PICKUP_PLANNED: "等揽收",
    Stage.COLLECTED: "中心签收并报送",
    Stage.SUBMITTED: "登记受理",
    Stage.UNDER_REVIEW: "跟进审批",
    Stage.DECIDED: "安排送达",
    Stage.DELIVERY_PLANNED: "等投递",
    Stage.DELIVERED: "等企业评价",
}


def what_next(case: Case) -> str:
    return NEXT_ACT.get(case.stage, "")
