"""The inbox: cases with what is most urgent in each, filtered, in an order and in pages; the overdue first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent
from dispatch.cases.access_control import visible_cases
from dispatch.cases.case import Case
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.obligations.obligation import OBLIGATION_LABEL, Obligation, amber_until
from dispatch.cases.obligations.reach import open_at, visible_obligations
from dispatch.cases.project import Enterprise, Project, ProjectMember, TeamRole
from dispatch.cases.stages import ENDS, MILESTONES, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor
from dispatch.core.legal_clock import Lamp
from dispatch.core.shanghai_time import utc
from dispatch.views.case_lines import MorningLine, case_line, case_query, what_next

INBOX_PAGE = 50
MOST_CHOICES = 500
"""Agents and towns that a filter offers, by name."""

STAGE_ORDER = {stage: place for place, stage in enumerate((*MILESTONES[:2], Stage.CORRECTION, *MILESTONES[2:]))}
STATE_WORDS = {"": "在办", "ended": "已办结", "all": "全部"}
SORT_WORDS = {
    "": "最急的在前",
    "due": "时限",
    "newest": "最新",
    "stage": "阶段",
    "enterprise": "企业",
    "agent": "代办员",
}
LAMP_WORDS = {Lamp.RED: "红牌", Lamp.AMBER: "黄牌", Lamp.GREEN: "正常"}


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page of cases, how many there are on all pages, and how many at each stage whatever stage is asked for."""

    lines: list[MorningLine]
    total: int
    counts: Mapping[Stage, int]


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which cases and in which order: the keys of STATE_WORDS and SORT_WORDS, and the viewer's own for an agent."""

    stage: Stage | None = None
    mine: bool = False
    words: str = ""
    agent_id: int | None = None
    town_id: int | None = None
    lamp: Lamp | None = None
    family: Family | None = None
    state: str = ""
    sort: str = ""


@dataclass(frozen=True, slots=True)
class InboxChoices:
    """The lead agents and the places of the viewer's open cases, by name."""

    agents: tuple[tuple[int, str], ...]
    towns: tuple[tuple[int, str], ...]


def inbox(
    session: Session,
    viewer: Actor,
    *,
    at: datetime,
    asked: InboxFilter = InboxFilter(),
    page: int = 1,
    size: int = INBOX_PAGE,
) -> InboxPage:
    """Cases with what is most urgent in each: the overdue first, then what is likeliest to miss its promise."""
    settle(session)
    calendar, urgent = calendar_of(session), _most_urgent(viewer, at)
    conditions = [
        *_conditions(viewer, asked),
        *_lamp_conditions(asked.lamp, urgent.c.due_at, amber_until(calendar, at), at),
    ]
    at_stage = [] if asked.stage is None else [Case.stage == asked.stage]
    query = case_query(viewer, *conditions, *at_stage, limit=size).outerjoin(urgent, urgent.c.case_id == Case.id)
    rows = session.execute(
        query.add_columns(urgent.c.kind.label("owed"), urgent.c.due_at.label("due_at"))
        .order_by(None)
        .order_by(*_order(asked.sort, query, urgent.c.due_at, at))
        .offset((page - 1) * size)
    ).all()
    counted = (
        select(Case.stage, func.count().label("n"))
        .select_from(Case)
        .join(Project, Project.id == Case.project_id)
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .where(visible_cases(viewer), *conditions)
        .group_by(Case.stage)
    )
    if asked.lamp is not None:
        counted = counted.outerjoin(urgent, urgent.c.case_id == Case.id)
    counts = {row.stage: row.n for row in session.execute(counted)}
    return InboxPage(
        [case_line(row, _words(row), calendar, at, due_at=row.due_at) for row in rows],
        sum(counts.values()) if asked.stage is None else counts.get(asked.stage, 0),
        counts,
    )


def inbox_choices(session: Session, viewer: Actor) -> InboxChoices:
    """Whom and where the open cases of the viewer's reach may be asked for by."""
    seen = select(Case.project_id).where(visible_cases(viewer), Case.stage.not_in(ENDS))
    agents = (
        select(Agent.id, Agent.name)
        .where(
            Agent.id.in_(
                select(ProjectMember.agent_id).where(
                    ProjectMember.project_id.in_(seen), ProjectMember.until.is_(None),
                    ProjectMember.role == TeamRole.LEAD,
                )
            )
        )
        .order_by(Agent.pinyin, Agent.id)
        .limit(MOST_CHOICES)
    )  # fmt: skip
    towns = (
        select(Division.id, Division.name)
        .where(Division.id.in_(select(Project.division_id).where(Project.id.in_(seen))))
        .order_by(Division.path)
        .limit(MOST_CHOICES)
    )
    return InboxChoices(
        tuple((row.id, row.name) for row in session.execute(agents)),
        tuple((row.id, row.name) for row in session.execute(towns)),
    )


def _order(sort: str, query: Select[Any], due_at: Any, at: datetime) -> tuple[Any, ...]:
    orders: dict[str, tuple[Any, ...]] = {
        "due": (due_at.asc().nulls_last(),),
        "newest": (Case.created_at.desc(), Case.id.desc()),
        "stage": (case(STAGE_ORDER, value=Case.stage, else_=len(STAGE_ORDER)),),
        "enterprise": (Enterprise.name,),
        "agent": (query.selected_columns["agent"].asc().nulls_last(),),
    }
    urgent = (
        func.coalesce(due_at < at, false()).desc(),
        Case.miss_probability.desc().nulls_last(),
        due_at.asc().nulls_last(),
    )
    return (*orders.get(sort, urgent), Case.id)


def _lamp_conditions(lamp: Lamp | None, due_at: Any, amber: date, at: datetime) -> list[ColumnElement[bool]]:
    """As ``lamp_of`` says it of one due moment, asked of the database."""
    green_from = utc(amber + timedelta(days=1), time())
    match lamp:
        case Lamp.RED:
            return [due_at < at]
        case Lamp.AMBER:
            return [due_at >= at, due_at < green_from]
        case Lamp.GREEN:
            return [or_(due_at.is_(None), and_(due_at >= at, due_at >= green_from))]
    return []


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
    states: dict[str, list[ColumnElement[bool]]] = {"ended": [Case.stage.in_(ENDS)], "all": []}
    conditions = list(states.get(asked.state, [Case.stage.not_in(ENDS)]))
    if asked.agent_id is not None:
        led = select(ProjectMember.project_id).where(
            ProjectMember.agent_id == asked.agent_id, ProjectMember.until.is_(None),
            ProjectMember.role == TeamRole.LEAD,
        )  # fmt: skip
        conditions.append(Case.project_id.in_(led))
    if asked.town_id is not None:
        conditions.append(Project.division_id == asked.town_id)
    if asked.family is not None:
        conditions.append(Project.family == asked.family)
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
