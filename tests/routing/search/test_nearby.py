"""Where there are many plain stops only places beside near ones are tried: nothing may break or get lost by that."""

from dataclasses import replace

import numpy as np
import pytest

from routing.model.check import violations
from routing.model.plan import Reason
from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle
from routing.search.sisr.layout import NEARBY
from routing.search.sisr.model import model_of
from routing.search.sisr.savings import joined
from routing.search.solve import solve

MANY = 170


def a_crooked_day(seed, *, vehicles=30, capacity=24, fixed=0):
    """Deliveries, pickups and exchanges with ways that differ there and back, some of which cannot be driven."""
    draw = np.random.default_rng(seed)
    points = draw.uniform(0, 3_000, (MANY + 1, 2))
    seconds = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2)) * draw.uniform(1, 1.3, (MANY + 1, MANY + 1))
    seconds = seconds.astype(np.int32)
    np.fill_diagonal(seconds, 0)
    closed = draw.random(seconds.shape) < 0.02
    closed[0], closed[:, 0] = False, False
    seconds[closed & (seconds > 0)] = UNREACHABLE
    day = Window(0, 20_000)

    def request(at):
        opens = int(draw.integers(0, 12_000))
        window = Window(opens, opens + 4_000) if draw.random() < 0.6 else day
        load, kind = (
            Load(int(draw.integers(1, 5))),
            (RequestKind.DELIVERY, RequestKind.PICKUP, RequestKind.EXCHANGE)[at % 3],
        )
        loads = {
            RequestKind.DELIVERY: (load, Load()),
            RequestKind.PICKUP: (Load(), load),
            RequestKind.EXCHANGE: (load, load),
        }[kind]
        return Request(f"{at}", kind, (Stop(at, (window,), 60, *loads),))

    fleet = tuple(Vehicle(f"{at}", 0, 0, day, Load(capacity), fixed_cost=fixed) for at in range(vehicles))
    return Problem((Profile(seconds),), tuple(map(request, range(1, MANY + 1))), fleet, Objective())


def paired(problem, capacity=12):
    """The same day where every other stop is the end of what was collected at the one before it."""

    def pair(first, second):
        (begins,), (ends,) = first.stops, second.stops
        load = begins.delivers + begins.collects
        windows = (Window(ends.windows[0].opens_s, 20_000),)
        stops = (
            replace(begins, delivers=Load(), collects=load),
            replace(ends, windows=windows, delivers=load, collects=Load()),
        )
        return Request(first.id, RequestKind.PAIRED, stops)

    pairs = tuple(map(pair, problem.requests[::2], problem.requests[1::2]))
    fleet = tuple(replace(vehicle, capacity=Load(capacity)) for vehicle in problem.vehicles)
    return replace(problem, requests=pairs, vehicles=fleet)


@pytest.mark.parametrize("primary", Primary)
def test_a_large_day_of_pairs_keeps_every_rule_and_leaves_nobody_out(primary):
    problem = replace(paired(a_crooked_day(5)), objective=Objective(primary=primary))
    assert model_of(problem).S[NEARBY] == 1
    plan, again = (solve(problem, limit_s=60, max_iterations=1_000, seed=3) for _ in range(2))
    assert violations(problem, plan) == []
    assert not plan.unserved
    assert replace(plan, seconds=0.0) == replace(again, seconds=0.0)


@pytest.mark.parametrize("pairs", [False, True])
def test_a_large_day_keeps_the_most_stops_of_a_route_and_leaves_nobody_out_for_them(pairs):
    day = paired(a_crooked_day(5), capacity=60) if pairs else a_crooked_day(5, capacity=60)
    problem = replace(day, vehicles=tuple(replace(vehicle, max_stops=8) for vehicle in day.vehicles))
    assert model_of(problem).S[NEARBY] == 1
    plan = solve(problem, limit_s=60, max_iterations=1_000, seed=3)
    assert violations(problem, plan) == []
    assert [each for each in plan.unserved if each.reason is not Reason.UNREACHABLE] == []
    assert max(len(route.visits) for route in plan.routes) == 8
    assert all(len(route) <= 8 for route in ([] if pairs else joined(model_of(problem))))


@pytest.mark.parametrize("seed", range(4))
def test_a_large_day_keeps_every_rule_and_leaves_nobody_out(seed):
    problem = a_crooked_day(seed, fixed=2_000 * (seed % 2))
    plan = solve(problem, limit_s=60, max_iterations=400, seed=seed)
    assert violations(problem, plan) == []
    assert not plan.unserved


def test_a_large_day_is_the_same_for_the_same_seed():
    problem = a_crooked_day(7)
    first, again = (solve(problem, limit_s=60, max_iterations=1_000, seed=3) for _ in range(2))
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)


def test_with_too_few_vehicles_what_is_left_out_is_said():
    problem = a_crooked_day(1, vehicles=3)
    plan = solve(problem, limit_s=60, max_iterations=200)
    assert violations(problem, plan) == []
    assert 0 < len(plan.unserved) < MANY


def test_the_joined_routes_hold_each_stop_once_and_can_be_driven():
    problem = a_crooked_day(2)
    model = model_of(problem)
    assert model.S[NEARBY] == 1
    lines = joined(model)
    held = [node for line in lines for node in line]
    assert len(lines) == len(problem.vehicles)
    assert len(held) == len(set(held))
    assert len(held) > MANY // 2
