"""What each rule costs the search: iterations a second with one feature, as a share of the plain search's.

``python tests/benchmarks/feature_speed.py --seconds 4``: a courier day of 150 stops, once plain and once with each
feature. The days take turns of a fraction of a second, so that whatever else the machine does falls on all alike, and
what counts is the processor's time and not the clock's. ``cannot bind`` marks limits that no route can reach.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from courier_days import SHIFT, county_day

from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.model.quantities import Load, Window
from routing.model.request import Request, Stop
from routing.model.vehicle import Break, Vehicle
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import compile_core, solve
from tests.routing.search.announced import with_announced_windows

STOPS = 150
TURN = 50
"""Iterations between two looks at the clock."""
TURN_S = 0.2
NOON = Window(11 * 3600, 13 * 3600)


def each_stop(problem: Problem, change: Callable[[Stop], Stop]) -> Problem:
    requests = (replace(each, stops=tuple(map(change, each.stops))) for each in problem.requests)
    return replace(problem, requests=tuple(requests))


def each_vehicle(problem: Problem, **more: object) -> Problem:
    def changed(vehicle: Vehicle) -> Vehicle:
        return replace(vehicle, **more)  # type: ignore[arg-type]

    return replace(problem, vehicles=tuple(map(changed, problem.vehicles)))


def two_windows(stop: Stop) -> Stop:
    """Closed from noon to two, where it was open all day."""
    if stop.windows != (SHIFT,):
        return stop
    return replace(stop, windows=(Window(SHIFT.opens_s, 12 * 3600), Window(14 * 3600, SHIFT.closes_s)))


def features(plain: Problem, plan: Plan) -> Iterator[tuple[str, Problem]]:
    """The day with one feature at a time."""
    objective = plain.objective
    yield "plain", plain
    yield "longest duty (8 h)", each_vehicle(plain, max_duty_s=8 * 3600)
    yield "longest duty (cannot bind)", each_vehicle(plain, max_duty_s=SHIFT.closes_s - SHIFT.opens_s)
    yield "most stops (20)", each_vehicle(plain, max_stops=20)
    yield "most stops (cannot bind)", each_vehicle(plain, max_stops=STOPS)
    yield "longest distance", each_vehicle(plain, max_distance_m=max(driven_m(plain, plan)))
    yield "longest distance (cannot bind)", each_vehicle(plain, max_distance_m=10**9)
    yield "release times", released(plain, 11 * 3600)
    yield "release times (cannot bind)", released(plain, SHIFT.opens_s)
    yield "break", each_vehicle(plain, rest=Break(NOON, 1800))
    yield "break (cannot bind)", each_vehicle(plain, rest=Break(Window(SHIFT.closes_s, SHIFT.closes_s), 1800))
    yield "announced windows", with_announced_windows(plain, plan, before_s=1800, after_s=5400, cost_per_min=60)
    yield (
        "announced windows (cannot bind)",
        with_announced_windows(plain, plan, before_s=86_400, after_s=86_400, cost_per_min=60),
    )
    yield "evenness", replace(plain, objective=replace(objective, evenness_per_s=1, fair_duty_s=6 * 3600))
    yield "evenness (cannot bind)", replace(plain, objective=replace(objective, evenness_per_s=1, fair_duty_s=36_000))
    yield "grace", each_stop(plain, lambda stop: replace(stop, grace_s=1800, late_per_s=1))
    yield "two windows", each_stop(plain, two_windows)
    yield "waiting price", replace(plain, objective=replace(objective, waiting_per_s=1))
    yield "duty price", replace(plain, objective=replace(objective, duty_per_s=1))
    yield "two loads", each_vehicle(plain, capacity=Load(30, 20_000))
    yield "two loads (one cannot bind)", plain_loads(plain)


def released(problem: Problem, latest_s: int) -> Problem:
    """Papers that come in one after the other until then, where they are needed no earlier than two hours later."""

    def late(at: int, each: Request) -> Request:
        closes_s = each.stops[0].windows[0].closes_s - 7200
        release_s = min(SHIFT.opens_s + at * (latest_s - SHIFT.opens_s) // STOPS, closes_s)
        return replace(each, release_s=max(0, release_s)) if each.from_depot else each

    return replace(problem, requests=tuple(late(at, each) for at, each in enumerate(problem.requests)))


def driven_m(problem: Problem, plan: Plan) -> list[int]:
    """The metres of each route."""
    places = {request.id: request.stops[0].location for request in problem.requests}
    profile, home = problem.profiles[0], problem.vehicles[0].start
    routes = [[home, *(places[visit.request] for visit in route.visits), home] for route in plan.routes]
    return [sum(int(profile.metres[leg]) for leg in pairwise(route)) for route in routes]


def plain_loads(plain: Problem) -> Problem:
    return each_vehicle(plain, capacity=Load(30, 10_000_000))


class Turn:
    """One day's search, and how many iterations it made in how much of the processor's time."""

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        model = model_of(problem)
        self.name, self.hot, self.search = name, model.hot, Search(model, seed)
        self.search.begin(self.search.filled())
        self.search.run(2_000, self.hot, self.hot / 100)
        self.iterations, self.seconds = 0, 0.0

    def take(self) -> None:
        ends = time.process_time() + TURN_S
        began = time.process_time()
        while time.process_time() < ends:
            self.iterations += self.search.run(TURN, self.hot / 10, self.hot / 100)
        self.seconds += time.process_time() - began

    @property
    def speed(self) -> float:
        return self.iterations / self.seconds


def main() -> None:
    """A JSON line a feature."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of the processor, for each feature")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    compile_core()
    # Loads are left out but where they are the feature: a load that cannot bind is one more feature.
    plain = each_stop(
        county_day(stops=STOPS, seed=args.seed),
        lambda stop: replace(stop, delivers=Load(stop.delivers.pieces), collects=Load(stop.collects.pieces)),
    )
    loaded = county_day(stops=STOPS, seed=args.seed)
    plan = solve(plain, limit_s=600, max_iterations=20_000, seed=args.seed)
    days = [
        (name, replace(day, requests=loaded.requests) if "loads" in name else day)
        for name, day in features(plain, plan)
    ]
    turns = [Turn(name, day, args.seed) for name, day in days]
    while turns[0].seconds < args.seconds:
        for turn in turns:
            turn.take()
    for turn in turns:
        share = turn.speed / turns[0].speed
        print(json.dumps({"feature": turn.name, "iterations_a_second": round(turn.speed), "share": round(share, 3)}))


if __name__ == "__main__":
    main()
