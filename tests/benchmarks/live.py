"""Live changes and whole days: ``python tests/benchmarks/live.py insert|replan|county|large``, a JSON line a figure.

``insert``: one request into a live plan of 300 stops at a random moment, the plan in memory; timed is all of
``replan``: freezing what is driven, the fingerprint, the arrays, the insertion, the plan and its full independent
check, and the difference. ``replan``: 150 stops, the courier with most stops ahead drops out, against a plain solve of
the same rest of the day that knows no announced window. ``county``: the median county's 297 deliveries, planned with
one worker. ``large``: Suzhou's 10,000 stops from one centre.
"""

import argparse
import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from courier_days import SHIFT, city_day, county_day

from routing.model.check import violations
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.search.day_events import CourierDelayed, CourierLeft, Event, RequestAdded, RequestDropped
from routing.search.replan import Replanned, replan
from routing.search.solve import compile_core, solve
from tests.routing.search.announced import with_announced_windows

BEFORE_S, AFTER_S, MOVED_A_MIN = 1800, 5400, 60
"""What was announced: two hours around the planned start; a minute outside costs as much as one on the road."""
MEDIAN_COUNTY = 297
"""Deliveries of a day."""


def say(**figures: object) -> None:
    print(json.dumps(figures, ensure_ascii=False), flush=True)


def a_live_day(stops: int, *, seed: int, limit_s: float) -> tuple[Problem, Plan]:
    """A county's day that was planned and announced."""
    problem = county_day(stops=stops, seed=seed)
    plan = solve(problem, limit_s=limit_s, seed=seed)
    told = with_announced_windows(problem, plan, before_s=BEFORE_S, after_s=AFTER_S, cost_per_min=MOVED_A_MIN)
    return told, solve(told, limit_s=limit_s, seed=seed)


def insert(args: argparse.Namespace) -> None:
    problem, plan = a_live_day(300, seed=0, limit_s=args.limit)
    draw = np.random.default_rng(1)
    took, worked, served = [], [], 0
    for at in range(args.times):
        at_s = int(draw.integers(SHIFT.opens_s, SHIFT.opens_s + 7 * 3600))
        stop = Stop(int(draw.integers(1, 301)), (Window(at_s, SHIFT.closes_s),), 180, collects=Load(1, 300))
        event = RequestAdded(Request(f"new {at}", RequestKind.PICKUP, (stop,), 100_000))
        began, began_working = time.perf_counter(), time.process_time()
        new = replan(problem, plan, [event], at_s=at_s, max_iterations=0)
        worked.append(1000 * (time.process_time() - began_working))
        took.append(1000 * (time.perf_counter() - began))
        served += not new.plan.unserved
    p50, p90, p99 = (round(float(np.percentile(took, share)), 1) for share in (50, 90, 99))
    processor = [round(float(np.percentile(worked, share)), 1) for share in (50, 90, 99)]
    say(
        what="insert", stops=300, times=args.times, p50_ms=p50, p90_ms=p90, p99_ms=p99, processor_ms=processor,
        served=served,
    )  # fmt: skip


def kept(told: Problem, plan: Plan, done: set[tuple[str, int]]) -> tuple[int, int]:
    """Announced windows of stops still ahead that the plan keeps, and how many there are."""
    starts = {(visit.request, visit.side): visit.start_s for route in plan.routes for visit in route.visits}
    ahead = [
        (stop.announced.window, starts.get((request.id, side)))
        for request in told.requests
        for side, stop in enumerate(request.stops)
        if stop.announced is not None and (request.id, side) not in done
    ]
    return sum(at is not None and window.opens_s <= at <= window.closes_s for window, at in ahead), len(ahead)


def an_event(name: str, plan: Plan, at_s: int, draw: np.random.Generator) -> Event:
    left = {route.vehicle: [v for v in route.visits if v.arrival_s > at_s] for route in plan.routes}
    busiest = max(left, key=lambda vehicle: len(left[vehicle]))
    if name == "out":
        return CourierLeft(busiest)
    if name == "late":
        return CourierDelayed(busiest, at_s + 1800)
    if name == "drop":
        return RequestDropped(left[busiest][-1].request)
    stop = Stop(int(draw.integers(1, 151)), (Window(at_s, SHIFT.closes_s),), 180, collects=Load(1, 300))
    return RequestAdded(Request("new", RequestKind.PICKUP, (stop,), 100_000))


def without_announcements(problem: Problem) -> Problem:
    return replace(
        problem,
        requests=tuple(
            replace(request, stops=tuple(replace(stop, announced=None) for stop in request.stops))
            for request in problem.requests
        ),
    )


def replans(args: argparse.Namespace) -> None:
    for seed in range(args.seeds):
        problem, plan = a_live_day(150, seed=seed, limit_s=args.limit)
        draw, at_s = np.random.default_rng(seed), 10 * 3600 + 1800
        for name in ("out", "late", "insert", "drop"):
            began = time.perf_counter()
            limit_s = 1.8 if name == "out" else 0.9
            new: Replanned = replan(problem, plan, [an_event(name, plan, at_s, draw)], at_s=at_s, limit_s=limit_s)
            took_s = time.perf_counter() - began
            plain = solve(without_announcements(new.problem), limit_s=1.8, seed=seed)
            done = {(d.request, d.side) for v in new.problem.vehicles if v.prefix for d in v.prefix.done}
            plain_kept, ahead = kept(new.problem, plain, done)
            told = new.windows_kept + len(new.windows_moved)
            say(
                what=name, seed=seed, seconds=round(took_s, 2), kept=new.windows_kept, moved=len(new.windows_moved),
                share=round(new.windows_kept / max(1, told), 3), plain_share=round(plain_kept / max(1, ahead), 3),
                unserved=len(new.plan.unserved), changed=len(new.changes),
                other_courier=sum(change.other_courier for change in new.changes),
            )  # fmt: skip


def planned(args: argparse.Namespace) -> None:
    began = time.perf_counter()
    large = args.what == "large"
    problem = city_day(stops=args.stops) if large else county_day(stops=MEDIAN_COUNTY)
    drawn_s = time.perf_counter() - began
    told: list[float] = []
    began = time.perf_counter()
    plan = solve(
        problem, limit_s=args.limit, workers=2 if large else 1, on_progress=lambda progress: told.append(progress.cost)
    )
    took_s = time.perf_counter() - began
    say(
        what=args.what, stops=len(problem.requests), seconds=round(took_s, 1), drawn_s=round(drawn_s, 1),
        cost=plan.cost.total, travel_s=plan.cost.travel, vehicles=plan.vehicles, unserved=len(plan.unserved),
        iterations=plan.iterations, progress=len(told), violations=len(violations(problem, plan)),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["insert", "replan", "county", "large"])
    parser.add_argument("--times", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--stops", type=int, default=10_000)
    parser.add_argument("--limit", type=float, default=None, help="seconds: live 3, county 10, large 60")
    args = parser.parse_args()
    args.limit = args.limit or {"large": 60.0, "county": 10.0}.get(args.what, 3.0)
    compile_core()
    {"insert": insert, "replan": replans, "county": planned, "large": planned}[args.what](args)


if __name__ == "__main__":
    main()
