"""The command line: what it prints, what it writes, and how it ends; and the bench beside it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from routing.__main__ import main
from routing.bench.__main__ import main as bench_main
from routing.bench.cases import BenchInstance, NoCases, cases, sampled
from routing.bench.curve import a_day, sweeps
from routing.bench.runs import BenchRow, command, keep, rows, run_all, turns
from routing.bench.table import markdown
from routing.bench.timing import PrintedPlan, judged, timed
from routing.model.check import violations
from routing.model.formats import parse
from routing.model.plan import Costs, Plan
from routing.model.problem import Primary

ROWS = "\n".join(f"{at} {x} {y} 10 0 230 10" for at, (x, y) in enumerate([(15, 49), (55, 45), (20, 50), (50, 51)], 1))
SOLOMON = f"""TINY

VEHICLE
NUMBER CAPACITY
 3 30

CUSTOMER
CUST NO. XCOORD. YCOORD. DEMAND READY DUE SERVICE

0 35 35 0 0 230 0
{ROWS}
"""
PAIRS = "2 10 1\n0 0 0 0 0 100 0 0 0\n1 3 4 6 0 50 10 0 2\n2 1 1 -6 2 90 10 1 0\n"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.txt"
    file.write_text(SOLOMON)
    return file


def test_a_solve_prints_routes_a_cost_and_one_object_last(tiny, capsys, tmp_path):
    out = tmp_path / "tiny.sol"
    arguments = ["solve", str(tiny), "--iterations", "200", "--seed", "3", "--out", str(out)]
    assert main([*arguments, "--objective", "distance"]) == 0
    *lines, cost, last = capsys.readouterr().out.splitlines()
    told = json.loads(last)
    assert set(told) == {"cost", "vehicles", "feasible", "seconds", "bound", "gap", "no_bound"}
    assert (told["bound"], told["gap"], told["no_bound"]) == (None, None, "counted")
    assert told["feasible"] is True
    assert told["vehicles"] == len(lines) == 2
    assert [line.split(":")[0] for line in lines] == ["Route #1", "Route #2"]
    assert sorted(" ".join(line.split(": ")[1] for line in lines).split()) == ["1", "2", "3", "4"]
    assert cost == f"Cost {told['cost']:.1f}"
    assert out.read_text().splitlines() == [*lines, cost]
    routes = [[int(number) for number in line.split(": ")[1].split()] for line in lines]
    assert judged(parse(SOLOMON, Primary.DISTANCE), routes).cost == told["cost"]


def test_a_plan_may_be_written_as_json_and_pairs_cost_two_decimals(tmp_path, capsys):
    file, out = tmp_path / "pairs.txt", tmp_path / "plan.json"
    file.write_text(PAIRS)
    assert main(["solve", str(file), "--iterations", "50", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Route #1: 1 2", "Cost 10.02"]
    assert json.loads(lines[-1])["cost"] == 10.02
    assert json.loads(out.read_text())["routes"][0]["visits"][0]["request"] == "1-2"


def test_what_cannot_be_served_is_said_with_its_reason(tmp_path, capsys):
    file = tmp_path / "heavy.txt"
    file.write_text(SOLOMON.replace("1 15 49 10", "1 15 49 31"))
    assert main(["solve", str(file), "--iterations", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("Unserved 1: capacity: no vehicle has room for ") for line in lines)
    assert json.loads(lines[-1])["feasible"] is False


def test_a_malformed_or_missing_file_ends_with_2_and_says_where(tiny, capsys):
    tiny.write_text(SOLOMON.replace("230 10\n2", "x 10\n2"))
    assert main(["solve", str(tiny)]) == 2
    assert capsys.readouterr().err == f"{tiny}: line 11: due date is 'x', not a number\n"
    assert main(["solve", str(tiny.with_name("absent"))]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["solve", str(tiny.parent)]) == 2


def test_a_place_that_cannot_be_written_ends_with_2(tiny, capsys):
    assert main(["solve", str(tiny), "--iterations", "5", "--out", str(tiny / "x")]) == 2
    told = capsys.readouterr()
    assert "x: " in told.err
    assert "Route #1" in told.out, "what was found is not lost"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--limit", "0"],
        ["--limit", "nan"],
        ["--workers", "0"],
        ["--iterations", "-3"],
        ["--engine", "magic"],
        ["--objective", "beauty"],
        ["--seed", "x"],
        ["--seed", "-1"],
    ],
)
def test_a_wrong_argument_ends_with_2(tiny, wrong):
    with pytest.raises(SystemExit) as ended:
        main(["solve", str(tiny), *wrong])
    assert ended.value.code == 2


def test_the_program_runs_from_a_shell(tiny):
    line = [sys.executable, "-m", "routing", "solve", str(tiny), "--iterations", "10"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout.splitlines()[-1])["vehicles"] == 2
    assert PrintedPlan.of(done.stdout).routes


# The bench.


def test_routes_are_judged_whatever_their_program_says():
    instance = parse(SOLOMON, Primary.DISTANCE)
    fine = judged(instance, [[1, 3], [2, 4]])
    assert (fine.vehicles, fine.unserved, fine.broken) == (2, 0, "")
    assert judged(instance, [[1, 3]]).unserved == 2
    assert "fits" in judged(instance, [[1, 2, 3, 4]]).broken
    assert violations(instance.problem, timed(instance, [[1, 3], [2, 4]])) == []
    with pytest.raises(ValueError, match="4 routes, 3 vehicles"):
        judged(instance, [[1], [2], [3], [4]])


BEST = """class,instance,kind,vehicles,cost,objective
few,tiny,VRPTW,2,120.0,"distance only; each arc truncated to one decimal"
few,tiny,VRPTW,2,121.00,"vehicles first, then distance; double precision"
few,absent,VRPTW,2,1.0,"distance only; each arc truncated to one decimal"
many,pairs,PDPTW,1,10.02,"vehicles first, then distance; double precision"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "tiny.txt").write_text(SOLOMON)
    (tmp_path / "set" / "pairs.txt").write_text(PAIRS)
    (tmp_path / "best_known.csv").write_text(BEST)
    return tmp_path


def test_cases_are_those_with_a_file_by_their_usual_objective(folder):
    assert [(case.name, case.objective) for case in cases(folder)] == [
        ("tiny", Primary.DISTANCE),
        ("pairs", Primary.VEHICLES),
    ]
    assert len(cases(folder, both=True)) == 3
    sample = folder / "sample.csv"
    sample.write_text("class,instance\nmany,pairs\n")
    assert [case.name for case in sampled(cases(folder), sample, None)] == ["pairs"]
    assert [case.name for case in sampled(cases(folder), None, ["few"])] == ["tiny"]
    with pytest.raises(NoCases, match=r"best_known\.csv"):
        cases(folder / "set")


def test_the_programs_take_turns():
    assert list(turns(("daiban", "pyvrp", "vroom"), 3)) == [
        ("daiban", 0),
        ("pyvrp", 0),
        ("daiban", 1),
        ("vroom", 0),
        ("daiban", 2),
    ]
    assert list(turns(("pyvrp",), 3)) == [("pyvrp", 0)]


def test_runs_are_appended_once_and_shown(folder, capsys):
    kept = folder / "runs.csv"
    made = run_all(cases(folder)[:1], [0.2], ["daiban", "pyvrp"], file=kept, release="r1", seeds=1)
    have = rows(kept)
    assert (made, len(have)) in ((1, 1), (2, 2))  # with or without a PyVRP beside us
    assert (have[0].program, have[0].broken, have[0].unserved) == ("daiban", "", 0)
    assert run_all(cases(folder)[:1], [0.2], ["daiban"], file=kept, release="r1", seeds=1) == 0
    keep(kept, replace(have[0], program="vroom", cost=132.0))
    keep(kept, replace(have[0], program="vroom", cost=10.0, broken="too good"))
    text = markdown(rows(kept), release="r1")
    assert "| few @ 0.2 s | 1 |" in text
    assert "10.00 (1 of 2 failed)" in text
    assert "too good" in text
    assert main(["bench", "table", "--file", str(kept), "--release", "r1"]) == 0
    assert capsys.readouterr().out == text


def test_vehicles_are_shown_before_distance():
    row = BenchRow("r", "daiban", "", "many", "pairs", "vehicles", 10, 0, 2, 10.02, 0, "", 10, "1", 10.02, "")
    better = replace(row, seed=1, vehicles=1)
    assert "| +0.50 / 0.00 / 50 |" in markdown([row, better], release="r")


def test_a_run_without_instances_ends_with_2(tmp_path, capsys, monkeypatch):
    assert main(["bench", "run", "--instances", str(tmp_path)]) == 2
    assert "best_known.csv" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["bench", "table", "--file", str(tmp_path / "none.csv")])
    assert bench_main() == 0


def test_peers_are_run_by_their_own_interpreter():
    case = BenchInstance("few", "tiny", Path("tiny.txt"), Primary.DISTANCE, 2, 120.0)
    line = command("vroom", case, 10, 0, "elsewhere/python")
    assert line[:3] == ["elsewhere/python", "tests/benchmarks/peers/vroom_peer.py", "tiny.txt"]
    assert Path(line[1]).is_file()
    assert command("ortools", case, 10, 0, "python")[-2:] == ["--engine", "ortools"]


def test_a_sweep_is_timed_without_the_set_up():
    def solve(problem: object, *, limit_s: float, max_iterations: int, seed: int) -> Plan:
        return Plan("", (), (), Costs(), "counted", seconds=5 + 0.01 * max_iterations)

    assert [(stops, round(s, 9)) for stops, s, _ in sweeps(solve, [100, 200])] == [(100, 0.1), (200, 0.2)]
    assert len(a_day(100).requests) == 100
    assert a_day(100).fingerprint() == a_day(100).fingerprint()


def test_a_proof_says_how_near_its_bound_comes_and_that_other_code_confirms_it(tiny, capsys, monkeypatch):
    seconds = ["--search", "0.1", "--marks", "0.2", "0.3"]
    monkeypatch.setattr(sys, "argv", ["bench", "proof", str(tiny), *seconds, "--check"])
    assert bench_main() == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.startswith("instance | stops | plan")
    name, stops, cost, vehicles, bounds, gaps, objections = line.split(" | ")
    assert (name, stops, vehicles, objections) == ("tiny", "4", "2", "none")
    assert all(0 < float(bound) <= float(cost) for bound in bounds.split() if bound != "–")
    assert len(bounds.split()) == len(gaps.split()) == 2


def test_a_proof_that_cannot_be_says_why(tiny, capsys):
    assert main(["bench", "proof", str(tiny), "--customers", "0", "--search", "0.1", "--marks", "0.1"]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("| – | – | nothing to plan")


def test_the_curve_is_a_table_of_the_sizes_asked_for(capsys):
    assert main(["bench", "curve", "--sizes", "20", "30"]) == 0
    *_, first, second = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in (first, second)] == ["| 20", "| 30"]
