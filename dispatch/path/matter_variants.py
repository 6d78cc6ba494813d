"""Matter variants: what changes in a matter under a condition. Pure.

``dispatch/data/variants.csv`` holds them; only the columns named in ``changes`` change, an empty cell being a value."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path as File
from typing import Any

from dispatch.core.limit import read_limit
from dispatch.path.matter_node import MatterKind, MatterNode
from dispatch.path.predicate import FactValue, Predicate, predicate

VARIANTS_FILE = File(__file__).parent.parent / "data" / "variants.csv"

# A column of the file, the part of a matter that it changes, and how the cell is read.
CHANGED: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "name_zh": ("name", str),
    "name_en": ("name_en", str),
    "kind": ("kind", MatterKind),
    "statutory_limit": ("statutory", read_limit),
    "committed_limit": ("committed", read_limit),
    "today_limit": ("today", read_limit),
    "legal_minimum": ("legal_minimum", read_limit),
    "result_zh": ("result", str),
    "original_exists": ("result_on_paper", "y".__eq__),
}


@dataclass(frozen=True, slots=True)
class MatterVariant:
    """Other values that a condition gives a matter, and why."""

    code: str
    when: Predicate
    changes: Mapping[str, Any]
    reason: str


@lru_cache(maxsize=1)
def matter_variants() -> Mapping[str, tuple[MatterVariant, ...]]:
    """The variants of each matter. At most one that holds changes a given column."""
    found: dict[str, tuple[MatterVariant, ...]] = {}
    with VARIANTS_FILE.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            changes = {
                name: read(row[column])
                for column, (name, read) in CHANGED.items()
                if column in row["changes"].split(";")
            }
            variant = MatterVariant(row["matter_code"], predicate(row["when"]), changes, row["reason_zh"])
            found[variant.code] = (*found.get(variant.code, ()), variant)
    return found


def with_variants(matter: MatterNode, facts: Mapping[str, FactValue]) -> MatterNode:
    """The matter with what its variants change under these facts."""
    for variant in matter_variants().get(matter.code, ()):
        if variant.when.holds(facts):
            matter = replace(matter, **variant.changes)
    return matter
