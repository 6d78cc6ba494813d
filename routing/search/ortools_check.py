"""A plan compared with OR-Tools' model of its problem, some routes at a time."""

from __future__ import annotations

from collections.abc import Iterator

from routing.model.plan import Plan, Route, total
from routing.model.problem import Problem
from routing.search.ortools_model import OrToolsModel
from routing.search.sisr.layout import (
    SCALE,
)

HANDFUL = 300
"""Stops from which on no further route is added to a model that verifies."""


def verify_with_ortools(problem: Problem, plan: Plan) -> list[str]:
    """What OR-Tools' model of the problem has against the plan; empty when it takes each route at the same cost.

    Windows, loads, pairs, skills, shifts, breaks and duty are the model's own rules. It takes some routes at a
    time: routes share nothing but requests, and one large model would take longer than all the small ones.
    """
    number = {request.id: q for q, request in enumerate(problem.requests)}
    rank = {vehicle.id: v for v, vehicle in enumerate(problem.vehicles)}
    found = []
    for routes in _handfuls(plan):
        vehicles = sorted(rank[route.vehicle] for route in routes)
        wanted = {visit.request for route in routes for visit in route.visits}
        wanted |= {name for v in vehicles if (prefix := problem.vehicles[v].prefix) for name in prefix.on_board}
        part = problem.part(sorted(number[name] for name in wanted), vehicles)
        found += _against(part, Plan("", tuple(routes), (), total(route.cost for route in routes), plan.engine))
    return found


def _handfuls(plan: Plan) -> Iterator[list[Route]]:
    handful: list[Route] = []
    for route in plan.routes:
        handful.append(route)
        if sum(len(each.visits) for each in handful) >= HANDFUL:
            yield handful
            handful = []
    if handful:
        yield handful


def _against(part: Problem, plan: Plan) -> list[str]:
    if not any(route.visits for route in plan.routes):
        return []
    model = OrToolsModel(part)
    takes_it, cost, used = model.compare(plan)
    names = f"routes {plan.routes[0].vehicle} to {plan.routes[-1].vehicle}"
    if not takes_it:
        return [f"{names}: the model cannot be satisfied by them"]
    if any(vehicle.prefix for vehicle in part.vehicles):
        return []  # what is driven already is no part of the model, so its cost is not either
    if used != len(plan.routes):
        return [f"{names}: {len(plan.routes)} are in use, the model counts {used}"]
    scale = int(model.model.S[SCALE])
    slack = 0 if scale == 1 else scale * sum(len(route.visits) + 1 for route in plan.routes)
    if not 0 <= plan.cost.travel - cost <= slack:
        return [f"{names}: travel is stated as {plan.cost.travel}, the model counts {cost}"]
    return []
