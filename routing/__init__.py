"""Routing: who collects and delivers what, and when.

As a library: ``from routing import Problem, solve, replan, check``; what there is to say stands in ``__all__`` and in
docs/routing-library.md. Nothing is imported before it is used, so that the database layer costs no compiler.

Solving a day (no database; all times in whole seconds from the start of the day):

* ``routing.model.problem.Problem``: the requests, vehicles, travel times and costs of one day.
* ``routing.model.formats.read``: a problem from an instance file.
* ``routing.search.solve.solve``: the best plan found within a limit.
* ``routing.search.solve.improve``: a plan found from another plan's order of visits.
* ``routing.search.solve.compile_core``: compile the search before it is needed.
* ``routing.search.replan.replan``: plan the rest of a day under way after events.
* ``routing.search.explain.bindings``: the rule that keeps each unserved request out.
* ``routing.search.explain.one_more``: what one courier more would bring.
* ``routing.search.child.ortools_objections``: what OR-Tools has against a plan.
* ``routing.model.check.violations``: every rule that a plan breaks, and every figure in it that is wrong.

The courier's day in the database:

* ``routing.day.stops``: ``request_stop``, ``reschedule``, ``release``, ``request_retry``, ``propose_entrance``.
* ``routing.day.plan_jobs``: ``queue_plan``, ``claim_plan``, ``silent_plans``, ``cancel``.
* ``routing.day.planning.work_on``: solve a claimed job and leave a preview.
* ``routing.day.plan_commit.commit``: a preview becomes the day's runs.
* ``routing.day.what_if_jobs`` and ``routing.day.what_if.answer_what_if``: try one courier more.
* ``routing.day.stop_events.record``: what a courier's phone reports at a stop.
* ``routing.day.order.reorder``: a courier takes the stops in another order.

Places: ``routing.travel`` (travel times) and ``routing.travel.geocoding.geocoders`` (addresses to points).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "routing.model.problem": ("Objective", "Primary", "Problem"),
    "routing.model.profile": ("Profile", "UNREACHABLE"),
    "routing.model.quantities": ("InvalidProblem", "Load", "Window"),
    "routing.model.request": ("Announced", "Request", "RequestKind", "Stop"),
    "routing.model.vehicle": ("Break", "Done", "Prefix", "Vehicle"),
    "routing.model.plan": ("Plan", "Reason", "Route", "Unserved", "Visit"),
    "routing.model.formats": ("read",),
    "routing.search.solve": ("improve", "solve"),
    "routing.search.replan": ("replan",),
    "routing.search.day_events": ("CourierDelayed", "CourierLeft", "RequestAdded", "RequestDropped"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME, "check"]  # noqa: PLE0604 - the table is the list


def check(problem: Any, plan: Any) -> list[Any]:
    """Every rule that the plan breaks and every figure in it that is wrong, found without the search; empty if none."""
    found: list[Any] = import_module("routing.model.check").violations(problem, plan)
    return found


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
