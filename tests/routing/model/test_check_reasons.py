"""A stated reason is true or caught: each kind by hand, and room against trying every plan there is."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from routing.model.check import violations
from routing.model.plan import Plan, Reason, Unserved
from routing.model.problem import Objective, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import NOTHING, Load, Window
from routing.model.reasons import Reasons
from routing.model.request import Request, RequestKind, Stop
from routing.model.rules import Rule
from routing.model.vehicle import Break, Done, Prefix, Vehicle
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_problem, a_vehicle, line, timed

ROAD = line(0, 1, 2, 3)


def why(requests: Sequence[Request], vehicles: Sequence[Vehicle], orders: dict | None = None) -> Unserved | str:
    """The true reason of the first request."""
    return Reasons(a_problem(ROAD, requests, vehicles), orders or {}).of(requests[0].id)


def test_no_vehicle():
    assert why([a_delivery("a")], []) == Unserved("a", Reason.NO_VEHICLE)


def test_reasons_rule_vehicles_out_in_turn():
    requests = [a_delivery("a", 1, Window(0, 59), skills=frozenset({"van"}), pieces=5, depot=0)]
    unskilled = a_vehicle("unskilled")
    elsewhere = a_vehicle("elsewhere", skills=frozenset({"van"}), start=1)
    under_way = a_vehicle("under way", skills=frozenset({"van"}), prefix=Prefix(0))
    small = a_vehicle("small", skills=frozenset({"van"}), capacity=Load(4))
    slow = a_vehicle("slow", skills=frozenset({"van"}))
    fast = a_vehicle("fast", skills=frozenset({"van"}), speed_pct=200)
    everybody = [unskilled, elsewhere, under_way, small, slow, fast]
    expected = [
        (1, Reason.SKILL, ("unskilled",)),
        (2, Reason.DEPOT, ("elsewhere",)),
        (3, Reason.LOADED, ("under way",)),
        (4, Reason.CAPACITY, ("small",)),
        (5, Reason.TIME, ("slow",)),
    ]
    for count, reason, candidates in expected:
        assert why(requests, everybody[:count]) == Unserved("a", reason, candidates)
    assert why(requests, everybody) == "fast"


def test_a_way_there_that_does_not_lead_home_is_unreachable():
    ways = ROAD.seconds.copy()
    ways[1, 0] = UNREACHABLE
    problem = a_problem(Profile(ways), [a_delivery("a", 1)], [a_vehicle()])
    assert Reasons(problem, {}).of("a") == Unserved("a", Reason.UNREACHABLE, ("v",))


def test_closed_windows_are_a_matter_of_time():
    never = Request("a", RequestKind.DELIVERY, (Stop(1, ()),))
    assert why([never], [a_vehicle()]) == Unserved("a", Reason.TIME, ("v",))


def test_no_room_beside_others_who_fill_the_vehicle_or_the_day():
    others = [a_delivery("b", 1, pieces=9), a_delivery("c", 2, Window(120, 120), pieces=0)]
    full = a_vehicle(capacity=Load(9))
    assert why([a_delivery("a"), *others], [full], {"v": [("b", 0)]}) == Unserved("a", Reason.NO_ROOM, ("v",))
    busy = a_vehicle(shift=Window(0, 240))
    timely = [a_delivery("a", 1, service_s=1), *others]
    assert why(timely, [busy], {"v": [("c", 0)]}) == Unserved("a", Reason.NO_ROOM, ("v",))
    assert why(timely, [a_vehicle(shift=Window(0, 241))], {"v": [("c", 0)]}) == "v"


def test_room_is_looked_for_on_the_whole_way_of_a_pair():
    others = [a_pickup("b", 2, Window(120, 120), pieces=1), a_delivery("c", 3, Window(180, 180), pieces=1)]
    busy = a_vehicle(shift=Window(0, 360), capacity=Load(3))
    order = {"v": [("b", 0), ("c", 0)]}
    assert why([a_pair("a", 1, 3), *others], [busy], order) == "v"
    assert why([a_pair("a", 3, 1), *others], [busy], order) == "v"
    assert why([a_pair("a", 1, 3, pieces=2), *others], [busy], order) == Unserved("a", Reason.NO_ROOM, ("v",))


def test_the_longest_duty_may_be_kept_by_starting_later():
    late = a_delivery("a", 1, Window(1000, 1000))
    assert why([late], [a_vehicle(max_duty_s=120)]) == "v"
    assert why([late], [a_vehicle(max_duty_s=119)]) == Unserved("a", Reason.TIME, ("v",))


def test_a_break_that_is_due_takes_its_time():
    rest = Break(Window(0, 100), 50)
    stop = a_delivery("a", 1, Window(0, 109))
    assert why([stop], [a_vehicle(rest=rest)]) == "v"  # the break on the way home
    tight = {"rest": rest, "shift": Window(0, 169)}
    assert why([stop], [a_vehicle(**tight)]) == Unserved("a", Reason.TIME, ("v",))
    assert why([stop], [a_vehicle(rest=Break(Window(0, 120), 50), shift=Window(0, 169))]) == "v"  # home by then
    after = a_delivery("a", 1, Window(200, 220))
    assert why([after], [a_vehicle(rest=rest, shift=Window(0, 280))]) == "v"  # begins after it


def test_a_request_another_vehicle_has_is_loaded():
    has = a_vehicle("has", prefix=Prefix(0, 0, (Done("a", 0, 60, 60, 60),)), shift=Window(0, 100))
    pair = [a_pair("a", 1, 2)]
    assert why(pair, [a_vehicle("other")], {}) == "other"
    assert why(pair, [has, a_vehicle("other")], {"has": [("a", 0)]}) == Unserved("a", Reason.TIME, ("has",))


def test_a_way_too_long_comes_before_time_and_too_many_stops_after_it():
    far = [a_delivery("a", 3, Window(0, 100)), a_delivery("b", 1)]
    assert why(far, [a_vehicle(max_distance_m=5_999)]) == Unserved("a", Reason.DISTANCE, ("v",))
    assert why(far, [a_vehicle(max_distance_m=6_000, max_stops=0)]) == Unserved("a", Reason.TIME, ("v",))
    near = [a_delivery("a", 1), a_delivery("b", 1)]
    assert why(near, [a_vehicle(max_stops=1)], {"v": [("b", 0)]}) == Unserved("a", Reason.STOPS, ("v",))
    assert why(near, [a_vehicle(max_stops=2)], {"v": [("b", 0)]}) == "v"
    detour = [a_delivery("a", 3), a_delivery("b", 1)]
    both = [a_vehicle(start=1, end=0, max_distance_m=4_999)]
    assert why(detour, both, {"v": [("b", 0)]}) == Unserved("a", Reason.DISTANCE, ("v",))


def test_a_way_that_only_the_others_make_too_long_is_no_room():
    requests = [a_delivery("a", 1), a_delivery("b", 3)]
    vehicle = a_vehicle(start=2, end=2, max_distance_m=3_999)
    assert why(requests, [vehicle], {"v": [("b", 0)]}) == Unserved("a", Reason.NO_ROOM, ("v",))


def test_papers_that_come_too_late_are_no_matter_of_the_window():
    asked = [a_delivery("a", 1, Window(0, 100)), a_delivery("b", 2)]
    late, in_time = (replace(asked[0], release_s=at) for at in (41, 40))
    assert why([late, asked[1]], [a_vehicle()]) == Unserved("a", Reason.RELEASE, ("v",))
    assert why([in_time, asked[1]], [a_vehicle()]) == "v"
    waits_for_b = [asked[0], replace(asked[1], release_s=41)]
    assert why(waits_for_b, [a_vehicle()], {"v": [("b", 0)]}) == Unserved("a", Reason.NO_ROOM, ("v",))


def test_many_alike_are_all_named():
    vehicles = [a_vehicle(f"v{i}", capacity=Load(0)) for i in range(3)]
    assert why([a_delivery("a")], vehicles) == Unserved("a", Reason.CAPACITY, ("v0", "v1", "v2"))


# Against every plan there is: a day of a few ticks, so that all orders, starts and breaks can be tried.

TICKS = 14


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    edges = sorted(draw(st.sets(st.integers(0, TICKS), min_size=2, max_size=4)))
    return tuple(Window(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def stops(draw: st.DrawFn, **loads: Load) -> Stop:
    return Stop(
        draw(st.integers(0, 2)),
        draw(windows()),
        service_s=draw(st.integers(0, 2)),
        grace_s=draw(st.sampled_from([0, 0, 2])),
        **loads,
    )


@st.composite
def requests(draw: st.DrawFn, name: str) -> Request:
    kind = draw(st.sampled_from(RequestKind))
    one, two = Load(draw(st.integers(0, 2))), Load(draw(st.integers(0, 2)))
    if kind is RequestKind.PAIRED:
        return Request(name, kind, (draw(stops(collects=one)), draw(stops(delivers=one))))
    delivers = NOTHING if kind is RequestKind.PICKUP else one
    collects = NOTHING if kind is RequestKind.DELIVERY else two
    release_s = 0 if kind is RequestKind.PICKUP else draw(st.integers(0, 5))
    return Request(name, kind, (draw(stops(delivers=delivers, collects=collects)),), release_s=release_s)


@st.composite
def days(draw: st.DrawFn) -> Problem:
    """Two requests of one vehicle, with or without a break, a longest duty and a prefix that visits the first."""
    legs = [[0 if i == j else draw(st.integers(0, 3)) for j in range(3)] for i in range(3)]
    pair = (draw(requests("a")), draw(requests("b")))
    rest = draw(
        st.none()
        | st.builds(
            lambda opens, length, duration: Break(Window(opens, opens + length), duration),
            st.integers(0, 8),
            st.integers(0, 4),
            st.integers(1, 3),
        )
    )
    prefix = None
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, 5))
        done = (Done("b", 0, at, at, at),) if draw(st.booleans()) else ()
        aboard = frozenset({"a"} if pair[0].from_depot and draw(st.booleans()) else ())
        prefix = Prefix(0, draw(st.integers(0, 6)), done, aboard)
    vehicle = a_vehicle(
        shift=Window(draw(st.integers(0, 3)), draw(st.integers(8, TICKS))),
        capacity=Load(draw(st.integers(1, 3))),
        max_duty_s=draw(st.none() | st.integers(3, 10)),
        max_stops=draw(st.none() | st.integers(0, 3)),
        max_distance_m=draw(st.none() | st.integers(0, 12)),
        rest=rest,
        prefix=prefix,
    )
    return a_problem(Profile(legs), pair, [vehicle], Objective())


def plans(problem: Problem, order: Sequence[tuple[str, int]], unserved: Sequence[Unserved]) -> Iterator[Plan]:
    """The plans that visit in this order: each start, each break, services as early as they can be."""
    (vehicle,) = problem.vehicles
    starts = [0] if vehicle.prefix else range(vehicle.shift.opens_s, TICKS + 1)
    breaks: list[tuple[dict[str, int], int | None]] = [({}, None)]
    if vehicle.rest:
        moments = range(vehicle.rest.window.opens_s, vehicle.rest.window.closes_s + 1)
        breaks += [({"v": at}, leg) for at in moments for leg in range(len(order) + 1)]
    for start, (pause, leg) in itertools.product(starts, breaks):
        yield timed(problem, {"v": order}, starts={"v": start}, breaks=pause, break_leg=leg, unserved=unserved)


def with_grace(problem: Problem) -> Problem:
    """The same day with each grace part of the last window, so that whoever times a plan uses it."""

    def wider(stop: Stop) -> Stop:
        *rest, last = stop.windows
        return replace(stop, windows=(*rest, Window(last.opens_s, last.closes_s + stop.grace_s)), grace_s=0)

    return replace(
        problem,
        requests=tuple(replace(r, stops=tuple(wider(stop) for stop in r.stops)) for r in problem.requests),
    )


def drivable(problem: Problem, order: Sequence[tuple[str, int]]) -> bool:
    """Whether some plan visits in this order and breaks no rule, reasons of the unserved apart."""
    names = {name for name, _ in order}
    done = {each.request for v in problem.vehicles if v.prefix for each in v.prefix.done}
    left = [r.id for r in problem.requests if r.id not in names and (r.id not in done or len(r.stops) == 2)]
    unserved = [Unserved(name, Reason.NO_VEHICLE) for name in left]
    wide = with_grace(problem)
    return any(
        all("is stated" in each.facts for each in violations(wide, plan)) for plan in plans(wide, order, unserved)
    )


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(days())
def test_room_is_found_exactly_where_some_plan_has_it(problem):
    (vehicle,) = problem.vehicles
    frozen = [(each.request, each.side) for each in vehicle.prefix.done] if vehicle.prefix else []
    a, b = problem.requests
    sides_b = [(b.id, side) for side in range(len(b.stops)) if (b.id, side) not in frozen]
    if sides_b and not drivable(problem, sides_b):
        sides_b = []
    sides_a = [(a.id, side) for side in range(len(a.stops))]
    orders = []
    for places in itertools.combinations(range(len(sides_b) + len(sides_a)), len(sides_a)):
        order = list(sides_b)
        for place, side in zip(places, sides_a, strict=True):
            order.insert(place, side)
        orders.append(order)
    room = any(drivable(problem, order) for order in orders)
    truth = Reasons(problem, {"v": [*frozen, *sides_b]}).of("a")
    note(f"{problem.profiles[0].seconds.tolist()} {problem.requests} {problem.vehicles} {truth}")
    assert (truth == "v") == room
    if isinstance(truth, Unserved) and truth.reason not in (Reason.STOPS, Reason.NO_ROOM):
        assert not drivable(problem, sides_a)


# Mutations: whatever is said of an unserved request but the truth is caught.


def unserved_for(reason: Reason) -> tuple[Problem, dict[str, list[tuple[str, int]]]]:
    """A day whose first request is unserved for this one reason, and the orders of its others."""
    able = a_vehicle("able", skills=frozenset({"van"}), shift=Window(0, 100_000), capacity=Load(9))
    first = a_delivery("a", 1, skills=frozenset({"van"}), pieces=5, depot=0)
    others = [a_delivery("b", 2, pieces=9)]
    ways = ROAD.seconds.copy()
    ways[1, 0] = UNREACHABLE
    days: dict[Reason, tuple[Profile, list[Request], list[Vehicle], dict[str, list[tuple[str, int]]]]] = {
        Reason.NO_VEHICLE: (ROAD, [first], [], {}),
        Reason.SKILL: (ROAD, [first], [replace(able, skills=frozenset())], {}),
        Reason.DEPOT: (ROAD, [first], [replace(able, start=1)], {}),
        Reason.LOADED: (ROAD, [first], [replace(able, prefix=Prefix(0))], {}),
        Reason.CAPACITY: (ROAD, [first], [replace(able, capacity=Load(4))], {}),
        Reason.UNREACHABLE: (Profile(ways), [first], [able], {}),
        Reason.TIME: (ROAD, [first], [replace(able, shift=Window(0, 100))], {}),
        Reason.DISTANCE: (ROAD, [first], [replace(able, max_distance_m=1_999)], {}),
        Reason.RELEASE: (ROAD, [replace(first, release_s=99_881)], [able], {}),
        Reason.STOPS: (ROAD, [first, a_delivery("b", 2)], [replace(able, max_stops=1)], {"able": [("b", 0)]}),
        Reason.NO_ROOM: (ROAD, [first, *others], [able], {"able": [("b", 0)]}),
    }
    profile, requests_, vehicles, orders = days[reason]
    return a_problem(profile, requests_, vehicles), orders


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_but_the_true_one_is_caught(reason):
    problem, orders = unserved_for(reason)
    candidates = tuple(vehicle.id for vehicle in problem.vehicles)
    true = Unserved("a", reason, candidates)
    assert violations(problem, timed(problem, orders, unserved=[true])) == []
    for other in set(Reason) - {reason}:
        (found,) = violations(problem, timed(problem, orders, unserved=[replace(true, reason=other)]))
        assert found.rule is Rule.REASON and repr(reason.value) in found.facts
    for wrong in ((), (*candidates, "nobody"), ("nobody",)):
        if wrong != candidates:
            (found,) = violations(problem, timed(problem, orders, unserved=[replace(true, candidates=wrong)]))
            assert found.rule is Rule.REASON


@pytest.mark.parametrize("reason", Reason)
def test_no_reason_holds_where_a_vehicle_has_room(reason):
    problem = a_problem(ROAD, [a_delivery("a", 1)], [a_vehicle()])
    (found,) = violations(problem, timed(problem, {}, unserved=[Unserved("a", reason, ("v",))]))
    assert found.rule is Rule.REASON and "v has room" in found.facts
