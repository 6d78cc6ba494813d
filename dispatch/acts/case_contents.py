"""Case contents: the reviews and materials of a case's matters, as it is opened and as its matters are corrected."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.recording import record_fact
from dispatch.cases.case import Case, Material, Way
from dispatch.cases.evidence import EvidenceHolder, find_evidence
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.notify import day_of
from dispatch.cases.project import Project
from dispatch.cases.project_facts import paper_facts, results_of_project
from dispatch.cases.project_path import matters_on_project
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.catalogue.material_source import result_of
from dispatch.catalogue.matter import Family, MaterialMode, Matter, Requirement
from dispatch.catalogue.wanted_papers import wanted_papers
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.localized_text import ListText, LocalizedText
from dispatch.core.three_clocks import ClockOf
from dispatch.path.matter_node import WHOSE

BY_EVIDENCE = frozenset({MaterialMode.COPY, MaterialMode.LOOKED_UP})
"""What a row of the register stands for; an original is shown itself."""


def add_reviews(session: Session, project: Project, case: Case, matters: Iterable[Matter], *, at: datetime) -> None:
    """A review for each matter, with who decides it at the project's place and within which limits."""
    chosen = list(matters)
    on_project = matters_on_project(session, project, [matter.code for matter in chosen], at=at)
    for matter in chosen:
        review = Review(case_id=case.id, matter_id=matter.id, state=ReviewState.PREPARED)
        review.follow(on_project[matter.code])
        session.add(review)


def offered_matters(session: Session, codes: Sequence[str], family: Family) -> list[Matter]:
    """The matters of the project's family that an authority decides on request. Raises Refused for any other."""
    if not codes:
        raise Refused("a case needs at least one matter", user_message="请至少选择一个事项")
    offered = select(Matter).where(Matter.code.in_(codes), Matter.family == family, Matter.retired_on.is_(None))
    found = {m.code: m for m in session.scalars(offered) if WHOSE[m.kind] is ClockOf.AUTHORITY}
    if missing := [code for code in codes if code not in found]:
        raise Refused(
            f"no matters of {family} are {missing}",
            user_message=LocalizedText("事项不存在或已停用：%(names)s", names=ListText(missing)),
            field="matters",
        )
    return [found[code] for code in dict.fromkeys(codes)]


def wanted_materials(session: Session, case: Case, matters: Iterable[Matter]) -> dict[str, Requirement]:
    """Each material that these matters ask for under the project's facts once, by its name, in the strictest mode."""
    facts = paper_facts(session, session.get_one(Project, case.project_id), on=day_of(case.created_at))
    papers = wanted_papers(session, [matter.code for matter in matters], facts)
    return {paper.requirement.name: paper.requirement for paper in papers}


def list_materials(session: Session, case: Case, matters: Iterable[Matter], *, by: Actor, at: datetime) -> None:
    """What the matters ask for and the case does not list yet; what the register holds is not asked for again."""
    project = session.get_one(Project, case.project_id)
    to_come, granted = results_of_project(session, project)
    there = {material.name for material in case.materials}
    added = {
        name: (Material(
            matter_id=row.matter_id, requirement_id=row.id, name=name, mode=row.mode, deferrable=row.deferrable,
        ), row)
        for name, row in wanted_materials(session, case, matters).items() if name not in there
    }  # fmt: skip
    case.materials.extend(material for material, _ in added.values())
    session.flush()
    holder = EvidenceHolder(project.enterprise_id, project.id)
    known = find_evidence(session, holder, list(added), on=day_of(at)) if added else {}
    for material, row in added.values():
        kind, evidence = None, known.get(material.name)
        if result_of(row, to_come):
            kind = FactKind.MATERIAL_AWAITED
        elif result_of(row, granted) or (evidence is not None and material.mode in BY_EVIDENCE):
            kind = FactKind.MATERIAL_HELD
        elif material.mode is MaterialMode.LOOKED_UP:
            kind = FactKind.MATERIAL_LOOKED_UP
        if kind is not None:
            number = evidence.number if evidence is not None and kind is FactKind.MATERIAL_HELD else ""
            record_fact(session, material, Fact(kind=kind, document_no=number), by=by, at=at)
            material.evidence_id = evidence.id if evidence is not None and kind is FactKind.MATERIAL_HELD else None


def settle_ways(case: Case, matters: Iterable[Matter]) -> None:
    """Without originals nobody comes for them; without results on paper nobody brings any."""
    if not case.originals:
        case.pickup_way = Way.ELECTRONIC
    if not any(matter.result_has_original for matter in matters):
        case.delivery_way = Way.ELECTRONIC
