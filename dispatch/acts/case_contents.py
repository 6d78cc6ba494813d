"""Case contents: the reviews and materials of a case's matters, as it is opened and as its matters are corrected."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.acts.recording import record_fact
from dispatch.cases.case import Case, Material, MaterialState, Way
from dispatch.cases.fact_event import Fact, FactKind
from dispatch.cases.notify import day_of
from dispatch.cases.project import Project
from dispatch.cases.project_facts import paper_facts, results_of_project
from dispatch.cases.project_path import LimitsOnProject
from dispatch.cases.review import Review
from dispatch.cases.stages import ENDS
from dispatch.catalogue.implementation import handling_of
from dispatch.catalogue.material_source import RESULT_OF, result_of
from dispatch.catalogue.matter import Family, MaterialMode, Matter, Requirement
from dispatch.catalogue.wanted_papers import wanted_papers
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused
from dispatch.core.limit import IMMEDIATE
from dispatch.core.localized_text import ListText, LocalizedText
from dispatch.core.three_clocks import ClockOf
from dispatch.path.matter_node import WHOSE


def add_reviews(
    session: Session, case: Case, matters: Iterable[Matter], home: Division, limits: Mapping[str, LimitsOnProject]
) -> None:
    """A review for each matter, with who decides it at this place and within which limits on this project."""
    for matter in matters:
        handling, mine = handling_of(session, matter, home), limits[matter.code]
        session.add(
            Review(
                case_id=case.id,
                matter_id=matter.id,
                authority=handling.authority,
                authority_division_id=handling.division_id,
                counter_division_id=handling.counter_division_id,
                counter=handling.counter_place,
                centre_no=handling.centre_no,
                statutory_limit=mine.statutory,
                committed_limit=mine.committed,
                same_day=handling.same_day or IMMEDIATE in (mine.statutory, mine.committed),
            )
        )


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
    """What the matters ask for and the case does not list yet; what was given before is never asked for again."""
    given = set(
        session.scalars(
            select(Material.name)
            .join(Case, Case.id == Material.case_id)
            .where(Case.project_id == case.project_id, Material.state == MaterialState.ACCEPTED)
        )
    )
    to_come, granted = results_of_project(session, session.get_one(Project, case.project_id))
    there = {material.name for material in case.materials}
    added = {
        name: (Material(
            matter_id=row.matter_id, requirement_id=row.id, name=name, mode=row.mode, deferrable=row.deferrable,
        ), row)
        for name, row in wanted_materials(session, case, matters).items() if name not in there
    }  # fmt: skip
    case.materials.extend(material for material, _ in added.values())
    session.flush()
    for material, row in added.values():
        kind = None
        if result_of(row, to_come):
            kind = FactKind.MATERIAL_AWAITED
        elif result_of(row, granted) or (material.name in given and material.mode is MaterialMode.COPY):
            kind = FactKind.MATERIAL_HELD
        elif material.mode is MaterialMode.LOOKED_UP:
            kind = FactKind.MATERIAL_LOOKED_UP
        if kind is not None:
            record_fact(session, material, Fact(kind=kind), by=by, at=at)


def results_are_there(session: Session, review: Review, *, by: Actor, at: datetime) -> None:
    """A matter was granted: what the project's open cases await of it is held from now on."""
    project_id = select(Case.project_id).where(Case.id == review.case_id).scalar_subquery()
    awaited = (
        select(Material)
        .join(Case, Case.id == Material.case_id)
        .join(Requirement, Requirement.id == Material.requirement_id)
        .where(
            Case.project_id == project_id, Case.stage.not_in(ENDS), Material.state == MaterialState.AWAITED,
            Requirement.source == f"{RESULT_OF}{review.matter.code}",
        )
        .order_by(Material.id)
    )  # fmt: skip
    for material in session.scalars(awaited):
        held = Fact(kind=FactKind.MATERIAL_HELD, document_no=review.decision_no or "")
        record_fact(session, material, held, by=by, at=at)


def settle_ways(case: Case, matters: Iterable[Matter]) -> None:
    """Without originals nobody comes for them; without results on paper nobody brings any."""
    if not case.originals:
        case.pickup_way = Way.ELECTRONIC
    if not any(matter.result_has_original for matter in matters):
        case.delivery_way = Way.ELECTRONIC
