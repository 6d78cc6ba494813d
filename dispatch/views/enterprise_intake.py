"""What the intake asks with: places to choose from, the matters that apply there, the papers they want."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division, DivisionAlias, Level, children, division_with, home_county
from dispatch.cases.access_control import project_for, visible_projects
from dispatch.cases.case import MODE_LABEL, Case
from dispatch.cases.evidence import EvidenceHolder, find_evidence
from dispatch.cases.project import Project
from dispatch.cases.project_facts import facts_at, results_to_come
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.material_source import result_of
from dispatch.catalogue.matter import Family, MaterialMode, Matter, Requirement
from dispatch.catalogue.wanted_papers import wanted_papers
from dispatch.core.actor import Actor
from dispatch.core.limit import limits_words
from dispatch.core.localized_text import LocalizedText
from dispatch.core.three_clocks import ClockOf
from dispatch.path.facts import facts_of
from dispatch.path.matter_node import WHOSE
from dispatch.path.seven_lists import phase_name
from dispatch.views.path_figures import matters_at_intake


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """A division to choose: its code, name and point."""

    code: str
    name: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class City:
    """A city with its counties and zones of that rank."""

    name: str
    counties: tuple[PlaceChoice, ...]


def counties(session: Session) -> list[City]:
    """Every county that is not retired, by city."""
    rows = session.execute(
        select(Division.code, Division.name, Division.lon, Division.lat, Division.level, Division.parent_code)
        .where(Division.level.in_((Level.CITY, Level.COUNTY)), Division.retired_on.is_(None))
        .order_by(Division.code)
    ).all()
    cities = {row.code: row.name for row in rows if row.level == Level.CITY}
    below: dict[str, list[PlaceChoice]] = {code: [] for code in cities}
    for row in rows:
        if row.level == Level.COUNTY and row.parent_code in below:
            below[row.parent_code].append(PlaceChoice(row.code, row.name, row.lon, row.lat))
    return [City(cities[code], tuple(places)) for code, places in below.items() if places]


def places_below(session: Session, county_code: str) -> list[PlaceChoice]:
    """The towns and zones of a county. Raises UnknownDivision."""
    county = division_with(session, county_code)
    return [PlaceChoice(d.code, d.name, d.lon, d.lat) for d in children(session, county)]


def county_of(session: Session, code: str) -> PlaceChoice | None:
    """The county in which a place lies."""
    county = home_county(session, division_with(session, code))
    return None if county is None else PlaceChoice(county.code, county.name, county.lon, county.lat)


@dataclass(frozen=True, slots=True)
class Offer:
    """A matter that may be chosen, as the place handles it."""

    code: str
    short: str
    name: str
    authority: str
    counter: str
    limits: str
    by_law: str
    applies: bool
    under_way: bool


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase (阶段) with what may be chosen in it."""

    number: int
    name: str
    offers: tuple[Offer, ...]

    @property
    def fitting(self) -> tuple[Offer, ...]:
        return tuple(offer for offer in self.offers if offer.applies)

    @property
    def others(self) -> tuple[Offer, ...]:
        return tuple(offer for offer in self.offers if not offer.applies)


def offers(
    session: Session, viewer: Actor, *, division_code: str, family: Family, facts: Mapping[str, Any], on: date,
    project_no: str | None = None,
) -> list[Phase]:  # fmt: skip
    """The family's matters that an authority decides, by phase, with their limits under these facts; which of them
    the facts call for is marked."""
    division, known = division_with(session, division_code), facts_of(facts)
    everything = matters_at_intake(session, division, family, known, on=on, whole=True)
    called_for = matters_at_intake(session, division, family, known, on=on)
    there = {**everything, **called_for}
    under_way = _under_way(session, viewer, project_no)
    matters = session.scalars(select(Matter).where(Matter.code.in_(there)).order_by(Matter.position)).all()
    by_phase: dict[int, list[Offer]] = {}
    for matter in matters:
        if WHOSE[matter.kind] is not ClockOf.AUTHORITY:
            continue
        mine = there[matter.code]
        law = mine.fee_basis if not mine.legal_fee_cents else f"{mine.legal_fee_cents // 100}元"
        by_phase.setdefault(matter.phase, []).append(
            Offer(
                matter.code, mine.short, mine.name, mine.authority, mine.counter,
                limits_words(mine.statutory, mine.committed), law, matter.code in called_for, matter.code in under_way,
            )
        )  # fmt: skip
    return [Phase(n, phase_name(n), tuple(found)) for n, found in sorted(by_phase.items())]


def _under_way(session: Session, viewer: Actor, project_no: str | None) -> set[str]:
    """Matters that a case of the project asks for already, or has been granted."""
    if project_no is None:
        return set()
    over = (ReviewState.WITHDRAWN, ReviewState.DENIED, ReviewState.NOT_ACCEPTED, ReviewState.RETURNED)
    query = (
        select(Matter.code)
        .join(Review, Review.matter_id == Matter.id)
        .join(Case, Case.id == Review.case_id)
        .join(Project, Project.id == Case.project_id)
        .where(Project.project_no == project_no, visible_projects(viewer), Review.state.not_in(over))
    )
    return set(session.scalars(query))


@dataclass(frozen=True, slots=True)
class WantedMaterial:
    """A material that the chosen matters ask for, once, in the strictest mode."""

    name: str
    mode: MaterialMode
    mode_label: str
    deferrable: bool
    matters: tuple[str, ...]
    held: str

    @property
    def on_paper(self) -> bool:
        return self.mode in {MaterialMode.ORIGINAL_RETURNED, MaterialMode.ORIGINAL_KEPT}


def papers_for(
    session: Session, viewer: Actor, codes: Sequence[str], *, division_code: str, family: Family,
    facts: Mapping[str, Any], on: date, project_no: str | None = None,
) -> list[WantedMaterial]:  # fmt: skip
    """The papers of these matters under these facts; ``held`` says why one is not asked for again."""
    division = division_with(session, division_code)
    known = facts_at(session, division.id, family, facts, on=on)
    done = _granted(session, viewer, project_no)
    to_come = results_to_come(session, division.id, family, known) | set(codes)
    names = dict(session.execute(select(Matter.code, Matter.short_name).where(Matter.code.in_(to_come - done))).all())
    papers = wanted_papers(session, codes, known)
    given = _held_already(session, viewer, project_no, [paper.requirement.name for paper in papers], on)
    return [
        WantedMaterial(
            paper.requirement.name, paper.requirement.mode, MODE_LABEL[paper.requirement.mode],
            paper.requirement.deferrable, tuple(matter.short_name for matter in paper.matters),
            _held(paper.requirement, given, names),
        )
        for paper in papers
    ]  # fmt: skip


def _held(row: Requirement, given: Iterable[str], to_come: Mapping[str, str]) -> str:
    """Why a paper is not asked for; ``to_come`` names the matters whose results are not there yet."""
    if code := result_of(row, to_come):
        return LocalizedText("待产出：“%(name)s”办结后即有", name=to_come[code])
    if row.mode is MaterialMode.LOOKED_UP:
        return "电子证照可查，免提交"
    if row.mode is MaterialMode.COPY and row.name in given:
        return "已有，不再索要"
    return ""


def _granted(session: Session, viewer: Actor, project_no: str | None) -> set[str]:
    """Matters of the project that were granted: their results are there."""
    if project_no is None:
        return set()
    query = (
        select(Matter.code)
        .join(Review, Review.matter_id == Matter.id)
        .join(Case, Case.id == Review.case_id)
        .join(Project, Project.id == Case.project_id)
        .where(Project.project_no == project_no, visible_projects(viewer), Review.state == ReviewState.GRANTED)
    )
    return set(session.scalars(query))


def _held_already(
    session: Session, viewer: Actor, project_no: str | None, names: Sequence[str], on: date
) -> Collection[str]:
    """Those of the papers that stand in the register of the viewer's enterprise, or of the project's."""
    query = select(Project.id, Project.enterprise_id).where(
        Project.project_no == (project_no or ""), visible_projects(viewer)
    )
    row = session.execute(query).one_or_none()
    enterprise_id, project_id = (viewer.enterprise_id, 0) if row is None else (row.enterprise_id, row.id)
    if enterprise_id is None or not names:
        return frozenset()
    return find_evidence(session, EvidenceHolder(enterprise_id, project_id), names, on=on).keys()


def results_on_paper(session: Session, codes: Sequence[str]) -> list[str]:
    """The short names of those matters whose result is issued on paper."""
    query = select(Matter.short_name).where(Matter.code.in_(codes), Matter.result_has_original)
    return list(session.scalars(query.order_by(Matter.position)))


def names_of(session: Session, codes: Sequence[str]) -> list[str]:
    """The short names of matters, in the catalogue's order."""
    query = select(Matter.short_name).where(Matter.code.in_(codes)).order_by(Matter.position)
    return list(session.scalars(query))


@dataclass(frozen=True, slots=True)
class KnownProject:
    """What the intake need not ask when a project adds a case."""

    project_no: str
    name: str
    family: Family
    division_code: str
    place: str
    facts: dict[str, Any]
    has_letter: bool


def known_project(session: Session, viewer: Actor, project_no: str, today: date) -> KnownProject:
    """The project to which a case is added. Raises NotFound."""
    project = project_for(session, viewer, project_no)
    division = session.get_one(Division, project.division_id)
    return KnownProject(
        project.project_no, project.name, project.family, division.code, division.name, dict(project.facts),
        project.delegation_on(today) is not None,
    )  # fmt: skip


def retired_place(session: Session, name: str) -> str | None:
    """The place into which a division of this name was merged, empty where none is known; None: it was not retired."""
    now_in = session.scalar(
        select(Division.name)
        .join(DivisionAlias, DivisionAlias.division_id == Division.id)
        .where(DivisionAlias.name == name, Division.name != name)
        .limit(1)
    )
    if now_in is not None:
        return now_in
    retired = select(Division.retired_on).where(Division.name == name, Division.retired_on.is_not(None)).limit(1)
    return "" if session.scalar(retired) is not None else None
