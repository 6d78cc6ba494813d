"""PyVRP or VROOM on one area of a large day: ``area_peer.py pyvrp|vroom FILE --limit S --seed N``.

FILE is what ``large_day.py`` keeps of an area: matrix, windows, loads, vehicles. Prints one JSON line: the routes as
positions of requests, and the seconds of the search alone.
"""

import argparse
import importlib.metadata
import json
import sys
import time
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import vroom
from pyvrp import Model
from pyvrp.stop import MaxRuntime

Numbers = Mapping[str, np.ndarray]


def by_pyvrp(area: Numbers, limit_s: float, seed: int) -> tuple[list[list[int]], float]:
    """Its default parameters."""
    seconds = area["seconds"]
    model = Model()
    locations = [model.add_location(0, 0) for _ in range(len(seconds))]
    depot = model.add_depot(locations[0])
    opens, closes = map(int, area["shift"])
    model.add_vehicle_type(
        int(area["vehicles"]), capacity=area["capacity"].tolist(), start_depot=depot, end_depot=depot,
        fixed_cost=int(area["fixed"]), tw_early=opens, tw_late=closes,
    )  # fmt: skip
    for q, at in enumerate(area["location"]):
        model.add_client(
            locations[int(at)], delivery=area["delivers"][q].tolist(), pickup=area["collects"][q].tolist(),
            service_duration=int(area["service"][q]), tw_early=int(area["opens"][q]), tw_late=int(area["closes"][q]),
        )  # fmt: skip
    for a, row in enumerate(seconds.tolist()):
        for b, length in enumerate(row):
            if a != b:
                model.add_edge(locations[a], locations[b], distance=length, duration=length)
    began = time.perf_counter()
    result = model.solve(stop=MaxRuntime(limit_s), seed=seed, display=False)
    took_s = time.perf_counter() - began
    routes = result.best.routes() if result.is_feasible() else []
    return [[each.idx for each in route if each.is_client()] for route in routes], took_s


def by_vroom(area: Numbers, limit_s: float, seed: int) -> tuple[list[list[int]], float]:
    """Its highest exploration level; it draws no random numbers."""
    question = vroom.Input()
    question.set_durations_matrix("car", area["seconds"].astype(np.uint32))
    shift = vroom.TimeWindow(*map(int, area["shift"]))
    for at in range(int(area["vehicles"])):
        question.add_vehicle(
            vroom.Vehicle(
                at + 1, start=0, end=0, capacity=area["capacity"].tolist(), time_window=shift,
                costs=vroom.VehicleCosts(fixed=int(area["fixed"])),
            )
        )  # fmt: skip
    for q, at in enumerate(area["location"]):
        question.add_job(
            vroom.Job(
                q + 1, location=int(at), default_service=int(area["service"][q]),
                delivery=vroom.Amount(area["delivers"][q].tolist()),
                pickup=vroom.Amount(area["collects"][q].tolist()),
                time_windows=[vroom.TimeWindow(int(area["opens"][q]), int(area["closes"][q]))],
            )
        )  # fmt: skip
    began = time.perf_counter()
    solution = question.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=limit_s))
    took_s = time.perf_counter() - began
    routes = solution.to_dict()["routes"]
    return [[each["id"] - 1 for each in route["steps"] if each["type"] == "job"] for route in routes], took_s


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=["pyvrp", "vroom"])
    parser.add_argument("file")
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with np.load(asked.file) as area:
        routes, took_s = {"pyvrp": by_pyvrp, "vroom": by_vroom}[asked.program](area, asked.limit, asked.seed)
    version = importlib.metadata.version({"pyvrp": "pyvrp", "vroom": "pyvroom"}[asked.program])
    sys.stdout.write(json.dumps({"routes": routes, "seconds": round(took_s, 2), "version": version}) + "\n")


if __name__ == "__main__":
    main()
