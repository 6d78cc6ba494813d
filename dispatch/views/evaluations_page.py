"""What supervision sees of grades (好差评): bad ones and their rectification, and each agent's mean with its n."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from agents.roster import Agent
from dispatch.cases.access_control import visible_agents, visible_rectifications
from dispatch.cases.case import Case
from dispatch.cases.evaluation import (
    GRADE_LABEL,
    NEXT_RECTIFICATION,
    RECTIFICATION_LABEL,
    Evaluation,
    Grade,
    Rectification,
    RectificationState,
)
from dispatch.cases.review import Review
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor, Role

MOST_BAD_GRADES, MOST_AGENTS = 100, 60
PRIOR, WEIGHT = 4.5, 20  # a mean is pulled towards the prior as by so many grades: 2 cases do not outrank 200

STEP_WORDS: Mapping[RectificationState, str] = MappingProxyType(
    {
        RectificationState.VERIFIED: "核实属实，开始整改",
        RectificationState.APPEALED: "提出申诉",
        RectificationState.DISMISSED: "申诉成立，不予认定",
        RectificationState.RECTIFIED: "已整改",
        RectificationState.ANSWERED: "已回访企业",
    }
)


@dataclass(frozen=True, slots=True)
class BadGrade:
    """A bad grade and its rectification. Who gave it is left out for the rated and their lead."""

    id: int
    case_no: str
    matter: str
    agent: str
    grade: str
    words: str
    state: str
    state_words: str
    opened_at: datetime
    verify_by: datetime
    rectify_by: datetime
    is_late: bool
    finding: str
    measure: str
    answer: str
    appeal: str
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AgentGrades:
    """An agent's grades: how many, the mean, and the mean shrunk by its n."""

    agent_no: str
    name: str
    n: int
    mean: float
    shrunk: float
    bad: int


def bad_grades(
    session: Session, viewer: Actor, *, at: datetime, state: RectificationState | None = None
) -> list[BadGrade]:
    """Rectifications, what is due first. The rater stays hidden: an agent sees neither case nor words."""
    query = (
        select(Rectification, Evaluation, Case.case_no, Matter.short_name, Agent.name.label("agent"))
        .join(Evaluation, Evaluation.id == Rectification.evaluation_id)
        .join(Case, Case.id == Evaluation.case_id)
        .join(Review, Review.id == Evaluation.review_id)
        .join(Matter, Matter.id == Review.matter_id)
        .outerjoin(Agent, Agent.id == Evaluation.agent_id)
        .where(visible_rectifications(viewer))
        .order_by(Rectification.state == RectificationState.ANSWERED, Rectification.rectify_by)
        .limit(MOST_BAD_GRADES)
    )
    if state is not None:
        query = query.where(Rectification.state == state)
    is_rated = viewer.role is Role.AGENT
    return [
        BadGrade(
            id=row.Rectification.id,
            case_no="" if is_rated else row.case_no,
            matter=row.short_name,
            agent=row.agent or "—",
            grade=GRADE_LABEL[row.Evaluation.grade],
            words="" if is_rated else row.Evaluation.words or "",
            state=row.Rectification.state.value,
            state_words=RECTIFICATION_LABEL[row.Rectification.state],
            opened_at=row.Rectification.opened_at,
            verify_by=row.Rectification.verify_by,
            rectify_by=row.Rectification.rectify_by,
            is_late=_is_late(row.Rectification, at),
            finding=row.Rectification.finding or "",
            measure=row.Rectification.measure or "",
            answer=row.Rectification.answer or "",
            appeal=row.Rectification.appeal or "",
            steps=steps_of(row.Rectification.state, viewer),
        )
        for row in session.execute(query)
    ]


def _is_late(rectification: Rectification, at: datetime) -> bool:
    if rectification.state is RectificationState.OPENED:
        return at > rectification.verify_by
    return rectification.state is not RectificationState.ANSWERED and at > rectification.rectify_by


def steps_of(state: RectificationState, viewer: Actor) -> tuple[tuple[str, str], ...]:
    """What this viewer may do next: the rated may only appeal; supervision and operators the rest; leads only look."""
    following = [step for step in STEP_WORDS if step in NEXT_RECTIFICATION[state]]
    if viewer.role is Role.AGENT:
        following = [step for step in following if step is RectificationState.APPEALED]
    elif viewer.role in {Role.SUPERVISOR, Role.OPERATOR}:
        following = [step for step in following if step is not RectificationState.APPEALED]
    else:
        following = []
    return tuple((step.value, STEP_WORDS[step]) for step in following)


def counts(session: Session, viewer: Actor) -> dict[str, int]:
    """How many rectifications are in each state."""
    rows = session.execute(
        select(Rectification.state, func.count())
        .join(Evaluation, Evaluation.id == Rectification.evaluation_id)
        .where(visible_rectifications(viewer))
        .group_by(Rectification.state)
    )
    return {state.value: n for state, n in rows}


def grade_counts(session: Session, viewer: Actor) -> list[tuple[str, int]]:
    """How many of each of the five grades."""
    rows = session.execute(
        select(Evaluation.grade, func.count())
        .where(visible_rectifications(viewer), Evaluation.withdrawn_at.is_(None))
        .group_by(Evaluation.grade)
    )
    counted: dict[Grade, int] = dict(rows.all())
    return [(GRADE_LABEL[grade], counted.get(grade, 0)) for grade in sorted(Grade, reverse=True)]


def agents_by_grade(session: Session, viewer: Actor) -> list[AgentGrades]:
    """Agents with grades, the best shrunk mean first; an agent sees only its own."""
    own = Agent.id == viewer.agent_id if viewer.role is Role.AGENT else true()
    total, n = func.sum(Evaluation.grade), func.count()
    shrunk = (PRIOR * WEIGHT + total) / (WEIGHT + n)
    rows = session.execute(
        select(Agent.agent_no, Agent.name, n, func.avg(Evaluation.grade), shrunk, n.filter(Evaluation.grade <= 2))
        .join(Evaluation, Evaluation.agent_id == Agent.id)
        .where(Evaluation.withdrawn_at.is_(None), visible_agents(viewer), own)
        .group_by(Agent.id, Agent.agent_no, Agent.name)
        .order_by(shrunk.desc())
        .limit(MOST_AGENTS)
    )
    return [
        AgentGrades(no, name, count, float(mean), float(pulled), bad) for no, name, count, mean, pulled, bad in rows
    ]
