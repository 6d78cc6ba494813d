"""Public texts are read into the problem they state, with the scale of the objective; a wrong line is named."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.model.check import violations
from routing.model.formats import Malformed, parse, read
from routing.model.formats.parsed import Rounding
from routing.model.problem import Primary
from routing.model.quantities import Load, Window
from routing.model.request import RequestKind
from tests.routing.model.small import timed

SOLOMON = """TINY

VEHICLE
NUMBER     CAPACITY
  2         10

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0         0          0          0        100          0
    1      3         4          6          0         50         10
    2      1         1          5          2         90         10
"""

LI_LIM = """2\t10\t1
0\t0\t0\t0\t0\t100\t0\t0\t0
1\t3\t4\t6\t0\t50\t10\t0\t2
2\t1\t1\t-6\t2\t90\t10\t1\t0
"""

SARTORI = """NAME: tiny
LOCATION: Nowhere
TYPE: PDPTW
SIZE: 3
ROUTE-TIME: 240
TIME-WINDOW: 120
CAPACITY: 300
NODES
0 41.1 2.1 0 0 240 0 0 0
1 41.2 2.2 22 0 200 5 0 2
2 41.3 2.3 -22 10 210 5 1 0
EDGES
0 7 8
6 0 5
9 4 0
EOF
"""

VRPLIB = """NAME : tiny
COMMENT : "of no weight: none"
TYPE : CVRP
DIMENSION : 3
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 3 4
3 1 1
DEMAND_SECTION
1 0
2 6
3 5
DEPOT_SECTION
 1
 -1
EOF
"""

EXPLICIT = """NAME : tiny
TYPE : VRPTW
DIMENSION : 3
VEHICLES : 2
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : {form}
CAPACITY : 10
EDGE_WEIGHT_SECTION
{entries}
DEMAND_SECTION
1 1
2 0
3 5
TIME_WINDOW_SECTION
1 0 90
2 0 100
3 5 80
SERVICE_TIME_SECTION
1 3
2 0
3 4
DEPOT_SECTION
2
-1
"""


def test_solomon_cuts_each_arc_to_one_decimal_for_distance():
    instance = parse(SOLOMON, Primary.DISTANCE)
    problem = instance.problem
    assert instance.name == "TINY"
    assert instance.scale == 10
    assert problem.profiles[0].seconds.tolist() == [[0, 50, 14], [50, 0, 36], [14, 36, 0]]
    assert [vehicle.shift for vehicle in problem.vehicles] == [Window(0, 1000)] * 2
    assert problem.vehicles[0].capacity == Load(10)
    first, second = problem.requests
    assert (first.id, first.kind, first.stops[0].delivers) == ("1", RequestKind.DELIVERY, Load(6))
    assert (second.stops[0].windows, second.stops[0].service_s) == ((Window(20, 900),), 100)
    plan = timed(problem, {"1": [("2", 0), ("1", 0)]})
    assert instance.cost_text(plan) == "10.0"
    assert list(instance.routes(plan)) == ["Route #1: 2 1"]
    assert plan.cost.total == 100
    assert problem.objective.primary is Primary.DISTANCE


def test_solomon_keeps_double_precision_for_vehicles():
    instance = parse(SOLOMON, Primary.VEHICLES)
    seconds = instance.problem.profiles[0].seconds
    assert instance.scale == 10**6
    assert seconds[0, 1] == 5_000_000  # exactly, so that a window is met exactly
    assert seconds[0, 2] == 1_414_214
    assert instance.problem.vehicles[0].shift == Window(0, 100_000_000)
    plan = timed(instance.problem, {"1": [("2", 0), ("1", 0)]})
    assert instance.cost(plan) == pytest.approx(math.sqrt(2) + math.sqrt(13) + 5, abs=1e-12)
    assert instance.cost_text(plan) == "10.02"
    assert instance.problem.objective.primary is Primary.VEHICLES


def test_without_an_objective_each_family_has_its_own():
    assert parse(SOLOMON).rounding is Rounding.TENTHS
    assert parse(LI_LIM).problem.objective.primary is Primary.VEHICLES
    assert parse(SARTORI).problem.objective.primary is Primary.VEHICLES
    assert parse(VRPLIB).rounding is Rounding.NEAREST


def test_li_lim_pairs_pickup_and_delivery():
    instance = parse(LI_LIM)
    (request,) = instance.problem.requests
    pickup, delivery = request.stops
    assert request.kind is RequestKind.PAIRED
    assert (pickup.location, pickup.collects) == (1, Load(6))
    assert (delivery.location, delivery.delivers) == (2, Load(6))
    plan = timed(instance.problem, {"1": [("1-2", 0), ("1-2", 1)]})
    assert violations(instance.problem, plan) == []
    assert list(instance.routes(plan)) == ["Route #1: 1 2"]
    assert instance.cost_text(plan) == "10.02"


@pytest.mark.parametrize("objective", [None, *Primary])
def test_sartori_keeps_its_whole_minutes_whatever_the_objective(objective):
    instance = parse(SARTORI, objective)
    assert instance.scale == 1
    assert instance.problem.profiles[0].seconds.tolist() == [[0, 7, 8], [6, 0, 5], [9, 4, 0]]
    assert len(instance.problem.vehicles) == 1
    plan = timed(instance.problem, {"1": [("1-2", 0), ("1-2", 1)]})
    assert instance.cost_text(plan) == "21"
    assert instance.cost(plan) == 21
    assert instance.problem.vehicles[0].max_duty_s is None


def test_a_route_time_below_the_depots_window_is_the_longest_duty():
    instance = parse(SARTORI.replace("ROUTE-TIME: 240", "ROUTE-TIME: 239"))
    assert instance.problem.vehicles[0].max_duty_s == 239


def test_vrplib_rounds_as_the_file_says_unless_an_objective_is_asked_for():
    assert parse(VRPLIB).problem.profiles[0].seconds[0].tolist() == [0, 5, 1]
    assert parse(VRPLIB.replace("EUC_2D", "CEIL_2D")).problem.profiles[0].seconds[0].tolist() == [0, 5, 2]
    assert parse(VRPLIB, Primary.DISTANCE).problem.profiles[0].seconds[0].tolist() == [0, 50, 14]
    assert parse(VRPLIB, Primary.VEHICLES).rounding is Rounding.DOUBLE
    assert len(parse(VRPLIB).problem.vehicles) == 2
    everything = timed(parse(VRPLIB).problem, {"1": [("2", 0)], "2": [("3", 0)]})
    assert violations(parse(VRPLIB).problem, everything) == []
    assert parse(VRPLIB).cost_text(everything) == "12"


FORMS = {
    "FULL_MATRIX": "9999 2 3\n4 9999 6\n7 8 9999",
    "LOWER_ROW": "4 7\n8",
    "LOWER_DIAG_ROW": "0 4 0 7\n8 0",
    "UPPER_ROW": "4 7 8",
    "UPPER_DIAG_ROW": "0 4 7 0 8 0",
    "UPPER_COL": "4 7 8",
    "LOWER_COL": "4 7 8",
}


@pytest.mark.parametrize("form", FORMS)
def test_vrplib_reads_each_shape_of_matrix_and_puts_the_depot_first(form):
    instance = parse(EXPLICIT.format(form=form, entries=FORMS[form]))
    seconds = instance.problem.profiles[0].seconds.tolist()
    # The depot is node 2, so the places are nodes 2, 1, 3.
    symmetric = [[0, 4, 8], [4, 0, 7], [8, 7, 0]]
    assert seconds == ([[0, 4, 6], [2, 0, 3], [8, 7, 0]] if form == "FULL_MATRIX" else symmetric)
    first, second = instance.problem.requests
    assert (first.id, second.id) == ("1", "3")
    assert second.stops[0].windows == (Window(5, 80),)
    assert second.stops[0].service_s == 4
    assert len(instance.problem.vehicles) == 2


def test_vrplib_pairs_are_read_too():
    text = SARTORI_AS_VRPLIB
    (request,) = parse(text).problem.requests
    assert (request.id, request.kind, request.stops[0].collects) == ("2-3", RequestKind.PAIRED, Load(6))
    assert parse(text).problem.vehicles[0].shift == Window(0, 100)


SARTORI_AS_VRPLIB = """NAME : tiny
TYPE : PDPTW
DIMENSION : 3
CAPACITY : 10
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 1 1
PICKUP_AND_DELIVERY_SECTION
1 0 0 100 0 0 0
2 6 0 50 10 0 3
3 -6 2 90 10 2 0
DEPOT_SECTION
1
-1
"""

WRONG = {
    "nothing at all": ("", 1, "empty"),
    "something else": ("Dear colleague,\nplease find attached", 1, "Solomon"),
    "a Solomon file cut short": (SOLOMON.split("CUSTOMER")[0], 6, "ends"),
    "a Solomon fleet that is no number": (SOLOMON.replace("  2         10", "  two  10"), 5, "'two'"),
    "a Solomon fleet of one value": (SOLOMON.replace("  2         10", "  2"), 5, "1 values"),
    "a Solomon line with a value missing": (SOLOMON.replace("1         1          5  ", "1   5 "), 12, "6 values"),
    "a Solomon line with NaN": (SOLOMON.replace("3         4", "nan       4"), 11, "x is 'nan'"),
    "a Solomon window that closes before it opens": (SOLOMON.replace("2         90", "91    90"), 12, "due at 90"),
    "a Solomon window before the day": (SOLOMON.replace("2         90", "-2    90"), 12, "before 0"),
    "a Solomon demand below zero": (SOLOMON.replace("3         4          6", "3   4   -6"), 11, "-6"),
    "a Solomon demand in halves": (SOLOMON.replace("3         4          6", "3   4   6.5"), 11, "6.5"),
    "a Solomon service below zero": (SOLOMON.replace("90         10", "90  -10"), 12, "-10"),
    "a Solomon node twice": (SOLOMON.replace("    2      1 ", "    1      1 "), 12, "twice"),
    "a Solomon file without nodes": (SOLOMON[: SOLOMON.index("    0")], 9, "depot"),
    "a Solomon file too far apart": (SOLOMON.replace("    3         4", "    3e9       4"), 11, "too long"),
    "a Solomon place beyond counting": (SOLOMON.replace("    3         4", "    1e300     4"), 11, "too large"),
    "a Solomon service beyond counting": (SOLOMON.replace("90         10", "90  1e13"), 12, "too long"),
    "a Solomon demand beyond counting": (SOLOMON.replace("3         4          6", "3   4   1e15"), 11, "1e15"),
    "a Solomon demand of a hundred million digits": (
        SOLOMON.replace("3         4          6", "3   4   1e99999999"),
        11,
        "too large",
    ),
    "a Solomon due date beyond all exponents": (SOLOMON.replace("100  ", "1e999999999999 "), 10, "too large"),
    "a Solomon capacity beyond counting": (SOLOMON.replace("  2         10", "  2  1e13"), 5, "capacity is 1e13"),
    "a Solomon day too long": (SOLOMON.replace("100  ", "1e12 "), 10, "too late"),
    "a Li & Lim line too long": (LI_LIM.replace("1\t0\n", "1\t0\t0\n"), 4, "10 values"),
    "a Li & Lim partner that is not there": (LI_LIM.replace("0\t2\n", "0\t9\n"), 3, "9"),
    "a Li & Lim partner that disagrees": (LI_LIM.replace("1\t0\n", "2\t0\n"), 3, "another"),
    "a Li & Lim node with two partners": (LI_LIM.replace("0\t2\n", "2\t2\n"), 3, "one is 0"),
    "a Li & Lim depot with a partner": (LI_LIM.replace("100\t0\t0\t0", "100\t0\t0\t1"), 2, "depot"),
    "a Li & Lim demand that differs": (LI_LIM.replace("-6", "-5"), 3, "-5"),
    "a Li & Lim pickup below zero": (LI_LIM.replace("-6", "7").replace("\t6\t", "\t-7\t"), 3, "-7"),
    "a Sartori header without a size": (SARTORI.replace("SIZE: 3\n", ""), 1, "SIZE"),
    "a Sartori header without a colon": (SARTORI.replace("TYPE: PDPTW", "TYPE PDPTW"), 3, "TYPE PDPTW"),
    "a Sartori header cut short": (SARTORI.split("NODES")[0], 7, "NODES"),
    "a Sartori size that is wrong": (SARTORI.replace("SIZE: 3", "SIZE: 4"), 12, "SIZE on line 4"),
    "a Sartori size that is too small": (SARTORI.replace("SIZE: 3", "SIZE: 2"), 11, "EDGES"),
    "a Sartori matrix cut short": (SARTORI.replace("9 4 0\nEOF\n", ""), 14, "row 3 of 3"),
    "a Sartori row too short": (SARTORI.replace("6 0 5", "6 0"), 14, "2 entries"),
    "a Sartori entry below zero": (SARTORI.replace("6 0 5", "-6 0 5"), 14, "-6"),
    "a Sartori entry that is no number": (SARTORI.replace("6 0 5", "6 0 x"), 14, "'x'"),
    "a Sartori diagonal that is not zero": (SARTORI.replace("6 0 5", "6 1 5"), 14, "from itself"),
    "a Sartori entry beyond counting": (SARTORI.replace("6 0 5", "6 0 9999999999"), 14, "too long"),
    "a Sartori file that goes on": (SARTORI + "more\n", 17, "after the last row"),
    "a VRPLIB key that is not known": (VRPLIB.replace("TYPE : CVRP", "KIND : CVRP"), 3, "KIND"),
    "a VRPLIB weight that is not known": (VRPLIB.replace("EUC_2D", "GEO"), 5, "GEO"),
    "a VRPLIB section that is not known": (VRPLIB.replace("EOF", "BACKHAUL_SECTION\n1 1\nEOF"), 18, "BACKHAUL"),
    "a VRPLIB section twice": (VRPLIB.replace("EOF", "DEMAND_SECTION\nEOF"), 18, "twice"),
    "a VRPLIB node that is not there": (VRPLIB.replace("3 1 1", "4 1 1"), 10, "DIMENSION 3"),
    "a VRPLIB node twice": (VRPLIB.replace("3 1 1", "2 1 1"), 10, "twice"),
    "a VRPLIB section too short": (VRPLIB.replace("3 1 1\n", ""), 7, "2 rows"),
    "a VRPLIB file without a capacity": (VRPLIB.replace("CAPACITY : 10\n", ""), 1, "CAPACITY"),
    "a VRPLIB file without places": (VRPLIB.replace("NODE_COORD_SECTION\n1 0 0\n2 3 4\n3 1 1\n", ""), 14, "neither"),
    "a VRPLIB dimension of none": (VRPLIB.replace("DIMENSION : 3", "DIMENSION : 0"), 4, "less than 1"),
    "a VRPLIB dimension beyond the file": (VRPLIB.replace("DIMENSION : 3", "DIMENSION : 999999999"), 4, "hold 17"),
    "a VRPLIB matrix of a dimension beyond the file": (
        EXPLICIT.format(form="LOWER_ROW", entries="1 2 3").replace("DIMENSION : 3", "DIMENSION : 999999999"),
        3,
        "all sections together",
    ),
    "a VRPLIB length of a route beyond counting": (VRPLIB.replace("CAPACITY", "DISTANCE : 1e15\nCAPACITY"), 6, "1e15"),
    "a VRPLIB file with two depots": (VRPLIB.replace(" 1\n -1", " 1\n 2\n -1"), 15, "[1, 2]"),
    "a VRPLIB matrix too short": (EXPLICIT.format(form="FULL_MATRIX", entries="1 2 3"), 8, "3 entries"),
    "a VRPLIB shape that is not known": (EXPLICIT.format(form="ROUND", entries="1 2 3"), 8, "ROUND"),
    "a VRPLIB matrix left out": (
        VRPLIB.replace("EUC_2D", "EXPLICIT"),
        18,
        "no EDGE_WEIGHT_SECTION",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_malformed_text_names_the_line_and_the_reason(name):
    text, line, reason = WRONG[name]
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert (caught.value.line, reason in caught.value.reason) == (line, True), str(caught.value)


def test_a_file_is_read_with_windows_line_ends_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "tiny.txt"
    path.write_bytes(b"\xef\xbb\xbf" + LI_LIM.replace("\n", "\r\n").encode())
    assert read(path).name == "tiny"
    path.write_bytes(LI_LIM.encode() + b"\xe9 \n")
    with pytest.raises(Malformed, match=rf"line {1 + LI_LIM.count(chr(10))}: .*UTF-8"):
        read(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_a_file_is_read_in_the_encodings_of_chinese_offices_and_with_comments(tmp_path, encoding):
    path = tmp_path / "tiny.txt"
    text = VRPLIB.replace("DIMENSION", "COMMENT : 武进区的车辆\n# 注释\nCOMMENT : again\nDIMENSION") + "\x1a\0\n"
    path.write_bytes(text.encode(encoding))
    assert read(path).problem.fingerprint() == parse(VRPLIB).problem.fingerprint()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (VRPLIB.replace("TYPE : CVRP", "TYPE : OVRP"), "line 3: TYPE is OVRP"),
        (VRPLIB.replace("TYPE : CVRP", "SALESMEN : 3"), "line 3: 'SALESMEN : 3' is neither"),
        (VRPLIB.replace("TYPE : CVRP", "TYPE : CVRP\nTYPE : CVRP"), "line 4: TYPE comes twice"),
    ],
)
def test_a_file_that_asks_for_another_problem_is_refused_by_its_line(text, reason):
    with pytest.raises(Malformed, match=reason):
        parse(text)


def test_a_first_row_that_is_no_depot_is_refused():
    head, rows = SOLOMON[: SOLOMON.index("    0")], SOLOMON[SOLOMON.index("    0") :].splitlines()
    with pytest.raises(Malformed, match="the depot comes first"):
        parse(head + "\n".join([*rows[1:], rows[0]]) + "\n")


def test_vehicles_that_would_stand_still_are_none():
    problem = parse(SOLOMON.replace("  2         10", "  1e9       10")).problem
    assert len(problem.vehicles) == len(problem.requests)


@given(st.text(alphabet="0123456789 .-:\nabcdefghinotuxEDGSNOVHICLRUM_", max_size=200), st.integers(0, 5))
def test_a_mutilated_text_is_read_or_named_malformed_and_nothing_else(noise, cut):
    complaints: list[str] = []
    for text in (noise, SOLOMON[: cut * 60] + noise, SARTORI[: cut * 40] + noise, VRPLIB[: cut * 50] + noise):
        try:
            parse(text)
        except Malformed as wrong:
            complaints.append(wrong.reason)
    assert all(complaints)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=6, unique=True))
def test_arcs_of_whole_coordinates_are_cut_and_kept_exactly(points):
    rows = "\n".join(f"{at} {x} {y} 1 0 9999 0" for at, (x, y) in enumerate(points))
    text = SOLOMON[: SOLOMON.index("    0")] + rows + "\n"
    tenths = parse(text, Primary.DISTANCE).problem.profiles[0].seconds
    double = parse(text, Primary.VEHICLES)
    fine = double.problem.profiles[0].seconds
    for a, (ax, ay) in enumerate(points):
        for b, (bx, by) in enumerate(points):
            square = (ax - bx) ** 2 + (ay - by) ** 2
            assert tenths[a, b] == math.isqrt(100 * square)
            assert -0.002 < fine[a, b] - math.sqrt(square) * double.scale < 1
            assert all(fine[a, b] <= fine[a, c] + fine[c, b] + 1 for c in range(len(points)))


def test_relabelling_an_instance_keeps_what_it_asks():
    problem = parse(SOLOMON).problem
    again = parse(SOLOMON.replace("TINY", "OTHER")).problem
    assert problem.fingerprint() == again.fingerprint()
    assert replace(problem, vehicles=()).fingerprint() != problem.fingerprint()
