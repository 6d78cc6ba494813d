"""The independent check: every rule and every cost of a plan derived again from the problem, without the solver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from routing.model.check_costs import cost_violations
from routing.model.check_route import DrivenRoute
from routing.model.check_structure import structure_violations
from routing.model.plan import Plan, Side, Unserved
from routing.model.problem import Problem
from routing.model.reasons import Reasons
from routing.model.rules import Rule, Violation
from routing.model.vehicle import carriers


def violations(problem: Problem, plan: Plan) -> list[Violation]:
    """Everything that is wrong with the plan; empty when it keeps every rule and every figure in it is right."""
    found = list(structure_violations(problem, plan))
    if found:
        return found  # what follows reads visits by name and may rely on their being there
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    requests = {request.id: request for request in problem.requests}
    carried_by = carriers(problem.vehicles)
    for route in plan.routes:
        found += DrivenRoute(problem, requests, vehicles[route.vehicle], route, carried_by).violations()
    if found:
        return found  # a cost or a reason of a plan that cannot be driven says nothing
    found += cost_violations(problem, plan)
    found += _reasons(problem, plan)
    return found


def true_reasons(problem: Problem, plan: Plan) -> dict[str, Unserved | str]:
    """For each unserved request its one true reason, or the id of a vehicle that has room for it after all."""
    if not plan.unserved:
        return {}
    orders: dict[str, Sequence[Side]] = {
        route.vehicle: [(visit.request, visit.side) for visit in route.visits] for route in plan.routes
    }
    reasons = Reasons(problem, orders)
    return {unserved.request: reasons.of(unserved.request) for unserved in plan.unserved}


def _reasons(problem: Problem, plan: Plan) -> Iterator[Violation]:
    truths = true_reasons(problem, plan)
    for unserved in plan.unserved:
        truth = truths[unserved.request]
        where = f"request {unserved.request}"
        if isinstance(truth, Unserved):
            if truth.reason is not unserved.reason:
                facts = f"{unserved.reason.value!r} is stated, it is {truth.reason.value!r} for {truth.candidates}"
                yield Violation(Rule.REASON, where, facts)
            elif truth.candidates != unserved.candidates:
                facts = f"{unserved.reason.value!r} is stated for {unserved.candidates}, it is for {truth.candidates}"
                yield Violation(Rule.REASON, where, facts)
        else:
            yield Violation(Rule.REASON, where, f"{unserved.reason.value!r} is stated, but {truth} has room for it")
