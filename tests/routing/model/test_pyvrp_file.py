"""PyVRP's dialect: several depots, a mixed fleet, both ways at a stop; the rest is refused by its line."""

import pytest

from routing.model.check import violations
from routing.model.formats import Malformed, parse
from routing.model.quantities import Load, Window
from routing.model.request import RequestKind
from routing.search.solve import solve

DAY = """NAME : two depots
TYPE : MDVRPTW
DIMENSION : 6
VEHICLES : 3
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 100 0
3 3 4
4 6 8
5 103 4
6 94 8
LINEHAUL_SECTION
1 0
2 0
3 2
4 0
5 3
6 1
BACKHAUL_SECTION
1 0
2 0
3 0
4 5
5 4
6 0
TIME_WINDOW_SECTION
1 0 200
2 0 300
3 0 200
4 0 200
5 50 90
6 0 300
SERVICE_TIME_SECTION
1 0
2 0
3 10
4 10
5 10
6 10
CAPACITY_SECTION
1 7
2 4
3 9
VEHICLES_DEPOT_SECTION
1 1
2 2
3 2
VEHICLES_FIXED_COST_SECTION
1 10
2 1
3 20
VEHICLES_MAX_DURATION_SECTION
1 150
2 60
3 100
DEPOT_SECTION
1
2
-1
EOF
"""
AT = DAY.splitlines().index("DEPOT_SECTION") + 1


def section(name, *rows):
    return DAY.replace("\nDEPOT_SECTION", "\n".join(["", name, *rows, "DEPOT_SECTION"]))


def line_of(text, of):
    return text.splitlines().index(of) + 1


def test_every_vehicle_has_its_depot_room_cost_and_longest_duty():
    vehicles = parse(DAY).problem.vehicles
    assert [(v.start, v.end) for v in vehicles] == [(0, 0), (1, 1), (1, 1)]
    assert [v.capacity for v in vehicles] == [Load(7), Load(4), Load(9)]
    assert [v.fixed_cost for v in vehicles] == [10, 1, 20]
    assert [v.max_duty_s for v in vehicles] == [150, 60, 100]
    assert [v.shift for v in vehicles] == [Window(0, 200), Window(0, 300), Window(0, 300)]


def test_what_comes_goes_or_both_is_read_of_each_stop():
    requests = {request.id: request for request in parse(DAY).problem.requests}
    kinds = {name: request.kind for name, request in requests.items()}
    assert kinds == {
        "3": RequestKind.DELIVERY, "4": RequestKind.PICKUP, "5": RequestKind.EXCHANGE, "6": RequestKind.DELIVERY,
    }  # fmt: skip
    (stop,) = requests["5"].stops
    assert (stop.delivers, stop.collects, stop.windows, stop.service_s) == (Load(3), Load(4), (Window(50, 90),), 10)


def test_the_day_is_solved_and_costs_what_a_person_finds():
    """Vehicle 1 drives 0-3-4-0. At the other depot 2 has room for both: 4 pieces out, 4 back."""
    instance = parse(DAY)
    plan = solve(instance.problem, max_iterations=2000, limit_s=20)
    assert violations(instance.problem, plan) == []
    assert not plan.unserved
    one = (5 + 5 + 10) + 10
    other = (5 + 10 + 10) + 1
    assert instance.cost(plan) == one + other
    assert instance.cost_text(plan) == str(one + other)


def test_who_may_serve_whom_is_kept():
    instance = parse(section("VEHICLES_ALLOWED_CLIENTS_SECTION", "1 3 4 5 6", "2 5 6", "3 6"))
    plan = solve(instance.problem, max_iterations=2000, limit_s=20)
    assert violations(instance.problem, plan) == []
    serves = {visit.request: route.vehicle for route in plan.routes for visit in route.visits}
    assert serves["3"] == serves["4"] == "1"
    assert serves["5"] in {"1", "2"}
    skills = {request.id: request.skills for request in instance.problem.requests}
    assert skills["6"] == frozenset()
    assert skills["3"] == skills["4"] == frozenset({"of 1"})


def test_a_value_for_all_may_stand_in_the_header():
    kept, _, rest = DAY.partition("VEHICLES_MAX_DURATION_SECTION")
    rest = rest.partition("\nDEPOT_SECTION")[2]
    plain = kept.replace("VEHICLES : 3", "VEHICLES : 3\nVEHICLES_MAX_DURATION : 70") + "DEPOT_SECTION" + rest
    assert {vehicle.max_duty_s for vehicle in parse(plain).problem.vehicles} == {70}


def test_what_is_released_later_leaves_later():
    instance = parse(section("RELEASE_TIME_SECTION", *(f"{n} {20 * (n == 3)}" for n in range(1, 7))))
    assert {request.id: request.release_s for request in instance.problem.requests}["3"] == 20
    plan = solve(instance.problem, max_iterations=2000, limit_s=20)
    assert violations(instance.problem, plan) == []
    assert [r.start_s >= 20 for r in plan.routes if any(visit.request == "3" for visit in r.visits)] == [True]


def test_a_longest_distance_is_kept():
    text = section("VEHICLES_MAX_DISTANCE_SECTION", "1 30", "2 29", "3 20")
    instance = parse(text)
    assert [vehicle.max_distance_m for vehicle in instance.problem.vehicles] == [30, 29, 20]
    plan = solve(instance.problem, max_iterations=2000, limit_s=20)
    assert violations(instance.problem, plan) == []


def test_what_says_nothing_is_no_reason_to_refuse():
    text = section("RELEASE_TIME_SECTION", *(f"{n} 0" for n in range(1, 7)))
    assert parse(text).problem.fingerprint() == parse(DAY).problem.fingerprint()


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (section("RELEASE_TIME_SECTION", "1 0", "2 0", "3 20"), AT, "RELEASE_TIME_SECTION"),
        (section("RELEASE_TIME_SECTION", *(f"{n} {20 * (n == 4)}" for n in range(1, 7))), 31, "released at 20"),
        (section("PRIZE_SECTION", "1 0", "3 7"), AT + 2, "served"),
        (section("MUTUALLY_EXCLUSIVE_GROUP_SECTION", "1 3 4"), AT, "alternative"),
        (section("VEHICLES_RELOAD_DEPOT_SECTION", "1 1", "2 2", "3 2"), AT, "reload"),
        (section("VEHICLES_UNIT_DISTANCE_COST_SECTION", "1 1", "2 3", "3 1"), AT + 2, "metre"),
        (section("VEHICLES_ALLOWED_CLIENTS_SECTION", "1 3", "2 9", "3 4"), AT + 2, "no customer"),
        (section("VEHICLES_ALLOWED_CLIENTS_SECTION", "1 3", "1 4"), AT + 2, "twice"),
        (section("VEHICLES_COLOUR_SECTION", "1 1"), AT, "not known"),
        (DAY.replace("MDVRPTW", "VRPB"), 2, "VRPB"),
        (DAY.replace("3 2\nVEHICLES_FIXED", "3 5\nVEHICLES_FIXED"), line_of(DAY, "VEHICLES_DEPOT_SECTION"), "no depot"),
        (DAY.replace("2 4\n3 9", "3 9"), line_of(DAY, "CAPACITY_SECTION"), "2 rows"),
        (DAY.replace("2 4\n3 9", "2 4\n2 9"), line_of(DAY, "CAPACITY_SECTION") + 3, "twice"),
        (DAY.replace("5 4\n6 0\nTIME", "5 4\nTIME"), line_of(DAY, "BACKHAUL_SECTION"), "5 rows"),
        (DAY.replace("DEPOT_SECTION\n1\n2\n-1", "DEPOT_SECTION\n1\n1\n-1"), AT, "each once"),
    ],
)
def test_what_this_model_cannot_say_is_refused_by_its_line(text, line, why):
    with pytest.raises(Malformed, match=why) as refused:
        parse(text)
    assert refused.value.line == line
