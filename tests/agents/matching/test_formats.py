"""Files: what is read is what was written, what is wrong is named, and the command line answers with proof."""

import json
from dataclasses import fields
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.matching.gap_text import read_gap
from agents.matching.json_fields import FIELDS
from agents.matching.model import MatchingAgent, MatchingError, Need
from agents.matching.plain import match_plain
from agents.matching.problem_json import read_json
from dispatch.__main__ import main
from tests.agents.matching.county import NETWORK

PLAIN = {
    "agents": [{"id": "a", "capacity": 2}, {"id": "b", "capacity": 1, "held": 1}],
    "cases": [{"id": 1, "waiting": 50}, {"id": 2, "waiting": 60}, {"id": 3}],
    "candidates": [
        {"case": 1, "agent": "a", "cost": 5},
        {"case": 2, "agent": "a", "cost": 5},
        {"case": 3, "agent": "a", "cost": 7},
        {"case": 3, "agent": "b", "cost": 1},
    ],
}
GAP = "1\n2 3\n4 1 4\n2 3 3\n1 1 1\n2 2 2\n2 4\n"


def run(capsys, tmp_path, text, *options):
    file = tmp_path / "problem"
    file.write_text(text)
    code = main(["match", str(file), *options])
    said = capsys.readouterr()
    return code, json.loads(said.out or said.err)


def test_a_plain_problem_is_answered_with_its_proof(capsys, tmp_path):
    code, answer = run(capsys, tmp_path, json.dumps(PLAIN))
    assert code == 0
    assert answer["proven"] and answer["objective"] == answer["bound"] == 50 + 5 + 7
    assert [(a["case"], a["agent"]) for a in answer["assignment"]] == [(1, None), (2, "a"), (3, "a")]
    assert {c["case"]: c["value"] for c in answer["certificate"]["cases"]}[1] == 50


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_plain_answers_are_the_cheapest_of_all(data):
    agents = [{"id": f"a{i}", "capacity": data.draw(st.integers(0, 2))} for i in range(3)]
    cases = [{"id": i, "waiting": data.draw(st.integers(-5, 30))} for i in range(4)]
    pairs = data.draw(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 2))))
    candidates = [{"case": c, "agent": f"a{a}", "cost": data.draw(st.integers(-9, 25))} for c, a in sorted(pairs)]
    found = match_plain(
        read_json(json.dumps({"agents": agents, "cases": cases, "candidates": candidates, "evenness": 6})).problem
    )
    paid = {(c["case"], c["agent"]): c["cost"] for c in candidates}
    best = None
    for combination in product([None, *[a["id"] for a in agents]], repeat=4):
        if all(a is None or (c, a) in paid for c, a in enumerate(combination)):
            total = sum(cases[c]["waiting"] if a is None else paid[c, a] for c, a in enumerate(combination))
            load = {a["id"]: combination.count(a["id"]) for a in agents}
            if all(load[a["id"]] <= a["capacity"] for a in agents):
                total += sum(6 * (2 * k - 1) // a["capacity"] for a in agents for k in range(1, load[a["id"]] + 1))
                best = total if best is None else min(best, total)
    assert found.objective == found.bound == best


def test_the_whole_model_can_come_from_a_file(capsys, tmp_path):
    seat = {"lon": 118.8, "lat": 32.05, "skills": ["x"]}
    model = {
        "network": [{"code": k, **p._asdict()} for k, p in NETWORK.items()],
        "agents": [{"id": 7, "node": "K1", "level": 3, "capacity": 1, "held": 0, **seat}],
        "needs": [{"id": 1, "role": "lead", "project": 1, "node": "T1", **seat}],
        "weights": {"star": 10},
    }
    code, answer = run(capsys, tmp_path, json.dumps(model))
    assert code == 0 and answer["proven"]
    assert answer["assignment"][0]["agent"] == 7
    assert answer["assignment"][0]["terms"]["stars"] == 20


def test_a_gap_file_is_answered_with_bound_and_gap(capsys, tmp_path):
    code, answer = run(capsys, tmp_path, GAP, "--format", "gap", "--limit", "2")
    assert code == 0
    assert (answer["cost"], answer["bound"], answer["gap"]) == (6, 6, 0.0)
    assert answer["problems"][0]["assignment"] == [2, 1, 2]


def test_out_takes_the_answer_and_the_screen_its_summary(capsys, tmp_path):
    code, summary = run(capsys, tmp_path, json.dumps(PLAIN), "--out", str(tmp_path / "answer.json"))
    assert code == 0 and "assignment" not in summary
    assert json.loads((tmp_path / "answer.json").read_text())["objective"] == summary["objective"]


def test_gap_text_may_hold_several_problems_or_leave_out_their_number():
    alone = read_gap(GAP.split("\n", 1)[1])
    body = GAP.split("\n", 1)[1]
    both = read_gap(f"2\n{body}{body}")
    assert len(alone) == 1 and len(both) == 2
    for gap in (*alone, *both):
        assert gap.cost.tolist() == [[4, 1, 4], [2, 3, 3]]
        assert gap.effort.tolist() == [[1, 1, 1], [2, 2, 2]]
        assert gap.room.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("unknown_agent", {"candidates": [{"case": 1, "agent": "z", "cost": 1}]}),
        ("unknown_case", {"candidates": [{"case": 9, "agent": "a", "cost": 1}]}),
        ("negative_capacity", {"agents": [{"id": "a", "capacity": -1}]}),
        ("twice", {"cases": [{"id": 1}, {"id": 1}]}),
        ("bad_field", {"agents": [{"id": "a", "capacity": "two"}]}),
        ("bad_field", {"agents": 3}),
        ("bad_field", {"evenness": -1}),
        ("too_large", {"cases": [{"id": n} for n in range(1, 900)], "evenness": 1e11 + 0.5}),
    ],
)
def test_a_wrong_file_is_named(capsys, tmp_path, code, change):
    status, said = run(capsys, tmp_path, json.dumps(PLAIN | change))
    assert status == 2 and said["error"] == code


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "ends before a problem"),
        ("2", "ends before a problem"),
        ("2 2 1 2", "4 numbers"),
        ("1\n2 x", "line 2: 'x' is not a number"),
        ("{", "line 1"),
        (GAP.replace("4 1 4", "4 1.5 4"), "line 3: '1.5' is not a whole number"),
        (GAP.replace("4 1 4", "4 nan 4"), "line 3: 'nan'"),
        (GAP.replace("4 1 4", "4 1e30 4"), "line 3: '1e30' is too large"),
        (GAP.replace("4 1 4", f"4 {10**30} 4"), "too large"),
        (GAP.replace("4 1 4", f"4 {10**12} 4"), "cost of job 1 at agent 0"),
        (GAP.replace("2 2 2", f"2 2 {10**12}"), "effort of job 2 at agent 1"),
        (GAP + "7\n", "18 numbers"),
    ],
)
def test_gap_text_that_is_none_is_named(text, named):
    with pytest.raises(MatchingError, match=named):
        read_gap(text)


SEAT = {"lon": 118.8, "lat": 32.05}
MODEL = {
    "network": [{"code": k, **p._asdict()} for k, p in NETWORK.items()],
    "agents": [{"id": 7, "node": "K1", "level": 3, "capacity": 10**9, "held": 0, **SEAT}],
    "needs": [{"id": 1, "role": "lead", "project": 1, "node": "T1", **SEAT}],
}
OTHERS = {
    "need": {"id": [1], "project": None, "node": 5, "skills": "abc", "language": 5, "bans": [[1]], "priority": 1.5,
             "waiting_days": "x", "lon": float("nan"), "lat": 1e300, "told": "yes", "previous": 3, "lock": [7]},
    "agent": {"capacity": 2.5, "held": None, "away": "no", "stars": "3", "skills": None, "level": "x"},
}  # fmt: skip


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind, each in OTHERS.items() for field in each])
def test_a_field_of_another_kind_is_named(capsys, tmp_path, kind, field):
    (noun,) = MODEL[f"{kind}s"]
    code, said = run(capsys, tmp_path, json.dumps(MODEL | {f"{kind}s": [noun | {field: OTHERS[kind][field]}]}))
    assert (code, said["error"], said["facts"]) == (2, "bad_field", {"field": field})


def test_every_field_of_the_model_can_be_read():
    assert {f.name for kind in (Need, MatchingAgent) for f in fields(kind)} == FIELDS.keys()


def test_a_project_has_one_lead_and_an_agent_may_have_room_for_all(capsys, tmp_path):
    assert run(capsys, tmp_path, json.dumps(MODEL))[1]["assignment"][0]["agent"] == 7
    twice = MODEL | {"needs": [MODEL["needs"][0], MODEL["needs"][0] | {"id": 2}]}
    code, said = run(capsys, tmp_path, json.dumps(twice))
    assert code == 2 and "two leads: needs 1 and 2" in said["message"]
    code, answer = run(capsys, tmp_path, json.dumps(PLAIN | {"agents": [{"id": k, "capacity": 10**9} for k in "ab"]}))
    assert code == 0 and answer["proven"] and answer["waiting"] == 0


@pytest.mark.parametrize("text", ["[" * 100_000, '{"agents": ' + "9" * 5_000 + "}", ""])
def test_json_that_is_none_is_named(capsys, tmp_path, text):
    code, said = run(capsys, tmp_path, text)
    assert code == 2 and said["error"] == "bad_json"


def test_a_byte_order_mark_is_passed_over_and_an_answer_that_cannot_be_kept_is_printed(capsys, tmp_path):
    assert run(capsys, tmp_path, "\ufeff" + json.dumps(PLAIN))[0] == 0
    file = tmp_path / "problem"
    assert main(["match", str(file), "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert json.loads(said.out)["proven"] and "unwritable" in said.err
    with pytest.raises(SystemExit):
        main(["match", str(file), "--limit", "nan"])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"forbidden": [{"case": 1, "agent": "a"}]}, "forbidden"),
        ({"agents": [{"id": "a", "capacity": 2}, {"id": "b", "capacity": 1, "capcity": 9}]}, "agents[1].capcity"),
        ({"cases": [{"id": 1, "wait": 50}]}, "cases[0].wait"),
        ({"candidates": [{"case": 1, "agent": "a", "cost": 5, "forbidden": True}]}, "candidates[0].forbidden"),
    ],
)
def test_an_unknown_key_of_plain_costs_is_refused_by_its_path(capsys, tmp_path, change, path):
    code, said = run(capsys, tmp_path, json.dumps(PLAIN | change))
    assert (code, said["error"], said["facts"]["path"]) == (2, "unknown_field", path)
    assert said["message"].startswith(f"{path} is unknown, known here: ")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"cases": []}, "cases"),
        ({"needs": [MODEL["needs"][0] | {"skill": ["x"]}]}, "needs[0].skill"),
        ({"agents": [MODEL["agents"][0] | {"absent": True}]}, "agents[0].absent"),
        ({"network": [MODEL["network"][0] | {"name": "x"}]}, "network[0].name"),
        ({"weights": {"stars": 1}}, "weights.stars"),
    ],
)
def test_an_unknown_key_of_the_model_is_refused_by_its_path(capsys, tmp_path, change, path):
    code, said = run(capsys, tmp_path, json.dumps(MODEL | change))
    assert (code, said["error"], said["facts"]["path"]) == (2, "unknown_field", path)


def test_a_case_that_nobody_may_take_has_no_price(capsys, tmp_path):
    cases = [{"id": 1, "waiting": 50}, {"id": 2, "waiting": 50}, {"id": 3}]
    candidates = [{"case": 1, "agent": "a", "cost": 5}, {"case": 2, "agent": "a", "cost": 7}]
    file = {"agents": [{"id": "a", "capacity": 2}], "cases": cases, "candidates": candidates}
    code, answer = run(capsys, tmp_path, json.dumps(file))
    assert (code, answer["feasible"], answer["objective"], answer["bound"]) == (1, False, None, None)
    assert answer["infeasible"] == [{"case": 3, "reason": "no_candidate"}]
    assert [(a["case"], a["agent"]) for a in answer["assignment"]] == [(1, "a"), (2, "a"), (3, None)]
    cases[2]["waiting"] = 9
    code, answer = run(capsys, tmp_path, json.dumps(file))
    assert (code, answer["feasible"], answer["objective"], answer["waiting"]) == (0, True, 5 + 7 + 9, 1)


def test_a_case_that_may_not_wait_needs_a_free_slot(capsys, tmp_path):
    cases = [{"id": 1}, {"id": 2}]
    candidates = [{"case": 1, "agent": "a", "cost": 5}, {"case": 2, "agent": "a", "cost": 7}]
    file = {"agents": [{"id": "a", "capacity": 1}], "cases": cases, "candidates": candidates}
    code, answer = run(capsys, tmp_path, json.dumps(file))
    assert (code, answer["feasible"], answer["infeasible"]) == (1, False, [{"case": 2, "reason": "no_slot"}])
    file["agents"][0]["capacity"] = 2
    assert run(capsys, tmp_path, json.dumps(file))[1]["objective"] == 12


def test_a_file_that_is_not_there_is_named(capsys, tmp_path):
    assert main(["match", str(tmp_path / "none")]) == 2
    assert "unreadable" in capsys.readouterr().err
