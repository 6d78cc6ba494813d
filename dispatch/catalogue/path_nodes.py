"""Path nodes: the catalogue's matters as handled at a place, ready for an approval path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.catalogue.implementation import Handling, handlings_of
from dispatch.catalogue.matter import Family, Matter, MatterPrerequisite
from dispatch.catalogue.project_facts import facts_of
from dispatch.path.applicability import Facts, matters_for
from dispatch.path.matter_node import MatterNode


def matter_nodes(
    session: Session,
    division: Division,
    facts: Facts | Mapping[str, Any] | None = None,
    *,
    family: Family = Family.INDUSTRIAL_PERMIT,
) -> list[MatterNode]:
    """The matters of a family as handled at a place; only those that the facts call for when facts are given."""
    matters = session.scalars(
        select(Matter).where(Matter.family == family, Matter.retired_on.is_(None)).order_by(Matter.position)
    ).all()
    codes = {matter.id: matter.code for matter in matters}
    before: dict[int, list[str]] = {matter.id: [] for matter in matters}
    links = session.execute(
        select(MatterPrerequisite.matter_id, MatterPrerequisite.prerequisite_id, Matter.code)
        .join(Matter, Matter.id == MatterPrerequisite.prerequisite_id)
        .where(MatterPrerequisite.matter_id.in_(codes))
        .order_by(Matter.position)
    )
    for matter_id, prerequisite_id, code in links:
        if prerequisite_id in codes:
            before[matter_id].append(code)
    handlings = handlings_of(session, matters, division)
    nodes = [_node(matter, before[matter.id], handlings[matter.code]) for matter in matters]
    if facts is None:
        return nodes
    return list(matters_for(nodes, facts if isinstance(facts, Facts) else facts_of(facts)))


def _node(matter: Matter, prerequisites: Iterable[str], handling: Handling) -> MatterNode:
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
        prerequisites=tuple(prerequisites),
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
    )
