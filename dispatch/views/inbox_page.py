"""The inbox: open cases with what is most urgent in each, the overdue first, in pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from dispatch.cases.access_control import visible_cases
from dispatch.cases.case import Case
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import OBLIGATION_LABEL, Obligation
from dispatch.cases.obligations.reach import open_at, visible_obligations
from dispatch.cases.project import Enterprise, Project, ProjectMember
from dispatch.cases.stages import ENDS, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.views.case_lines import MorningLine, case_line, case_query, what_next

INBOX_PAGE = 50


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page of open cases, and how many there are on all pages."""

    lines: list[MorningLine]
    total: int


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which open cases: at one stage, of the projects that the viewer acts for, with these words in them."""

    stage: str = ""
    mine: bool = False
    words: str = ""


def inbox(
    session: Session, viewer: Actor, *, at: datetime, asked: InboxFilter = InboxFilter(), page: int = 1
) -> InboxPage:
    """Open cases with what is most urgent in each: the overdue first, then what is likeliest to miss its promise."""
    settle(session)
    calendar, conditions = calendar_of(session), _conditions(viewer, asked)
    urgent = _most_urgent(viewer, at)
    order = (
        func.coalesce(urgent.c.due_at < at, false()).desc(), Case.miss_probability.desc().nulls_last(),
        urgent.c.due_at.asc().nulls_last(), Case.id,
    )  # fmt: skip
    query = (
        case_query(viewer, *conditions, limit=INBOX_PAGE)
        .outerjoin(urgent, urgent.c.case_id == Case.id)
        .add_columns(urgent.c.kind.label("owed"), urgent.c.due_at.label("due_at"))
        .order_by(None)
        .order_by(*order)
        .offset((page - 1) * INBOX_PAGE)
    )
    lines = [case_line(row, _words(row), calendar, at, due_at=row.due_at) for row in session.execute(query).all()]
    counted = (
        select(func.count())
        .select_from(Case)
        .join(Project, Project.id == Case.project_id)
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .where(visible_cases(viewer), *conditions)
    )
    return InboxPage(lines, session.scalar(counted) or 0)


def _words(row: Any) -> str:
    return what_next(row.Case) if row.owed is None else OBLIGATION_LABEL[row.owed]


def _most_urgent(viewer: Actor, at: datetime) -> Any:
    """Of each case the open obligation that is due first."""
    seen = (open_at(at), visible_obligations(viewer), Obligation.case_id.is_not(None))
    return (
        select(Obligation.case_id, Obligation.kind, Obligation.due_at)
        .ext(distinct_on(Obligation.case_id))
        .where(*seen)
        .order_by(Obligation.case_id, Obligation.due_at.asc().nulls_last(), Obligation.id)
        .subquery()
    )


def _conditions(viewer: Actor, asked: InboxFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Case.stage.not_in(ENDS)]
    if asked.stage:
        conditions.append(Case.stage == Stage(asked.stage))
    if asked.mine and viewer.agent_id is not None:
        held = select(ProjectMember.project_id).where(
            ProjectMember.agent_id == viewer.agent_id, ProjectMember.until.is_(None)
        )
        conditions.append(Case.project_id.in_(held))
    if typed := asked.words.strip():
        conditions.append(
            or_(
                Case.case_no.contains(typed, autoescape=True),
                Project.name.contains(typed, autoescape=True),
                Enterprise.name.contains(typed, autoescape=True),
            )
        )
    return conditions


def stage_counts(session: Session, viewer: Actor) -> dict[str, int]:
    """How many open cases stand at each stage."""
    rows = session.execute(
        select(Case.stage, func.count()).where(visible_cases(viewer), Case.stage.not_in(ENDS)).group_by(Case.stage)
    )
    return {stage.value: n for stage, n in rows}
