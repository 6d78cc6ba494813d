"""The check of names, counts and order: what the other rules take for granted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from routing.model.plan import Plan, Side
from routing.model.problem import Problem
from routing.model.request import RequestKind
from routing.model.rules import Rule, Violation


def structure_violations(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """Names, counts and order: what the other rules take for granted."""
    if plan.fingerprint != problem.fingerprint():
        yield Violation(
            Rule.FINGERPRINT, "plan", f"it answers {plan.fingerprint[:12]}, not {problem.fingerprint()[:12]}"
        )
    rank = {vehicle.id: at for at, vehicle in enumerate(problem.vehicles)}
    ranks = [rank.get(route.vehicle, -1) for route in plan.routes]
    for route, at in zip(plan.routes, ranks, strict=True):
        if at < 0:
            yield Violation(Rule.ROUTES, f"route {route.vehicle}", "there is no such vehicle")
        elif not route.visits and problem.vehicles[at].prefix is None:
            yield Violation(Rule.ROUTES, f"route {route.vehicle}", "it visits nothing and its vehicle is not on duty")
    if any(later <= earlier for earlier, later in itertools.pairwise(ranks)):
        yield Violation(Rule.ROUTES, "plan", "its routes are not one a vehicle in the problem's order")
    routed = {route.vehicle for route in plan.routes}
    for vehicle in problem.vehicles:
        if vehicle.prefix is not None and vehicle.id not in routed:
            yield Violation(Rule.ROUTES, f"vehicle {vehicle.id}", "it is on duty and has no route")
    yield from _service(problem, plan)


def _service(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """Each request is served wholly and once, or is unserved."""
    sides_of = {request.id: len(request.stops) for request in problem.requests}
    done = {(d.request, d.side) for v in problem.vehicles if v.prefix for d in v.prefix.done}
    seen: dict[Side, tuple[str, int]] = {}
    for route in plan.routes:
        for at, visit in enumerate(route.visits):
            key = visit.request, visit.side
            if not 0 <= visit.side < sides_of.get(visit.request, 0):
                where = f"route {route.vehicle}, visit {at}"
                yield Violation(Rule.KNOWN, where, f"there is no side {visit.side} of {visit.request!r}")
            elif key in seen:
                where = f"route {route.vehicle}, visit {at}"
                yield Violation(Rule.ONCE, where, f"{visit.request} side {visit.side} was visited before")
            seen[key] = (route.vehicle, at)
    unserved = [each.request for each in plan.unserved]
    left = frozenset(unserved)
    rank = {request.id: at for at, request in enumerate(problem.requests)}
    ranks = [rank.get(name, -1) for name in unserved]
    if -1 in ranks or any(later <= earlier for earlier, later in itertools.pairwise(ranks)):
        yield Violation(Rule.ONCE, "plan", "unserved requests are not each once, known, in the problem's order")
    for request in problem.requests:
        if len(request.stops) == 1 and (request.id, 0) in seen and request.id not in left:
            continue  # served, and there is no more to it
        sides = [side for side in range(len(request.stops)) if (request.id, side) in seen]
        if request.id in left:
            if any((request.id, side) not in done for side in sides) or len(sides) == len(request.stops):
                yield Violation(Rule.ONCE, f"request {request.id}", "it is unserved and visited")
        elif len(sides) < len(request.stops):
            yield Violation(Rule.ONCE, f"request {request.id}", "it is neither served nor unserved")
        elif request.kind is RequestKind.PAIRED:
            (by, first), (by_too, second) = seen[request.id, 0], seen[request.id, 1]
            if by != by_too or (second < first and (request.id, 1) not in done):
                facts = f"picked up by {by} at {first}, delivered by {by_too} at {second}"
                yield Violation(Rule.PAIR, f"request {request.id}", facts)
