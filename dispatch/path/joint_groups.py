"""Joint groups (联合审) and chains: matters filed on one form, or steps under one limit, with their caps. Pure.

``dispatch/data/groups.csv`` holds them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as File

from dispatch.core.limit import Limit, read_limit
from dispatch.path.matter_node import Basis
from dispatch.path.predicate import FactValue, Predicate, predicate

GROUPS_FILE = File(__file__).parent.parent / "data" / "groups.csv"


@dataclass(frozen=True, slots=True)
class MatterGroup:
    """Matters that belong together: a joint group, or a chain of steps whose limit runs from the first to the last."""

    key: str
    is_chain: bool
    name: str
    caps: Mapping[Basis, Limit | None]
    capped: tuple[str, ...] = ()  # those whose decision the cap limits; none named: each of them
    other_when: Predicate | None = None
    other_cap: Limit | None = None  # instead of the promised cap where ``other_when`` holds

    def cap(self, facts: Mapping[str, FactValue]) -> Limit | None:
        """What is promised for the whole of a joint group under these facts; None where nobody set a cap."""
        if self.is_chain:
            return None
        other = self.other_when is not None and self.other_when.holds(facts)
        return self.other_cap if other else self.caps[Basis.COMMITTED]


@lru_cache(maxsize=1)
def matter_groups() -> Mapping[str, MatterGroup]:
    """Every group by its key."""
    with GROUPS_FILE.open(encoding="utf-8") as file:
        return {row["group"]: _group(row) for row in csv.DictReader(file)}


def _group(row: Mapping[str, str]) -> MatterGroup:
    caps = {
        Basis.STATUTORY: read_limit(row["cap_statutory"]),
        Basis.COMMITTED: read_limit(row["cap_committed"]),
        Basis.COMMITTED_NOW: read_limit(row["cap_today"]),
    }
    return MatterGroup(
        key=row["group"],
        is_chain=row["type"] == "chain",
        name=row["name_zh"],
        caps=caps,
        capped=tuple(code for code in row["capped"].split(";") if code),
        other_when=predicate(row["other_when"]) if row["other_when"] else None,
        other_cap=read_limit(row["other_cap"]),
    )


def cap_of(group: str, code: str, facts: Mapping[str, FactValue]) -> Limit | None:
    """What a joint filing of this group sets over the decision of one of its matters; None where it sets nothing."""
    found = matter_groups().get(group)
    if found is None or (found.capped and code not in found.capped):
        return None
    return found.cap(facts)


def chain_cap(chain: str, basis: Basis) -> Limit | None:
    """The limit of a whole chain under this basis; nothing for a matter in no chain."""
    group = matter_groups().get(chain)
    return group.caps[basis] if group is not None and group.is_chain else None
