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

GROUPS_FILE = File(__file__).parent.parent / "data" / "groups.csv"


@dataclass(frozen=True, slots=True)
class MatterGroup:
    """Matters that belong together: a joint group, or a chain of steps whose limit runs from the first to the last."""

    key: str
    is_chain: bool
    name: str
    caps: Mapping[Basis, Limit | None]


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
    return MatterGroup(row["group"], row["type"] == "chain", row["name_zh"], caps)


def chain_cap(chain: str, basis: Basis) -> Limit | None:
    """The limit of a whole chain under this basis; nothing for a matter in no chain."""
    group = matter_groups().get(chain)
    return group.caps[basis] if group is not None and group.is_chain else None
