"""A project's own path as its rows tell it: matters, intermediaries' work, what has happened to each so far."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from agents.network import Division, Level, ancestors
from db import REFERENCE_VERSION
from dispatch.cases.case import Case
from dispatch.cases.project import Intermediary, Project
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.area_evaluation import area_evaluations, site_of
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.matter import Family, Matter
from dispatch.catalogue.path_nodes import matter_nodes
from dispatch.core.legal_clock import Lamp
from dispatch.core.limit import Limit
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import Calendar
from dispatch.path.applicability import applies, matters_for, site_as_used
from dispatch.path.approval_graph import Path
from dispatch.path.area_effects import EvaluatedSite, ZoneEvaluation
from dispatch.path.build_path import EvaluationOffers, build_path
from dispatch.path.edit_log import standing
from dispatch.path.edits import Edit
from dispatch.path.facts import Facts, facts_of
from dispatch.path.joint_groups import cap_of
from dispatch.path.matter_node import IntermediaryWork, MatterNode
from dispatch.path.schedule import MatterProgress

OPEN_STATES = frozenset({ReviewState.ACCEPTED, ReviewState.PAUSED, ReviewState.EXTENDED})


@dataclass(frozen=True, slots=True)
class DivisionRules:
    """What the catalogue and the zones say at one division, for one family of matters."""

    nodes: tuple[MatterNode, ...]
    site: EvaluatedSite
    evaluations: tuple[ZoneEvaluation, ...]
    city: str


@dataclass(slots=True)
class DivisionRulesCache:
    """Places read once for as long as one caller looks at many projects."""

    session: Session
    known: dict[tuple[int, Family], DivisionRules] = field(default_factory=dict)

    def of(self, division_id: int, family: Family) -> DivisionRules:
        """The place of a project."""
        key = (division_id, family)
        if key not in self.known:
            self.known[key] = _rules_of_version(self.session, division_id, family)
        return self.known[key]


_rules_read: dict[tuple[str, int, Family], DivisionRules] = {}
MOST_RULES_READ = 200  # places that a process keeps


def _rules_of_version(session: Session, division_id: int, family: Family) -> DivisionRules:
    """From the process where the session reads reference data of a version, else from the rows."""
    version: str | None = session.info.get(REFERENCE_VERSION)
    if version is None:
        return _read_rules(session, division_id, family)
    key = (version, division_id, family)
    rules = _rules_read.get(key)
    if rules is None:
        if len(_rules_read) >= MOST_RULES_READ or any(other != version for other, _, _ in list(_rules_read)[:1]):
            _rules_read.clear()
        rules = _rules_read[key] = _read_rules(session, division_id, family)
    return rules


def _read_rules(session: Session, division_id: int, family: Family) -> DivisionRules:
    division = session.get_one(Division, division_id)
    line = ancestors(session, division)
    return DivisionRules(
        tuple(matter_nodes(session, division, family=family)),
        site_of(division, line=line),
        tuple(area_evaluations(session, division)),
        next((d.code for d in (*line, division) if d.level is Level.CITY), ""),
    )


def facts_of_project(project: Project) -> Facts:
    """A project's facts; a row with an answer that is none any more reads as an ordinary project."""
    try:
        return facts_of(project.facts)
    except ValueError:
        return facts_of({})


@dataclass(frozen=True, slots=True)
class ProjectPath:
    """A project's path with its progress: what a drawing, a promise and the seven lists are made from."""

    path: Path
    calendar: Calendar
    start_on: date
    today: date
    city: str
    progress: Mapping[str, MatterProgress]
    authorities: Mapping[str, str]
    paused_wd: Mapping[str, int]
    pause_ahead_wd: Mapping[str, int]
    codes_of_case: Mapping[int, tuple[str, ...]]
    reviews: Sequence[tuple[str, Review]]


def project_path(
    session: Session,
    project: Project,
    *,
    at: datetime,
    only: Collection[str] | None = None,
    start_on: date | None = None,
    places: DivisionRulesCache | None = None,
    edits: Sequence[Edit] | None = None,
) -> ProjectPath | None:
    """The path of all matters that the project's facts call for or its cases contain, or just of those in ``only``.

    The lead's edits are in it, or those given instead. None when there are no matters."""
    calendar, today = calendar_of(session), in_shanghai(at).date()
    place = (places or DivisionRulesCache(session)).of(project.division_id, project.family)
    reviews = reviews_by_matter(session, project)
    facts = facts_of_project(project)
    begun = {code for code, _ in reviews}
    changes = standing(project.path_edits) if edits is None else list(edits)
    # Edits are made on the whole path; only then is it cut down to some matters.
    whole = only is None or bool(changes)
    wanted = {node.code for node in place.nodes if applies(node, facts)} | begun if whole else set()
    chosen = matters_for(place.nodes, facts, codes=wanted | set(only or ()))
    if not chosen:
        return None
    start = start_on or in_shanghai(project.created_at).date()
    codes = {node.code for node in chosen}
    works = [work for work in project.intermediaries if work.matter_code in codes and work.promised_wd is not None]
    progress = {code: _happened(review, calendar, at) for code, review in reviews}
    progress.update({_work_code(w): MatterProgress(accepted_on=w.started_on, decided_on=w.ended_on) for w in works})
    pauses = {code: _pauses(review, calendar, today) for code, review in reviews}
    of_case: dict[int, dict[str, None]] = {}
    for code, review in reviews:
        of_case.setdefault(review.case_id, {})[code] = None
    return ProjectPath(
        path=build_path(
            chosen,
            intermediaries=[_work(w) for w in works],
            offers=EvaluationOffers(site_as_used(place.site, facts), place.evaluations, calendar, start),
            edits=changes,
            only=only if changes else None,
        ),
        calendar=calendar,
        start_on=start,
        today=today,
        city=place.city,
        progress=progress,
        authorities={code: review.authority for code, review in reviews},
        paused_wd={code: so_far for code, (so_far, _) in pauses.items()},
        pause_ahead_wd={code: ahead for code, (_, ahead) in pauses.items()},
        codes_of_case={case_id: tuple(codes_) for case_id, codes_ in of_case.items()},
        reviews=reviews,
    )


@dataclass(frozen=True, slots=True)
class LimitsOnProject:
    """The limits of one matter on one project, after its variant, its place and the shared area evaluations."""

    statutory: Limit | None
    committed: Limit | None
    joint_cap: Limit | None


def limits_on_project(
    session: Session,
    project: Project,
    codes: Collection[str],
    *,
    at: datetime,
    places: DivisionRulesCache | None = None,
) -> dict[str, LimitsOnProject]:
    """What intake, case, chart and path all say of these matters."""
    mine = project_path(session, project, at=at, only=codes, places=places, edits=[])
    steps, facts = () if mine is None else mine.path.steps, facts_of_project(project).values
    return {
        step.code: LimitsOnProject(
            step.matter.statutory, step.authority_promise, cap_of(step.matter.joint_group, step.code, facts)
        )
        for step in steps
    }


def reviews_by_matter(session: Session, project: Project) -> list[tuple[str, Review]]:
    """Every review of the project that was not withdrawn, with its matter's code, oldest first."""
    rows = session.execute(
        select(Matter.code, Review)
        .join(Review, Review.matter_id == Matter.id)
        .join(Case, Case.id == Review.case_id)
        .where(Case.project_id == project.id, Review.state != ReviewState.WITHDRAWN)
        .options(joinedload(Review.pauses))
        .order_by(Review.id)
    )
    return [(code, review) for code, review in rows.unique()]


def _happened(review: Review, calendar: Calendar, at: datetime) -> MatterProgress:
    return MatterProgress(
        accepted_on=_day(review.accepted_at),
        decided_on=_day(review.decided_at),
        legal_due_on=_day(review.legal_due_at),
        due_on=_day(review.committed_due_at),
        lamp=review.lamp(calendar, at) if review.state in OPEN_STATES else Lamp.GREEN,
    )


def _pauses(review: Review, calendar: Calendar, today: date) -> tuple[int, int]:
    clock = review.clocks().binding(calendar, today) if review.pauses else None
    return (0, 0) if clock is None else clock.pauses_wd(calendar, today)


def _work_code(work: Intermediary) -> str:
    return f"ZJ-{work.id}"


def _work(work: Intermediary) -> IntermediaryWork:
    assert work.matter_code is not None and work.promised_wd is not None
    return IntermediaryWork(
        _work_code(work), work.name, feeds=work.matter_code, promised_wd=work.promised_wd, firm=work.firm or ""
    )


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else in_shanghai(moment).date()
