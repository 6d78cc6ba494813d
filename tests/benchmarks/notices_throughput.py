"""Throughput of notices: messages a second of one worker against a slow provider, share within ten seconds.

python -m tests.benchmarks.notices_throughput --delay-ms 50 --threads 16 --messages 2000
python -m tests.benchmarks.notices_throughput --delay-ms 50 --threads 32 --workers 2 --rate 100 --seconds 300
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

import db
from notifications import outbox, sweep, tasks
from notifications.facts import NoticeDay
from notifications.message import OPEN, Message
from servers import Postgres, Valkey
from tests.notifications.chaos import ROOT, VALUES, free_port, make_tables
from tests.notifications.chaos_workers import Storm, as_json
from tests.notifications.provider_server import Behaviour, Provider


def memory_mb(leader: int) -> float:
    """Resident megabytes of the workers: every process of the group that ``leader`` leads."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[2]) == leader:
                    total += int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (OSError, ValueError, IndexError):
                continue
    return round(total / 1e6, 1)


def measure(args: argparse.Namespace) -> dict[str, object]:
    """Post, wait, count."""
    db.use_keys(db.Keyring.generate())
    folder = Path(tempfile.mkdtemp(prefix="notices-"))
    postgres, valkey = Postgres().start(), Valkey().start()
    hook = free_port()
    public = "https://daiban.example"
    behaviour = Behaviour(delay_s=args.delay_ms / 1000, receipts=("delivered",) if args.receipts else ())
    provider = Provider(behaviour, public=public, hook=f"http://127.0.0.1:{hook}").start()
    make_tables(postgres.url)
    storm = Storm(
        database=postgres.url,
        broker=valkey.url,
        provider=provider.url,
        hook_port=hook,
        keys=db.keyring().line(),
        deaths=str(folder / "deaths"),
        workers=args.workers,
        threads=args.threads,
        lease_s=60,
        timeout_s=20,
        sweep_s=10,
        public=public,
    )
    app = storm.celery()
    outbox.configure(storm.settings())
    outbox.use_doorbell(tasks.ring)
    sessions = db.sessions(postgres.url)
    fleet = subprocess.Popen(
        [sys.executable, "-m", "tests.notifications.chaos_workers", as_json(storm)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        time.sleep(args.warm_s)
        messages = args.rate * args.seconds if args.rate else args.messages
        before = memory_mb(fleet.pid)
        began = time.monotonic()
        at_once = 1 if args.rate else 50
        for first in range(0, messages, at_once):
            if args.rate and (early := began + first / args.rate - time.monotonic()) > 0:
                time.sleep(early)
            with sessions.begin() as session:
                for i in range(first, min(first + at_once, messages)):
                    outbox.post(
                        session,
                        event_key=f"b{i}",
                        text="requested",
                        to=f"+86139{i:08}",
                        values=VALUES | {"case_no": f"{i:019}"},
                        at=db.now(session),
                    )
        posted_s = time.monotonic() - began
        while True:
            with sessions() as session:
                if not session.scalar(select(func.count()).where(Message.state.in_(OPEN))):
                    break
            time.sleep(0.2)
        took_s = time.monotonic() - began
        after = memory_mb(fleet.pid)
        with sessions.begin() as session:
            sweep.sweep(session, storm.settings())
        with sessions() as session:
            day = dict(
                session.execute(select(NoticeDay.measure, func.sum(NoticeDay.n)).group_by(NoticeDay.measure)).all()
            )
        return {
            "messages": messages,
            "taken": len(provider.taken),
            "delay_ms": args.delay_ms,
            "workers": args.workers,
            "threads": args.threads,
            "posted_s": round(posted_s, 1),
            "took_s": round(took_s, 1),
            "messages_a_second": round(messages / took_s, 1),
            "share_within_10s": round(int(day.get("within_10s", 0)) / messages, 4),
            "workers_mb_before": before,
            "workers_mb_after": after,
        }
    finally:
        os.killpg(fleet.pid, signal.SIGKILL)
        fleet.wait()
        outbox.use_doorbell(None)
        app.close()
        sessions.kw["bind"].dispose()
        provider.stop()
        valkey.stop()
        postgres.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay-ms", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--warm-s", type=float, default=8)
    parser.add_argument("--receipts", action="store_true")
    sys.stdout.write(json.dumps(measure(parser.parse_args())) + "\n")


if __name__ == "__main__":
    main()
