"""Catalogue rows: the published columns of a matter, read into the approval path's nodes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dispatch.core.limit import read_limit
from dispatch.path.matter_node import AreaEffect, MatterKind, MatterNode

# The evaluations that a zone may share, by the catalogue's words and by the name that rows and code know them by.
AREA_KINDS = {
    "土地勘测": "land_survey",
    "矿产压覆": "minerals",
    "地质灾害": "geological_hazard",
    "水土保持": "water_and_soil",
    "文物保护": "relics",
    "洪水影响": "flood",
    "地震安全性": "earthquake",
    "气候可行性": "climate",
    "区域能评": "energy",
    "区域环评": "environment",
    "社会稳定风险": "social_stability",
}
WAIT = re.compile(r"(?P<on>\S+)(?P<late> for decision)?(?: when (?P<when>.+))?")


@dataclass(frozen=True, slots=True)
class CatalogueWait:
    """That a matter waits for another: to start or only to be decided (``before_decision``), always or ``when``."""

    on: str
    before_decision: bool = False
    when: str = ""

    def __str__(self) -> str:
        return f"{self.on}{' for decision' * self.before_decision}{f' when {self.when}' if self.when else ''}"


def read_waits(cell: str) -> tuple[CatalogueWait, ...]:
    """The prerequisites of one cell: ``IND-102 when initiation = approval;IND-115 for decision``. Raises ValueError."""
    return tuple(_wait(part) for part in (text.strip() for text in cell.split(";")) if part)


def _wait(text: str) -> CatalogueWait:
    found = WAIT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no prerequisite: a code, then perhaps 'for decision', then perhaps 'when …'")
    return CatalogueWait(found["on"], found["late"] is not None, found["when"] or "")


def late_ones(waits: Iterable[CatalogueWait]) -> frozenset[str]:
    """Those that must be done by the decision only."""
    return frozenset(wait.on for wait in waits if wait.before_decision)


def conditional_ones(waits: Iterable[CatalogueWait]) -> tuple[tuple[str, str], ...]:
    """Those that hold under a condition, with it."""
    return tuple((wait.on, wait.when) for wait in waits if wait.when)


def matter_from(row: Mapping[str, str]) -> MatterNode:
    """One row of the catalogue. Raises ValueError when a number or a kind is not one."""
    effect = area_effect(row["area_effect"])
    waits = read_waits(row["prerequisites"])
    return MatterNode(
        code=row["code"],
        name=row["name_zh"],
        short=row["short_zh"],
        phase=int(row["phase"]),
        kind=MatterKind(row["kind"]),
        statutory=read_limit(row["statutory_limit"]),
        committed=read_limit(row["committed_limit"]),
        today=read_limit(row["today_limit"]),
        legal_minimum=read_limit(row["legal_minimum"]),
        counts_in_target=row["counts_in_target"] == "y",
        prerequisites=tuple(wait.on for wait in waits),
        before_decision=late_ones(waits),
        conditions=conditional_ones(waits),
        applies_when=row["applies_when"],
        before_works_only=row["due_before_works_only"] == "y",
        joint_group=row["joint_group"],
        area_evaluation=evaluation_kind(row["area_evaluation"]),
        area_effect=effect,
        area_limit=read_limit(row["area_limit"]),
        authority=row["department_zh"],
        level=row["level"],
        counter=row["counter_in_city_district"],
        applies_if=row["applies_if"],
        relief=row["commitment_or_deferrable"],
        exempt_procedures=row["clock_exempt_procedures"],
        basis=row["source_or_basis"],
        name_en=row["name_en"],
        limit_chain=row["limit_chain"],
        result=row["result_zh"],
        result_on_paper=row["result_has_original"] == "y",
    )


def evaluation_kind(words: str) -> str:
    """The evaluation that these words name, whatever sources follow in brackets; nothing for nothing."""
    name = re.split(r"[ (（]", words.strip(), maxsplit=1)[0]
    if name and name not in AREA_KINDS:
        raise ValueError(f"{name} is no area evaluation that the catalogue knows")
    return AREA_KINDS.get(name, "")


def area_effect(words: str) -> AreaEffect:
    """The effect that the catalogue's words promise; where they leave a choice, the lesser one."""
    if "simplify" in words:
        return AreaEffect.SIMPLIFY
    return AreaEffect.REPLACE if "replace" in words else AreaEffect.NONE
