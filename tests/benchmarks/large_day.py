"""Large days beside their peers: ``python tests/benchmarks/large_day.py city|province|table``, a row a run.

``city``: a day from one sorting centre (10,000 stops: Suzhou's peak), ours on two workers, or PyVRP and VROOM on the
areas that ours begins with, two areas at a time, each for its share of the same time. Every answer is timed, costed
and checked here: seconds of travel and 3,600 a vehicle. ``province``: a mean day of each county by its own, two
processes, all of it ``--within`` so many seconds, each county for its share of the stops; ``--each S --sample N``
gives N counties of all sizes S seconds each. Rows are appended to large_days.csv; one that is there is not run again.
"""

import argparse
import csv
import itertools
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from courier_days import Ground, city_day, counties, county_day

from routing.model.check import violations
from routing.model.plan import Plan, Route
from routing.model.problem import Problem
from routing.search.answer import PlanBuilder, assembled
from routing.search.areas import DividedProblem, areas_of
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import compile_core, solve

HERE = Path(__file__).parent
ROWS = HERE / "large_days.csv"
PEER = HERE / "peers" / "area_peer.py"
WORKERS = 2
COLUMNS = (
    "what", "program", "version", "stops", "limit_s", "seed", "seconds", "cost", "vehicles", "unserved", "violations",
    "peak_mb",
)  # fmt: skip
KEY = COLUMNS[:2] + COLUMNS[3:6]


def rows() -> list[dict[str, str]]:
    if not ROWS.exists():
        return []
    with ROWS.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def is_there(**key: object) -> bool:
    return any(all(row[name] == str(key[name]) for name in KEY) for row in rows())


def keep(**row: object) -> None:
    fresh = not ROWS.exists()
    with ROWS.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(row)
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def figures(problem: Problem, plan: Plan) -> dict[str, object]:
    """What a plan costs here, whoever made it."""
    return {
        "cost": plan.cost.terms, "vehicles": plan.vehicles, "unserved": len(plan.unserved),
        "violations": len(violations(problem, plan)),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


# ---------------------------------------------------------------- a city's day


def city(asked: argparse.Namespace) -> None:
    wanted = [program for program in asked.programs if not is_there(**_city_key(asked, program))]
    if not wanted:
        return
    problem = city_day(stops=asked.stops)
    for program in wanted:
        key = _city_key(asked, program)
        if program == "daiban":
            compile_core()
            began = time.perf_counter()
            plan = solve(problem, limit_s=asked.limit, seed=asked.seed, workers=WORKERS)
            version = "own"
        else:
            began = time.perf_counter()
            plan, version = by_areas(problem, program, asked)
        keep(**key, version=version, seconds=round(time.perf_counter() - began, 1), **figures(problem, plan))


def _city_key(asked: argparse.Namespace, program: str) -> dict[str, object]:
    return {"what": "city", "program": program, "stops": asked.stops, "limit_s": asked.limit, "seed": asked.seed}


def by_areas(problem: Problem, program: str, asked: argparse.Namespace) -> tuple[Plan, str]:
    """A peer's plan of each area; building its model is not in its time."""
    division = DividedProblem(problem)
    parts = [division.part(area) for area in division.first(min(areas_of(problem, WORKERS), len(problem.vehicles)))]
    limit_s = asked.limit * WORKERS / len(parts)

    def answer(part: Problem) -> tuple[list[Route], str]:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "area.npz"
            np.savez(file, **_numbers(part))
            words = [asked.python, str(PEER), program, str(file), "--limit", str(limit_s), "--seed", str(asked.seed)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout.splitlines()[-1])
        sys.stdout.write(f"{program}: an area of {len(part.requests)} in {told['seconds']} s of {limit_s:g}\n")
        return _routes(part, told["routes"]), told["version"]

    with ThreadPoolExecutor(WORKERS) as pool:
        answers = list(pool.map(answer, parts))
    routes = list(itertools.chain.from_iterable(found for found, _ in answers))
    return assembled(problem, routes, engine=program, seed=asked.seed), answers[0][1]


def _numbers(part: Problem) -> dict[str, np.ndarray]:
    stops = [request.stops[0] for request in part.requests]
    vehicle = part.vehicles[0]
    return {
        "seconds": part.profiles[0].seconds,
        "location": np.array([stop.location for stop in stops]),
        "opens": np.array([stop.windows[0].opens_s for stop in stops]),
        "closes": np.array([stop.windows[0].closes_s for stop in stops]),
        "service": np.array([stop.service_s for stop in stops]),
        "delivers": np.array([(stop.delivers.pieces, stop.delivers.grams) for stop in stops]),
        "collects": np.array([(stop.collects.pieces, stop.collects.grams) for stop in stops]),
        "vehicles": np.array(len(part.vehicles)),
        "capacity": np.array((vehicle.capacity.pieces, vehicle.capacity.grams)),
        "shift": np.array((vehicle.shift.opens_s, vehicle.shift.closes_s)),
        "fixed": np.array(vehicle.fixed_cost),
    }


def _routes(part: Problem, told: Iterable[list[int]]) -> list[Route]:
    """Timed here; a visit that breaks a rule where it stands is left out and then counted as unserved."""
    orders = {
        vehicle.id: [(part.requests[q].id, 0) for q in line] for vehicle, line in zip(part.vehicles, told, strict=False)
    }
    search = Search(model_of(part, neighbours=0), 0)
    return PlanBuilder(part, search).routes(search.lines_of(orders))


# ---------------------------------------------------------------- the province


def province(asked: argparse.Namespace) -> None:
    ground = Ground()
    sizes = {code: ground.mean(code) for code in counties()}
    if asked.sample:
        ordered = sorted(sizes, key=lambda code: sizes[code])
        chosen = [ordered[round((at + 0.5) * len(ordered) / asked.sample - 0.5)] for at in range(asked.sample)]
        limits = dict.fromkeys(chosen, float(asked.each))
    else:
        share_s = asked.within * WORKERS / sum(sizes.values())
        limits = {code: round(share_s * size, 1) for code, size in sizes.items()}
    wanted = [
        (code, limit_s, asked.seed)
        for code, limit_s in sorted(limits.items(), key=lambda each: -each[1])
        if not is_there(what=code, program="daiban", stops=sizes[code], limit_s=limit_s, seed=asked.seed)
    ][: asked.only]
    began = time.perf_counter()
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        for row in pool.map(county, wanted):
            keep(**row)
    sys.stdout.write(f"{len(wanted)} counties in {time.perf_counter() - began:.0f} s of the wall, all of it\n")


def county(asked: tuple[str, float, int]) -> dict[str, object]:
    """One county's day, drawn and planned in this process, which plans others before and after."""
    code, limit_s, seed = asked
    compile_core()
    problem = county_day(code)
    began = time.perf_counter()
    plan = solve(problem, limit_s=limit_s, seed=seed)
    return {
        "what": code, "program": "daiban", "version": "own", "stops": len(problem.requests), "limit_s": limit_s,
        "seed": seed, "seconds": round(time.perf_counter() - began, 1), **figures(problem, plan),
    }  # fmt: skip


# ---------------------------------------------------------------- what they say together


def table(_asked: argparse.Namespace) -> None:
    """Cities by cost against ours; the province's sum, and the counties that were given more time."""
    found = rows()
    cities = [row for row in found if row["what"] == "city"]
    ours = {(row["stops"], row["limit_s"]): int(row["cost"]) for row in cities if row["program"] == "daiban"}
    for row in cities:
        cost, own = int(row["cost"]), ours.get((row["stops"], row["limit_s"]))
        more = f"{100 * (cost / own - 1):+.1f} %" if own else ""
        sys.stdout.write(f"{row['program']:8} {row['stops']:>6} {row['seconds']:>6} s {cost:>10,} {more}\n")
    by_county: dict[str, list[dict[str, str]]] = {}
    for row in found:
        if row["what"].isdecimal():
            by_county.setdefault(row["what"], []).append(row)
    short = [min(runs, key=_limit) for runs in by_county.values()]
    names = ("stops", "cost", "vehicles", "unserved", "violations")
    sums = ", ".join(f"{sum(int(row[name]) for row in short):,} {name}" for name in names)
    searched_s, peak_mb = (
        sum(float(row["seconds"]) for row in short),
        max([int(row["peak_mb"]) for row in short] or [0]),
    )
    sys.stdout.write(f"{len(short)} counties: {sums}, {searched_s:.0f} s of search, at most {peak_mb} MB a process\n")
    pairs = [(min(runs, key=_limit), max(runs, key=_limit)) for runs in by_county.values() if len(runs) > 1]
    if pairs:
        less, more_s = (sum(int(pair[at]["cost"]) for pair in pairs) for at in (0, 1))
        sys.stdout.write(
            f"{len(pairs)} of them with more time: the shorter time costs {100 * (less / more_s - 1):+.2f} %\n"
        )


def _limit(row: dict[str, str]) -> float:
    return float(row["limit_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    a_city = commands.add_parser("city")
    a_city.add_argument("--stops", type=int, default=10_000)
    a_city.add_argument("--limit", type=float, default=60.0, help="seconds of the wall, on two cores")
    a_city.add_argument("--programs", nargs="+", choices=["daiban", "pyvrp", "vroom"], default=["daiban"])
    a_city.add_argument("--python", default="peers/bin/python", help="an interpreter with pyvrp, pyvroom and numpy")
    a_city.set_defaults(run=city)
    whole = commands.add_parser("province")
    whole.add_argument("--within", type=float, default=500.0, help="seconds of the wall for all counties' searches")
    whole.add_argument("--sample", type=int, default=0, help="so many counties of all sizes instead of all")
    whole.add_argument("--each", type=float, default=30.0, help="seconds for each county of a sample")
    whole.add_argument("--only", type=int, default=None, help="so many counties in this call; the next goes on")
    whole.set_defaults(run=province)
    commands.add_parser("table").set_defaults(run=table)
    for command in (a_city, whole):
        command.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    asked.run(asked)


if __name__ == "__main__":
    main()
