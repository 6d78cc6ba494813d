"""Wanted papers: the materials that chosen matters ask of a project, each once, as its facts need them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.catalogue.matter import MaterialMode, Matter, Requirement
from dispatch.path.facts import Facts
from dispatch.path.predicate import predicate

STRICTNESS = list(MaterialMode)


@dataclass(frozen=True, slots=True)
class WantedPaper:
    """A material in the strictest mode that one of the matters asks for, and the matters that ask for it."""

    requirement: Requirement
    matters: tuple[Matter, ...]


def wanted_papers(session: Session, codes: Collection[str], facts: Facts) -> list[WantedPaper]:
    """The papers of these matters under these facts, in the catalogue's order. What the facts do not need is not there,
    so that of two papers that exclude each other one stands in the list at most."""
    rows = session.execute(
        select(Requirement, Matter)
        .join(Matter, Matter.id == Requirement.matter_id)
        .where(Matter.code.in_(codes))
        .order_by(Matter.family, Matter.position, Requirement.position)
    )
    wanted: dict[str, WantedPaper] = {}
    for row, matter in rows:
        if not predicate(row.needed_when).holds(facts.values):
            continue
        held = wanted.get(row.name)
        if held is None:
            wanted[row.name] = WantedPaper(row, (matter,))
            continue
        stricter = STRICTNESS.index(row.mode) > STRICTNESS.index(held.requirement.mode)
        wanted[row.name] = WantedPaper(row if stricter else held.requirement, (*held.matters, matter))
    return list(wanted.values())
