"""The path drawn: what a project or one of its cases has to go through, with what has happened to it so far."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from agents.network import Division, ancestors
from dispatch.applicability import Facts, applies, limits_for
from dispatch.approval import Basis, Counting, Path, applicable, build_path
from dispatch.case import Case
from dispatch.catalog import Matter, area_evaluations, calendar_of, facts_of, matter_nodes, site_of
from dispatch.clock import Calendar, CalendarMissing, Lamp, in_shanghai
from dispatch.path_drawing import drawing
from dispatch.path_schedule import DatedStep, Progress, dated, schedule
from dispatch.path_svg import svg
from dispatch.project import Project
from dispatch.review import Review, ReviewState

OPEN_STATES = frozenset({ReviewState.ACCEPTED, ReviewState.PAUSED, ReviewState.EXTENDED})


@dataclass(frozen=True, slots=True)
class DrawnPath:
    """A path as a page shows it: the picture, its words, and how many working days it takes from acceptance."""

    picture: str
    summary: str
    statutory_wd: int
    committed_wd: int
    matters: int


def drawn_path(
    session: Session,
    project: Project,
    *,
    at: datetime,
    only: Collection[str] | None = None,
    start_on: date | None = None,
) -> DrawnPath | None:
    """The project's whole path, or just the matters in ``only`` (those of one case). None when there are none."""
    calendar, today = calendar_of(session), in_shanghai(at).date()
    division = session.get_one(Division, project.division_id)
    happened = _progress(session, project, calendar, at)
    try:
        facts = facts_of(project.facts)
    except ValueError:
        facts = Facts()
    nodes = matter_nodes(session, division, family=project.family)
    wanted = set(only) if only is not None else {n.code for n in nodes if applies(n.code, facts)} | happened.keys()
    chosen = [limits_for(node, facts) for node in applicable(nodes, [n.code for n in nodes if n.code in wanted])]
    if not chosen:
        return None
    start = start_on or in_shanghai(project.created_at).date()
    path = build_path(
        chosen,
        site=site_of(division, line=ancestors(session, division)),
        evaluations=area_evaluations(session, division),
        calendar=calendar,
        start_on=start,
    )
    plan = schedule(path, Basis.COMMITTED, Counting.ELAPSED)
    dates = _dates(path, calendar, start, today, happened)
    sheet = drawing(
        path, plan, title=f"{project.name}的审批线路", dates=dates, calendar=calendar if dates else None,
        start_on=start if dates else None, today=today if dates else None,
    )  # fmt: skip
    return DrawnPath(
        picture=svg(sheet),
        summary=sheet.summary,
        statutory_wd=schedule(path, Basis.STATUTORY, Counting.ELAPSED).horizon,
        committed_wd=plan.horizon,
        matters=len(path.steps),
    )


def _dates(
    path: Path, calendar: Calendar, start: date, today: date, happened: dict[str, Progress]
) -> dict[str, DatedStep] | None:
    """None when the path reaches into a year without a calendar: then it is drawn without dates."""
    try:
        return {step.code: step for step in dated(path, calendar, start, today=today, progress=happened)}
    except CalendarMissing:
        return None


def _progress(session: Session, project: Project, calendar: Calendar, at: datetime) -> dict[str, Progress]:
    rows = session.execute(
        select(Matter.code, Review)
        .join(Review, Review.matter_id == Matter.id)
        .join(Case, Case.id == Review.case_id)
        .where(Case.project_id == project.id, Review.state != ReviewState.WITHDRAWN)
        .options(selectinload(Review.pauses))
        .order_by(Review.id)
    ).all()
    found: dict[str, Progress] = {}
    for code, review in rows:
        found[code] = Progress(
            accepted_on=_day(review.accepted_at),
            decided_on=_day(review.decided_at),
            due_on=_day(review.legal_due_at),
            lamp=review.lamp(calendar, at) if review.state in OPEN_STATES else Lamp.GREEN,
        )
    return found


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else in_shanghai(moment).date()
