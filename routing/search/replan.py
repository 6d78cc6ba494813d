"""Re-planning a day under way: what is driven stays, announced windows too unless that costs more than it saves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.model.request import RequestKind
from routing.search.day_events import CourierLeft, Event, RequestAdded, UnknownName, apply_event
from routing.search.day_under_way import frozen_at
from routing.search.solve import BrokenPlan, improve

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StopChange:
    """What changes for one stop: the vehicle and its start of service, before and now. None where no vehicle comes."""

    request: str
    side: int
    was: tuple[str, int] | None
    now: tuple[str, int] | None

    @property
    def other_courier(self) -> bool:
        """Whether somebody else comes than was planned."""
        return self.was is not None and self.now is not None and self.was[0] != self.now[0]


@dataclass(frozen=True, slots=True)
class Replanned:
    """The new problem, its plan, and the difference."""

    problem: Problem
    plan: Plan
    changes: tuple[StopChange, ...]
    windows_kept: int
    windows_moved: tuple[str, ...]
    """Requests that were planned and announced, and are not served inside their window any more."""
    why_unchanged: str | None = None
    """Why the plan in force stays, with its problem: what was found broke a rule. None where it was replaced."""


def replan(
    problem: Problem,
    plan: Plan,
    events: Sequence[Event],
    *,
    at_s: int,
    limit_s: float = 1.0,
    max_iterations: int | None = None,
    seed: int = 0,
    should_stop: Callable[[], bool] | None = None,
) -> Replanned:
    """Plan the rest of the day after ``events`` at ``at_s``, starting from the plan in force.

    A single insertion needs no search: with ``max_iterations=0`` each new request goes where it costs least. Where the
    search breaks a rule the plan in force is the answer, with the reason.

    Raises UnknownName for an event about what is not there.
    """
    known = {request.id for request in problem.requests}
    new = [event.request for event in events if isinstance(event, RequestAdded)]
    for request in new:
        if request.id in known:
            raise UnknownName(f"request {request.id} is in the plan already")
        known.add(request.id)
    now = frozen_at(problem, plan, at_s=at_s, more=new)
    for event in events:
        now = apply_event(now, event, at_s)
    orders = {
        route.vehicle: [(visit.request, visit.side) for visit in route.visits]
        for route in plan.routes
        if not any(isinstance(event, CourierLeft) and event.vehicle == route.vehicle for event in events)
    }
    before = None if any(isinstance(event, CourierLeft) for event in events) else plan
    try:
        found = improve(
            now, orders, limit_s=limit_s, max_iterations=max_iterations, seed=seed, should_stop=should_stop,
            before=before,
        )  # fmt: skip
    except BrokenPlan as error:
        log.exception("the plan in force stays")
        return replace(_difference(problem, plan, problem, plan), why_unchanged=str(error))
    return _difference(problem, plan, now, found)


def _difference(problem: Problem, plan: Plan, now: Problem, new: Plan) -> Replanned:
    was = {(v.request, v.side): (route.vehicle, v.start_s) for route in plan.routes for v in route.visits}
    then = {(v.request, v.side): (route.vehicle, v.start_s) for route in new.routes for v in route.visits}
    done = {(d.request, d.side) for v in now.vehicles if v.prefix for d in v.prefix.done}
    old = {request.id: request.stops for request in problem.requests}
    changes, kept, moved = [], 0, []
    for request in now.requests:
        stops = old.get(request.id, request.stops)
        if stops is request.stops and len(stops) == 1 and (request.id, 0) in done:
            continue
        fetched = (
            request.kind is RequestKind.PAIRED and request.stops[0] != stops[0]
        )  # from a courier's hand, not from a door
        for side, stop in enumerate(request.stops):
            if (request.id, side) in done:
                continue
            before = was.get((request.id, len(stops) - 1 if fetched else side)) if side or not fetched else None
            after = then.get((request.id, side))
            if before != after:
                changes.append(StopChange(request.id, side, before, after))
            if before and stop.announced:
                window = stop.announced.window
                if after and window.opens_s <= after[1] <= window.closes_s:
                    kept += 1
                else:
                    moved.append(request.id)
    known = {request.id for request in now.requests}
    gone = [key for key in was if key[0] not in known]
    changes += [StopChange(name, side, was[name, side], None) for name, side in gone]
    return Replanned(now, new, tuple(changes), kept, tuple(moved))
