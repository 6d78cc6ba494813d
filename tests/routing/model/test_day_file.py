"""A day as JSON: every field there and back, what is unknown refused by its path, a schema made from the model."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from routing.__main__ import main
from routing.model.formats import Malformed, parse
from routing.model.formats.day import problem_as_dict, schema
from routing.model.vehicle import Done, Prefix
from tests.routing.model.small import a_few
from tests.routing.search.fuzzed import a_random_day

SCHEMA = Path(__file__).parents[3] / "docs" / "data" / "routing-day.schema.json"


def as_text(problem) -> str:
    return json.dumps(problem_as_dict(problem))


@pytest.mark.parametrize("seed", range(60))
def test_a_day_comes_back_as_it_was(seed):
    problem = a_random_day(Random(seed))
    assert parse(as_text(problem)).problem.fingerprint() == problem.fingerprint()


def test_a_day_under_way_and_its_points_come_back_too():
    problem = a_few()
    begun = Prefix(10, 400, (Done("r1", 0, 100, 120, 130), Done("p", 0, 150, 150, 150)), frozenset({"r2"}))
    problem = replace(
        problem,
        vehicles=(replace(problem.vehicles[0], prefix=begun), problem.vehicles[1]),
        points=tuple((at / 7, -at / 3) for at in range(6)),
    )
    again = parse(as_text(problem)).problem
    assert again.fingerprint() == problem.fingerprint() and again.points == problem.points


def changed(**more) -> str:
    day = problem_as_dict(a_few())
    return json.dumps({**day, **more})


def with_stop(**more) -> str:
    day = problem_as_dict(a_few())
    day["requests"][2]["stops"][0] |= more
    return json.dumps(day)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"form": \n nonsense}', "line 2: it is no JSON"),
        (changed(form="other/9"), "form is 'other/9'"),
        (changed(colour="red"), "colour is not known"),
        (with_stop(windws=[]), r"requests\[2\].stops\[0\].windws is not known"),
        (with_stop(service_s="5"), r"requests\[2\].stops\[0\].service_s is '5': it must be a whole number"),
        (with_stop(service_s=True), "must be a whole number"),
        (with_stop(windows=[{"opens_s": 5, "closes_s": 1}]), r"stops\[0\].windows\[0\]: window.closes_s is 1"),
        (with_stop(windows=[{"opens_s": 5}]), r"windows\[0\].closes_s is missing"),
        (with_stop(location=77), "location is 77"),
        (changed(profiles=[{"seconds": [[0, 1.5], [1, 0]]}]), r"profiles\[0\].seconds\[0\]\[1\] is 1.5"),
        (changed(profiles=[{"seconds": [[0, 1], [1]]}]), r"seconds\[1\] has 1 entries"),
        (changed(profiles=[{"name": "road"}]), r"profiles\[0\].seconds is missing"),
        (changed(objective={"primary": "beauty"}), "objective.primary is 'beauty'"),
        (changed(points=[[0]]), r"points\[0\] has 1 values"),
        (changed(vehicles={}), "vehicles is no list"),
        ("{}", "form is None"),
    ],
)
def test_what_is_no_day_is_refused_by_its_path(text, reason):
    with pytest.raises(Malformed, match=reason):
        parse(text)


def test_what_has_its_usual_value_may_be_left_out():
    plain = {
        "form": "daiban-day/1",
        "profiles": [{"seconds": [[0, 60], [None, 0]]}],
        "requests": [
            {"id": "a", "kind": "pickup", "stops": [{"location": 1, "windows": [{"opens_s": 0, "closes_s": 900}]}]}
        ],
        "vehicles": [
            {"id": "v", "start": 0, "end": 0, "shift": {"opens_s": 0, "closes_s": 900}, "capacity": {"pieces": 1}}
        ],
    }
    problem = parse(json.dumps(plain)).problem
    plain["profiles"][0]["name"] = "road"
    assert problem_as_dict(problem) == {**plain, "objective": {}, "points": None}


def test_the_published_schema_is_that_of_the_model():
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == schema()


def test_a_day_is_solved_from_its_file(tmp_path, capsys):
    file = tmp_path / "day.json"
    file.write_text(as_text(a_few()), encoding="utf-8")
    again = tmp_path / "again.json"
    assert main(["solve", str(file), "--iterations", "100", "--day", str(again)]) == 0
    *routes, cost, summary = capsys.readouterr().out.splitlines()
    assert any(" p " in f"{route} " for route in routes)
    assert parse(again.read_text()).problem.fingerprint() == a_few().fingerprint()
    told = json.loads(summary)
    assert told["feasible"] and cost == f"Cost {told['cost']}"
