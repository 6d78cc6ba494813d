"""Run: what `make run` starts: the servers, the network and a demo day, the pages, the workers and the schedule."""

import errno
import fcntl
import functools
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import psycopg

import db
from notifications.settings import NoticeSettings
from servers import Postgres, ServerFailed, Valkey, ending, place_for, telling_line
from web.wiring.supervisor import Command, Supervisor, take_charge
from web.wiring.worker_watchdog import SILENT, Watch

ROOT = Path(__file__).resolve().parent.parent
FIRST_PORT, LAST_PORT = 8000, 8099
READY_S = 300.0
LOGINS = "demo accounts"  # what a demo says last begins with these words, and is said again at every start

# Who does what: each worker with its pool and its queues (a test holds that no queue is forgotten).
WORKERS = {
    "notices": ("threads", ("notices-urgent", "notices", "notices-upkeep")),
    "jobs": ("prefork", ("jobs", "celery")),
}
SENDER = "notices"  # who is started again when messages are due and nobody sends them
SENDERS = 32  # its threads: they wait for providers, and sixteen at half a second a call are no more than 32 a second


class Part(NamedTuple):
    """What the database must hold: done again only when a file that it is made of changes."""

    mark: str
    title: str
    command: tuple[str, ...]
    named: tuple[str, ...]
    made_of: tuple[str, ...]


CALENDARS = ("dispatch/data/calendar_*.csv",)
PARTS = (
    Part("tables", "the tables", ("db", "upgrade"), (), ("web/migrations/**/*.py",)),
    Part("network", "Jiangsu's network", ("network", "import"), ("agents/data/network.csv",), ("agents/data/*.csv",)),
    Part("calendar", "the working-day calendar", ("calendar", "import"), CALENDARS, CALENDARS),
    Part(
        "catalog",
        "the catalogue of matters",
        ("catalog", "import"),
        ("dispatch/data/catalog_*.csv",),
        ("dispatch/data/*.csv",),
    ),
)


class CannotRun(RuntimeError):
    """The program cannot be started. The message is one line: why, and what can be done."""


class Stopped(Exception):
    """Somebody asked us to end before everything ran."""


# ---------------------------------------------------------------- the address


def listen(environ: Mapping[str, str], patience_s: float = 0) -> socket.socket:
    """A socket that the pages will answer on: PORT or nothing, else the first free one from 8000 on."""
    host, wish = environ.get("HOST", "").strip() or "127.0.0.1", environ.get("PORT", "").strip()
    if wish and not (wish.isascii() and wish.isdigit() and 1 <= int(wish) <= 65535):
        raise CannotRun(f"PORT must be a number from 1 to 65535, not {wish!r}")
    deadline = time.monotonic() + patience_s
    while True:
        for port in [int(wish)] if wish else range(FIRST_PORT, LAST_PORT + 1):
            try:
                return socket.create_server((host, port), backlog=256)
            except PermissionError as error:
                raise CannotRun(f"port {port} may not be used by this account: choose one above 1023") from error
            except socket.gaierror as error:
                raise CannotRun(f"HOST {host!r} is no address of this machine") from error
            except OSError as error:
                refusal = error
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)  # what a killed run left behind is just ending
    if wish:
        why = os.strerror(refusal.errno or errno.EADDRINUSE)
        raise CannotRun(f"port {wish} is taken ({why}): choose another with PORT=…") from refusal
    raise CannotRun(f"no port from {FIRST_PORT} to {LAST_PORT} is free: choose one with PORT=…") from refusal


# ---------------------------------------------------------------- one run a home


class Home:
    """The folder of one installation: a lock, the addresses of what runs, marks of what was prepared, logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.addresses = folder / "run.env"
        self.marks = folder / "prepared.json"
        self.logins = folder / "demo-logins.txt"
        self._lock: IO[str] | None = None
        self.was_killed = False

    def lock(self) -> None:
        """Be the only run here. Raises CannotRun with the other's address."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = open(self.folder / "run.lock", "a+")  # noqa: SIM115  held until we end
        except OSError as error:
            raise CannotRun(f"cannot write to {self.folder}: {error.strerror}") from error
        self._lock.seek(0)
        said = self._lock.read().strip()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise CannotRun(f"already running from {self.folder}: {said or 'it is just starting'}") from None
        self.was_killed = bool(said)

    def announce(self, line: str) -> None:
        """What a second `make run` will be told."""
        assert self._lock
        self._lock.truncate(0)
        self._lock.write(line)
        self._lock.flush()

    def write_addresses(self, addresses: Mapping[str, str]) -> None:
        """For `flask` in another terminal: where the running servers are."""
        text = "# Written by `make run`, removed when it ends.\n" + "".join(f"{k}={v}\n" for k, v in addresses.items())
        with os.fdopen(os.open(self.addresses, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def marked(self) -> dict[str, Any]:
        """What was prepared, by part."""
        try:
            marks = json.loads(self.marks.read_text())
        except (OSError, ValueError):
            return {}
        return marks if isinstance(marks, dict) else {}

    def mark(self, part: str, value: str) -> None:
        """Remember that a part is done with this input."""
        self.marks.write_text(json.dumps({**self.marked(), part: value}, indent=1))

    def empty(self, name: str) -> Path:
        """A folder for what lasts as long as this run."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir()
        return self.folder / name

    def leave(self) -> None:
        """We ended in good order."""
        self.addresses.unlink(missing_ok=True)
        if self._lock:
            self._lock.truncate(0)
            self._lock.close()


# ---------------------------------------------------------------- what the database must hold


def files(patterns: Iterable[str]) -> list[Path]:
    """The project's files of these patterns, in order."""
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())


def digest(paths: Iterable[Path], *more: str) -> str:
    """One word that changes when a file or the database does."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in paths:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def identity(database_url: str) -> str:
    """Which database this is: another one, or one restored elsewhere, is prepared anew."""
    with psycopg.connect(plain(database_url)) as connection:
        row = connection.execute(
            "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database "
            "WHERE datname = current_database()"
        ).fetchone()
    return str(row[0]) if row else ""


def has_projects(database_url: str) -> bool:
    """Whether somebody's work is in there already."""
    with psycopg.connect(plain(database_url)) as connection:
        row = connection.execute("SELECT to_regclass('project') IS NOT NULL").fetchone()
        if row is None or not row[0]:
            return False
        row = connection.execute("SELECT EXISTS (SELECT FROM project)").fetchone()
    return bool(row and row[0])


def plain(database_url: str) -> str:
    """The URL as psycopg itself reads it."""
    return db.psycopg_url(database_url).replace("+psycopg", "", 1)


# ---------------------------------------------------------------- the run


class LocalRun:
    """One `make run`, from the lock to the last process."""

    def __init__(self, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        self.environ = dict(environ)
        self.say = say
        self.home = Home(db.home())
        self.supervisor = Supervisor(lambda line: say(f"  {time.strftime('%H:%M:%S')}  {line}"))
        self.watch: Watch | None = None
        self.stopping = 0

    def main(self) -> int:
        """Start, watch, end. Returns the exit code."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if sign != signal.SIGHUP or signal.getsignal(sign) != signal.SIG_IGN:  # nohup means to stay
                signal.signal(sign, self._asked_to_stop)
        began = time.monotonic()
        self.home.lock()
        try:
            with listen(self.environ, patience_s=10 if self.home.was_killed else 0) as door:
                self._start(door)
                self.say(f"\n  Ready after {time.monotonic() - began:.1f} s: {self.address(door)}\n{self._welcome()}")
                while not self.stopping:
                    self.supervisor.look()
                    if self.watch:
                        self.watch.act()
                    time.sleep(0.1)
        except Stopped:
            pass
        finally:
            if self.watch:
                self.watch.stop()
            if self.supervisor.is_watching():
                self.say("\n  Ending …")
                self.supervisor.stop()
                self.say("  Everything has ended; the data stays.")
            self.home.leave()
        return 0

    def _asked_to_stop(self, _sign: int, _frame: object) -> None:
        self.stopping += 1

    def _go_on(self) -> None:
        if self.stopping:
            raise Stopped

    def address(self, door: socket.socket) -> str:
        """What to type into a browser."""
        host, port = door.getsockname()[:2]
        return f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"  # noqa: S104

    def _start(self, door: socket.socket) -> None:
        address = self.address(door)
        self.home.announce(f"{address} (process {os.getpid()})")
        embedded = self._start_servers()
        self.environ["PORT"] = address.rsplit(":", 1)[1]
        self.environ["PROMETHEUS_MULTIPROC_DIR"] = str(self.home.empty("metrics"))
        # glibc gives threads heaps of their own, and each keeps what its thread once needed: memory that only grows
        self.environ.setdefault("MALLOC_ARENA_MAX", "2")
        self.home.write_addresses({name: self.environ[name] for name in ("DATABASE_URL", "BROKER_URL", "PORT")})
        self._prepare(demo=embedded and self.environ.get("DEMO", "yes").lower() not in {"no", "0", "false"})
        door.set_inheritable(True)
        web, *others = self._commands(door)
        self._go_on()
        self.supervisor.add(web)
        self._await(door, web)  # the cores belong to the pages first
        for command in others:
            self.supervisor.add(command)
        sender = next(command for command in others if command.name == SENDER)
        restart = functools.partial(self.supervisor.restart, sender, SILENT)
        self.watch = Watch(self.environ["DATABASE_URL"], NoticeSettings(), restart)
        self.watch.start()

    def _start_servers(self) -> bool:
        """Start what DATABASE_URL and BROKER_URL do not name, and name it there. Whether the database is ours."""
        began, started = time.monotonic(), []
        embedded = not self.environ.get("DATABASE_URL", "").strip()
        place = place_for(self.home.folder)
        if place != self.home.folder:
            self.say(f"  The database's data is in {place}, because its account cannot reach {self.home.folder}.")
        for variable, server in (("DATABASE_URL", Postgres), ("BROKER_URL", Valkey)):
            self._go_on()
            if not self.environ.get(variable, "").strip():
                running = server(place, durable=True)
                self.supervisor.add(running)
                self.environ[variable] = running.url
                started.append(running.title)
        if started:
            self.say(f"  {' and '.join(started)}: running after {time.monotonic() - began:.1f} s")
        return embedded

    def _prepare(self, *, demo: bool) -> None:
        url = self.environ["DATABASE_URL"]
        try:
            which, marked = identity(url), self.home.marked()
        except psycopg.Error as error:
            raise CannotRun(f"the database does not answer: {str(error).splitlines()[0]}") from error
        for part in PARTS:
            wanted = digest(files(part.made_of), which)
            if marked.get(part.mark) != wanted:
                self._flask(part.title, [*part.command, *(str(path.relative_to(ROOT)) for path in files(part.named))])
                self.home.mark(part.mark, wanted)
        if demo and marked.get("demo") != which:
            if not has_projects(url):
                logins = self._flask("a demo day in 武进区", ["demo", "load"])
                self.home.logins.touch(0o600)
                self.home.logins.write_text(logins[max(0, logins.find(LOGINS)) :])
            self.home.mark("demo", which)

    def _flask(self, title: str, words: list[str]) -> str:
        """One of the program's own commands. Returns what it printed."""
        began = time.monotonic()
        self.say(f"  {title} …")
        log = self.home.logs / "setup.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = Command(
            " ".join(words),
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            log=log,
            environment=self.environ,
            folder=ROOT,
        )
        said_before = log.stat().st_size if log.exists() else 0
        command.start()
        said, shown = "", 0
        try:
            how = None
            while how is None:
                self._go_on()
                time.sleep(0.05)
                how = command.ending()
                said = log.read_bytes()[said_before:].decode(errors="replace")
                lines = said.partition(LOGINS)[0].splitlines()[: said.count("\n")]
                for line in lines[shown:]:
                    if line.startswith("  "):  # its progress; the rest is for the log
                        self.say(f"  {line}")
                shown = max(shown, len(lines))
        finally:
            command.stop()
        if how != ending(0):
            raise CannotRun(f"{' '.join(words[:2])}: {telling_line(said)} (log: {log})")
        self.say(f"  {title}: done in {time.monotonic() - began:.0f} s")
        return said

    def _commands(self, door: socket.socket) -> list[Command]:
        python = [sys.executable, "-m"]
        gunicorn = [*python, "gunicorn", "wsgi:app", "--bind", f"fd://{door.fileno()}", "--no-control-socket"]
        gunicorn += ["--preload", "--worker-class", "gthread", "--workers", self.environ.get("WEB_CONCURRENCY") or "2"]
        gunicorn += ["--threads", "8", "--timeout", "60", "--graceful-timeout", "5"]
        celery = [*python, "celery", "-A", "wsgi:celery"]
        programs: list[tuple[str, list[str], list[int]]] = [("web", gunicorn, [door.fileno()])]
        for name, (pool, queues) in WORKERS.items():
            at_once = SENDERS if pool == "threads" else max(1, (os.cpu_count() or 1) - 1)
            words = ["worker", "-n", f"{name}@%h", "-Q", ",".join(queues), "--pool", pool, "-c", str(at_once)]
            programs.append((name, [*celery, *words, "--loglevel", "INFO", "--without-gossip", "--without-mingle"], []))
        schedule = str(self.home.folder / "beat-schedule")
        programs.append(("beat", [*celery, "beat", "--loglevel", "INFO", "-s", schedule], []))
        return [
            Command(
                name, words, log=self.home.logs / f"{name}.log", environment=self.environ, folder=ROOT, pass_fds=fds
            )
            for name, words, fds in programs
        ]

    def _await(self, door: socket.socket, web: Command) -> None:
        """The pages answer, or CannotRun with what they said last."""
        deadline = time.monotonic() + READY_S
        while not answers(*door.getsockname()[:2]):
            self._go_on()
            self.supervisor.look()
            if self.supervisor.failures(web) >= 3 or time.monotonic() > deadline:
                raise CannotRun(f"the pages do not start: {web.last_words()} (log: {web.log})")
            time.sleep(0.1)

    def _welcome(self) -> str:
        lines = self.home.logins.read_text().splitlines() if self.home.logins.exists() else []
        shown = "".join(f"    {line}\n" for line in lines if line.strip())
        return f"{shown}\n  Logs: {self.home.logs} · Ctrl-C ends everything and keeps the data."


def answers(host: str, port: int) -> bool:
    """Whether the pages say that they are well."""
    connection = http.client.HTTPConnection("127.0.0.1" if host in {"0.0.0.0", "::"} else host, port, timeout=2)  # noqa: S104
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    """The command line."""
    take_charge()
    try:
        return LocalRun(os.environ, lambda line: print(line, flush=True)).main()
    except (CannotRun, ServerFailed) as failure:
        print(f"daiban: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
