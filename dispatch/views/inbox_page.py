"""The inbox: open cases by risk, then by what is due first."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from dispatch.cases.access_control import (
    visible_cases,
)
from dispatch.cases.case import Case
from dispatch.cases.notify import day_of
from dispatch.cases.project import Enterprise, Project, ProjectMember
from dispatch.cases.stages import ENDS, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.views.case_lines import MorningLine, case_line, case_query, what_next

INBOX_PAGE = 100


def inbox(
    session: Session, viewer: Actor, *, at: datetime, stage: str = "", mine: bool = False, words: str = "",
    limit: int = INBOX_PAGE,
) -> list[MorningLine]:  # fmt: skip
    """Open cases, the likeliest to miss its promise first; then what is due first."""
    calendar, today = calendar_of(session), day_of(at)
    conditions: list[ColumnElement[bool]] = [Case.stage.not_in(ENDS)]
    if stage:
        conditions = [Case.stage == Stage(stage)]
    if mine and viewer.agent_id is not None:
        held = select(ProjectMember.project_id).where(
            ProjectMember.agent_id == viewer.agent_id, ProjectMember.until.is_(None)
        )
        conditions.append(Case.project_id.in_(held))
    if words.strip():
        typed = words.strip()
        conditions.append(
            or_(
                Case.case_no.contains(typed, autoescape=True),
                Project.name.contains(typed, autoescape=True),
                Enterprise.name.contains(typed, autoescape=True),
            )
        )
    order = (
        Case.miss_probability.desc().nulls_last(),
        sql_case(
            (Case.stage == Stage.REQUESTED, func.date(Case.answer_by)),
            (Case.stage == Stage.ASSIGNED, func.date(Case.prescreen_by)),
            (Case.stage.in_((Stage.SUBMITTED, Stage.UNDER_REVIEW)), Case.committed_due_on),
            (Case.stage == Stage.DELIVERED, date(2999, 12, 31)),
            else_=func.date(Case.stage_at) + 3,
        ).nulls_last(),
        Case.id,
    )
    query = case_query(viewer, *conditions, limit=limit).order_by(None).order_by(*order)
    rows = session.execute(query).all()
    return [case_line(row, what_next(row.Case), calendar, today, _due_of(row.Case)) for row in rows]


def stage_counts(session: Session, viewer: Actor) -> dict[str, int]:
    """How many open cases stand at each stage."""
    rows = session.execute(
        select(Case.stage, func.count()).where(visible_cases(viewer), Case.stage.not_in(ENDS)).group_by(Case.stage)
    )
    return {stage.value: n for stage, n in rows}


def _due_of(case: Case) -> date | datetime | None:
    match case.stage:
        case Stage.REQUESTED:
            return case.answer_by
        case Stage.ASSIGNED:
            return case.prescreen_by
        case Stage.SUBMITTED | Stage.UNDER_REVIEW:
            return case.committed_due_on
        case Stage.DELIVERED:
            return case.close_by
        case _:
            return None
