"""Path nodes: the catalogue's matters as handled at a place, ready for an approval path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.catalogue.implementation import Handling, handlings_of
from dispatch.catalogue.matter import Family, Matter, MatterPrerequisite
from dispatch.catalogue.matter_rows import CatalogueWait, conditional_ones, late_ones
from dispatch.path.applicability import matters_for
from dispatch.path.facts import Facts, facts_of
from dispatch.path.matter_node import MatterNode


def matter_nodes(
    session: Session,
    division: Division,
    facts: Facts | Mapping[str, Any] | None = None,
    *,
    family: Family = Family.INDUSTRIAL_PERMIT,
) -> list[MatterNode]:
    """The matters of a family as handled at a place; only those that the facts call for when facts are given."""
    nodes, _ = nodes_and_handlings(session, division, family=family)
    if facts is None:
        return nodes
    return list(matters_for(nodes, facts if isinstance(facts, Facts) else facts_of(facts)))


def nodes_and_handlings(
    session: Session, division: Division, *, family: Family
) -> tuple[list[MatterNode], Mapping[str, Handling]]:
    """The matters of a family at a place, and beside each by its code who handles it there, and at which counter."""
    matters = session.scalars(
        select(Matter).where(Matter.family == family, Matter.retired_on.is_(None)).order_by(Matter.position)
    ).all()
    codes = {matter.id: matter.code for matter in matters}
    before: dict[int, list[CatalogueWait]] = {matter.id: [] for matter in matters}
    links = session.execute(
        select(
            MatterPrerequisite.matter_id, MatterPrerequisite.prerequisite_id, Matter.code,
            MatterPrerequisite.before_decision, MatterPrerequisite.holds_when,
        )
        .join(Matter, Matter.id == MatterPrerequisite.prerequisite_id)
        .where(MatterPrerequisite.matter_id.in_(codes))
        .order_by(Matter.position)
    )  # fmt: skip
    for matter_id, prerequisite_id, code, late, when in links:
        if prerequisite_id in codes:
            before[matter_id].append(CatalogueWait(code, late, when))
    handlings = handlings_of(session, matters, division)
    return [_node(matter, before[matter.id], handlings[matter.code]) for matter in matters], handlings


def _node(matter: Matter, waits: Sequence[CatalogueWait], handling: Handling) -> MatterNode:
    return MatterNode(
        code=matter.code,
        name=matter.name,
        short=matter.short_name,
        phase=matter.phase,
        kind=matter.kind,
        statutory=handling.statutory,
        committed=handling.committed,
        today=handling.today,
        legal_minimum=matter.legal_minimum,
        counts_in_target=matter.counts_in_target,
        prerequisites=tuple(wait.on for wait in waits),
        before_decision=late_ones(waits),
        conditions=conditional_ones(waits),
        applies_when=matter.applies_when,
        before_works_only=matter.due_before_works_only,
        joint_group=matter.joint_group or "",
        area_evaluation=matter.area_evaluation or "",
        area_effect=matter.area_effect,
        area_limit=matter.area_limit,
        authority=handling.authority,
        level=matter.level.name.lower(),
        counter=handling.counter_place,
        applies_if=matter.applies_if,
        relief=matter.deferrable_note,
        exempt_procedures=matter.exempt_procedures,
        basis=matter.source,
        name_en=matter.name_en,
        limit_chain=matter.limit_chain,
        result=matter.result_name,
        result_on_paper=matter.result_has_original,
    )
