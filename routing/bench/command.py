"""The bench's commands: make missing runs, show them, time a sweep, and see how near a bound comes to a plan."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from routing.bench.cases import NoCases, cases, sampled
from routing.bench.curve import SIZES, sweeps
from routing.bench.runs import PROGRAMS, SEEDS, rows, run_all
from routing.bench.table import markdown
from routing.model.formats import read
from routing.model.problem import Primary
from routing.search.solve import solve

RUNS = Path("tests/benchmarks/runs.csv")
SAMPLE = Path("tests/benchmarks/sample.csv")
INSTANCES = Path("tests/benchmarks/instances")


def add_commands(commands: Any) -> None:
    """``bench`` with its own commands below the given ones (argparse's sub-parsers)."""
    benching = commands.add_parser("bench", help="gaps to the best known plans, beside other programs")
    add_parts(benching)


def add_parts(parser: argparse.ArgumentParser) -> None:
    """Add ``run``, ``table`` and ``curve``, each with its options."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    running = commands.add_parser("run", help="make the runs that the file does not hold yet")
    running.add_argument("--instances", type=Path, default=INSTANCES, help="folder with best_known.csv and texts")
    running.add_argument("--sample", type=Path, default=SAMPLE, help="class,instance lines; 'none' for all")
    running.add_argument("--classes", nargs="*", help="only these")
    running.add_argument("--budgets", type=float, nargs="+", default=[10.0, 30.0, 60.0], metavar="S")
    running.add_argument("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    running.add_argument("--seeds", type=int, default=SEEDS, help="of the engine; the others run once")
    running.add_argument("--both", action="store_true", help="windows by vehicles as well as by distance")
    running.add_argument("--python", nargs="*", default=[], metavar="PROGRAM=PATH", help="interpreter of a peer")
    running.add_argument("--release", default="unreleased", help="the name under which the rows are kept")
    running.add_argument("--file", type=Path, default=RUNS)
    running.set_defaults(run=_run)
    showing = commands.add_parser("table", help="the gap table of the runs kept, in Markdown")
    showing.add_argument("--release", default="unreleased")
    showing.add_argument("--file", type=Path, default=RUNS)
    showing.set_defaults(run=_table)
    curving = commands.add_parser("curve", help="seconds a sweep over all stops, against n log n")
    curving.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    curving.set_defaults(run=_curve)
    proving = commands.add_parser("proof", help="how near a bound comes to a plan, and whether other code confirms it")
    proving.add_argument("files", type=Path, nargs="+", metavar="FILE", help="instance texts, by distance")
    proving.add_argument("--customers", type=int, metavar="N", help="only the first so many of each file")
    proving.add_argument("--search", type=float, default=5.0, metavar="S", help="seconds of the processor (5)")
    proving.add_argument("--marks", type=float, nargs="+", default=[10.0, 30.0], metavar="S", help="seconds of proof")
    proving.add_argument("--check", action="store_true", help="derive each bound again with other code")
    proving.set_defaults(run=_proof)


def _run(args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        every = cases(args.instances, both=args.both)
    except NoCases as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    sample = None if str(args.sample) == "none" else args.sample
    chosen = sampled(every, sample, args.classes)
    made = run_all(
        chosen,
        args.budgets,
        args.programs,
        file=args.file,
        release=args.release,
        seeds=args.seeds,
        pythons=dict(each.split("=", 1) for each in args.python),
    )
    sys.stdout.write(f"{made} runs of {len(chosen)} cases appended to {args.file}\n")
    return 0


def _table(args: argparse.Namespace) -> int:
    sys.stdout.write(markdown(rows(args.file), release=args.release))
    return 0


def _proof(args: argparse.Namespace) -> int:
    # OR-Tools is heavy, and no other command of the bench needs it here.
    proof_run = import_module("routing.bench.proof").proof_run
    sys.stdout.write(f"instance | stops | plan | vehicles | bounds after {args.marks} s | gaps, % | objections\n")
    for file in args.files:
        instance = read(file, Primary.DISTANCE)
        requests = instance.problem.requests[: args.customers]
        problem = replace(instance.problem, requests=requests)
        run = proof_run(problem, search_s=args.search, marks_s=args.marks, checks=args.check)
        bounds = " ".join("–" if each is None else f"{each / instance.scale:g}" for each in run.bounds)
        gaps = " ".join("–" if each is None else f"{each:.2f}" for each in run.gaps_pct())
        plan = f"{run.cost / instance.scale:g} | {run.vehicles}"
        objections = "; ".join(run.objections) or ("none" if args.check else "not looked for")
        sys.stdout.write(f"{file.stem} | {len(requests)} | {plan} | {bounds} | {gaps} | {objections}\n")
        sys.stdout.flush()
    return 0


def _curve(args: argparse.Namespace) -> int:
    sys.stdout.write("| stops | ms a sweep | µs / (n log2 n) |\n| --- | --- | --- |\n")
    for stops, sweep_s, unit in sweeps(solve, args.sizes):
        sys.stdout.write(f"| {stops} | {1e3 * sweep_s:.2f} | {unit:.2f} |\n")
        sys.stdout.flush()
    return 0
