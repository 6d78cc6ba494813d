"""The compiler: what is made ready beforehand is all that a search compiles, with or without a place to keep it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from agents.matching import best_set, descent, knapsacks
from agents.matching.gap import Gap
from agents.matching.gap_search import compile_search, solve_gap

ROOT = Path(__file__).parents[3]

# Python itself runs the loops: compiling them would take many seconds and prove no more.
ALONE = """
import json, numba
import numpy as np
from agents.matching.compiling import compiled
from agents.matching.gap import Gap
from agents.matching.gap_search import solve_gap
from agents.matching.twice import twice
gap = Gap(np.array([[3, 1, 4], [2, 5, 1]]), np.array([[1, 1, 1], [1, 1, 1]]), np.array([2, 2]))
found = solve_gap(gap, limit_s=20)
numba.config.DISABLE_JIT = 0
quick = compiled(twice)
kept = [quick(21), len(quick.signatures), quick.stats.cache_path]
print(json.dumps({"cost": found.cost, "proven": found.proven, "twice": kept}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What an interpreter says beside a copy of the room in which no folder for compiled code can be made."""
    copy = tmp_path_factory.mktemp("copy")
    for room in ("agents", "db.py"):
        source = ROOT / room
        if source.is_dir():
            shutil.copytree(source, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    (copy / "agents" / "matching" / "twice.py").write_text("def twice(number):\n    return 2 * number\n")
    a_file = copy / "agents" / "matching" / "__pycache__"
    a_file.touch()  # nobody makes a folder of a file, root neither
    nowhere = {"HOME": str(a_file), "XDG_CACHE_HOME": str(a_file)}
    env = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE],
        cwd=copy,
        env={**env, **nowhere, "PYTHONPATH": str(copy), "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_without_any_place_for_a_cache_the_search_answers(said: dict):
    assert (said["cost"], said["proven"]) == (4, True)
    assert said["twice"] == [42, 1, None], "what is compiled is compiled in memory"


def test_a_search_compiles_nothing_more_once_it_was_made_ready():
    compile_search()
    ready = signatures()
    rng = np.random.default_rng(1)
    effort = rng.integers(5, 25, (4, 40))
    solve_gap(Gap(111 - effort, effort, effort.sum(axis=1) // 5), limit_s=1.0)
    assert ready and signatures() == ready


def signatures() -> dict[str, list]:
    """What is compiled of each inner loop, by its name."""
    loops = [value for room in (best_set, descent, knapsacks) for value in vars(room).values()]
    return {loop.__name__: list(loop.signatures) for loop in loops if isinstance(loop, CPUDispatcher)}
