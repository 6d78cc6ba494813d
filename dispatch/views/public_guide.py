"""The guide for who has not signed in: every matter with its papers, and what a project like this one needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import division_with
from dispatch.cases.case import MODE_LABEL
from dispatch.cases.project import FAMILY_LABEL
from dispatch.cases.project_facts import facts_at
from dispatch.catalogue.material_source import result_of, source_words
from dispatch.catalogue.matter import Family, MaterialMode, Matter, MatterPrerequisite, Requirement
from dispatch.catalogue.wanted_papers import wanted_papers
from dispatch.core.errors import NotFound
from dispatch.core.limit import law_words, minimum_words, promise_words
from dispatch.core.localized_text import LocalizedText, Translate
from dispatch.core.three_clocks import ClockOf
from dispatch.path.drawing_layout import lay_out
from dispatch.path.drawing_text import step_law_words, step_promise_words
from dispatch.path.matter_node import Basis
from dispatch.path.path_step import Counting
from dispatch.path.schedule import AreaGain, area_gain, schedule
from dispatch.path.svg import svg
from dispatch.views.path_figures import path_at_intake


@dataclass(frozen=True, slots=True)
class Named:
    """A name in both languages; the English one is empty where there is none."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class GuideLine:
    """A matter in the list."""

    code: str
    name: Named
    department: str
    law: str
    promise: str


@dataclass(frozen=True, slots=True)
class GuideFamily:
    """A family with its matters."""

    family: Family
    words: str
    matters: tuple[GuideLine, ...]


@dataclass(frozen=True, slots=True)
class GuidePaper:
    """A material of a matter: how it is given, where it comes from, whether every project needs it."""

    name: Named
    mode: MaterialMode
    mode_words: str
    source: str
    deferrable: bool
    is_conditional: bool
    note: str


@dataclass(frozen=True, slots=True)
class GuideWait:
    """What has to be there before: to apply, or only for the decision; and whether every project waits for it."""

    code: str
    name: Named
    before_decision: bool
    is_conditional: bool


@dataclass(frozen=True, slots=True)
class GuideMatter:
    """Everything that one may know of a matter before asking for it."""

    code: str
    name: Named
    family: Family
    family_words: str
    department: str
    counter: str
    law: str
    promise: str
    result: Named
    result_on_paper: bool
    is_conditional: bool
    basis: str
    waits: tuple[GuideWait, ...]
    papers: tuple[GuidePaper, ...]


@dataclass(frozen=True, slots=True)
class NeededMatter:
    """A matter that these facts call for: when it can begin and end, in working days from the first day."""

    code: str
    name: Named
    authority: str
    whose: ClockOf
    law: str
    promise: str
    from_day: int
    to_day: int
    is_critical: bool
    is_matter: bool
    """Of the catalogue; else the work of a firm that feeds one."""


@dataclass(frozen=True, slots=True)
class NeededPath:
    """What a project like this one needs: its matters in order, drawn, with the days by law and by promise."""

    place: str
    matters: tuple[NeededMatter, ...]
    picture: str
    summary: str
    law_wd: int
    promise_wd: int
    gain: AreaGain | None
    papers_to_give: int
    papers_looked_up: int
    papers_from_results: int


def guide(session: Session) -> list[GuideFamily]:
    """Every family with its matters, in the catalogue's order."""
    found: dict[Family, list[GuideLine]] = {family: [] for family in FAMILY_LABEL}
    query = select(Matter).where(Matter.retired_on.is_(None)).order_by(Matter.position)
    for matter in session.scalars(query):
        found[matter.family].append(
            GuideLine(
                matter.code, _name(matter), matter.department, _law(matter), promise_words(matter.committed_limit)
            )
        )
    return [GuideFamily(family, FAMILY_LABEL[family], tuple(lines)) for family, lines in found.items() if lines]


def guide_matter(session: Session, code: str) -> GuideMatter:
    """One matter. Raises NotFound."""
    matter = session.scalar(select(Matter).where(Matter.code == code, Matter.retired_on.is_(None)))
    if matter is None:
        raise NotFound(f"no matter {code}")
    names = dict(session.execute(select(Matter.code, Matter.short_name)).all())
    waits = session.execute(
        select(Matter, MatterPrerequisite.before_decision, MatterPrerequisite.holds_when)
        .join(MatterPrerequisite, MatterPrerequisite.prerequisite_id == Matter.id)
        .where(MatterPrerequisite.matter_id == matter.id, Matter.retired_on.is_(None))
        .order_by(Matter.position)
    )
    papers = session.scalars(
        select(Requirement).where(Requirement.matter_id == matter.id).order_by(Requirement.position)
    )  # fmt: skip
    return GuideMatter(
        code=matter.code,
        name=_name(matter),
        family=matter.family,
        family_words=FAMILY_LABEL[matter.family],
        department=matter.department,
        counter=matter.counter_place,
        law=_law(matter),
        promise=promise_words(matter.committed_limit),
        result=Named(matter.result_name, matter.result_name_en),
        result_on_paper=matter.result_has_original,
        is_conditional=bool(matter.applies_when),
        basis=matter.source,
        waits=tuple(GuideWait(on.code, _name(on), late, bool(when)) for on, late, when in waits),
        papers=tuple(_paper(row, names) for row in papers),
    )


def needed(
    session: Session, *, division_code: str, family: Family, facts: Mapping[str, Any], on: date, say: Translate = str
) -> NeededPath:
    """What these facts call for at a place, asked for on ``on``. Raises UnknownDivision."""
    division = division_with(session, division_code)
    known = facts_at(session, division.id, family, facts, on=on)
    path = path_at_intake(session, division, family, known, on=on)
    plan = schedule(path, Basis.COMMITTED, Counting.ELAPSED)
    sheet = lay_out(path, plan, title=say(LocalizedText("%(name)s的审批线路", name=division.name)), say=say)
    timings = {timing.code: timing for timing in plan.timings}
    known_names = session.execute(select(Matter.code, Matter.name, Matter.name_en))
    names = {code: Named(zh, en) for code, zh, en in known_names}
    gain = area_gain(path, Basis.COMMITTED)
    papers = [paper.requirement for paper in wanted_papers(session, path.codes, known)]
    from_results = sum(1 for row in papers if result_of(row, path.codes))
    looked_up = sum(1 for row in papers if row.mode is MaterialMode.LOOKED_UP and not result_of(row, path.codes))
    return NeededPath(
        place=division.name,
        matters=tuple(
            NeededMatter(
                step.code, names.get(step.code, Named(step.matter.name, "")), step.matter.authority,
                step.matter.whose, step_law_words(step), step_promise_words(step), timings[step.code].start,
                timings[step.code].finish, timings[step.code].is_critical, step.code in names,
            )
            for step in sorted(path.steps, key=lambda step: (timings[step.code].start, timings[step.code].finish))
        ),
        picture=svg(sheet, say=say),
        summary=sheet.summary,
        law_wd=schedule(path, Basis.STATUTORY, Counting.ELAPSED).horizon,
        promise_wd=plan.horizon,
        gain=gain if gain.codes else None,
        papers_to_give=len(papers) - from_results - looked_up,
        papers_looked_up=looked_up,
        papers_from_results=from_results,
    )  # fmt: skip


def as_linked_data(matter: GuideMatter, *, url: str) -> Mapping[str, Any]:
    """The matter as JSON-LD: schema.org's GovernmentService, and the EU's public service vocabulary (CPSV-AP 3)."""

    def said(name: Named) -> list[Mapping[str, str]]:
        each = {"zh": name.zh, "en": name.en}
        return [{"@language": language, "@value": words} for language, words in each.items() if words]

    return {
        "@context": {
            "@vocab": "https://schema.org/",
            "cpsv": "http://purl.org/vocab/cpsv#",
            "cv": "http://data.europa.eu/m8g/",
            "dct": "http://purl.org/dc/terms/",
        },
        "@type": ["GovernmentService", "cpsv:PublicService"],
        "@id": url,
        "identifier": matter.code,
        "name": said(matter.name),
        "serviceType": matter.family_words,
        "serviceOperator": {"@type": "GovernmentOrganization", "name": matter.department},
        "areaServed": {"@type": "AdministrativeArea", "name": "江苏省"},
        "cpsv:hasInput": [{"@type": "cv:Evidence", "name": said(paper.name)} for paper in matter.papers],
        "cpsv:produces": [{"@type": "cv:Output", "name": said(matter.result)}],
        "dct:requires": [{"@id": wait.code, "name": said(wait.name)} for wait in matter.waits],
    }


def _name(matter: Matter) -> Named:
    return Named(matter.name, matter.name_en)


def _law(matter: Matter) -> str:
    if matter.legal_minimum is not None:
        return minimum_words(matter.legal_minimum)
    return law_words(matter.statutory_limit)


def _paper(row: Requirement, names: Mapping[str, str]) -> GuidePaper:
    return GuidePaper(
        Named(row.name, row.name_en), row.mode, MODE_LABEL[row.mode], source_words(row, names), row.deferrable,
        bool(row.needed_when), row.note,
    )  # fmt: skip
