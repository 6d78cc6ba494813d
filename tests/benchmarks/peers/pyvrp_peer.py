"""PyVRP on one instance file: ``python tests/benchmarks/peers/pyvrp_peer.py FILE --limit S --seed N --objective O``.

Run by the bench with an interpreter that has pyvrp and numpy; prints ``Route #1: …`` lines and a JSON line.
"""

import argparse
import importlib.metadata
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from pyvrp import Model
from pyvrp.stop import MaxRuntime

from routing.model.formats import read
from routing.model.problem import Primary
from routing.model.request import RequestKind


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--objective", required=True)
    asked = parser.parse_args()
    instance = read(asked.file, Primary(asked.objective))
    problem = instance.problem
    seconds = problem.profiles[0].seconds
    vehicle = problem.vehicles[0]
    model = Model()
    locations = [model.add_location(0, 0) for _ in range(problem.size)]
    depot = model.add_depot(locations[0])
    # Vehicles first: one more costs more than all that could be driven for it.
    fixed = problem.size * int(seconds.max()) // 4 if problem.objective.primary is Primary.VEHICLES else 0
    model.add_vehicle_type(
        len(problem.vehicles),
        capacity=vehicle.capacity.pieces,
        start_depot=depot,
        end_depot=depot,
        fixed_cost=fixed,
        tw_early=vehicle.shift.opens_s,
        tw_late=vehicle.shift.closes_s,
        **({"shift_duration": vehicle.max_duty_s} if vehicle.max_duty_s is not None else {}),
    )
    for request in problem.requests:
        first, last = request.stops[0], request.stops[-1]
        if request.kind is RequestKind.PAIRED:
            model.add_shipment(
                locations[first.location],
                locations[last.location],
                first.windows[0].opens_s,
                first.windows[0].closes_s,
                first.service_s,
                last.windows[0].opens_s,
                last.windows[0].closes_s,
                last.service_s,
                amount=first.collects.pieces,
            )
        else:
            model.add_client(
                locations[first.location],
                delivery=first.delivers.pieces,
                service_duration=first.service_s,
                tw_early=first.windows[0].opens_s,
                tw_late=first.windows[0].closes_s,
            )
    for a, row in enumerate(seconds.tolist()):
        for b, length in enumerate(row):
            if a != b:
                model.add_edge(locations[a], locations[b], distance=length, duration=length)
    began = time.perf_counter()
    result = model.solve(stop=MaxRuntime(asked.limit), seed=asked.seed, display=False)
    took = time.perf_counter() - began
    routes = result.best.routes() if result.is_feasible() else []
    for at, route in enumerate(routes, 1):
        numbers = []
        for activity in route:
            if activity.is_client() or activity.is_pickup():
                numbers.append(instance.numbers[problem.requests[activity.idx].id, 0])
            elif activity.is_delivery():
                numbers.append(instance.numbers[problem.requests[activity.idx].id, 1])
        sys.stdout.write(f"Route #{at}: {' '.join(map(str, numbers))}\n")
    sys.stdout.write(json.dumps({"seconds": round(took, 3), "version": importlib.metadata.version("pyvrp")}) + "\n")


if __name__ == "__main__":
    main()
