"""The table: the mean gap to the best known values, by class and budget, a column a program, in Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import mean

from routing.bench.runs import BenchRow

CLOSE_PCT = 0.3
"""A distance this near the best known one, at its fleet, counts as reaching it."""


def markdown(rows: Iterable[BenchRow], *, release: str) -> str:
    """Of one release, distance and vehicles apart; what broke a rule or left something out is named below."""
    kept = [row for row in rows if row.release == release]
    parts = [f"Release {release}"]
    for objective, cell, title in (
        ("distance", _distance, "mean distance gap to best known, %"),
        ("vehicles", _vehicles, "extra vehicles an instance / mean distance gap, % / share at the best known fleet, %"),
    ):
        some = [row for row in kept if row.objective == objective]
        if some:
            parts.append(f"{title}\n\n" + _grid(some, cell))
    parts += [f"- {row.program} {row.instance} {row.budget_s:g} s: {_fault(row)}" for row in kept if _fault(row)]
    return "\n\n".join(parts) + "\n"


def gap_pct(row: BenchRow) -> float:
    """How much more than the best known plan it costs, in percent."""
    return 100 * (row.cost / row.best_cost - 1)


def extra_vehicles(row: BenchRow) -> int:
    """How many vehicles more than the best known plan; 0 where none is known."""
    return row.vehicles - int(row.best_vehicles) if row.best_vehicles else 0


def _grid(rows: list[BenchRow], cell: object) -> str:
    programs = list(dict.fromkeys(row.program for row in rows))
    groups: dict[tuple[str, float], dict[str, list[BenchRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[row.family, row.budget_s][row.program].append(row)
    head = ["class @ budget", "instances", *programs]
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    for (family, budget_s), by_program in sorted(groups.items()):
        names = {row.instance for some in by_program.values() for row in some}
        cells = [_cell(by_program[program], cell) for program in programs]
        lines.append(" | ".join([f"{family} @ {budget_s:g} s", str(len(names)), *cells]))
    return "\n".join(f"| {line} |" for line in lines)


def _cell(rows: Sequence[BenchRow], cell: object) -> str:
    fine = [row for row in rows if not _fault(row)]
    if not fine:
        return "–"
    assert callable(cell)
    mark = "" if len(fine) == len(rows) else f" ({len(rows) - len(fine)} of {len(rows)} failed)"
    return f"{cell(fine)}{mark}"


def _distance(rows: Sequence[BenchRow]) -> str:
    return f"{mean(map(gap_pct, rows)):.2f}"


def _vehicles(rows: Sequence[BenchRow]) -> str:
    reached = mean(extra_vehicles(row) <= 0 and gap_pct(row) <= CLOSE_PCT for row in rows)
    return f"{mean(map(extra_vehicles, rows)):+.2f} / {mean(map(gap_pct, rows)):.2f} / {100 * reached:.0f}"


def _fault(row: BenchRow) -> str:
    if row.broken:
        return row.broken
    return f"{row.unserved} unserved" if row.unserved else ""
