"""What agents and leads see: the morning page, the inbox by risk, a project, a case, the people, the tickets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from agents.network import Division
from agents.roster import Agent, Duty
from dispatch.cases.access_control import (
    case_for,
    project_for,
    visible_agents,
    visible_cases,
    visible_projects,
    visible_stops,
    visible_tickets,
)
from dispatch.cases.case import Case, CaseEvent, Material, MaterialState
from dispatch.cases.evaluation import Evaluation, Rectification, RectificationState, Ticket, TicketState
from dispatch.cases.notify import day_of
from dispatch.cases.project import Enterprise, Intermediary, Project, ProjectMember, ProjectState, Referral, TeamRole
from dispatch.cases.review import Review, ReviewPause, ReviewState
from dispatch.cases.stages import ENDS, LABEL, Stage
from dispatch.catalogue.catalog import Matter, calendar_of
from dispatch.core.actor import Actor, Role
from dispatch.core.clock import AMBER_WD, Calendar, Lamp
from dispatch.core.localized_text import LocalizedText
from dispatch.custody.custody import Handover, Holder, Parcel, ParcelState
from dispatch.views.agents import AWAY
from routing.day.courier_stop import CourierStop
from routing.day.day_plan import DayPlan, PlanState

INBOX_PAGE = 100


@dataclass(frozen=True, slots=True)
class MorningLine:
    """One row of a list: a case, what about it, when, how urgent."""

    case_no: str
    project: str
    enterprise: str
    words: str
    due: date | datetime | None = None
    left_wd: int | None = None
    lamp: Lamp = Lamp.GREEN
    stage: str = ""
    agent: str = ""
    risk: float | None = None
    advice: str = ""


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
    away: list[tuple[str, str, str]]
    failed: list[MorningLine]
    papers_out: list[MorningLine]
    bad_grades: list[tuple[int, str, str, datetime]]
    tickets: list[Any]
    plans: list[Any]
    waiting: int
    open_cases: int
    open_stops: dict[str, int]


def _lines(
    session: Session, viewer: Actor, *conditions: ColumnElement[bool], order: Any = None, limit: int = 60
) -> Select[Any]:
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
        .order_by(order if order is not None else Case.id)
        .limit(limit)
    )


def _line(row: Any, words: str, calendar: Calendar, today: date, due: date | datetime | None = None) -> MorningLine:
    on = day_of(due) if isinstance(due, datetime) else due
    left = None if on is None else calendar.working_days_between(today, on)
    lamp = Lamp.GREEN if left is None else Lamp.RED if left < 0 else Lamp.AMBER if left <= AMBER_WD else Lamp.GREEN
    case = row.Case
    return MorningLine(
        case.case_no, row.project, row.enterprise, words, due, left, lamp, LABEL[case.stage], row.agent or "",
        case.miss_probability, case.advice or "",
    )  # fmt: skip


def morning(session: Session, viewer: Actor, *, at: datetime) -> Morning:
    """What the day asks for, within the viewer's reach."""
    calendar, today = calendar_of(session), day_of(at)
    running = Case.stage.in_((Stage.SUBMITTED, Stage.UNDER_REVIEW))
    soon = calendar.add_working_days(today, AMBER_WD)
    dated = session.execute(
        _lines(session, viewer, running, Case.committed_due_on <= soon, order=Case.committed_due_on)
    ).all()
    lines = [_line(row, LocalizedText("承诺时限"), calendar, today, row.Case.committed_due_on) for row in dated]
    night = session.execute(_lines(session, viewer, Case.stage == Stage.REQUESTED, order=Case.answer_by)).all()
    silence = _reviews(
        session, viewer, Review.state == ReviewState.SUBMITTED, Review.correction_due_at < _end_of(calendar, today)
    )
    ending = _reviews(
        session, viewer, Review.state == ReviewState.PAUSED,
        Review.id.in_(
            select(ReviewPause.review_id).where(
                ReviewPause.ended_on.is_(None), ReviewPause.expected_end_on <= calendar.add_working_days(today, 3)
            )
        ),
    )  # fmt: skip
    owed = session.execute(
        _lines(session, viewer, Case.id.in_(_owed(today + timedelta(days=3))), Case.stage.not_in(ENDS))
    ).all()
    surveys = _reviews(session, viewer, Review.survey_on == today)
    failed = session.execute(
        _lines(
            session, viewer,
            Case.id.in_(
                select(CaseEvent.case_id).where(
                    CaseEvent.kind == "attempt_failed", CaseEvent.at > at - timedelta(hours=36)
                )
            ),
        )
    ).all()  # fmt: skip
    out = session.execute(
        _lines(
            session, viewer, Case.stage.in_(ENDS),
            Case.id.in_(
                select(Parcel.case_id).where(
                    Parcel.state.in_((ParcelState.AT_CENTRE, ParcelState.WITH_AUTHORITY, ParcelState.ON_THE_WAY))
                )
            ),
        )
    ).all()  # fmt: skip
    return Morning(
        on=today,
        red=[line for line in lines if line.lamp is Lamp.RED],
        amber=[line for line in lines if line.lamp is Lamp.AMBER and line.left_wd != 0],
        due_today=[line for line in lines if line.left_wd == 0],
        unanswered=[_line(row, LocalizedText("待派件"), calendar, today, row.Case.answer_by) for row in night],
        silence_today=[
            _line(row, LocalizedText("%(matter)s：今日起视为受理", matter=row.matter), calendar, today, row.due)
            for row in silence
        ],
        pauses_ending=[
            _line(row, LocalizedText("%(matter)s：特别程序即将结束", matter=row.matter), calendar, today)
            for row in ending
        ],
        supplements_due=[_line(row, LocalizedText("容缺材料待补"), calendar, today) for row in owed],
        surveys=[
            _line(row, LocalizedText("%(matter)s：现场勘验", matter=row.matter), calendar, today) for row in surveys
        ],
        away=away(session, viewer, today),
        failed=[_line(row, LocalizedText("揽投未成功"), calendar, today) for row in failed],
        papers_out=[_line(row, LocalizedText("原件未退回"), calendar, today) for row in out],
        bad_grades=bad_grades(session, viewer),
        tickets=open_tickets(session, viewer, limit=20),
        plans=plans_of(session, viewer, today),
        waiting=session.scalar(
            select(func.count()).select_from(Project).where(
                visible_projects(viewer), Project.state == ProjectState.WAITING
            )
        ) or 0,
        open_cases=session.scalar(
            select(func.count()).select_from(Case).where(visible_cases(viewer), Case.stage.not_in(ENDS))
        ) or 0,
        open_stops=stops_by_state(session, viewer, today),
    )  # fmt: skip


def _end_of(calendar: Calendar, today: date) -> datetime:
    return calendar.closes_at(calendar.first_workday_from(today)) + timedelta(hours=6)


def _owed(until: date) -> Select[Any]:
    return select(Material.case_id).where(
        Material.state == MaterialState.DEFERRED, Material.supplied_at.is_(None), Material.owed_by <= until
    )


def _reviews(session: Session, viewer: Actor, *conditions: ColumnElement[bool]) -> Sequence[Any]:
    return session.execute(
        _lines(session, viewer)
        .join(Review, Review.case_id == Case.id)
        .join(Matter, Matter.id == Review.matter_id)
        .add_columns(Matter.short_name.label("matter"), Review.correction_due_at.label("due"))
        .where(*conditions)
    ).all()


def away(session: Session, viewer: Actor, on: date) -> list[tuple[str, str, str]]:
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
    return [(name, AWAY[kind], stand_in or "—") for name, kind, stand_in in rows]


def bad_grades(session: Session, viewer: Actor) -> list[tuple[int, str, str, datetime]]:
    """Rectifications that are not answered yet: id, case, state, due. Never shown to the rated."""
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
    return [(row[0], row[1], row[2], row[3]) for row in rows]


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


# ---------------------------------------------------------------- the inbox


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
    query = _lines(session, viewer, *conditions, limit=limit).order_by(None).order_by(*order)
    rows = session.execute(query).all()
    return [_line(row, _what_next(row.Case), calendar, today, _due_of(row.Case)) for row in rows]


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


def _what_next(case: Case) -> str:
    return NEXT_ACT.get(case.stage, "")


# ---------------------------------------------------------------- a case


@dataclass(frozen=True, slots=True)
class TeamCasePage:
    """Everything about one case that its agent or lead needs."""

    case: Case
    project: Project
    enterprise: Enterprise
    agent: Agent | None
    reviews: list[tuple[Review, Matter, Lamp, int | None]]
    materials: list[Material]
    parcels: list[tuple[Parcel, CourierStop | None]]
    chains: dict[int, list[Handover]]
    events: list[CaseEvent]
    next_act: str
    delegated: bool
    owed: list[Material] = field(default_factory=list)


def case_page(session: Session, viewer: Actor, case_no: str, *, at: datetime) -> TeamCasePage:
    """One case. Raises NotFound."""
    case = case_for(session, viewer, case_no)
    project = session.get_one(Project, case.project_id)
    calendar = calendar_of(session)
    reviews = []
    for review, matter in session.execute(
        select(Review, Matter)
        .join(Matter, Matter.id == Review.matter_id)
        .where(Review.case_id == case.id)
        .order_by(Review.id)
    ):
        clock = review.committed_clock()
        left = None if clock is None or review.is_decided else clock.days_left(calendar, at)
        reviews.append((review, matter, review.lamp(calendar, at), left))
    parcels = session.execute(
        select(Parcel, CourierStop)
        .outerjoin(CourierStop, CourierStop.id == Parcel.stop_id)
        .where(Parcel.case_id == case.id)
        .order_by(Parcel.id)
    ).all()
    chains: dict[int, list[Handover]] = {}
    for link in session.scalars(
        select(Handover)
        .where(Handover.parcel_id.in_([p.id for p, _ in parcels]))
        .order_by(Handover.parcel_id, Handover.seq)
    ):
        chains.setdefault(link.parcel_id, []).append(link)
    lead = project.lead
    materials = list(case.materials)
    return TeamCasePage(
        case=case,
        project=project,
        enterprise=session.get_one(Enterprise, project.enterprise_id),
        agent=None if lead is None else session.get(Agent, lead.agent_id),
        reviews=reviews,
        materials=materials,
        parcels=[(parcel, stop) for parcel, stop in parcels],
        chains=chains,
        events=list(
            session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id.desc()))
        ),
        next_act=_what_next(case),
        delegated=project.delegation_on(day_of(at)) is not None,
        owed=[m for m in materials if m.is_owed],
    )


# ---------------------------------------------------------------- projects and people


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """One project of the list."""

    project_no: str
    name: str
    enterprise: str
    state: ProjectState
    agent: str
    open_cases: int
    created_at: datetime


def projects(
    session: Session, viewer: Actor, *, state: str = "", words: str = "", after: int | None = None, limit: int = 50
) -> list[tuple[int, ProjectLine]]:
    """Projects, newest first, ``limit`` and one more; each with its id for the cursor."""
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
    query = (
        select(Project.id, Project.project_no, Project.name, Project.state, Project.created_at,
               Enterprise.name.label("enterprise"), opened.label("opened"), lead.label("agent"))
        .join(Enterprise, Enterprise.id == Project.enterprise_id)
        .where(visible_projects(viewer))
    )  # fmt: skip
    if state:
        query = query.where(Project.state == ProjectState(state))
    if words.strip():
        typed = words.strip()
        query = query.where(
            or_(
                Project.name.contains(typed, autoescape=True),
                Enterprise.name.contains(typed, autoescape=True),
                Project.project_no.contains(typed, autoescape=True),
            )
        )
    if after is not None:
        query = query.where(Project.id < after)
    rows = session.execute(query.order_by(Project.id.desc()).limit(limit + 1))
    return [
        (r.id, ProjectLine(r.project_no, r.name, r.enterprise, r.state, r.agent or "", r.opened, r.created_at))
        for r in rows
    ]


@dataclass(frozen=True, slots=True)
class TeamProjectPage:
    """One project: its team, why this agent, its cases, delegation, intermediaries."""

    project: Project
    enterprise: Enterprise
    division: Division
    team: list[tuple[ProjectMember, Agent]]
    former: list[tuple[ProjectMember, Agent]]
    cases: list[Case]
    referral: Referral | None
    candidates: list[Agent]
    intermediaries: list[Intermediary]


def project_page(session: Session, viewer: Actor, project_no: str) -> TeamProjectPage:
    """One project. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    members = session.execute(
        select(ProjectMember, Agent)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .where(ProjectMember.project_id == project.id)
        .order_by(ProjectMember.id)
    ).all()
    home = session.get_one(Division, project.home_division_id)
    able = (
        select(Agent)
        .join(Division, Division.id == Agent.division_id)
        .where(Agent.active, Agent.held < Agent.capacity, visible_agents(viewer))
        .where(or_(Division.id == home.id, Division.parent_code == home.code))
        .order_by(Agent.held * 1.0 / Agent.capacity, Agent.pinyin)
        .limit(80)
    )
    return TeamProjectPage(
        project=project,
        enterprise=session.get_one(Enterprise, project.enterprise_id),
        division=session.get_one(Division, project.division_id),
        team=[(m, a) for m, a in members if m.until is None],
        former=[(m, a) for m, a in members if m.until is not None],
        cases=list(session.scalars(select(Case).where(Case.project_id == project.id).order_by(Case.id.desc()))),
        referral=session.scalar(
            select(Referral).where(and_(Referral.project_id == project.id, Referral.accepted_at.is_(None))).limit(1)
        ),
        candidates=[] if viewer.role is Role.SUPERVISOR else list(session.scalars(able)),
        intermediaries=list(project.intermediaries),
    )


def tickets(session: Session, viewer: Actor, *, state: str = "", limit: int = 100) -> list[tuple[Ticket, str]]:
    """Tickets and their owners' names, open ones first."""
    query = (
        select(Ticket, Agent.name)
        .outerjoin(Agent, Agent.id == Ticket.owner_agent_id)
        .where(visible_tickets(viewer))
        .order_by(Ticket.state != TicketState.OPEN, Ticket.due_at)
    )
    if state:
        query = query.where(Ticket.state == TicketState(state))
    return [(ticket, name or "—") for ticket, name in session.execute(query.limit(limit))]


def papers_to_receive(session: Session, viewer: Actor) -> list[tuple[Parcel, str]]:
    """Parcels that couriers hold and a centre has to take in."""
    rows = session.execute(
        select(Parcel, Case.case_no)
        .join(Case, Case.id == Parcel.case_id)
        .where(visible_cases(viewer), Parcel.holder == Holder.COURIER)
        .order_by(Parcel.id)
        .limit(200)
    )
    return [(parcel, case_no) for parcel, case_no in rows]
