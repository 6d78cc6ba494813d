"""The morning page: everything that today asks of agents and leads."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from agents.roster import Agent, Duty
from dispatch.cases.access_control import (
    visible_agents,
    visible_cases,
    visible_stops,
    visible_tickets,
)
from dispatch.cases.case import Case, CaseEvent, Material, MaterialState
from dispatch.cases.evaluation import Evaluation, Rectification, RectificationState, Ticket, TicketState
from dispatch.cases.notify import day_of
from dispatch.cases.review import Review, ReviewPause, ReviewState
from dispatch.cases.stages import ENDS, Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor, Role
from dispatch.core.legal_clock import AMBER_WD, Lamp
from dispatch.core.localized_text import LocalizedText
from dispatch.core.working_days import Calendar
from dispatch.custody.parcel import Parcel, ParcelState
from dispatch.views.agents_board import AWAY
from dispatch.views.case_lines import MorningLine, case_line, case_query
from routing.day.courier_stop import CourierStop
from routing.day.day_plan import DayPlan, PlanState


@dataclass(frozen=True, slots=True)
class AwayLine:
    """An agent who is away: why, and who stands in."""

    name: str
    why: str
    stand_in: str


@dataclass(frozen=True, slots=True)
class GradeToAnswer:
    """A bad grade whose rectification is not answered yet."""

    id: int
    case_no: str
    state: RectificationState
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DatedLines:
    """Cases under way whose committed day is near: over it, near it, on it."""

    red: list[MorningLine]
    amber: list[MorningLine]
    due_today: list[MorningLine]


@dataclass(frozen=True, slots=True)
class Morning:
    """Half past eight: everything that today asks for, each list with its own title."""

    on: date
    red: list[MorningLine]
    amber: list[MorningLine]
    due_today: list[MorningLine]
    unanswered: list[MorningLine]
    silence_today: list[MorningLine]
    pauses_ending: list[MorningLine]
    supplements_due: list[MorningLine]
    surveys: list[MorningLine]
    away: list[AwayLine]
    failed: list[MorningLine]
    papers_out: list[MorningLine]
    bad_grades: list[GradeToAnswer]
    tickets: list[Ticket]
    plans: list[DayPlan]
    open_cases: int
    open_stops: dict[str, int]


def morning(session: Session, viewer: Actor, *, at: datetime) -> Morning:
    """What the day asks for, within the viewer's reach."""
    calendar, today = calendar_of(session), day_of(at)
    dated = _dated(session, viewer, calendar, today)
    soon = calendar.add_working_days(today, 3)
    pauses = select(ReviewPause.review_id).where(ReviewPause.ended_on.is_(None), ReviewPause.expected_end_on <= soon)

    def lines(words: str, *conditions: ColumnElement[bool]) -> list[MorningLine]:
        rows = session.execute(case_query(viewer, *conditions))
        return [case_line(row, words, calendar, today) for row in rows]

    def reviews(form: str, *conditions: ColumnElement[bool]) -> list[MorningLine]:
        rows = session.execute(_reviews(viewer, *conditions))
        return [case_line(row, LocalizedText(form, matter=row.matter), calendar, today) for row in rows]

    return Morning(
        on=today,
        red=dated.red,
        amber=dated.amber,
        due_today=dated.due_today,
        unanswered=_unanswered(session, viewer, calendar, today),
        silence_today=_silence(session, viewer, calendar, today),
        pauses_ending=reviews(
            "%(matter)s：特别程序即将结束", Review.state == ReviewState.PAUSED, Review.id.in_(pauses)
        ),
        supplements_due=lines(
            LocalizedText("容缺材料待补"), Case.id.in_(_owed(today + timedelta(days=3))), Case.stage.not_in(ENDS)
        ),
        surveys=reviews("%(matter)s：现场勘验", Review.survey_on == today),
        away=away(session, viewer, today),
        failed=lines(LocalizedText("揽投未成功"), Case.id.in_(_failed_since(at - timedelta(hours=36)))),
        papers_out=lines(LocalizedText("原件未退回"), Case.stage.in_(ENDS), Case.id.in_(_papers_out())),
        bad_grades=bad_grades(session, viewer),
        tickets=open_tickets(session, viewer, limit=20),
        plans=plans_of(session, viewer, today),
        open_cases=session.scalar(
            select(func.count()).select_from(Case).where(visible_cases(viewer), Case.stage.not_in(ENDS))
        )
        or 0,
        open_stops=stops_by_state(session, viewer, today),
    )


def _dated(session: Session, viewer: Actor, calendar: Calendar, today: date) -> DatedLines:
    running = Case.stage.in_((Stage.SUBMITTED, Stage.UNDER_REVIEW))
    soon = calendar.add_working_days(today, AMBER_WD)
    rows = session.execute(case_query(viewer, running, Case.committed_due_on <= soon, order=Case.committed_due_on))
    words = LocalizedText("承诺时限")
    lines = [case_line(row, words, calendar, today, row.Case.committed_due_on) for row in rows]
    return DatedLines(
        red=[line for line in lines if line.lamp is Lamp.RED],
        amber=[line for line in lines if line.lamp is Lamp.AMBER and line.left_wd != 0],
        due_today=[line for line in lines if line.left_wd == 0],
    )


def _unanswered(session: Session, viewer: Actor, calendar: Calendar, today: date) -> list[MorningLine]:
    rows = session.execute(case_query(viewer, Case.stage == Stage.REQUESTED, order=Case.answer_by))
    return [case_line(row, LocalizedText("待派件"), calendar, today, row.Case.answer_by) for row in rows]


def _silence(session: Session, viewer: Actor, calendar: Calendar, today: date) -> list[MorningLine]:
    """Reviews whose authority has not asked for corrections in time: accepted by law from today."""
    due = Review.correction_due_at < _end_of(calendar, today)
    rows = session.execute(_reviews(viewer, Review.state == ReviewState.SUBMITTED, due))
    form = "%(matter)s：今日起视为受理"
    return [case_line(row, LocalizedText(form, matter=row.matter), calendar, today, row.due) for row in rows]


def _failed_since(since: datetime) -> Select[int]:
    return select(CaseEvent.case_id).where(CaseEvent.kind == "attempt_failed", CaseEvent.at > since)


def _papers_out() -> Select[int]:
    out = (ParcelState.AT_CENTRE, ParcelState.WITH_AUTHORITY, ParcelState.ON_THE_WAY)
    return select(Parcel.case_id).where(Parcel.state.in_(out))


def _end_of(calendar: Calendar, today: date) -> datetime:
    return calendar.closes_at(calendar.first_workday_from(today)) + timedelta(hours=6)


def _owed(until: date) -> Select[int]:
    return select(Material.case_id).where(
        Material.state == MaterialState.DEFERRED, Material.supplied_at.is_(None), Material.owed_by <= until
    )


def _reviews(viewer: Actor, *conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        case_query(viewer)
        .join(Review, Review.case_id == Case.id)
        .join(Matter, Matter.id == Review.matter_id)
        .add_columns(Matter.short_name.label("matter"), Review.correction_due_at.label("due"))
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


def bad_grades(session: Session, viewer: Actor) -> list[GradeToAnswer]:
    """Rectifications that are not answered yet, what is due first. Never shown to the rated."""
    if viewer.role is Role.AGENT:
        return []
    rows = session.execute(
        select(Rectification.id, Case.case_no, Rectification.state, Rectification.rectify_by)
        .join(Evaluation, Evaluation.id == Rectification.evaluation_id)
        .join(Case, Case.id == Evaluation.case_id)
        .where(visible_cases(viewer), Rectification.state != RectificationState.ANSWERED)
        .order_by(Rectification.rectify_by)
        .limit(40)
    )
    return [GradeToAnswer(*row) for row in rows]


def open_tickets(session: Session, viewer: Actor, *, limit: int) -> list[Ticket]:
    """Unanswered tickets, the most urgent first."""
    query = select(Ticket).where(visible_tickets(viewer), Ticket.state == TicketState.OPEN).order_by(Ticket.due_at)
    return list(session.scalars(query.limit(limit)))


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
