"""VROOM on one instance file: ``python tests/benchmarks/peers/vroom_peer.py FILE --limit S --seed N --objective O``.

Run by the bench with an interpreter that has pyvroom and numpy, at its highest exploration level; it draws no random
numbers, so the seed changes nothing. Prints ``Route #1: …`` lines and a JSON line.
"""

import argparse
import importlib.metadata
import json
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import numpy as np
import vroom

from routing.model.formats import read
from routing.model.problem import Primary
from routing.model.quantities import Window
from routing.model.request import RequestKind, Stop

FINEST = 100
"""Units of the file's one: VROOM counts in 32 bits, so double precision is rounded up to hundredths."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--objective", required=True)
    asked = parser.parse_args()
    instance = read(asked.file, Primary(asked.objective))
    problem = instance.problem
    coarser = max(1, instance.scale // FINEST)
    seconds = -(-problem.profiles[0].seconds.astype(np.int64) // coarser)

    def window(given: Window) -> vroom.TimeWindow:
        return vroom.TimeWindow(-(-given.opens_s // coarser), given.closes_s // coarser)

    def step(number: int, stop: Stop) -> dict[str, object]:
        return {
            "id": number,
            "location": stop.location,
            "default_service": -(-stop.service_s // coarser),
            "time_windows": [window(stop.windows[0])],
        }

    question = vroom.Input()
    question.set_durations_matrix("car", seconds.astype(np.uint32))
    # Vehicles first: one more costs more than all that could be driven for it.
    fixed = problem.size * int(seconds.max()) // 4 if problem.objective.primary is Primary.VEHICLES else 0
    for at, vehicle in enumerate(problem.vehicles):
        question.add_vehicle(
            vroom.Vehicle(
                at + 1,
                start=0,
                end=0,
                capacity=[vehicle.capacity.pieces],
                time_window=window(vehicle.shift),
                costs=vroom.VehicleCosts(fixed=fixed),
            )
        )
    for request in problem.requests:
        first, last = request.stops[0], request.stops[-1]
        if request.kind is RequestKind.PAIRED:
            pickup = vroom.ShipmentStep(**step(instance.numbers[request.id, 0], first))
            delivery = vroom.ShipmentStep(**step(instance.numbers[request.id, 1], last))
            question.add_shipment(pickup, delivery, amount=vroom.Amount([first.collects.pieces]))
        else:
            job = step(instance.numbers[request.id, 0], first)
            question.add_job(vroom.Job(**job, delivery=vroom.Amount([first.delivers.pieces])))
    began = time.perf_counter()
    solution = question.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=asked.limit))
    took = time.perf_counter() - began
    for at, route in enumerate(solution.to_dict()["routes"], 1):
        numbers = [each["id"] for each in route["steps"] if each["type"] in ("job", "pickup", "delivery")]
        sys.stdout.write(f"Route #{at}: {' '.join(map(str, numbers))}\n")
    sys.stdout.write(json.dumps({"seconds": round(took, 3), "version": importlib.metadata.version("pyvroom")}) + "\n")


if __name__ == "__main__":
    main()
