"""The morning page: everything that today asks of agents and leads."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from agents.roster import Agent, Duty
from dispatch.cases.access_control import visible_agents, visible_cases, visible_stops
from dispatch.cases.case import Case, CaseEvent
from dispatch.cases.notify import day_of
from dispatch.cases.review import Review
from dispatch.cases.stages import ENDS
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor
from dispatch.core.localized_text import LocalizedText
from dispatch.views.agents_board import AWAY
from dispatch.views.case_lines import MorningLine, case_line, case_query
from dispatch.views.obligation_lines import DueWhen, ObligationAsker, ObligationCounts, ObligationLine
from routing.day.courier_stop import CourierStop
from routing.day.day_plan import DayPlan, PlanState

FIRST_LINES = 20
"""So many lines of each time stand on the page; the rest stands on the list that its count leads to."""
FAILED_FOR = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class AwayLine:
    """An agent who is away: why, and who stands in."""

    name: str
    why: str
    stand_in: str


@dataclass(frozen=True, slots=True)
class Morning:
    """Half past eight: everything that today asks for. What is owed is counted whole and shown from its beginning."""

    on: date
    counts: ObligationCounts
    overdue: list[ObligationLine]
    due_today: list[ObligationLine]
    due_soon: list[ObligationLine]
    surveys: list[MorningLine]
    away: list[AwayLine]
    failed: list[MorningLine]
    plans: list[DayPlan]
    open_cases: int
    open_stops: dict[str, int]


def morning(session: Session, viewer: Actor, *, at: datetime) -> Morning:
    """What the day asks for, within the viewer's reach."""
    asker, today = ObligationAsker.of(session, viewer, at=at), day_of(at)
    first = asker.first_of_each(DueWhen.OVERDUE, DueWhen.TODAY, DueWhen.SOON, limit=FIRST_LINES)
    surveys = session.execute(_reviews(viewer, Review.survey_on == today))
    failed = session.execute(case_query(viewer, Case.id.in_(_failed_since(at - FAILED_FOR))))
    return Morning(
        on=today,
        counts=asker.counts(),
        overdue=first[DueWhen.OVERDUE],
        due_today=first[DueWhen.TODAY],
        due_soon=first[DueWhen.SOON],
        surveys=[
            case_line(row, LocalizedText("%(matter)s：现场勘验", matter=row.matter), asker.calendar, at)
            for row in surveys
        ],
        away=away(session, viewer, today),
        failed=[case_line(row, LocalizedText("揽投未成功"), asker.calendar, at) for row in failed],
        plans=plans_of(session, viewer, today),
        open_cases=session.scalar(
            select(func.count()).select_from(Case).where(visible_cases(viewer), Case.stage.not_in(ENDS))
        )
        or 0,
        open_stops=stops_by_state(session, viewer, today),
    )


def _failed_since(since: datetime) -> Select[int]:
    return select(CaseEvent.case_id).where(CaseEvent.kind == "attempt_failed", CaseEvent.at > since)


def _reviews(viewer: Actor, *conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        case_query(viewer)
        .join(Review, Review.case_id == Case.id)
        .join(Matter, Matter.id == Review.matter_id)
        .add_columns(Matter.short_name.label("matter"))
        .where(*conditions)
    )


def away(session: Session, viewer: Actor, on: date) -> list[AwayLine]:
    """Who is away, why, and who stands in."""
    second = select(Agent.id, Agent.name).subquery()
    rows = session.execute(
        select(Agent.name, Duty.kind, second.c.name)
        .join(Duty, Duty.agent_id == Agent.id)
        .outerjoin(second, second.c.id == Agent.stand_in_id)
        .where(Duty.starts_on <= on, Duty.ends_on >= on, Agent.active, visible_agents(viewer))
        .order_by(Agent.pinyin)
        .limit(60)
    )
    return [AwayLine(name, AWAY[kind], stand_in or "—") for name, kind, stand_in in rows]


def plans_of(session: Session, viewer: Actor, on: date) -> list[DayPlan]:
    """Today's plans that count: committed, or waiting to be."""
    areas = select(CourierStop.division_id).where(visible_stops(viewer), CourierStop.on == on)
    states = (PlanState.COMMITTED, PlanState.PREVIEW, PlanState.RUNNING, PlanState.QUEUED)
    query = select(DayPlan).where(DayPlan.division_id.in_(areas), DayPlan.on == on, DayPlan.state.in_(states))
    return list(session.scalars(query.order_by(DayPlan.cutoff, DayPlan.id)))


def stops_by_state(session: Session, viewer: Actor, on: date) -> dict[str, int]:
    """How many stops of the day are in each state."""
    rows = session.execute(
        select(CourierStop.state, func.count())
        .where(visible_stops(viewer), CourierStop.on == on)
        .group_by(CourierStop.state)
    )
    return {state.value: n for state, n in rows}
