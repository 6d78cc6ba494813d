"""The routing room's command line: ``python -m routing solve FILE``, ``roads EXTRACT --out FILE`` and ``bench``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from routing import bench
from routing.model.formats import Instance, Malformed, read
from routing.model.formats.day import problem_as_dict
from routing.model.plan import Plan
from routing.model.problem import Primary, Problem
from routing.search.explain import bindings
from routing.search.solve import solve
from routing.travel import Unavailable

LIMIT_S = 10.0
NO_LIMIT_S = 86_400.0
"""How long a solve may take that has a number of iterations and no limit."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when there is a plan, 2 when the arguments or the file are wrong."""
    args = _parser().parse_args(arguments)
    return int(args.run(args))


def _solve(args: argparse.Namespace) -> int:
    objective = Primary(args.objective) if args.objective else None
    try:
        instance = read(args.file, objective)
    except (Malformed, OSError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else wrong
        print(f"{args.file}: {reason}", file=sys.stderr)
        return 2
    except MemoryError:
        print(f"{args.file}: it asks for more places than this machine has memory for", file=sys.stderr)
        return 2
    limit_s = args.limit or (NO_LIMIT_S if args.iterations else LIMIT_S)
    plan = solve(
        instance.problem,
        limit_s=limit_s,
        max_iterations=args.iterations,
        seed=args.seed,
        workers=args.workers,
        engine=args.engine,
    )
    lines = [*instance.routes(plan), f"Cost {instance.cost_text(plan)}"]
    for line in (*lines[:-1], *_unserved(instance.problem, plan), lines[-1]):
        print(line)
    print(json.dumps(summary(instance, plan)))
    if args.day:
        args.day.write_text(json.dumps(problem_as_dict(instance.problem)) + "\n", encoding="utf-8")
    if args.out:
        text = json.dumps(plan.as_dict(), indent=1) if args.out.suffix == ".json" else "\n".join(lines)
        try:
            args.out.write_text(text + "\n", encoding="utf-8")
        except OSError as wrong:
            print(f"{args.out}: {wrong.strerror}", file=sys.stderr)
            return 2
    return 0


def _roads(args: argparse.Namespace) -> int:
    # What reads extracts is heavy, and no other command needs it.
    graph = import_module("routing.travel.roads").RoadGraph
    try:
        read_once = graph.from_osm(args.extract)
        read_once.save(args.out)
    except (Unavailable, OSError, RuntimeError) as wrong:
        print(f"{args.extract}: {wrong}", file=sys.stderr)
        return 2
    print(f"{len(read_once.points)} points and {len(read_once.tails)} pieces of road in {args.out}")
    return 0


def summary(instance: Instance, plan: Plan) -> dict[str, float | int | bool | str | None]:
    """The last line of a solve: its cost in the file's own units, whether everything is served, and what is proved."""
    cost = instance.cost(plan)
    # A bound is one of the whole cost: of a file whose cost leaves penalties out, only while nothing is left out.
    comparable = plan.bound is not None and (instance.penalties_cost or not plan.unserved)
    bound = plan.bound / instance.scale if plan.bound is not None and comparable else None
    return {
        "cost": cost if isinstance(cost, int) else round(cost, instance.rounding.decimals),
        "vehicles": plan.vehicles,
        "feasible": not plan.unserved,
        "seconds": round(plan.seconds, 3),
        **plan.proof(),
        "bound": bound if instance.scale > 1 or not comparable else plan.bound,
    }


def _unserved(problem: Problem, plan: Plan) -> list[str]:
    """One line a request that no route serves: the rule that keeps it out, and the facts in one sentence."""
    return [f"Unserved {each.request}: {each.reason.value}: {each.sentence()}" for each in bindings(problem, plan)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m routing", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    solving = commands.add_parser("solve", help="plan one instance file")
    solving.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a day as JSON or VROOM's JSON, or Solomon, Gehring-Homberger, Li & Lim, Sartori & Buriol or VRPLIB text",
    )
    solving.add_argument("--limit", type=_positive, metavar="S", help=f"seconds to plan for ({LIMIT_S:.0f})")
    solving.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the random numbers (0)")
    solving.add_argument("--workers", type=_at_least_one, default=1, metavar="N", help="processes (1)")
    solving.add_argument(
        "--iterations", type=_at_least_one, metavar="N", help="stop after so many: with one worker, repeatable exactly"
    )
    solving.add_argument("--engine", choices=("auto", "sisr", "ortools"), default="auto")
    solving.add_argument(
        "--objective",
        choices=[each.value for each in Primary],
        help="distance: arcs of coordinates cut to one decimal; vehicles: fewest first, double precision; without it "
        "vehicles for paired pickups and deliveries, distance for the others, VRPLIB coordinates as the file says",
    )
    solving.add_argument(
        "--out", type=Path, metavar="FILE", help="also write the routes, or the plan where it ends in .json"
    )
    solving.add_argument("--day", type=Path, metavar="FILE", help="also write the problem as JSON, as solve reads it")
    solving.set_defaults(run=_solve)
    roads = commands.add_parser("roads", help="read an extract of OpenStreetMap into a road graph, once")
    roads.add_argument("extract", type=Path, metavar="EXTRACT", help=".osm.pbf or .osm")
    roads.add_argument("--out", type=Path, required=True, metavar="FILE", help="the graph, ending in .npz")
    roads.set_defaults(run=_roads)
    bench.add_commands(commands)
    return parser


def _positive(word: str) -> float:
    value = float(word)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{word} is not a positive number of seconds")
    return value


def _at_least_one(word: str) -> int:
    value = int(word)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{word} is less than 1")
    return value


def _seed(word: str) -> int:
    value = int(word)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{word} is less than 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
