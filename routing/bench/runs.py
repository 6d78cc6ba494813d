"""Runs: each program on each case at each budget, in turn, its routes timed and checked again; one row a run."""

from __future__ import annotations

import csv
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from routing.bench.cases import BenchInstance
from routing.bench.timing import PrintedPlan, judged
from routing.model.formats import read

log = logging.getLogger(__name__)

PEERS = Path("tests/benchmarks/peers")
OWN = ("daiban", "ortools")
"""What this tree runs itself: its engine, and OR-Tools alone."""
PROGRAMS = (*OWN, "pyvrp", "vroom")
SEEDS = 3
"""How often the engine runs each case; the others run it once."""


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One run as it is kept."""

    release: str
    program: str
    version: str
    family: str
    instance: str
    objective: str
    budget_s: float
    seed: int
    vehicles: int
    cost: float
    unserved: int
    broken: str
    """The first rule that the routes break; empty when they keep them all."""
    seconds: float
    best_vehicles: str
    best_cost: float
    started_at: str

    @property
    def key(self) -> tuple[str, str, str, str, float, int]:
        """What makes a run the same as another: it is made once."""
        return (self.release, self.program, self.instance, self.objective, self.budget_s, self.seed)


def rows(file: Path) -> list[BenchRow]:
    """The runs kept so far."""
    if not file.exists():
        return []
    kinds = {each.name: each.type for each in fields(BenchRow)}
    convert = {"int": int, "float": float, "str": str}
    with file.open(encoding="utf-8", newline="") as lines:
        return [
            BenchRow(**{name: convert[str(kinds[name])](row[name]) for name in kinds}) for row in csv.DictReader(lines)
        ]


def keep(file: Path, row: BenchRow) -> None:
    """Append one row; the heading comes with the first."""
    new = not file.exists()
    with file.open("a", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, [each.name for each in fields(BenchRow)], lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(asdict(row))


def turns(programs: Sequence[str], seeds: int) -> Iterator[tuple[str, int]]:
    """The order of one case: the engine's seeds with the others between them, so that all meet the same machine."""
    others = [program for program in programs if program != "daiban"]
    for at in range(max(seeds, len(others)) if "daiban" in programs else len(others)):
        if "daiban" in programs and at < seeds:
            yield "daiban", at
        if at < len(others):
            yield others[at], 0


def run_all(
    cases: Sequence[BenchInstance],
    budgets_s: Sequence[float],
    programs: Sequence[str],
    *,
    file: Path,
    release: str,
    seeds: int = SEEDS,
    pythons: Mapping[str, str] | None = None,
) -> int:
    """Every run that the file does not hold yet; answers how many were made."""
    have = {row.key for row in rows(file)}
    made, absent = 0, set[str]()
    for budget_s in budgets_s:
        for case in cases:
            for program, seed in turns(programs, seeds):
                key = (release, program, case.name, case.objective.value, float(budget_s), seed)
                if key in have or program in absent:
                    continue
                answer = run_program(program, case, budget_s, seed, (pythons or {}).get(program, sys.executable))
                if answer is None:
                    absent.add(program)
                    continue
                keep(file, _row(release, program, case, budget_s, seed, answer))
                made += 1
    return made


def command(program: str, case: BenchInstance, budget_s: float, seed: int, python: str) -> list[str]:
    """What is run, as it could be typed."""
    options = ["--limit", f"{budget_s:g}", "--seed", f"{seed}", "--objective", case.objective.value]
    if program in OWN:
        engine = "ortools" if program == "ortools" else "auto"
        return [python, "-m", "routing", "solve", str(case.file), *options, "--engine", engine]
    return [python, str(PEERS / f"{program}_peer.py"), str(case.file), *options]


def run_program(program: str, case: BenchInstance, budget_s: float, seed: int, python: str) -> PrintedPlan | None:
    """What the program answered; None, and a word in the log, when it cannot be run at all."""
    line = command(program, case, budget_s, seed, python)
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=20 * budget_s + 600)
    if done.returncode:
        log.error("%s: %s", " ".join(line), (done.stderr.strip().splitlines() or ["no reason given"])[-1])
        return None
    return PrintedPlan.of(done.stdout)


def _row(release: str, program: str, case: BenchInstance, budget_s: float, seed: int, answer: PrintedPlan) -> BenchRow:
    verdict = judged(read(case.file, case.objective), answer.routes)
    return BenchRow(
        release=release,
        program=program,
        version=answer.version,
        family=case.family,
        instance=case.name,
        objective=case.objective.value,
        budget_s=float(budget_s),
        seed=seed,
        vehicles=verdict.vehicles,
        cost=round(verdict.cost, 2),
        unserved=verdict.unserved,
        broken=verdict.broken,
        seconds=round(answer.seconds, 2),
        best_vehicles="" if case.best_vehicles is None else str(case.best_vehicles),
        best_cost=case.best_cost,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
