"""Celery workers that die: a parent forks workers, a beat and a receipt door; each has a moment to die at."""

import json
import os
import random
import signal
import sys
import threading
import time as clock
from dataclasses import dataclass, field
from datetime import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from celery.apps import worker as _worker
from celery.bin import celery as _command
from celery.concurrency import thread as _thread
from celery.worker import autoscale as _autoscale
from celery.worker import components as _components
from celery.worker import consumer as _consumer
from kombu.transport import redis as _redis

import agents.network
import db
import dispatch.cases.case
import dispatch.cases.project
from notifications import crash_points, receipts, task_publisher, tasks
from notifications.settings import GatewayShare, NoticeSettings, TwilioAccount
from servers.lifetimes import die_with_parent
from tests.notifications.provider_server import SID, TOKEN

TABLES = (agents.network, dispatch.cases.case, dispatch.cases.project)
"""Messages refer to these rooms' rows, so whoever writes messages must know their tables."""
READ_BEFORE_THE_FORK = (_worker, _command, _thread, _autoscale, _components, _consumer, _redis)
"""What each worker would read by itself: a thousand of them start."""
AT_THE_DOOR = ("receipt.locked", "receipt.committed")
AT_WORK = tuple(m for m in crash_points.CRASH_POINTS if m not in AT_THE_DOOR)
ANY = "any moment"


@dataclass(frozen=True)
class Storm:
    """Where everything is and how much dies; passed to the children as JSON."""

    database: str
    broker: str
    provider: str
    hook_port: int
    keys: str
    deaths: str
    """The file that gets one line a death."""
    kills: int = 0
    workers: int = 2
    threads: int = 8
    lease_s: float = 6
    timeout_s: float = 2.5
    lag_s: float = 5
    sweep_s: float = 1.0
    publish_again_s: float = 5.0
    seed: int = 1
    patience_s: float = 12.0
    rates: dict[str, float] = field(default_factory=dict)
    public: str = "https://daiban.example"

    def settings(self) -> NoticeSettings:
        return NoticeSettings(
            mainland=(GatewayShare("twilio"),),
            foreign=(GatewayShare("twilio"),),
            twilio={"twilio": TwilioAccount(SID, TOKEN, sender="+15005550006", base_url=self.provider)},
            public_url=self.public,
            broker_url=self.broker,
            rates=self.rates or {"twilio": 10_000.0},
            lease_s=self.lease_s,
            timeout_s=self.timeout_s,
            lag_s=self.lag_s,
            publish_again_s=self.publish_again_s,
            errors_in_a_minute=1_000_000,
            quiet_from=time(0),
            quiet_to=time(0),  # whatever the hour, there is work
        )

    def celery(self) -> Celery:
        app = Celery("chaos", broker=self.broker)
        app.set_default()  # the current app is a thread's own, the default one is everybody's
        app.conf.update(
            task_acks_late=True,
            task_reject_on_worker_lost=True,
            task_ignore_result=True,
            worker_prefetch_multiplier=1,
            worker_hijack_root_logger=False,
            worker_cancel_long_running_tasks_on_connection_loss=True,
            broker_connection_retry_on_startup=True,
            broker_connection_max_retries=None,
            broker_transport_options={
                "visibility_timeout": 3600,
                "unacked_restore_interval": 5,
                "unacked_restore_throttle": 1,
                "socket_timeout": 5,
                "socket_connect_timeout": 2,
                "max_retries": 1,
            },
            task_routes=tasks.ROUTES,
            beat_schedule={
                "sweep": {
                    "task": "notifications.sweep",
                    "schedule": self.sweep_s,
                    "options": {"queue": tasks.UPKEEP, "expires": 5},
                }
            },
        )
        return app

    def wire(self) -> None:
        """In each process, after its fork: keys, database, gateways, task publisher."""
        db.use_keys(db.Keyring.parse(self.keys))
        tasks.configure(self.settings(), db.sessions(self.database, pool_size=min(self.threads + 2, 10)))
        task_publisher.use(tasks.publish)


def die_at(moment: str, reaching: int, storm: Storm) -> None:
    """From now on this process ends itself when it reaches ``moment`` that many times.

    Once it is at work it has some seconds for that; a process whose moment does not come ends at any other.
    """
    lock, left, working = threading.Lock(), [reaching], threading.Event()

    def end(where: str) -> None:
        with open(storm.deaths, "a") as deaths:
            deaths.write(where + "\n")
        os.kill(os.getpid(), signal.SIGKILL)

    def watcher(reached: str) -> None:
        with lock:
            if not working.is_set():
                working.set()
                after = random.uniform(0, 1) if moment == ANY else storm.patience_s
                timer = threading.Timer(after, end, (ANY,))
                timer.daemon = True
                timer.start()
            if reached == moment:
                left[0] -= 1
                if left[0] == 0:
                    end(reached)

    crash_points.watch(watcher)


def work(storm: Storm, app: Celery) -> None:
    storm.wire()
    app.worker_main(
        [
            "worker",
            "--pool=threads",
            f"--concurrency={storm.threads}",
            f"--queues={','.join(tasks.QUEUES)}",
            f"--hostname=w{os.getpid()}@chaos",
            "--without-mingle",
            "--without-gossip",
            "--without-heartbeat",
            f"--loglevel={'INFO' if os.environ.get('CHAOS_LOUD') else 'CRITICAL'}",
        ]
    )


def beat(storm: Storm, app: Celery) -> None:
    app.Beat(schedule=f"{storm.deaths}.beat.{os.getpid()}", loglevel="CRITICAL", quiet=True).run()


def door(storm: Storm, _: Celery) -> None:
    """The receipts' door, as web/hooks.py is in the program: verify, apply, answer."""
    storm.wire()
    settings = storm.settings()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {k: v[0] for k, v in parse_qs(body).items()}
            query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
            signature = self.headers.get("X-Twilio-Signature", "")
            status = 403
            if receipts.verify(settings, query.get("g", ""), self.path, form, signature):
                try:
                    receipts.receive(tasks.delivery_context().sessions, receipts.from_twilio(query, form))
                    status = 200
                except Exception:  # noqa: BLE001  the outer edge: the provider tries again
                    status = 503
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", storm.hook_port), Handler)
    server.daemon_threads = True
    server.serve_forever(0.1)


ROLES = {"work": work, "beat": beat, "door": door}


def main(storm: Storm) -> None:
    """Keep every role filled; whoever dies is followed by another until somebody ends us."""
    app = storm.celery()
    draw = random.Random(storm.seed)
    children: dict[int, str] = {}
    fates = _fates(storm.kills, draw)
    door_fates = [f for f in fates if f[0] in AT_THE_DOOR]
    work_fates = [f for f in fates if f[0] not in AT_THE_DOOR]
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for pid in children:
            os.kill(pid, signal.SIGKILL)

    def fork(role: str) -> None:
        fate = None
        if role == "work" and work_fates:
            fate = work_fates.pop()
        elif role == "door" and door_fates:
            fate = door_fates.pop()
        seed = draw.random()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            die_with_parent(signal.SIGKILL)
            random.seed(seed)
            devnull = os.open(os.devnull, os.O_WRONLY)
            if not os.environ.get("CHAOS_LOUD"):
                os.dup2(devnull, 2)
            os.dup2(devnull, 1)
            if fate:
                die_at(*fate, storm)
            try:
                ROLES[role](storm, app)
            finally:
                os._exit(1)
        children[pid] = role

    signal.signal(signal.SIGTERM, stop)
    for role in ("door", "beat", *["work"] * storm.workers):
        fork(role)
    while children:
        try:
            pid, _ = os.wait()
        except InterruptedError:
            continue
        role = children.pop(pid)
        if not stopping:
            if role == "beat":
                clock.sleep(0.2)
            fork(role)


def _fates(kills: int, draw: random.Random) -> list[tuple[str, int]]:
    """Every named moment in turn, and any moment at all."""
    moments = [*AT_WORK, *AT_THE_DOOR, ANY]
    fates = [(moments[i % len(moments)], draw.randint(1, 3)) for i in range(kills)]
    draw.shuffle(fates)
    # they are taken from the end: a look-up follows a death, so who dies in one is born late
    return sorted(fates, key=lambda fate: not fate[0].startswith("lookup")) if kills < 100 else fates


def as_json(storm: Storm) -> str:
    return json.dumps(vars(storm))


def from_json(line: str) -> Storm:
    values: dict[str, Any] = json.loads(line)
    return Storm(**values)


if __name__ == "__main__":
    main(from_json(sys.argv[1]))
