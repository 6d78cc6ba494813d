"""The monthly report (代办工作月报): its figures, and its tables by town, department and matter."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.cases.access_control import visible_cases
from dispatch.cases.case import Case
from dispatch.cases.notify import day_of
from dispatch.cases.obligations.keeping import settle
from dispatch.cases.project import Project
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Matter
from dispatch.core.actor import Actor
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import Calendar
from dispatch.views.report_clocks import FamilyClocks, family_clocks, shared_evaluations
from dispatch.views.report_dates import in_month, until_day
from dispatch.views.report_figures import (
    Figure,
    ReportDecision,
    grade_figures,
    owed_figures,
    project_figures,
    service_figures,
    time_figures,
)

DECIDED = (ReviewState.GRANTED, ReviewState.DENIED)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One town, department or matter: what was decided there, how much in time, in how many days."""

    name: str
    new: int
    open: int
    closed: int
    decided: int
    in_time: int
    mean_wd: float | None

    @property
    def share(self) -> float | None:
        return self.in_time / self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """The month up to its cut-off."""

    first: date
    last: date
    made_at: datetime
    area: str
    figures: list[Figure]
    clocks: list[FamilyClocks] = field(default_factory=list)
    towns: list[ReportRow] = field(default_factory=list)
    departments: list[ReportRow] = field(default_factory=list)
    matters: list[ReportRow] = field(default_factory=list)


def month_of(on: date) -> tuple[date, date]:
    """The first and the last day of a month."""
    first = on.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def report(session: Session, viewer: Actor, *, month: date, at: datetime) -> MonthlyReport:
    """The month's report for what the viewer may see; a running month is cut off today."""
    settle(session)
    first, last = month_of(month)
    last = min(last, max(first, day_of(at)))
    calendar = calendar_of(session)
    decisions = _decisions(session, viewer, first, last, calendar)
    families = family_clocks(session, viewer, first, last, at=at)
    shared = shared_evaluations(session, viewer, first, last, at=at)
    area = session.get(Division, viewer.division_id) if viewer.division_id else None
    return MonthlyReport(
        first,
        last,
        at,
        area.name if area else "全部地区",
        [
            *project_figures(session, viewer, first, last),
            *time_figures(decisions, families),
            *owed_figures(session, viewer, first, last),
            *service_figures(session, viewer, first, last, shared),
            *grade_figures(session, viewer, first, last),
        ],
        families,
        _by(decisions, lambda d: d.town, _case_counts(session, viewer, first, last)),
        _by(decisions, lambda d: d.department, {}),
        _by(decisions, lambda d: d.matter, {}),
    )


def _decisions(session: Session, viewer: Actor, first: date, last: date, calendar: Calendar) -> list[ReportDecision]:
    rows = session.execute(
        select(Review, Matter, Division.name.label("town"))
        .join(Matter, Matter.id == Review.matter_id)
        .join(Case, Case.id == Review.case_id)
        .join(Project, Project.id == Case.project_id)
        .join(Division, Division.id == Project.division_id)
        .where(visible_cases(viewer), Review.state.in_(DECIDED), in_month(Review.decided_at, first, last))
    )
    found = []
    for review, matter, town in rows:
        if review.decided_at is None:
            continue
        clock = review.clocks().binding(calendar, in_shanghai(review.decided_at).date())
        if clock is None:
            continue
        used = clock.days_used(calendar, review.decided_at)
        found.append(
            ReportDecision(
                town, matter.department, matter.short_name, used,
                review.committed_due_at is None or review.decided_at <= review.committed_due_at,
            )
        )  # fmt: skip
    return found


def _case_counts(session: Session, viewer: Actor, first: date, last: date) -> dict[str, tuple[int, int, int]]:
    """Each town's new, running and closed cases."""
    rows = session.execute(
        select(
            Division.name,
            func.count().filter(in_month(Case.created_at, first, last)),
            func.count().filter(or_(Case.ended_at.is_(None), ~until_day(Case.ended_at, last))),
            func.count().filter(in_month(Case.ended_at, first, last)),
        )
        .join(Project, Project.id == Case.project_id)
        .join(Division, Division.id == Project.division_id)
        .where(visible_cases(viewer), until_day(Case.created_at, last))
        .group_by(Division.name)
    )
    return {name: (new, running, closed) for name, new, running, closed in rows}


def _by(decisions: Iterable[ReportDecision], key: Any, counted: dict[str, tuple[int, int, int]]) -> list[ReportRow]:
    groups: dict[str, list[ReportDecision]] = {name: [] for name in counted}
    for decision in decisions:
        groups.setdefault(key(decision), []).append(decision)
    rows = [
        ReportRow(
            name, *counted.get(name, (0, 0, 0)), len(of), sum(d.in_time for d in of),
            sum(d.days for d in of) / len(of) if of else None,
        )
        for name, of in groups.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row.decided, -row.open, row.name))
