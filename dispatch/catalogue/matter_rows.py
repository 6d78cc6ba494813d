"""Catalogue rows: the published columns of a matter, read into the approval path's nodes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

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


def matter_from(row: Mapping[str, str]) -> MatterNode:
    """One row of the catalogue. Raises ValueError when a number or a kind is not one."""
    effect = area_effect(row["area_effect"])
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
        prerequisites=tuple(filter(None, row["prerequisites"].split(";"))),
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
