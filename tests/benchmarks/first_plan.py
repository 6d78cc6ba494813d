"""Whether a first plan by OR-Tools helps the core: ``python tests/benchmarks/first_plan.py FILE[:OBJECTIVE] …``.

Each instance and seed three ways, the same seconds of the wall: the core alone, from OR-Tools' parallel cheapest
insertion at full heat, and from it at a third of the heat. OR-Tools searches for 0.3 s; building its model is in the
time too, importing it is not. A JSON line a run: the plans begun and ended with, the seconds for the first.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from routing.model.formats import Instance, read
from routing.model.plan import Plan
from routing.model.problem import Primary
from routing.search.answer import PlanBuilder
from routing.search.ortools_model import OrToolsModel
from routing.search.pace import Pace
from routing.search.sisr.drive import Drive
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import compile_core

FIRST_S = 0.3
HEAT = {"alone": 1.0, "first": 1.0, "cool": 0.3}


def run(instance: Instance, how: str, *, limit_s: float, seed: int) -> dict[str, object]:
    problem, pace = instance.problem, Pace(limit_s)
    search = Search(model_of(problem), seed)
    answers = PlanBuilder(problem, search)
    fleet_first = problem.objective.primary is Primary.VEHICLES
    drive = Drive(search, pace, fleet_first=fleet_first, heat=HEAT[how])
    if how == "alone":
        drive.first()
    else:
        orders: list[dict[str, list[tuple[str, int]]]] = [{}]
        OrToolsModel(problem).search(FIRST_S, orders.append)
        search.begin(search.lines_of(orders[-1]))
    first_s = pace.elapsed_s
    begun = answers.plan(search.filled(), engine=how, seed=seed)
    drive.improve()
    ended = answers.plan(search.filled(), engine=how, seed=seed)
    told = {"begun": _told(instance, begun), "ended": _told(instance, ended)}
    return {"how": how, "seed": seed, **told, "first_s": round(first_s, 2), "iterations": pace.iterations}


def _told(instance: Instance, plan: Plan) -> list[float]:
    return [plan.vehicles, round(float(instance.cost(plan)), 1), len(plan.unserved)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE[:OBJECTIVE]")
    parser.add_argument("--limit", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    compile_core()
    for named in asked.files:
        file, _, objective = named.partition(":")
        instance = read(Path(file), Primary(objective) if objective else None)
        for seed in range(asked.seeds):
            for how in HEAT:
                row = run(instance, how, limit_s=asked.limit, seed=seed)
                sys.stdout.write(json.dumps({"instance": Path(file).stem, **row}) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
