"""A project's own path as its rows tell it: matters, intermediaries' work, what has happened to each so far."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from agents.network import Division, Level, ancestors
from db import REFERENCE_VERSION
from dispatch.cases.case import Case
from dispatch.cases.matter_on_project import MatterOnProject, matters_on
from dispatch.cases.project import Intermediary, Project
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.area_evaluation import area_evaluations, site_of
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.catalogue.implementation import Handling
from dispatch.catalogue.matter import Family, Matter
from dispatch.catalogue.path_nodes import nodes_and_handlings
from dispatch.core.legal_clock import Lamp
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.working_days import Calendar
from dispatch.path.applicability import applies, matters_for, site_as_used
from dispatch.path.approval_graph import Path
from dispatch.path.area_effects import EvaluatedSite, ZoneEvaluation
from dispatch.path.build_path import EvaluationOffers, build_path
from dispatch.path.edit_log import standing
from dispatch.path.edits import Edit
from dispatch.path.facts import Facts, facts_of
from dispatch.path.matter_node import IntermediaryWork, MatterNode
from dispatch.path.schedule import MatterProgress

OPEN_STATES = frozenset({ReviewState.ACCEPTED, ReviewState.PAUSED, ReviewState.EXTENDED})


@dataclass(frozen=True, slots=True)
class DivisionRules:
    """What the catalogue and the zones say at one division, for one family of matters."""

    nodes: tuple[MatterNode, ...]
    handlings: Mapping[str, Handling]
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
    nodes, handlings = nodes_and_handlings(session, division, family=family)
    return DivisionRules(
        tuple(nodes),
        handlings,
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
    matters: Mapping[str, MatterOnProject]


def project_path(
    session: Session,
    project: Project,
    *,
    at: datetime,
    only: Collection[str] | None = None,
    places: DivisionRulesCache | None = None,
    edits: Sequence[Edit] | None = None,
    also: Collection[str] = (),
) -> ProjectPath | None:
    """The path of all matters that the project's facts call for or its cases contain, or just of those in ``only``.

    ``also``: matters that are in it besides. The lead's edits are in it, or those given instead. None when there are
    no matters."""
    calendar, today = calendar_of(session), in_shanghai(at).date()
    place = (places or DivisionRulesCache(session)).of(project.division_id, project.family)
    reviews = reviews_by_matter(session, project)
    facts = facts_of_project(project)
    begun = {code for code, _ in reviews}
    changes = standing(project.path_edits) if edits is None else list(edits)
    # Edits are made on the whole path; only then is it cut down to some matters.
    whole = only is None or bool(changes)
    wanted = {node.code for node in place.nodes if applies(node, facts)} | begun if whole else set()
    chosen = matters_for(_as_filed(place.nodes, reviews), facts, codes=wanted | set(only or ()) | set(also))
    if not chosen:
        return None
    start = in_shanghai(project.created_at).date()
    codes = {node.code for node in chosen}
    works = [work for work in project.intermediaries if work.matter_code in codes and work.promised_wd is not None]
    progress = {code: _happened(review, calendar, at) for code, review in reviews}
    progress.update({_work_code(w): MatterProgress(accepted_on=w.started_on, decided_on=w.ended_on) for w in works})
    pauses = {code: _pauses(review, calendar, today) for code, review in reviews}
    of_case: dict[int, dict[str, None]] = {}
    for code, review in reviews:
        of_case.setdefault(review.case_id, {})[code] = None
    path = build_path(
        chosen,
        intermediaries=[_work(w) for w in works],
        offers=EvaluationOffers(
            site_as_used(place.site, facts), place.evaluations, calendar, start, _filed_on(reviews)
        ),
        edits=changes,
        only=only if changes else None,
    )
    return ProjectPath(
        path=path,
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
        matters=matters_on(path, place.handlings, facts.values),
    )


def _as_filed(nodes: Iterable[MatterNode], reviews: Sequence[tuple[str, Review]]) -> list[MatterNode]:
    """What was filed stays with the authority, at the counter, where it was filed."""
    filed = {code: review for code, review in reviews if review.filed_at is not None}
    return [
        replace(node, authority=filed[node.code].authority, counter=filed[node.code].counter)
        if node.code in filed
        else node
        for node in nodes
    ]


def _filed_on(reviews: Sequence[tuple[str, Review]]) -> Mapping[str, date]:
    return {code: in_shanghai(review.filed_at).date() for code, review in reviews if review.filed_at is not None}


def cut_to(whole: ProjectPath, codes: Collection[str], start_on: date) -> ProjectPath:
    """The same path as far as these matters go, with the work of firms that feeds them, counted from ``start_on``."""
    waits = {wait.on for step in whole.path.steps if step.code in codes for wait in step.waits}
    works = {on for on in waits if on not in whole.matters}
    return replace(whole, path=whole.path.just({*codes, *works}), start_on=start_on)


def matters_on_project(
    session: Session,
    project: Project,
    codes: Collection[str],
    *,
    at: datetime,
    places: DivisionRulesCache | None = None,
) -> dict[str, MatterOnProject]:
    """These matters as intake, case, chart and path all say them, also those that no case asks for yet."""
    mine = project_path(session, project, at=at, also=codes, places=places, edits=[])
    matters = {} if mine is None else mine.matters
    return {code: matters[code] for code in codes if code in matters}


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
