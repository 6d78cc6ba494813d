"""Correction forms: what a project says of itself now, and what may be chosen instead."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from agents.network import Division
from agents.roster import Agent
from dispatch.acts.correcting_matters import ASKS, MAY_GO
from dispatch.cases.access_control import project_for, visible_agents
from dispatch.cases.case import Case
from dispatch.cases.project import Delegation, Project, ProjectMember, TeamRole
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import ENDS
from dispatch.catalogue.matter import Family, Matter
from dispatch.core.actor import Actor
from dispatch.core.three_clocks import ClockOf
from dispatch.path.matter_node import WHOSE
from dispatch.views.fact_lines import FactLine, fact_lines
from dispatch.views.loading import PROJECT_PARTS


@dataclass(frozen=True, slots=True)
class MatterChoice:
    """A matter to add or to take away."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class AgentChoice:
    """An agent who may be the right one."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class CaseMatters:
    """An open case that is not filed: what it has, and what may come or go."""

    case_no: str
    version: int
    names: tuple[str, ...]
    may_go: tuple[MatterChoice, ...]
    may_come: tuple[MatterChoice, ...]


@dataclass(frozen=True, slots=True)
class LetterRecord:
    """A delegation letter by its first and last day, and what was written down of it."""

    valid_from: date
    valid_to: date
    facts: tuple[FactLine, ...]


@dataclass(frozen=True, slots=True)
class AssignmentRecord:
    """An assignment that stands: who, in which place, from when until when, and who wrote it down when."""

    id: int
    agent_id: int
    agent: str
    role: TeamRole
    counter: str
    since: datetime
    until: datetime | None
    recorded_at: datetime
    recorded_by: str
    late_reason: str


@dataclass(frozen=True, slots=True)
class CorrectionForms:
    """What the page of corrections needs: the project, its county's places and agents, its cases, the matters."""

    project: Project
    places: tuple[Division, ...]
    cases: tuple[CaseMatters, ...]
    families: tuple[tuple[Family, tuple[MatterChoice, ...]], ...]
    letters: tuple[LetterRecord, ...]
    assignments: tuple[AssignmentRecord, ...]
    agents: tuple[AgentChoice, ...]


def correction_forms(session: Session, viewer: Actor, project_no: str) -> CorrectionForms:
    """The project as it may be put right. Raises NotFound."""
    project = project_for(session, viewer, project_no, loaded=(*PROJECT_PARTS, joinedload(Project.contact)))
    offered = _offered(session)
    cases = _cases(session, project, offered[project.family])
    others = tuple((family, choices) for family, choices in offered.items() if family is not project.family)
    places = _places(session, project.home_division_id)
    letters, given = _letters(session, project), _assignments(session, project)
    return CorrectionForms(project, places, cases, others, letters, given, _agents(session, viewer, places))


def _assignments(session: Session, project: Project) -> tuple[AssignmentRecord, ...]:
    rows = session.execute(
        select(ProjectMember, Agent.name)
        .join(Agent, Agent.id == ProjectMember.agent_id)
        .where(ProjectMember.project_id == project.id, ProjectMember.replaced_at.is_(None))
        .order_by(ProjectMember.since, ProjectMember.id)
    )
    return tuple(
        AssignmentRecord(
            one.id, one.agent_id, name, one.role, one.counter, one.since, one.until, one.recorded_at, one.recorded_by,
            one.late_reason or "",
        )
        for one, name in rows
    )  # fmt: skip


def _agents(session: Session, viewer: Actor, places: tuple[Division, ...]) -> tuple[AgentChoice, ...]:
    """The county's agents at work, also those whose slots are taken: who acted acted."""
    query = select(Agent.id, Agent.name).where(
        Agent.active, Agent.division_id.in_([place.id for place in places]), visible_agents(viewer)
    )
    return tuple(AgentChoice(row.id, row.name) for row in session.execute(query.order_by(Agent.pinyin, Agent.id)))


def _letters(session: Session, project: Project) -> tuple[LetterRecord, ...]:
    query = select(Delegation).where(Delegation.project_id == project.id).options(joinedload(Delegation.facts))
    letters = session.scalars(query.order_by(Delegation.id)).unique()
    return tuple(LetterRecord(one.valid_from, one.valid_to, fact_lines(one)) for one in letters)


def _offered(session: Session) -> dict[Family, tuple[MatterChoice, ...]]:
    rows = session.scalars(select(Matter).where(Matter.retired_on.is_(None)).order_by(Matter.code)).all()
    return {
        family: tuple(
            MatterChoice(matter.code, matter.short_name)
            for matter in rows
            if matter.family is family and WHOSE[matter.kind] is ClockOf.AUTHORITY
        )
        for family in Family
    }


def _cases(session: Session, project: Project, offered: tuple[MatterChoice, ...]) -> tuple[CaseMatters, ...]:
    query = select(Case).where(Case.project_id == project.id, Case.stage.not_in(ENDS), Case.stage.in_(MAY_GO))
    cases = session.scalars(query.order_by(Case.id)).all()
    of_cases = Review.case_id.in_([case.id for case in cases])
    reviews = session.scalars(
        select(Review).where(of_cases).options(joinedload(Review.matter)).order_by(Review.id)
    ).all()
    found = [_matters_of(case, [r for r in reviews if r.case_id == case.id], offered) for case in cases]
    return tuple(one for one in found if one.may_go or one.may_come)


def _matters_of(case: Case, reviews: list[Review], offered: tuple[MatterChoice, ...]) -> CaseMatters:
    there = {review.matter.code for review in reviews}
    go = [MatterChoice(r.matter.code, r.matter.short_name) for r in reviews if r.state is ReviewState.PREPARED]
    come = [choice for choice in offered if choice.code not in there] if case.stage in ASKS else []
    names = tuple(review.matter.short_name for review in reviews)
    return CaseMatters(case.case_no, case.version, names, tuple(go), tuple(come))


def _places(session: Session, home_id: int) -> tuple[Division, ...]:
    """The county with its towns: where the project may stand."""
    code = select(Division.code).where(Division.id == home_id).scalar_subquery()
    beside = or_(Division.id == home_id, Division.parent_code == code)
    query = select(Division).where(beside, Division.retired_on.is_(None)).order_by(Division.level, Division.code)
    return tuple(session.scalars(query))
