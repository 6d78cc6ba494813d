"""Cases: the instances of a benchmark with their best known values, and a named sample of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from routing.model.problem import Primary


class NoCases(ValueError):
    """The folder or the sample does not hold what it should; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class BenchInstance:
    """One instance under one objective."""

    family: str
    name: str
    file: Path
    objective: Primary
    best_vehicles: int | None
    best_cost: float


def cases(folder: Path, *, both: bool = False) -> list[BenchInstance]:
    """Every instance of ``best_known.csv`` that has its file: windows by distance (and by vehicles too where ``both``),
    pairs by vehicles."""
    table = folder / "best_known.csv"
    if not table.is_file():
        raise NoCases(f"{table} is not there: it names each instance's class, kind, vehicles, cost and objective")
    files = {path.stem.lower(): path for path in sorted(folder.glob("*/*.txt"))}
    found = []
    with table.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            objective = Primary.VEHICLES if row["objective"].startswith("vehicles") else Primary.DISTANCE
            usual = Primary.VEHICLES if row["kind"] == "PDPTW" else Primary.DISTANCE
            file = files.get(row["instance"].lower())
            if file is not None and (both or objective is usual):
                vehicles = int(row["vehicles"]) if row["vehicles"] else None
                found.append(
                    BenchInstance(row["class"], row["instance"], file, objective, vehicles, float(row["cost"]))
                )
    return found


def sampled(every: Iterable[BenchInstance], sample: Path | None, families: list[str] | None) -> list[BenchInstance]:
    """Those in the sample file (lines of ``class,instance``) and in the families named; all of them without either."""
    kept = [case for case in every if not families or case.family in families]
    if sample is None:
        return kept
    with sample.open(encoding="utf-8", newline="") as rows:
        wanted = {(row["class"], row["instance"]) for row in csv.DictReader(rows)}
    return [case for case in kept if (case.family, case.name) in wanted]
