"""Random days and random days under way, drawn from one number: every kind of rule at once, small enough for thousands.

Legs are directed and some pairs of places have no way at all; loads in two dimensions, pairs, exchanges, breaks,
longest duties, most stops, longest ways, releases, several windows, graces, announced windows, two profiles. A day
under way was driven in any order.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np

from routing.model.plan import Plan, Side
from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import Load, Window
from routing.model.request import Announced, Request, RequestKind, Stop
from routing.model.vehicle import Break, Done, Prefix, Vehicle
from routing.search.day_events import CourierDelayed, CourierLeft, Event, RequestAdded, RequestDropped

PLACES = 9
DAY_S = 24_000
FEATURES = ("null", "two", "announced", "windows", "grace", "break", "duty", "prices")
LOADS = {
    RequestKind.DELIVERY: lambda out, back: ({"delivers": out},),
    RequestKind.PICKUP: lambda out, back: ({"collects": back},),
    RequestKind.EXCHANGE: lambda out, back: ({"delivers": out, "collects": back},),
    RequestKind.PAIRED: lambda out, back: ({"collects": out}, {"delivers": out}),
}


def a_random_day(draw: Random, more: Random | None = None) -> Problem:
    """A day before anybody has left; with ``more`` also rules that came later, and the rest of the day as it was."""
    features = {name: draw.random() < 0.5 for name in FEATURES}
    seconds = [[0 if a == b else draw.randint(30, 1_800) for b in range(PLACES)] for a in range(PLACES)]
    if features["null"]:
        for _ in range(draw.randint(1, 6)):
            a, b = draw.sample(range(PLACES), 2)
            seconds[a][b] = UNREACHABLE
    slow = [[s if s == UNREACHABLE else s * 3 // 2 for s in row] for row in seconds]
    metres = [[s if s == UNREACHABLE else 7 * s for s in row] for row in seconds]
    requests = tuple(a_random_request(draw, f"r{at}", features) for at in range(draw.randint(1, 12)))
    vehicles = tuple(_vehicle(draw, f"v{at}", features) for at in range(draw.randint(1, 4)))
    prices = [0, 1, 3] if features["prices"] else [0]
    objective = Objective(
        draw.choice(list(Primary)), draw.randint(0, 1), draw.randint(0, 1), *(draw.choice(prices) for _ in range(3)),
        draw.choice([0, 4_000]),
    )  # fmt: skip
    day = Problem((Profile(seconds, metres, "road"), Profile(slow, metres, "bike")), requests, vehicles, objective)
    return day if more is None else _limited(more, day)


def _limited(draw: Random, day: Problem) -> Problem:
    """The day with most stops and longest distances, and with papers that come in during the day."""
    if draw.random() < 0.5:
        day = replace(day, requests=tuple(_released(draw, request) for request in day.requests))
    if draw.random() < 0.4:
        return day
    crooked = [[0 if a == b else draw.randint(0, 9_000) for b in range(PLACES)] for a in range(PLACES)]
    vehicles = [
        replace(
            vehicle,
            max_stops=draw.choice([None, None, draw.randint(0, 6)]),
            max_distance_m=draw.choice([None, None, draw.randint(0, 40_000)]),
        )
        for vehicle in day.vehicles
    ]
    profiles = tuple(
        Profile(each.seconds, np.where(each.seconds == UNREACHABLE, UNREACHABLE, crooked), each.name)
        for each in day.profiles
    )
    return replace(day, profiles=profiles, vehicles=tuple(vehicles))


def _windows(draw: Random, features: dict[str, bool]) -> tuple[Window, ...]:
    if not features["windows"] or draw.random() < 0.3:
        return (Window(0, DAY_S),) if draw.random() < 0.98 else ()
    edges = sorted(draw.sample(range(0, DAY_S, 60), 2 * draw.choice([1, 1, 2, 3])))
    return tuple(Window(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True))


def a_random_request(draw: Random, name: str, features: dict[str, bool]) -> Request:
    """One more request, at places that every random day has."""
    kind = draw.choice(list(RequestKind))
    grams = 900 if features["two"] else 0
    loads = LOADS[kind](*(Load(draw.randint(0, 4), draw.randint(0, grams)) for _ in range(2)))
    stops = []
    for sides in loads:
        told = None
        if features["announced"] and draw.random() < 0.7:
            opens_s = draw.randint(0, DAY_S - 3_600)
            told = Announced(Window(opens_s, opens_s + draw.randint(0, 3_600)), draw.choice([0, 1, 20, 600]))
        grace_s = draw.choice([0, 0, 900]) if features["grace"] else 0
        skills = frozenset("a") if draw.random() < 0.05 else frozenset()
        stops.append(
            Stop(
                draw.randrange(PLACES), _windows(draw, features), draw.choice([0, 60, 300]), **sides, skills=skills,
                announced=told, grace_s=grace_s, late_per_s=draw.choice([0, 2]),
            )
        )  # fmt: skip
    depot = None if kind is RequestKind.PAIRED else draw.choice([None, None, None, 0])
    return Request(name, kind, tuple(stops), draw.choice([None, draw.randint(1, 99_999)]), depot)


def _vehicle(draw: Random, name: str, features: dict[str, bool]) -> Vehicle:
    opens_s = draw.choice([0, 0, 1_800, 6_000])
    rest = None
    if features["break"] and draw.random() < 0.7:
        first_s = draw.randint(0, 12_000)
        rest = Break(Window(first_s, first_s + draw.choice([0, 600, 5_000])), draw.choice([0, 600, 1_800]))
    return Vehicle(
        name, draw.choice([0, 0, 1]), draw.choice([0, 0, 1]), Window(opens_s, draw.randint(opens_s, DAY_S)),
        Load(draw.choice([2, 6, 99]), draw.choice([0, 1_500, 9_999]) if features["two"] else 0),
        frozenset(draw.choice(["", "a"])),
        rest=rest, fixed_cost=draw.choice([0, 700]),
        max_duty_s=draw.choice([None, DAY_S, 9_000]) if features["duty"] else None,
        speed_pct=draw.choice([100, 100, 75, 133]), profile=draw.choice(["road", "bike"]),
    )  # fmt: skip


def _released(draw: Random, request: Request) -> Request:
    if not request.from_depot or draw.random() < 0.4:
        return request
    return replace(request, release_s=draw.randint(0, 12_000))


def random_events(draw: Random, problem: Problem, count: int) -> list[Event]:
    """What may happen during the day. What names something that has gone already is an error of its caller."""
    features = dict.fromkeys(FEATURES, True)
    events: list[Event] = []
    for at in range(count):
        kind = draw.randrange(4)
        if kind == 0 or not problem.requests:
            events.append(RequestAdded(a_random_request(draw, f"new{at}-{draw.randrange(1 << 30)}", features)))
        elif kind == 1:
            events.append(RequestDropped(draw.choice(problem.requests).id))
        elif problem.vehicles:
            vehicle = draw.choice(problem.vehicles).id
            free_s = draw.randint(0, 2 * DAY_S)
            events.append(CourierDelayed(vehicle, free_s) if kind == 2 else CourierLeft(vehicle, draw.randint(0, 300)))
    return events


def driven_in_any_order(draw: Random, problem: Problem, plan: Plan) -> Problem:
    """The day under way as phones report it: visits ticked off in whatever order, early or late."""
    requests = {request.id: request for request in problem.requests}
    routes = {route.vehicle: route for route in plan.routes}
    vehicles = []
    for vehicle in problem.vehicles:
        route = routes.get(vehicle.id)
        if route is None or draw.random() < 0.2:
            vehicles.append(vehicle)
            continue
        sides = [(visit.request, visit.side) for visit in route.visits]
        loaded = {name for name, _ in sides if requests[name].from_depot}
        draw.shuffle(sides)
        done = _ticked_off(draw, sides[: draw.randint(0, len(sides))], route.start_s)
        left_behind = {name for name in sorted(loaded) if draw.random() < 0.1}
        on_board = frozenset(loaded - {each.request for each in done} - left_behind)
        prefix = Prefix(route.start_s, draw.choice([0, draw.randint(0, DAY_S)]), done, on_board)
        vehicles.append(replace(vehicle, prefix=prefix))
    return replace(problem, vehicles=tuple(vehicles))


def _ticked_off(draw: Random, sides: list[Side], at_s: int) -> tuple[Done, ...]:
    done: list[Done] = []
    for name, side in sides:
        if side == 1 and (name, 0) not in sides:
            continue  # nobody delivers what he has not picked up, whatever was ticked off first
        arrival_s = at_s + draw.randint(0, 1_500)
        start_s = arrival_s + draw.choice([0, 0, 200])
        at_s = start_s + draw.randint(0, 400)
        done.append(Done(name, side, arrival_s, start_s, at_s))
    return tuple(done)
