"""Workers: each loads the code of its own queues, and no other carries the solver."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from flask import Flask

from web.run import ROOT, SENDERS, WORKERS

LOOK = """
import json, sys
import wsgi
from web.run import WORKERS

HEAVY = {
    "numba", "ortools.constraint_solver", "ortools.math_opt", "ortools.sat", "routing.search.solve",
    "routing.search.proof.master", "web.wiring.plan_tasks",
}

def carried():
    return sorted(HEAVY & set(sys.modules))

told = {}
wsgi.celery.Beat().init_loader()
told["beat"] = carried()
for name in sorted(WORKERS, key=lambda name: name == "jobs"):  # what one has loaded, the next one has too
    pool, queues = WORKERS[name]
    wsgi.celery.Worker(pool=pool, queues=",".join(queues), concurrency=1)
    told[name] = carried()
told["knows"] = "web.solving.plan" in wsgi.celery.tasks
print(json.dumps(told))
"""


def test_only_the_worker_of_jobs_loads_the_solver(tmp_path: Path) -> None:
    nowhere = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "BROKER_URL": "redis://127.0.0.1:1/0"}
    environment = os.environ | nowhere | {"DAIBAN_HOME": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"numba", "routing.search.solve", "web.wiring.plan_tasks"} <= set(told.pop("jobs"))
    assert told.pop("knows")
    assert set(map(tuple, told.values())) == {()}, told


def test_a_task_is_acknowledged_when_it_is_done_and_nobody_hoards_them(app: Flask) -> None:
    conf = app.extensions["celery"].conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1


def test_no_task_waits_in_the_broker() -> None:
    """With Redis a moment beyond the visibility time-out is run again and again: ``not_before`` lies in the row."""
    rooms = ("agents", "dispatch", "notifications", "routing", "web")
    delayed = re.compile(r"\b(?:countdown|eta)=")
    files = (path for room in rooms for path in (ROOT / room).rglob("*.py"))
    assert [str(path) for path in files if delayed.search(path.read_text(encoding="utf-8"))] == []


def test_operations_name_the_same_workers() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name, (pool, queues) in WORKERS.items():
        assert f"worker -n {name}@%h -Q {','.join(queues)} --pool {pool} -c " in page
    assert f"--pool threads -c {SENDERS}`" in page
