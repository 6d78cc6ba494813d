"""What one courier more would bring to a preview, or to the rest of a committed day: the job that solves it."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from db import now
from routing.day import what_if_jobs
from routing.day.couriers import VehicleKind
from routing.day.day_plan import DayPlan, PlanState
from routing.day.day_rows import read_rows
from routing.day.hours import seconds_into
from routing.day.routing_input import RoutingInput, build_input
from routing.model.plan import Orders, Plan
from routing.model.problem import Problem
from routing.model.quantities import Load
from routing.model.vehicle import Vehicle
from routing.search.explain import OneMore, another_courier, one_more
from routing.search.solve import BrokenPlan, compile_core, improve
from routing.travel.places import TravelTimes

log = logging.getLogger(__name__)

LIMIT_S = 5.0  # for the day as it is, and again for the day with one courier more


def answer_what_if(
    sessions: sessionmaker[Session], plan_id: int, *, travel: TravelTimes, max_iterations: int | None = None
) -> str | None:
    """Solve the plan's day twice from its own order of visits, without and with one courier more.

    May run twice: the second finds nothing to do. Returns the state it left; None when there was nothing to do.
    """
    compile_core()  # before the claim, as for a plan
    with sessions.begin() as session:
        plan = what_if_jobs.claim_what_if(session, plan_id)
        if plan is None or plan.result is None:
            return None
        what_if, seed, result = plan.result["what_if"], plan.seed, plan.result
        committed = plan.state is PlanState.COMMITTED
        standing = plan if committed else None if plan.replaces_id is None else session.get(DayPlan, plan.replaces_id)
        at_s = seconds_into(plan.on, now(session)) if standing is not None else 0
        rows = read_rows(session, plan.division_id, plan.on, plan.cutoff, replacing=standing, at_s=at_s)
    try:
        routing_input = build_input(rows, travel)
        orders = routing_input.orders if committed and routing_input.orders is not None else _orders(result)
        problem = routing_input.problem
        newcomer = _newcomer(routing_input, VehicleKind(what_if["vehicle"]), at_s)
        base = improve(problem, orders, limit_s=LIMIT_S, max_iterations=max_iterations, seed=seed)
        more = one_more(
            problem, base, newcomer=newcomer, orders=orders, limit_s=LIMIT_S, max_iterations=max_iterations, seed=seed
        )
        answer = {**what_if, "state": "answered", **_in_figures(problem, base, more)}
    except (ValueError, BrokenPlan) as error:  # no problem, or a day that is over: the page says so, once
        log.warning("plan %s: one courier more cannot be tried: %s", plan_id, error)
        answer = {**what_if, "state": "failed"}
    except SQLAlchemyError:  # a database error is not the plan's: the next worker tries again
        raise
    except Exception:  # else the job would be taken over every minute and fail in the same way
        log.exception("plan %s: one courier more cannot be tried", plan_id)
        answer = {**what_if, "state": "failed"}
    with sessions.begin() as session:
        plan = session.get_one(DayPlan, plan_id, with_for_update=True, populate_existing=True)
        if plan.state not in what_if_jobs.TRIED or (plan.result or {}).get("what_if") != what_if:
            return None  # given up, superseded, or requested anew meanwhile
        what_if_jobs.note_what_if(session, plan, answer)
    return str(answer["state"])


def _orders(result: Mapping[str, Any]) -> Orders:
    """Each courier's visits in the order of a preview, what is taken over from another among them."""
    return {
        route["vehicle"]: [
            (visit["request"], visit["side"])
            for visit in sorted([*route["visits"], *route["handovers"]], key=lambda visit: visit["start_s"])
        ]
        for route in result["routes"]
    }


def _newcomer(routing_input: RoutingInput, vehicle: VehicleKind, at_s: int) -> Vehicle:
    """A courier with that vehicle: as one of the day drives it, else with the largest load of the others."""
    vans = routing_input.problem.vehicles
    if not vans:
        raise ValueError("nobody is on shift")
    alike = [van for van in vans if routing_input.couriers[van.id].vehicle is vehicle]
    model = max(alike or vans, key=lambda van: van.shift.closes_s - max(van.shift.opens_s, at_s))
    newcomer = another_courier(routing_input.problem, model.id, from_s=at_s)
    if alike:
        return newcomer
    largest = Load(max(van.capacity.pieces for van in vans), max(van.capacity.grams for van in vans))
    return replace(newcomer, skills=frozenset({vehicle.value}), capacity=largest)


def _in_figures(problem: Problem, base: Plan, more: OneMore) -> dict[str, Any]:
    new = more.plan
    return {
        "served": len(more.served),
        "served_stops": [int(name.removeprefix("stop:")) for name in more.served],
        "left": len(new.unserved),
        "stops": more.stops,
        "travel_s": new.cost.travel - base.cost.travel,
        "moved": new.cost.moved - base.cost.moved,
        "terms_before": base.cost.terms,
        "terms_after": new.cost.terms,
        "of": len(problem.requests),
        **new.proof(),
    }
