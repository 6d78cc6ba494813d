"""Throughput of notices: messages a second of the workers against a slow provider, and the share within ten seconds.

python -m tests.benchmarks.notices_throughput --delay-ms 50 --messages 2000
python -m tests.benchmarks.notices_throughput --delay-ms 50 --workers 2 --rate 100 --seconds 300

Workers, poster, provider and database are processes of their own, and the processor time of each is told.
"""

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

import db
from notifications import facts, outbox, task_publisher, tasks
from notifications.facts import NoticeDay
from notifications.message import OPEN, Message
from servers.postgres import Postgres
from servers.valkey import Valkey
from tests.notifications.chaos import ROOT, VALUES, free_port, make_tables
from tests.notifications.chaos_workers import Storm, as_json, from_json
from tests.notifications.provider_server import Behaviour, Provider

WARMING = 200
"""Messages a worker before anything is measured."""
AT_ONCE = 50
"""Messages a transaction, when they are posted as fast as it goes."""
PAGES = 4
"""Threads that post, when it is done at a steady pace."""


# ---------------------------------------------------------------- the other processes


def provide(line: Connection, behaviour: Behaviour, public: str, hook: str) -> None:
    """A provider: says its address, and at the end how often it took each message."""
    with Provider(behaviour, public=public, hook=hook) as provider:
        line.send(provider.url)
        line.recv()
        line.send(Counter(one.reference.partition(".")[0] for one in provider.taken))


def post_all(line: Connection, storm_line: str, messages: int, rate: float) -> None:
    """What the pages do: post, one message a transaction at ``rate`` a second by several threads, as a server of pages
    has them, or as fast as one can; and ring.

    Some messages go before, so that every process has started and read what it needs when the clock starts.
    """
    storm = from_json(storm_line)
    db.use_keys(db.Keyring.parse(storm.keys))
    app = storm.celery()
    outbox.configure(storm.settings())
    task_publisher.use(tasks.publish)
    sessions = db.sessions(storm.database)
    _post(sessions, range(-WARMING * storm.workers, 0), 0)
    line.send("warming")
    line.recv()
    began, used = time.monotonic(), time.process_time()
    _post(sessions, range(messages), rate)
    line.send((time.monotonic() - began, time.process_time() - used))
    app.close()


def _post(sessions: sessionmaker[Session], numbers: range, rate: float) -> None:
    if not rate:
        for first in range(numbers.start, numbers.stop, AT_ONCE):
            _post_together(sessions, range(first, min(first + AT_ONCE, numbers.stop)))
        return
    began = time.monotonic()

    def post_a_share(share: range) -> None:
        for i in share:
            if (early := began + i / rate - time.monotonic()) > 0:
                time.sleep(early)
            _post_together(sessions, range(i, i + 1))

    with ThreadPoolExecutor(PAGES) as pages:
        list(pages.map(post_a_share, [numbers[n::PAGES] for n in range(PAGES)]))


def _post_together(sessions: sessionmaker[Session], numbers: Iterable[int]) -> None:
    with sessions.begin() as session:
        for i in numbers:
            outbox.queue_message(
                session,
                outbox.NewMessage(
                    event_key=f"b{i}",
                    text="requested",
                    to=f"+86139{i + 10_000:08}",
                    values=VALUES | {"case_no": f"{i:019}"},
                    at=db.now(session),
                ),
            )


# ---------------------------------------------------------------- what a process costs


def _fields(pid: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def members(group: int) -> list[str]:
    """The processes of the group that ``group`` leads."""
    return [p.name for p in Path("/proc").iterdir() if p.name.isdigit() and _fields(p.name)[2:3] == [str(group)]]


def children(parent: int) -> list[str]:
    """The processes that ``parent`` started, and itself."""
    found = [p.name for p in Path("/proc").iterdir() if p.name.isdigit() and _fields(p.name)[1:2] == [str(parent)]]
    return [str(parent), *found]


def memory_mb(pids: Iterable[str]) -> float:
    """Resident megabytes of these processes."""
    pages = 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def processor_s(pids: Iterable[str]) -> float:
    """Seconds of processor time that these processes and their ended children took so far."""
    ticks = sum(sum(map(int, fields[11:15])) for pid in pids if (fields := _fields(pid)))
    return ticks / os.sysconf("SC_CLK_TCK")


# ---------------------------------------------------------------- one run


def measure(args: argparse.Namespace) -> dict[str, object]:
    """Post, wait, count."""
    db.use_keys(db.Keyring.generate())
    folder = Path(tempfile.mkdtemp(prefix="notices-"))
    postgres, valkey = Postgres().start(), Valkey().start()
    make_tables(postgres.url)
    hook, public = free_port(), "https://daiban.example"
    spawn = multiprocessing.get_context("spawn")
    behaviour = Behaviour(delay_s=args.delay_ms / 1000, receipts=("delivered",) if args.receipts else ())
    to_provider, line = spawn.Pipe()
    provider = spawn.Process(target=provide, args=(line, behaviour, public, f"http://127.0.0.1:{hook}"), daemon=True)
    provider.start()
    storm = Storm(
        database=postgres.url,
        broker=valkey.url,
        provider=to_provider.recv(),
        hook_port=hook,
        keys=db.keyring().line(),
        deaths=str(folder / "deaths"),
        workers=args.workers,
        threads=args.threads,
        lease_s=60,
        timeout_s=20,
        sweep_s=10,
        publish_again_s=60,
        public=public,
    )
    messages = args.rate * args.seconds if args.rate else args.messages
    to_poster, line = spawn.Pipe()
    poster = spawn.Process(target=post_all, args=(line, as_json(storm), messages, args.rate), daemon=True)
    poster.start()
    fleet = subprocess.Popen(
        [sys.executable, "-m", "tests.notifications.chaos_workers", as_json(storm)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MALLOC_ARENA_MAX": "2"},  # as `make run` starts its workers
        start_new_session=True,
    )
    sessions = db.sessions(postgres.url)
    parts = {
        "workers": lambda: members(fleet.pid),
        "provider": lambda: [str(provider.pid)],
        "database": lambda: children(postgres.pid or 0),
        "broker": lambda: [str(valkey.pid)],
    }
    try:
        to_poster.recv()
        while _open(sessions):
            time.sleep(0.2)
        early = _within_10s(sessions)
        before = {name: processor_s(pids()) for name, pids in parts.items()}
        memory: list[float] = [memory_mb(members(fleet.pid))]
        began, posted = time.monotonic(), None
        to_poster.send("go")
        while True:
            if posted is None and to_poster.poll():
                posted = to_poster.recv()
            if posted is not None and not _open(sessions):
                break
            if time.monotonic() - began > 30 * len(memory):
                memory.append(memory_mb(members(fleet.pid)))
            time.sleep(0.2)
        took_s = time.monotonic() - began
        memory.append(memory_mb(members(fleet.pid)))
        used = {name: processor_s(pids()) - before[name] for name, pids in parts.items()} | {"poster": posted[1]}
        to_provider.send("stop")
        taken: Counter[str] = to_provider.recv()
        all_together = messages + WARMING * args.workers
        return {
            "messages": messages,
            "lost": all_together - len(taken),
            "doubled": sum(times > 1 for times in taken.values()),
            "delay_ms": args.delay_ms,
            "workers": args.workers,
            "threads": args.threads,
            "posted_a_second": round(messages / posted[0], 1),
            "sent_a_second": round(messages / took_s, 1),
            "share_within_10s": round((_within_10s(sessions) - early) / messages, 4),
            "ms_a_message": {name: round(1000 * s / messages, 1) for name, s in used.items()},
            "workers_mb": memory,
            "load": round(os.getloadavg()[0], 1),
        }
    finally:
        os.killpg(fleet.pid, signal.SIGKILL)
        fleet.wait()
        for process in (poster, provider):
            process.kill()
            process.join()
        sessions.kw["bind"].dispose()
        valkey.stop()
        postgres.stop()


def _open(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).where(Message.state.in_(OPEN))) or 0


def _within_10s(sessions: sessionmaker[Session]) -> int:
    left = 1
    while left:
        with sessions.begin() as session:
            left = facts.fold(session)  # adds what happened to its day
    with sessions() as session:
        return int(session.scalar(select(func.sum(NoticeDay.n)).where(NoticeDay.measure == "within_10s")) or 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay-ms", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--receipts", action="store_true")
    sys.stdout.write(json.dumps(measure(parser.parse_args())) + "\n")


if __name__ == "__main__":
    main()
