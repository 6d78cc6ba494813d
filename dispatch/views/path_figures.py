"""What a path comes to: the three clocks so far and as planned, days in parallel, and what area evaluations bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from agents.network import Division, division_with
from dispatch.cases.matter_on_project import MatterOnProject, matters_on
from dispatch.cases.project import Project
from dispatch.cases.project_clocks import ProjectClocks, clocks_so_far
from dispatch.cases.project_path import DivisionRulesCache, ProjectPath, project_path
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Family
from dispatch.core.three_clocks import ThreeClocks
from dispatch.core.working_days import CalendarMissing
from dispatch.path.applicability import matters_for, site_as_used
from dispatch.path.approval_graph import Path
from dispatch.path.build_path import EvaluationOffers, build_path
from dispatch.path.facts import Facts, facts_of
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
    path = path_at_intake(session, division_with(session, division_code), family, facts_of(facts), on=on)
    gain = area_gain(path, Basis.COMMITTED)
    return gain if gain.codes else None


def path_at_intake(
    session: Session, division: Division, family: Family, facts: Facts, *, on: date, whole: bool = False
) -> Path:
    """The path that these facts call for at a place from ``on``; ``whole``: with every matter of the family in it."""
    place = DivisionRulesCache(session).of(division.id, family)
    nodes = matters_for(place.nodes, facts, codes=[node.code for node in place.nodes] if whole else None)
    offers = EvaluationOffers(site_as_used(place.site, facts), place.evaluations, calendar_of(session), on)
    return build_path(nodes, offers=offers)


def matters_at_intake(
    session: Session, division: Division, family: Family, facts: Facts, *, on: date, whole: bool = False
) -> dict[str, MatterOnProject]:
    """Each matter of that path as it would stand on a project there."""
    path = path_at_intake(session, division, family, facts, on=on, whole=whole)
    return matters_on(path, DivisionRulesCache(session).of(division.id, family).handlings, facts.values)
