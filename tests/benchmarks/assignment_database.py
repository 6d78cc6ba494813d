"""A batch with its database: a city or the province read, solved, written back; then one placement after another.

python -m tests.benchmarks.assignment_database --scale city|province [--projects 50000] [--one-by-one 200] [--no-batch]
    [--durable]

One placement is measured as the schedule does it: the project locked, its agent found, everything written, committed;
telling the two sides follows in a transaction of its own and is measured apart. ``--pause-ms`` is the pause between
two cases: they come one by one, not in a stream, and a process with real-time priority that never rests is stopped by
the kernel for 50 ms in each second.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select, text

import db
from agents.matching.batch import match
from agents.network_import import CENTRES_FILE, DIVISIONS_FILE, import_network
from agents.roster import Agent
from dispatch.assignment import apply_batch, propose, telling
from dispatch.assignment.assign_one import place_waiting
from dispatch.assignment.matching_input import build_input
from dispatch.cases.expected_dates import due, renew_many
from dispatch.cases.project import Project, ProjectState
from dispatch.core.actor import SYSTEM
from servers.postgres import Postgres
from tests.dispatch.catalogue_files import import_all
from tests.notifications.chaos import make_tables
from web.demo import demand


def timed(found: dict[str, Any], name: str, act: Callable[[], Any]) -> Any:
    """Run it; wall and processor seconds of this process go into ``found``."""
    wall, own = time.perf_counter(), time.process_time()
    answer = act()
    found[name] = {"wall_s": round(time.perf_counter() - wall, 2), "cpu_s": round(time.process_time() - own, 2)}
    return answer


def measure(
    scale: str, projects: int, one_by_one: int, pause_s: float, *, batch: bool, durable: bool
) -> dict[str, Any]:
    """Load, then time each part."""
    db.use_keys(db.Keyring.generate())
    server = Postgres(durable=durable).start()
    try:
        make_tables(server.url)
        sessions = db.sessions(server.url)
        found: dict[str, Any] = {"scale": scale}
        with sessions.begin() as session:
            import_network(session, DIVISIONS_FILE, CENTRES_FILE)
            import_all(session)
        timed(found, "load", lambda: demand.load(sessions, scale=scale))
        grow(sessions, projects)
        settle(sessions)
        if batch:
            _batch(sessions, found)
        _one_after_another(sessions, found, one_by_one, pause_s)
        return found
    finally:
        server.stop()


def _batch(sessions: Any, found: dict[str, Any]) -> None:
    """Read, solve, difference, write back."""
    with sessions() as session:
        found["agents"] = session.scalar(select(func.count()).select_from(Agent))
        found["projects"] = session.scalar(
            select(func.count()).select_from(Project).where(Project.state != ProjectState.CLOSED)
        )
        found["waiting before"] = _waiting(session)
        at = db.now(session)
        question = timed(found, "read", lambda: build_input(session, at=at))
        found["needs"] = len(question.needs)
    answer = timed(found, "solve", lambda: match(question.needs, question.agents, question.network, propose.WEIGHTS))
    found["proven"] = answer.certificate.proven
    with sessions() as session:
        proposal = timed(found, "difference", lambda: propose.difference(session, question, answer))
    found["moves"], found["waits"] = len(proposal.moves), len(proposal.waiting)

    def write() -> apply_batch.AppliedMoves:
        with sessions.begin() as session:
            return apply_batch.apply(session, proposal, by=SYSTEM, at=at)

    applied = timed(found, "write back", write)
    parts = [found[part] for part in ("read", "solve", "difference", "write back")]
    found["read to written"] = {k: round(sum(part[k] for part in parts), 2) for k in ("wall_s", "cpu_s")}
    found["applied"] = [len(applied.done), len(applied.stale), len(applied.full)]
    found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    with sessions.begin() as session:
        found["over capacity"] = session.scalar(
            select(func.count()).select_from(Agent).where(Agent.held > Agent.capacity)
        )
        found["waiting after"] = _waiting(session)
    settle(sessions)


def _one_after_another(sessions: Any, found: dict[str, Any], one_by_one: int, pause_s: float) -> None:
    """One placement after another, telling, forecasts."""
    found["one by one ms"] = _one_by_one(sessions, one_by_one, pause_s)
    with sessions() as session:
        at = db.now(session)

    def tell() -> int:
        with sessions.begin() as session:
            return telling.tell_placed(session, at=at, limit=200)

    timed(found, "200 told", tell)

    def look() -> int:
        with sessions.begin() as session:
            return renew_many(session, due(session, at=at, limit=100), at=at)

    timed(found, "100 forecasts", look)


def grow(sessions: Any, projects: int) -> None:
    """More projects that wait, like those that do, until there are ``projects``; each with a case and its matters."""
    with sessions.begin() as session:
        there = session.scalar(select(func.count()).select_from(Project).where(Project.state != ProjectState.CLOSED))
        more = max(0, projects - int(there or 0))
        while more:
            made = min(more, _waiting(session))
            _copy_waiting(session, made)
            more -= made


def settle(sessions: Any) -> None:
    """What the server does by itself in the minutes after so much was loaded: it would fall into what is measured."""
    with sessions.kw["bind"].connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))


def _copy_waiting(session: Any, count: int) -> None:
    tag = session.scalar(text("SELECT 'x' || count(*) FROM project"))
    new = {
        "project": {"project_no": f"o.project_no || '{tag}'", "project_code": "NULL"},
        "dispatch_case": {
            "project_id": "n.id", "case_no": f"o.case_no || '{tag}'",
            "query_hash": f"sha256((o.case_no || '{tag}')::bytea)",
        },
        "review": {"case_id": "n.id"},
    }  # fmt: skip
    source = {
        "project": f"(SELECT * FROM project WHERE state = 'waiting' ORDER BY id LIMIT {count}) o",
        "dispatch_case": "dispatch_case o JOIN project p ON p.id = o.project_id"
        f" JOIN project n ON n.project_no = p.project_no || '{tag}'",
        "review": "review o JOIN dispatch_case c ON c.id = o.case_id"
        f" JOIN dispatch_case n ON n.case_no = c.case_no || '{tag}'",
    }
    for name, changes in new.items():
        columns = [c.name for c in db.Base.metadata.tables[name].columns if c.name != "id"]
        values = ", ".join(changes.get(c, f'o."{c}"') for c in columns)
        names = ", ".join(f'"{c}"' for c in columns)
        session.execute(text(f"INSERT INTO {name} ({names}) SELECT {values} FROM {source[name]}"))


def _waiting(session: Any) -> int:
    return int(
        session.scalar(select(func.count()).select_from(Project).where(Project.state == ProjectState.WAITING)) or 0
    )


def _one_by_one(sessions: Any, count: int, pause_s: float) -> dict[str, dict[str, float]]:
    """Projects sent back to the waiting list and placed at once, one transaction each."""
    with sessions.begin() as session:
        ids = send_back(session, count)
    taken, told = [], []
    for project_id in ids:
        began = time.perf_counter()
        place_one(sessions, project_id)
        done = time.perf_counter()
        with sessions.begin() as session:
            telling.tell_placed(session, at=db.now(session), project_id=project_id)
        taken.append((done - began) * 1000)
        told.append((time.perf_counter() - done) * 1000)
        time.sleep(pause_s)
    return {"placed": _quantiles(taken), "told": _quantiles(told)}


def place_one(sessions: Any, project_id: int) -> None:
    """One placement, committed, as the schedule makes it."""
    with sessions.begin() as session:
        place_waiting(session, project_id, by=SYSTEM)


def send_back(session: Any, count: int) -> list[int]:
    """So many running projects lose their lead and wait."""
    rows = session.scalars(
        select(Project).where(Project.state == ProjectState.ACTIVE).order_by(func.md5(Project.project_no)).limit(count)
    ).all()
    for project in rows:
        lead = project.lead
        if lead is not None:
            lead.until = db.now(session)
            session.get_one(Agent, lead.agent_id).held -= 1
            session.flush()
        project.state = ProjectState.WAITING
    return [project.id for project in rows]


def _quantiles(taken: list[float]) -> dict[str, float]:
    taken.sort()
    return {"p50": round(taken[len(taken) // 2], 1), "p99": round(taken[int(len(taken) * 0.99)], 1)} if taken else {}


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--scale", choices=("city", "province"), default="city")
    words.add_argument("--one-by-one", type=int, default=200)
    words.add_argument("--projects", type=int, default=0, help="so many in all, running and waiting")
    words.add_argument("--pause-ms", type=float, default=30.0, help="between two cases")
    words.add_argument("--durable", action="store_true", help="the server forces every commit to the disk")
    words.add_argument("--no-batch", action="store_true", help="only one placement after another")
    given = words.parse_args()
    pause_s = given.pause_ms / 1000
    found = measure(
        given.scale, given.projects, given.one_by_one, pause_s, batch=not given.no_batch, durable=given.durable
    )
    print(json.dumps(found, ensure_ascii=False, indent=1))
