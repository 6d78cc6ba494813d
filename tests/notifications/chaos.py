"""Chaos: many messages while workers, broker and database die, and the count of what was lost, doubled or unclear."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

import db
from notifications import outbox, task_publisher, tasks
from notifications.message import OPEN, Message, State
from servers.lifetimes import die_with_parent
from servers.postgres import Postgres
from servers.valkey import Valkey
from tests.notifications.chaos_workers import Storm, as_json
from tests.notifications.provider_server import Behaviour, Provider
from web.wiring import database_schema

ROOT = Path(__file__).parents[2]
VALUES = {"query_code": "K7M2XW9P", "area_name": "武进区"}


@dataclass(frozen=True)
class Plan:
    """How much is sent and how much breaks meanwhile."""

    messages: int
    """At least so many, and on until nothing breaks any more."""
    kills: int
    flushes: int = 0
    broker_restarts: int = 0
    cuts: int = 0
    cut_s: float = 60.0
    database_restarts: int = 0
    workers: int = 2
    rate: float = 0.0
    """Messages a second; 0: as fast as they die."""
    pause_s: float = 1.0
    """Between two breakages of broker or database, after everything due was sent."""
    patience_s: float = 600.0
    at_most_s: float = 3600.0
    """After so long nothing more is broken: what was done is counted, and the report says how much that was."""
    seed: int = 1
    behaviour: Behaviour = field(default_factory=Behaviour)
    storm: dict[str, Any] = field(default_factory=dict)


@dataclass
class Report:
    """What came of it."""

    messages: int = 0
    taken: int = 0
    lost: int = 0
    doubled: int = 0
    unknown: int = 0
    open: int = 0
    states: dict[str, int] = field(default_factory=dict)
    deaths: dict[str, int] = field(default_factory=dict)
    forged_refused: int = 0
    forged_taken: int = 0
    genuine_refused: int = 0
    broken: dict[str, int] = field(default_factory=dict)
    """How often each thing was broken."""
    recoveries_s: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        return sum(self.deaths.values())


def make_tables(url: str) -> None:
    """Every room's tables in a server of its own."""
    database_schema.load_rooms()
    engine = create_engine(url)
    with engine.begin() as connection:
        for extension in ("ltree", "btree_gist", "pg_trgm"):
            connection.execute(text(f"CREATE EXTENSION IF NOT EXISTS {extension}"))
        db.Base.metadata.create_all(connection)
    engine.dispose()


def free_port() -> int:
    with closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def run(
    plan: Plan, *, postgres: Postgres | None, database: str, valkey: Valkey, folder: Path, keyring: db.Keyring
) -> Report:
    """Send ``plan.messages`` through real workers while things break. ``postgres`` is needed only to restart it."""
    began = time.monotonic()
    hook = free_port()
    deaths = folder / "deaths"
    deaths.touch()
    public = "https://daiban.example"
    provider = Provider(plan.behaviour, public=public, hook=f"http://127.0.0.1:{hook}", seed=plan.seed).start()
    storm = Storm(
        database=database,
        broker=valkey.url,
        provider=provider.url,
        hook_port=hook,
        keys=keyring.line(),
        deaths=str(deaths),
        kills=plan.kills,
        workers=plan.workers,
        seed=plan.seed,
        public=public,
        **plan.storm,
    )
    sessions = db.sessions(database)
    app = storm.celery()
    outbox.configure(storm.settings())
    task_publisher.use(tasks.publish)
    fleet = subprocess.Popen(
        [sys.executable, "-m", "tests.notifications.chaos_workers", as_json(storm)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, signal.SIGTERM),
    )
    report = Report()
    calm, posted = threading.Event(), threading.Event()
    poster = threading.Thread(target=_post_all, args=(sessions, plan, deaths, calm, posted, report), daemon=True)
    try:
        poster.start()
        _break_things(plan, postgres, valkey, sessions, report)
        calm.set()
        posted.wait(plan.patience_s)
        _until_settled(sessions, plan, deaths)
        _until_receipts_are_in(provider)
    finally:
        fleet.terminate()
        with suppress(subprocess.TimeoutExpired):  # on a busy machine it may need longer to say goodbye than we wait
            fleet.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(fleet.pid, signal.SIGKILL)
        fleet.wait()
        task_publisher.use(None)
        app.close()
        provider.stop()
    _count(report, sessions, provider, deaths)
    sessions.kw["bind"].dispose()
    report.seconds = time.monotonic() - began
    return report


def _post_all(
    sessions: sessionmaker[Session],
    plan: Plan,
    deaths: Path,
    calm: threading.Event,
    posted: threading.Event,
    report: Report,
) -> None:
    """Messages keep coming as long as something breaks, so that every moment is met while there is work."""
    at_once = 2 if plan.rate else 10
    until = time.monotonic() + plan.patience_s

    def breaks_still() -> bool:
        if plan.rate:
            return not calm.is_set()
        return _dead(deaths) < plan.kills and time.monotonic() < until

    while report.messages < plan.messages or breaks_still():
        first = report.messages
        while True:
            try:
                with sessions.begin() as session:
                    now = db.now(session)
                    for i in range(first, first + at_once):
                        outbox.queue_message(
                            session,
                            outbox.NewMessage(
                                event_key=f"chaos:{i}",
                                text="requested",
                                to=f"+86139{i:08}",
                                values=VALUES | {"case_no": f"{i:019}"},
                                at=now,
                            ),
                        )
                break
            except (OperationalError, DBAPIError):
                time.sleep(0.2)  # the database is away; the event happens when it is back
        report.messages += at_once
        if plan.rate:
            calm.wait(at_once / plan.rate)
        due = plan.kills * min(report.messages / plan.messages, 1) - 2
        while _dead(deaths) < due and time.monotonic() < until:
            time.sleep(0.05)
        if report.messages >= plan.messages and breaks_still():
            time.sleep(0.5)  # the last deaths need work to die at, not a flood
    posted.set()


def _dead(deaths: Path) -> int:
    return deaths.read_text().count("\n")


def _break_things(
    plan: Plan, postgres: Postgres | None, valkey: Valkey, sessions: sessionmaker[Session], report: Report
) -> None:
    def flush() -> None:
        with redis.Redis.from_url(valkey.url) as client:
            client.flushall()

    def restart_broker() -> None:
        valkey.kill()
        valkey.start()

    def cut() -> None:
        assert valkey.pid
        os.kill(valkey.pid, signal.SIGSTOP)
        time.sleep(plan.cut_s)
        os.kill(valkey.pid, signal.SIGCONT)

    def restart_database() -> None:
        assert postgres
        postgres.kill()
        postgres.start()

    todo = [
        *[flush] * plan.flushes,
        *[restart_broker] * plan.broker_restarts,
        *[cut] * plan.cuts,
        *[restart_database] * plan.database_restarts,
    ]
    began = time.monotonic()
    for breakage in todo:
        if time.monotonic() - began > plan.at_most_s:
            return
        time.sleep(plan.pause_s)
        _until_something_waits(sessions)
        breakage()
        report.broken[breakage.__name__] = report.broken.get(breakage.__name__, 0) + 1
        report.recoveries_s.append(_recovery_s(sessions, plan))


def _until_something_waits(sessions: sessionmaker[Session]) -> None:
    """What breaks must meet a message on its way: one that has a task and that nobody has claimed yet."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with sessions() as session:
            if session.scalar(select(Message.id).where(Message.state == State.QUEUED, Message.attempts == 0).limit(1)):
                return
        time.sleep(0.005)


def _recovery_s(sessions: sessionmaker[Session], plan: Plan) -> float:
    """How long until everything that was due when it came back was taken in hand."""
    began = time.monotonic()
    newest: int | None = None
    while time.monotonic() - began < plan.patience_s:
        try:
            with sessions() as session:
                if newest is None:
                    newest = session.scalar(select(func.max(Message.id))) or 0
                left = session.scalar(
                    select(func.count()).where(
                        Message.id <= newest, Message.state == State.QUEUED, Message.attempts == 0
                    )
                )
            if left == 0:
                return time.monotonic() - began
        except OperationalError:
            pass
        time.sleep(0.2)
    return float("inf")


def _until_settled(sessions: sessionmaker[Session], plan: Plan, deaths: Path) -> None:
    until = time.monotonic() + plan.patience_s
    while time.monotonic() < until:
        with sessions() as session:
            open_ones = session.scalar(select(func.count()).where(Message.state.in_(OPEN)))
        if open_ones == 0:
            return
        time.sleep(0.2)


def _until_receipts_are_in(provider: Provider) -> None:
    until = time.monotonic() + 30
    while provider.receipts_waiting() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.3)


def _count(report: Report, sessions: sessionmaker[Session], provider: Provider, deaths: Path) -> None:
    copies = Counter(t.body for t in provider.taken)
    report.taken = len(provider.taken)
    report.doubled = sum(1 for n in copies.values() if n > 1)
    with sessions() as session:
        rows = session.scalars(select(Message)).all()
        for row in rows:
            went = copies[outbox.body_of(session, row, plain=True)]
            if not went and row.state is not State.UNKNOWN:
                report.lost += 1
        states = Counter(row.state.value for row in rows)
    report.states = dict(states)
    report.unknown = states[State.UNKNOWN.value]
    report.open = sum(states[s.value] for s in OPEN)
    report.lost += report.messages - len(rows)
    report.deaths = dict(Counter(deaths.read_text().split("\n")[:-1]))
    answers = Counter(provider.answers)
    report.forged_refused = answers["forged", 403]
    report.forged_taken = answers["forged", 200]
    report.genuine_refused = answers["genuine", 403]
