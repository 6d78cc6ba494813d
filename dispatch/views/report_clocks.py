"""The report's whole projects: three clocks of those that reached their goal, and what new ones share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from agents.network import Division
from dispatch.cases.access_control import visible_projects
from dispatch.cases.case import Case
from dispatch.cases.project import TARGET_WD, Project
from dispatch.cases.project_clocks import clocks_so_far
from dispatch.cases.project_path import DivisionRulesCache, project_path
from dispatch.cases.review import Review
from dispatch.catalogue.area_evaluation import AreaEvaluation
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor
from dispatch.core.three_clocks import ThreeClocks
from dispatch.core.working_days import CalendarMissing
from dispatch.path.matter_node import Basis
from dispatch.path.schedule import area_gain
from dispatch.views.report_dates import in_month


@dataclass(frozen=True, slots=True)
class FamilyClocks:
    """Mean working days of the family's projects that reached their goal in the month, by whose they were."""

    family: Family
    target_wd: int
    projects: int
    approval_wd: float | None
    enterprise_wd: float | None
    not_counted_wd: float | None
    elapsed_wd: float | None


@dataclass(frozen=True, slots=True)
class SharedEvaluations:
    """What the month's new projects share of area evaluations; ``days_saved_wd`` shorten the paths, slack does not."""

    projects: int
    days_saved_wd: int
    slack_gained_wd: int
    cost_saved_yuan: int


def family_clocks(session: Session, viewer: Actor, first: date, last: date, *, at: datetime) -> list[FamilyClocks]:
    """Each family's clocks, from the request to the decision of the last matter that counts in the target."""
    candidates = session.scalars(
        select(Project)
        .where(
            visible_projects(viewer),
            Project.id.in_(
                select(Case.project_id)
                .join(Review, Review.case_id == Case.id)
                .where(in_month(Review.decided_at, first, last))
            ),
        )
        .order_by(Project.id)
    )
    places = DivisionRulesCache(session)
    found: dict[Family, list[ThreeClocks]] = {family: [] for family in TARGET_WD}
    for project in candidates:
        mine = project_path(session, project, at=at, places=places)
        if mine is None:
            continue
        try:
            clocks = clocks_so_far(session, project, mine)
        except CalendarMissing:
            continue
        if clocks.is_over and first <= clocks.ended_on <= last:
            found[project.family].append(clocks.days)
    return [_mean(family, of) for family, of in found.items()]


def _mean(family: Family, of: list[ThreeClocks]) -> FamilyClocks:
    def mean(days: Iterable[int]) -> float | None:
        return sum(days) / len(of) if of else None

    return FamilyClocks(
        family,
        TARGET_WD[family],
        len(of),
        mean(clocks.approval_wd for clocks in of),
        mean(clocks.enterprise_wd for clocks in of),
        mean(clocks.not_counted_wd for clocks in of),
        mean(clocks.elapsed_wd for clocks in of),
    )


def shared_evaluations(session: Session, viewer: Actor, first: date, last: date, *, at: datetime) -> SharedEvaluations:
    """The gain of the projects asked for in the month, in zones that had something evaluated."""
    zone, site = aliased(Division), aliased(Division)
    inside = (
        select(site.id)
        .join(zone, site.path.op("<@")(zone.path))
        .join(AreaEvaluation, AreaEvaluation.division_id == zone.id)
        .where(AreaEvaluation.valid_from <= last, AreaEvaluation.valid_to >= first)
    )
    projects = session.scalars(
        select(Project)
        .where(
            visible_projects(viewer), in_month(Project.created_at, first, last), Project.division_id.in_(inside)
        )
        .order_by(Project.id)
    )  # fmt: skip
    places = DivisionRulesCache(session)
    paths = [mine for project in projects if (mine := project_path(session, project, at=at, places=places)) is not None]
    gains = [gain for mine in paths if (gain := area_gain(mine.path, Basis.COMMITTED)).codes]
    return SharedEvaluations(
        len(gains),
        sum(gain.days_saved_wd for gain in gains),
        sum(gain.slack_gained_wd for gain in gains),
        sum(gain.cost_saved_yuan for gain in gains),
    )
