"""The check passes a right plan and catches a corrupted one, for each rule."""

from dataclasses import fields, replace

import pytest

from routing.model.check import violations
from routing.model.check_costs import costs
from routing.model.plan import Costs, Plan, Reason, Unserved
from routing.model.problem import Objective, Primary, Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.model.quantities import Load, Window
from routing.model.request import Announced
from routing.model.rules import Rule
from routing.model.vehicle import Break, Done, Prefix
from tests.routing.model.small import a_delivery, a_pair, a_pickup, a_problem, a_vehicle, an_exchange, line, timed

ROAD = line(0, 1, 2, 3)
"""Places 0, 1, 2, 3 a minute apart."""


def a_full_day() -> tuple[Problem, Plan]:
    """Two couriers, every kind of request, a break, a prefix, and one request that nobody can take."""
    requests = [
        a_delivery("letter", 1, Window(0, 300), Window(600, 900), service_s=30, skills=frozenset({"seal"})),
        an_exchange("swap", 2, out=2, back=3, service_s=20, announced=Announced(Window(0, 100), 2)),
        a_pair("across", 1, 3, pieces=4, service_s=10),
        a_pickup("late", 3, Window(0, 400), grace_s=1000, late_per_s=3, depot=0),
        a_delivery("earlier", 2, pieces=1),
        a_delivery("aboard", 3, pieces=2),
        a_delivery("piano", 1, pieces=50, penalty=7),
    ]
    vehicles = [
        a_vehicle("one", skills=frozenset({"seal"}), rest=Break(Window(100, 500), 120), fixed_cost=11, max_duty_s=2000),
        a_vehicle(
            "two",
            speed_pct=50,
            prefix=Prefix(50, 400, (Done("earlier", 0, 290, 290, 300),), frozenset({"aboard"})),
        ),
    ]
    objective = Objective(travel_per_m=1, duty_per_s=1, waiting_per_s=1, evenness_per_s=1, fair_duty_s=600)
    problem = a_problem(ROAD, requests, vehicles, objective)
    plan = timed(
        problem,
        {"one": [("letter", 0), ("swap", 0), ("across", 0), ("across", 1), ("late", 0)], "two": [("aboard", 0)]},
        starts={"one": 10},
        breaks={"one": 120},
        unserved=[Unserved("piano", Reason.CAPACITY, ("one",))],
    )
    return problem, plan


def rules(problem: Problem, plan: Plan) -> set[Rule]:
    return {each.rule for each in violations(problem, plan)}


def test_a_right_plan_passes_and_costs_what_a_person_computes():
    problem, plan = a_full_day()
    assert violations(problem, plan) == []
    one, two = plan.routes
    # 10 leave, 70 letter until 100, 60 s to swap with the break of 120 s begun on the way: 280 until 300,
    # 360 across from until 370, 490 across to until 500, 500 late (100 s after its window), 680 home.
    assert [visit.arrival_s for visit in one.visits] == [70, 280, 360, 490, 500]
    assert one.end_s == 680
    assert [visit.load.pieces for visit in one.visits] == [2, 3, 7, 3, 4]
    assert one.cost == Costs(travel=480 + 8000, duty=670, lateness=300, moved=2 * 3, evenness=70, vehicles=11)
    # at half the speed: 240 s to the second place (late, but done), from 400 on 120 s to the third, 360 s home.
    assert [visit.arrival_s for visit in two.visits] == [290, 520]
    assert two.end_s == 880
    assert two.cost == Costs(travel=720 + 6000, duty=830, evenness=230)
    assert plan.cost == one.cost + two.cost + Costs(unserved=7)
    assert plan.feasible
    assert plan.vehicles == 2
    assert plan.rank(problem.objective) == (0, 7, 0, plan.cost.total - 7)
    assert plan.rank(replace(problem.objective, primary=Primary.VEHICLES))[2] == 2


def test_waiting_counts_without_the_break_taken_in_it():
    problem = a_problem(
        ROAD,
        [a_delivery("a", 1, Window(500, 600))],
        [a_vehicle(rest=Break(Window(0, 100), 50))],
        Objective(waiting_per_s=1, travel_per_s=0),
    )
    plan = timed(problem, {"v": [("a", 0)]}, breaks={"v": 70})
    assert violations(problem, plan) == []
    assert plan.cost == Costs(waiting=500 - 60 - 50)


def change_route(plan: Plan, at: int, **more: object) -> Plan:
    routes = list(plan.routes)
    routes[at] = replace(routes[at], **more)
    return replace(plan, routes=tuple(routes))


def change_visit(plan: Plan, route: int, at: int, **more: object) -> Plan:
    visits = list(plan.routes[route].visits)
    visits[at] = replace(visits[at], **more)
    return change_route(plan, route, visits=tuple(visits))


def retimed(orders: dict[str, list[tuple[str, int]]], **more: object):
    """The same day with the visits in another order, times, loads and costs all consistent."""

    def corrupt(plan: Plan) -> Plan:
        problem, _ = a_full_day()
        settings = {"starts": {"one": 10}, "breaks": {"one": 120}, "unserved": plan.unserved, **more}
        return timed(problem, orders, **settings)

    return corrupt


WHOLE = [("letter", 0), ("swap", 0), ("across", 0), ("across", 1), ("late", 0)]

CORRUPTIONS = {
    "another problem's plan": (Rule.FINGERPRINT, lambda plan: replace(plan, fingerprint="0" * 64)),
    "a route of no vehicle": (Rule.ROUTES, lambda plan: change_route(plan, 0, vehicle="three")),
    "a vehicle with two routes": (Rule.ROUTES, lambda plan: change_route(plan, 0, vehicle="two")),
    "routes in another order": (Rule.ROUTES, lambda plan: replace(plan, routes=plan.routes[::-1])),
    "a vehicle on duty without a route": (Rule.ROUTES, lambda plan: replace(plan, routes=plan.routes[:1])),
    "a route to nowhere": (Rule.ROUTES, lambda plan: change_route(plan, 0, visits=())),
    "a visit to an unknown request": (Rule.KNOWN, lambda plan: change_visit(plan, 0, 0, request="x")),
    "a visit to an unknown side": (Rule.KNOWN, lambda plan: change_visit(plan, 0, 0, side=1)),
    "a request dropped in silence": (Rule.ONCE, retimed({"one": WHOLE[:-1], "two": [("aboard", 0)]})),
    "half a pair": (Rule.ONCE, retimed({"one": WHOLE[:3] + WHOLE[4:], "two": [("aboard", 0)]})),
    "a request twice": (Rule.ONCE, retimed({"one": [*WHOLE, ("late", 0)], "two": [("aboard", 0)]})),
    "served and unserved": (
        Rule.ONCE,
        lambda plan: replace(plan, unserved=(Unserved("late", Reason.TIME), *plan.unserved)),
    ),
    "unserved twice": (Rule.ONCE, lambda plan: replace(plan, unserved=plan.unserved * 2)),
    "an unknown request unserved": (
        Rule.ONCE,
        lambda plan: replace(plan, unserved=(*plan.unserved, Unserved("x", Reason.TIME))),
    ),
    "delivered before the pickup": (
        Rule.PAIR,
        retimed({"one": [WHOLE[0], WHOLE[1], WHOLE[3], WHOLE[2], WHOLE[4]], "two": [("aboard", 0)]}),
    ),
    "a pair in two vehicles": (
        Rule.PAIR,
        retimed({"one": WHOLE[:3] + WHOLE[4:], "two": [("aboard", 0), ("across", 1)]}),
    ),
    "a started duty moved": (Rule.PREFIX, lambda plan: change_route(plan, 1, start_s=60)),
    "a done visit moved": (Rule.PREFIX, lambda plan: change_visit(plan, 1, 0, start_s=295)),
    "a done visit swapped": (
        Rule.PREFIX,
        lambda plan: change_route(plan, 1, visits=plan.routes[1].visits[::-1]),
    ),
    "a courier without the skill": (
        Rule.SKILL,
        retimed({"one": WHOLE[1:], "two": [("aboard", 0), WHOLE[0]]}),
    ),
    "a delivery that is not on board": (
        Rule.LOADED,
        retimed({"one": WHOLE[:1] + WHOLE[2:], "two": [("aboard", 0), WHOLE[1]]}),
    ),
    "a delivery that another has on board": (Rule.LOADED, retimed({"one": [("aboard", 0), *WHOLE]})),
    "an arrival before the travel ends": (Rule.TRAVEL, lambda plan: change_visit(plan, 0, 2, arrival_s=359)),
    "an arrival that idled on the way": (Rule.TRAVEL, lambda plan: change_visit(plan, 0, 3, arrival_s=491)),
    "a return before the travel ends": (Rule.TRAVEL, lambda plan: change_route(plan, 0, end_s=679)),
    "a leg begun before now": (Rule.TRAVEL, lambda plan: change_visit(plan, 1, 1, arrival_s=519)),
    "service before the arrival": (
        Rule.WINDOW,
        lambda plan: change_visit(plan, 0, 2, start_s=359, departure_s=369),
    ),
    "service in no window": (Rule.WINDOW, retimed({"one": WHOLE, "two": [("aboard", 0)]}, starts={"one": 850})),
    "service after the grace": (Rule.WINDOW, retimed({"one": WHOLE, "two": [("aboard", 0)]}, starts={"one": 1200})),
    "service cut short": (Rule.SERVICE, lambda plan: change_visit(plan, 0, 0, departure_s=99)),
    "a break that the vehicle has not": (Rule.BREAK, lambda plan: change_route(plan, 1, break_s=600)),
    "a break left out": (
        Rule.BREAK,
        retimed({"one": WHOLE, "two": [("aboard", 0)]}, breaks={}),
    ),
    "a break before its window": (
        Rule.BREAK,
        retimed({"one": WHOLE, "two": [("aboard", 0)]}, breaks={"one": 20}),
    ),
    "a break after its window": (
        Rule.BREAK,
        retimed({"one": WHOLE, "two": [("aboard", 0)]}, breaks={"one": 501}),
    ),
    "a break during service": (Rule.BREAK, lambda plan: change_route(plan, 0, break_s=290)),
    "a break shorter than it must be": (Rule.BREAK, lambda plan: change_route(plan, 0, break_s=365)),
    "a load overstated at the start": (Rule.LOAD, lambda plan: change_route(plan, 0, start_load=Load(4))),
    "a load understated on the way": (Rule.LOAD, lambda plan: change_visit(plan, 0, 2, load=Load(6))),
    "grams out of nowhere": (Rule.LOAD, lambda plan: change_visit(plan, 0, 2, load=Load(7, 1))),
    "a reason that is not true": (
        Rule.REASON,
        lambda plan: replace(plan, unserved=(Unserved("piano", Reason.TIME, ("one",)),)),
    ),
    "a reason with the wrong vehicles": (
        Rule.REASON,
        lambda plan: replace(plan, unserved=(Unserved("piano", Reason.CAPACITY, ("one", "two")),)),
    ),
    **{
        f"a wrong {term.name} of a route": (
            Rule.COST,
            lambda plan, term=term: change_route(plan, 0, cost=plan.routes[0].cost + Costs(**{term.name: 1})),
        )
        for term in fields(Costs)
    },
    **{
        f"a wrong {term.name} of the plan": (
            Rule.COST,
            lambda plan, term=term: replace(plan, cost=plan.cost + Costs(**{term.name: 1})),
        )
        for term in fields(Costs)
    },
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_plan_is_caught(name):
    rule, corrupt = CORRUPTIONS[name]
    problem, plan = a_full_day()
    assert rule in rules(problem, corrupt(plan))


HARSHER = {
    "a depot that is not the start": (Rule.DEPOT, {"start": 1}, {"depot": 0}),
    "a start before the shift": (Rule.SHIFT, {"shift": Window(20, 9999)}, {}),
    "an end after the shift": (Rule.SHIFT, {"shift": Window(0, 129)}, {}),
    "a duty too long": (Rule.DUTY, {"max_duty_s": 119}, {}),
    "a stop too many": (Rule.STOPS, {"max_stops": 0}, {}),
    "a way too long": (Rule.DISTANCE, {"max_distance_m": 1999}, {}),
    "a load too heavy": (Rule.CAPACITY, {"capacity": Load(0, 99)}, {}),
    "grams too many": (Rule.CAPACITY, {"capacity": Load(1, 9)}, {"delivers": Load(1, 10)}),
}


@pytest.mark.parametrize("name", HARSHER)
def test_a_plan_is_caught_when_the_vehicle_cannot_keep_it(name):
    rule, vehicle, more = HARSHER[name]
    delivers = more.pop("delivers", Load(1))
    request = a_delivery("a", 1, **more)
    request = replace(request, stops=(replace(request.stops[0], delivers=delivers),))
    kind = a_vehicle(**vehicle)
    plan = timed(a_problem(ROAD, [request], [kind]), {"v": [("a", 0)]}, starts={"v": 10})
    assert rules(a_problem(ROAD, [request], [kind]), plan) == {rule}
    easy = a_problem(ROAD, [request], [a_vehicle(start=0)])
    if rule is not Rule.DEPOT:
        assert violations(easy, replace(plan, fingerprint=easy.fingerprint())) == []


def test_a_pickup_must_end_at_its_depot():
    problem = a_problem(ROAD, [a_pickup("a", 1, depot=0)], [a_vehicle(end=2)])
    assert rules(problem, timed(problem, {"v": [("a", 0)]})) == {Rule.DEPOT}


def test_a_way_that_cannot_be_driven_is_caught():
    ways = ROAD.seconds.copy()
    ways[1, 0] = UNREACHABLE
    problem = a_problem(Profile(ways), [a_delivery("a", 1)], [a_vehicle()])
    assert Rule.REACHABLE in rules(problem, timed(problem, {"v": [("a", 0)]}))


def test_an_exchange_gives_before_it_takes():
    problem = a_problem(ROAD, [an_exchange("a", 1, out=2, back=2)], [a_vehicle(capacity=Load(2))])
    assert violations(problem, timed(problem, {"v": [("a", 0)]})) == []


def test_what_is_loaded_and_not_delivered_stays_on_board():
    prefix = Prefix(0, 0, (), frozenset({"kept"}))
    requests = [a_delivery("kept", 1, Window(0, 10), pieces=3), a_pickup("more", 2, pieces=2)]
    unserved = (Unserved("kept", Reason.TIME, ("v",)),)
    narrow = a_problem(ROAD, requests, [a_vehicle(capacity=Load(4), prefix=prefix)])
    assert rules(narrow, timed(narrow, {"v": [("more", 0)]}, unserved=unserved)) == {Rule.CAPACITY}
    wide = a_problem(ROAD, requests, [a_vehicle(capacity=Load(5), prefix=prefix)])
    plan = timed(wide, {"v": [("more", 0)]}, unserved=unserved)
    assert violations(wide, plan) == []
    assert plan.routes[0].visits[-1].load == Load(5)
    assert not plan.feasible


def test_going_home_after_a_prefix_is_never_wrong_however_late():
    vehicle = a_vehicle(
        shift=Window(0, 100),
        max_duty_s=50,
        max_stops=0,
        max_distance_m=10,
        rest=Break(Window(0, 10), 5),
        capacity=Load(0),
        prefix=Prefix(0, 0, (Done("a", 0, 500, 500, 500),)),
    )
    problem = a_problem(ROAD, [a_delivery("a", 1, Window(0, 9))], [vehicle])
    assert violations(problem, timed(problem, {})) == []


def test_a_picked_up_pair_may_only_be_finished_by_who_has_it():
    prefix = Prefix(0, 0, (Done("p", 0, 60, 60, 60),))
    problem = a_problem(ROAD, [a_pair("p", 1, 2)], [a_vehicle("has", prefix=prefix), a_vehicle("other")])
    assert violations(problem, timed(problem, {"has": [("p", 1)]})) == []
    stays = timed(problem, {}, unserved=[Unserved("p", Reason.NO_ROOM, ("has",))])
    assert [str(each) for each in violations(problem, stays)] == [
        f"request p: 'no room' is stated, but has has room for it (rule: {Rule.REASON.value})"
    ]


def test_costs_are_derived_from_times_alone():
    problem, plan = a_full_day()
    stripped = change_route(replace(plan, cost=Costs()), 0, cost=Costs())
    assert costs(problem, stripped) == plan.cost


def test_a_plan_tells_itself_in_plain_values():
    _, plan = a_full_day()
    told = plan.as_dict()
    assert told["unserved"] == [{"request": "piano", "reason": "capacity", "candidates": ["one"]}]
    assert told["routes"][1]["visits"][0] == {
        "request": "earlier",
        "side": 0,
        "arrival_s": 290,
        "start_s": 290,
        "departure_s": 300,
        "load": {"pieces": 2, "grams": 0},
    }


def test_what_just_fits_is_right():
    requests = [a_delivery("a", 1, Window(70, 70), pieces=2)]
    exact = a_vehicle(shift=Window(10, 130), max_duty_s=120, capacity=Load(2), rest=Break(Window(0, 130), 5))
    problem = a_problem(ROAD, requests, [exact])
    assert violations(problem, timed(problem, {"v": [("a", 0)]})) == []


def test_a_break_is_due_from_the_first_to_the_last_second_of_its_window():
    problem = a_problem(ROAD, [a_delivery("a")], [a_vehicle(rest=Break(Window(0, 119), 5))])
    assert rules(problem, timed(problem, {"v": [("a", 0)]})) == {Rule.BREAK}
    assert rules(problem, timed(problem, {"v": [("a", 0)]}, starts={"v": 119})) == {Rule.BREAK}
    assert rules(problem, timed(problem, {"v": [("a", 0)]}, starts={"v": 120})) == set()
