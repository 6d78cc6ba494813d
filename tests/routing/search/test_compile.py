"""The compiler: where its work is kept, what happens where nothing can be kept, and that no clock runs meanwhile."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from routing.model.problem import Objective
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import compile_core, solve
from tests.routing.model.small import a_few, a_vehicle

ROOT = Path(__file__).parents[3]
SEED, ROUNDS = 3, 40

# Said by a fresh interpreter in which Python itself runs the core: compiling it would take a minute and prove no more.
ALONE = f"""
import json, os, numba
from routing.search.sisr import compiled, warm
from routing.search.solve import solve
from tests.routing.model.small import a_few
ready_when_the_clock_ran = []
def look():
    ready_when_the_clock_ran.append(bool(warm._done))
    return False
plan = solve(a_few(), limit_s=60, max_iterations={ROUNDS}, seed={SEED}, should_stop=look)
numba.config.DISABLE_JIT = 0
twice = compiled.entry(lambda number: 2 * number)
told = {{
    "folder": compiled.FOLDER and str(compiled.FOLDER),
    "plan": plan.as_dict(),
    "ready": ready_when_the_clock_ran,
    "twice": [twice(21), len(twice.signatures)],
}}
os.environ["XDG_CACHE_HOME"] = os.environ["SOMEWHERE"]
print(json.dumps({{**told, "next": str(compiled.cache_folder())}}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the interpreter says beside a copy of the rooms in which no folder for compiled code can be made."""
    copy = tmp_path_factory.mktemp("copy")
    for room in ("routing", "tests/routing"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    a_file = copy / "routing" / "search" / "sisr" / "__pycache__"
    a_file.touch()  # nobody makes a folder of a file, root neither
    told = {"NUMBA_CACHE_DIR": str(a_file), "XDG_CACHE_HOME": str(a_file), "SOMEWHERE": str(copy / "home")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE],
        cwd=copy,
        env={**os.environ, **told, "PYTHONPATH": str(copy), "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout.splitlines()[-1]), "home": str(copy / "home")}


def test_without_any_place_for_a_cache_the_same_plan_is_found(said: dict):
    assert said["folder"] is None
    assert said["twice"] == [42, 1], "what is compiled is compiled in memory"
    compile_core()
    here = json.loads(json.dumps(solve(a_few(), limit_s=60, max_iterations=ROUNDS, seed=SEED).as_dict()))
    assert {**said["plan"], "seconds": 0} == {**here, "seconds": 0}, "compiled or not, it is the same search"


def test_compiled_code_is_kept_in_the_first_place_that_can_be_written(said: dict):
    folder = Path(said["next"])
    assert folder.is_relative_to(Path(said["home"]) / "daiban") and folder.name.startswith("sisr-")


def test_the_core_is_ready_before_a_solves_clock_runs(said: dict):
    assert said["ready"] and all(said["ready"])


def test_every_day_has_arrays_of_one_layout_for_which_the_core_is_compiled():
    kinds = {
        "plain": a_few(),
        "metres": replace(a_few(), vehicles=(a_vehicle(max_distance_m=900), a_vehicle("w", speed_pct=50))),
        "paid by the metre": replace(a_few(), objective=Objective(travel_per_m=1)),
    }
    layouts = {
        name: [(each.dtype.str, each.ndim, each.flags.c_contiguous, each.flags.writeable) for each in core]
        for name, core in ((name, Search(model_of(day), 0, searches=False).core) for name, day in kinds.items())
    }
    assert layouts == dict.fromkeys(kinds, layouts["plain"])
