"""Shared set-up: an address is entered once, whatever is served there; a day walked by hand costs and ends the same."""

import json
from itertools import permutations
from random import Random

import pytest

from routing.model.check import violations
from routing.model.formats import Malformed, parse
from routing.model.formats.day import problem_as_dict
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import InvalidProblem, Load, Window
from routing.model.shared_setup import with_shared_setup
from routing.search.solve import solve
from tests.routing.model.small import a_delivery, a_problem, a_vehicle, line, timed

LATEST = 3_000


def a_drawn_day(seed):
    """Five stops at three addresses on a line, some with narrow windows; each place with its own set-up."""
    random = Random(seed)
    at = [0.0, *(float(random.choice((2, 5, 9))) for _ in range(5))]
    setup = {0.0: 0} | {place: random.choice((0, 60, 240)) for place in set(at[1:])}
    requests = []
    for place in range(1, 6):
        opens = random.randrange(0, LATEST, 100) if random.random() < 0.5 else 0
        window = Window(opens, opens + random.choice((400, 900)) if opens else LATEST)
        requests.append(a_delivery(f"r{place}", place, window, service_s=random.choice((30, 90)), penalty=1_000_000))
    problem = a_problem(line(*at), requests, [a_vehicle(shift=Window(0, 2 * LATEST))])
    return problem, [setup[place] for place in at]


def walked(problem, setup_s, order, leaves_s=0):
    """When each stop of the order begins, when the courier is home, and how long of it is driving and entering.

    By hand, from the day without set-up; None where a window is missed."""
    seconds, requests = problem.profiles[0].seconds, {request.id: request for request in problem.requests}
    at, begins, now, driven = 0, [], leaves_s, 0
    for name in order:
        stop = requests[name].stops[0]
        drive = int(seconds[at, stop.location])
        leg = drive + (setup_s[stop.location] if drive else 0)
        driven += leg
        now = max(now + leg, stop.windows[0].opens_s)
        if now > stop.windows[0].closes_s:
            return None
        begins.append(now)
        now += stop.service_s
        at = stop.location
    back = int(seconds[at, 0])
    return begins, now + back, driven + back


@pytest.mark.parametrize("seed", range(40))
def test_the_best_order_and_every_time_are_those_of_a_day_walked_by_hand(seed):
    problem, setup_s = a_drawn_day(seed)
    shared = with_shared_setup(problem, setup_s)
    plan = solve(shared, max_iterations=2000, limit_s=20, seed=seed)
    assert violations(shared, plan) == []
    names = [request.id for request in problem.requests]
    each = [walked(problem, setup_s, order) for order in permutations(names)]
    driven = [walk[2] for walk in each if walk is not None]
    assert bool(plan.unserved) is not bool(driven)
    if driven:
        (route,) = plan.routes
        order = [visit.request for visit in route.visits]
        begins, home, travel = walked(problem, setup_s, order, route.start_s)
        assert [visit.start_s for visit in route.visits] == begins
        assert (route.end_s, plan.cost.travel) == (home, travel)
        assert travel == min(driven)


def test_forty_papers_at_one_door_pay_it_once():
    papers = [a_delivery(f"r{n}", n, service_s=60) for n in range(1, 41)]
    day = a_problem(line(0, *[5.0] * 40), papers, [a_vehicle(capacity=Load(40, 10_000))])
    shared = with_shared_setup(day, [0] + [240] * 40)
    plan = timed(shared, {"v": [(f"r{n}", 0) for n in range(1, 41)]})
    assert violations(shared, plan) == []
    (route,) = plan.routes
    assert route.visits[0].start_s == 5 * 60 + 240
    assert route.end_s - route.start_s == 5 * 60 + 240 + 40 * 60 + 5 * 60


def test_a_way_that_cannot_be_driven_stays_so_and_metres_are_as_they_were():
    profile = Profile([[0, UNREACHABLE, 0], [60, 0, 60], [0, 60, 0]], [[0, UNREACHABLE, 7], [900, 0, 900], [7, 900, 0]])
    day = a_problem(profile, [a_delivery("r", 2)], [a_vehicle()])
    (shared,) = with_shared_setup(day, [0, 30, 40]).profiles
    assert shared.seconds.tolist() == [[0, UNREACHABLE, 40], [60, 0, 100], [0, 90, 0]]
    assert shared.metres.tolist() == profile.metres.tolist()


@pytest.mark.parametrize(
    ("setup_s", "vehicle", "why"),
    [
        ([0], a_vehicle(), "setup_s has 1 values: there are 2 places"),
        ([0, -1], a_vehicle(), r"setup_s\[1\]"),
        ([0, 60], a_vehicle(speed_pct=50), "speed_pct"),
    ],
)
def test_what_cannot_be_is_refused_by_name(setup_s, vehicle, why):
    with pytest.raises(InvalidProblem, match=why):
        with_shared_setup(a_problem(line(0, 5), [a_delivery("r")], [vehicle]), setup_s)


def test_without_any_the_day_is_the_same():
    day = a_problem(line(0, 5), [a_delivery("r")], [a_vehicle()])
    assert with_shared_setup(day, [0, 0]) is day


def test_a_file_says_it_and_what_is_written_again_holds_it():
    day = a_problem(line(0, 5, 5), [a_delivery("a", 1), a_delivery("b", 2)], [a_vehicle()])
    text = json.dumps({**problem_as_dict(day), "setup_s": [0, 120, 120]})
    read = parse(text).problem
    assert read.fingerprint() == with_shared_setup(day, [0, 120, 120]).fingerprint()
    assert parse(json.dumps(problem_as_dict(read))).problem.fingerprint() == read.fingerprint()


@pytest.mark.parametrize(("setup", "why"), [([0], "there are 3 places"), ("120", "setup_s"), ([0, 1.5, 0], "setup_s")])
def test_a_file_that_says_it_wrongly_is_refused_by_its_path(setup, why):
    day = a_problem(line(0, 5, 5), [a_delivery("a", 1), a_delivery("b", 2)], [a_vehicle()])
    with pytest.raises(Malformed, match=why):
        parse(json.dumps({**problem_as_dict(day), "setup_s": setup}))
