"""How near the bound comes to the plan on drawn county days, built as the product builds them; one CSV row a day.

``python tests/benchmarks/proofs.py --stops 130 --days 100 --marks 10 30``: half days of windows of three hours, or of
one and two with ``--tight``; ``--whole`` for days. Seconds are of the processor.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from routing.bench.proof import proof_run
from routing.day.hours import HALF_S
from routing.day.routing_input import UNSERVED_COST, VEHICLE_COST
from routing.model.problem import Objective, Problem
from routing.model.profile import Profile
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle
from routing.search.solve import compile_core
from routing.travel import Geodesic
from tests.benchmarks.courier_days import Ground


def drawn(ground: Ground, stops: int, seed: int, spans: Sequence[int], *, whole: bool) -> Problem:
    """A county's batch: its centre, e-bikes, a quarter pickups, services of three to five minutes."""
    draw = np.random.default_rng(seed)
    codes = sorted(ground.demand)
    county = codes[int(draw.integers(len(codes)))]
    points = [ground.centres[county], *ground.stops(county, stops, draw)]
    table = Geodesic().matrix(points, hour=9)
    shift = Window(8 * 3600, 18 * 3600 if whole else HALF_S)
    last = 18 if whole else 12
    requests = []
    for at in range(1, stops + 1):
        span = int(draw.choice(spans))
        opens = int(draw.integers(8, last - span + 1))
        window = Window(opens * 3600, (opens + span) * 3600)
        load = Load(1, int(draw.choice((150, 200, 400, 900))))
        delivers = bool(draw.random() < 0.75)
        stop = Stop(
            at, (window,), int(draw.choice((180, 240, 300))),
            delivers=load if delivers else Load(), collects=Load() if delivers else load,
        )  # fmt: skip
        kind = RequestKind.DELIVERY if delivers else RequestKind.PICKUP
        requests.append(Request(f"stop:{at}", kind, (stop,), UNSERVED_COST))
    fleet = max(3, -(-stops // (25 if whole else 10)))
    vans = tuple(
        Vehicle(f"courier:{at}", 0, 0, shift, Load(80, 60_000), fixed_cost=VEHICLE_COST) for at in range(fleet)
    )
    return Problem((Profile(table.seconds, table.metres),), tuple(requests), vans, Objective())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=130)
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--first", type=int, default=1, help="seed of the first day")
    parser.add_argument("--search", type=float, default=5.0)
    parser.add_argument("--marks", type=float, nargs="+", default=[10.0, 30.0])
    parser.add_argument("--tight", action="store_true")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    compile_core()
    ground, rows = Ground(), csv.writer(sys.stdout)
    rows.writerow(
        ["stops", "seed", "plan", "vehicles", *(f"gap after {mark:g} s" for mark in asked.marks), "objections"]
    )
    gaps = []
    for seed in range(asked.first, asked.first + asked.days):
        problem = drawn(ground, asked.stops, seed, (1, 2) if asked.tight else (3,), whole=asked.whole)
        run = proof_run(problem, search_s=asked.search, marks_s=asked.marks, checks=asked.check)
        found = run.gaps_pct()
        gaps.append(found)
        shown = ["" if gap is None else f"{gap:.2f}" for gap in found]
        rows.writerow([asked.stops, seed, run.cost, run.vehicles, *shown, "; ".join(run.objections)])
        sys.stdout.flush()
    medians = [
        float(np.median([100.0 if gap is None else gap for gap in column])) for column in zip(*gaps, strict=True)
    ]
    print("median", *(f"{median:.2f}" for median in medians))


if __name__ == "__main__":
    main()
