"""Beliefs: what a kind of matter is taken to last before any case was observed. Pure.

``durations.toml`` holds them, each with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File

from dispatch.path.matter_node import MatterKind

PRIORS_FILE = File(__file__).with_name("durations.toml")


@dataclass(frozen=True, slots=True)
class Belief:
    """What a kind of matter is taken to last before anything was observed."""

    share: float
    sigma: float
    floor: float = 0.0

    def __post_init__(self) -> None:
        if self.share <= 0 or self.sigma <= 0 or self.floor < 0:
            raise ValueError("a belief needs a positive share and spread, and no negative floor")


@dataclass(frozen=True, slots=True)
class Priors:
    """The file of beliefs, checked."""

    kinds: Mapping[MatterKind, Belief]
    gap_median: float
    gap_sigma: float
    matter_spread: float
    city_spread: float
    authority_spread: float
    sigma_cases: float
    correlation_pairs: float
    department_correlation: float
    project_correlation: float

    def __post_init__(self) -> None:
        if missing := [kind.value for kind in MatterKind if kind not in self.kinds]:
            raise ValueError(f"no belief about {', '.join(missing)}")
        if self.department_correlation + self.project_correlation >= 1:
            raise ValueError("the two correlations must leave room for chance")


def read_priors(path: File = PRIORS_FILE) -> Priors:
    """The beliefs of ``durations.toml``. Every section must carry its reason."""
    with path.open("rb") as file:
        table = tomllib.load(file)
    sections = [*table["kinds"].values(), table["gap"], table["spread"], table["evidence"], table["correlation"]]
    if any(not section.get("reason", "").strip() for section in sections):
        raise ValueError(f"{path.name}: every figure needs its reason")
    return Priors(
        kinds={
            MatterKind(name): Belief(row["share"], row["sigma"], row.get("floor", 0.0))
            for name, row in table["kinds"].items()
        },
        gap_median=table["gap"]["median"],
        gap_sigma=table["gap"]["sigma"],
        matter_spread=table["spread"]["matter"],
        city_spread=table["spread"]["city"],
        authority_spread=table["spread"]["authority"],
        sigma_cases=table["evidence"]["sigma_cases"],
        correlation_pairs=table["evidence"]["correlation_pairs"],
        department_correlation=table["correlation"]["department"],
        project_correlation=table["correlation"]["project"],
    )
