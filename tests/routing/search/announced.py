"""Announced windows for a plan's stops, as if each had been told."""

from dataclasses import replace

from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.model.quantities import Window
from routing.model.request import Announced, Request


def with_announced_windows(problem: Problem, plan: Plan, *, before_s: int, after_s: int, cost_per_min: int) -> Problem:
    """The problem with a window announced around each planned start, where none was announced before."""
    starts = {(visit.request, visit.side): visit.start_s for route in plan.routes for visit in route.visits}

    def announce(request: Request) -> Request:
        stops = tuple(
            replace(stop, announced=Announced(Window(max(0, start - before_s), start + after_s), cost_per_min))
            if stop.announced is None and (start := starts.get((request.id, side))) is not None
            else stop
            for side, stop in enumerate(request.stops)
        )
        return replace(request, stops=stops)

    return replace(problem, requests=tuple(announce(request) for request in problem.requests))
