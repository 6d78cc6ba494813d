"""What a path comes to: the three clocks so far and as planned, days in parallel, and what area evaluations bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from agents.network import division_with
from dispatch.cases.project import Project
from dispatch.cases.project_clocks import ProjectClocks, clocks_so_far
from dispatch.cases.project_path import DivisionRulesCache, ProjectPath, project_path
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Family
from dispatch.catalogue.project_facts import facts_of
from dispatch.core.three_clocks import ThreeClocks
from dispatch.core.working_days import CalendarMissing
from dispatch.path.applicability import applies, limits_for, site_as_used
from dispatch.path.build_path import EvaluationOffers, applicable, build_path
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting
from dispatch.path.schedule import AreaGain, area_gain, planned_clocks, schedule


@dataclass(frozen=True, slots=True)
class PathFigures:
    """A path in working days, under the authorities' commitments; ``so_far`` is None without a calendar."""

    planned: ThreeClocks
    so_far: ProjectClocks | None
    in_series_wd: int  # the counted matters one after another
    in_parallel_wd: int  # the same matters as the path lays them
    gain: AreaGain


def path_figures(session: Session, project: Project, mine: ProjectPath) -> PathFigures:
    """The figures beside a drawn path."""
    try:
        so_far = clocks_so_far(session, project, mine)
    except CalendarMissing:
        so_far = None
    return PathFigures(
        planned=planned_clocks(mine.path, Basis.COMMITTED),
        so_far=so_far,
        in_series_wd=mine.path.in_series_wd(Basis.COMMITTED),
        in_parallel_wd=schedule(mine.path, Basis.COMMITTED, Counting.TARGET).horizon,
        gain=area_gain(mine.path, Basis.COMMITTED),
    )


def project_figures(session: Session, project: Project, *, at: datetime) -> PathFigures | None:
    """The figures of a project's whole path; None when it has no matters."""
    mine = project_path(session, project, at=at)
    return None if mine is None else path_figures(session, project, mine)


def gain_at_intake(
    session: Session, *, division_code: str, family: Family, facts: Mapping[str, Any], on: date
) -> AreaGain | None:
    """What shared area evaluations would bring to a project asked for on ``on``; None where nothing is shared."""
    place = DivisionRulesCache(session).of(division_with(session, division_code).id, family)
    known = facts_of(facts)
    wanted = [node.code for node in place.nodes if applies(node.code, known)]
    nodes = [limits_for(node, known) for node in applicable(place.nodes, wanted)]
    if not nodes:
        return None
    offers = EvaluationOffers(site_as_used(place.site, known), place.evaluations, calendar_of(session), on)
    gain = area_gain(build_path(nodes, offers=offers), Basis.COMMITTED)
    return gain if gain.codes else None
