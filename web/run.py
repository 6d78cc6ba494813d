"""Run: what `make run` starts: the servers, the network and a demo day, the pages, the workers and the schedule."""

import functools
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping

import psycopg

import db
from notifications.settings import NoticeSettings
from servers.accounts import ServerFailed
from servers.lifetimes import ending, error_line
from servers.postgres import Postgres
from servers.valkey import Valkey
from web.wiring.database_content import PARTS, ROOT, has_projects, identity
from web.wiring.ports import address_of, answers, listen
from web.wiring.run_home import CannotRun, RunHome, metrics_place
from web.wiring.server_place import place_for
from web.wiring.settings import keys_from
from web.wiring.supervisor import Command, Supervisor, take_charge
from web.wiring.worker_watchdog import SILENT, Watch

READY_S = 300.0
DEMO_LOGINS = "demo accounts"  # what `demo load` prints last begins with these words; it is shown again at every start
NO_LOGINS = "    make operator    prints a link, good once, by which the first operator comes in\n"

# Who does what: each worker with its pool and its queues (a test holds that no queue is forgotten).
WORKERS = {
    "notices": ("threads", ("notices-urgent", "notices", "notices-upkeep")),
    "jobs": ("prefork", ("jobs", "celery")),
}
SENDER = "notices"  # who is started again when messages are due and nobody sends them
SENDERS = 32  # its threads: they wait for providers, and sixteen at half a second a call are no more than 32 a second


class StopRequested(Exception):
    """Somebody asked us to end before everything ran."""


class LocalRun:
    """One `make run`, from the lock to the last process."""

    def __init__(self, environ: Mapping[str, str], show: Callable[[str], None]) -> None:
        self.environ = dict(environ)
        self.show = show
        self.home = RunHome(db.home())
        self.supervisor = Supervisor(lambda line: show(f"  {time.strftime('%H:%M:%S')}  {line}"))
        self.watch: Watch | None = None
        self.stopping = 0

    def main(self) -> int:
        """Start, watch, end. Returns the exit code."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if sign != signal.SIGHUP or signal.getsignal(sign) != signal.SIG_IGN:  # nohup means to stay
                signal.signal(sign, self._on_stop_signal)
        began = time.monotonic()
        self.home.lock()
        try:
            with listen(self.environ, patience_s=10 if self.home.was_killed else 0) as door:
                self._start(door)
                self.show(f"\n  Ready after {time.monotonic() - began:.1f} s: {address_of(door)}\n{self._welcome()}")
                while not self.stopping:
                    self.supervisor.look()
                    if self.watch:
                        self.watch.act()
                    time.sleep(0.1)
        except StopRequested:
            pass
        finally:
            if self.watch:
                self.watch.stop()
            if self.supervisor.is_watching():
                self.show("\n  Ending …")
                self.supervisor.stop()
                self.show("  Everything has ended; the data stays.")
            self.home.leave()
        return 0

    def _on_stop_signal(self, _sign: int, _frame: object) -> None:
        self.stopping += 1

    def _check_not_stopped(self) -> None:
        if self.stopping:
            raise StopRequested

    def _start(self, door: socket.socket) -> None:
        try:
            db.keyring()
        except db.BadKeys as error:
            raise CannotRun(f"{keys_from(self.environ)}: {error}") from None
        address = address_of(door)
        self.home.announce(f"{address} (process {os.getpid()})")
        embedded = self._start_servers()
        self.environ["PORT"] = address.rsplit(":", 1)[1]
        self.environ.update(metrics_place(self.home.folder))
        # glibc gives threads heaps of their own, and each keeps what its thread once needed: memory that only grows
        self.environ.setdefault("MALLOC_ARENA_MAX", "2")
        self.home.write_addresses({name: self.environ[name] for name in ("DATABASE_URL", "BROKER_URL", "PORT")})
        self._fill_database(demo=embedded and self.environ.get("DEMO", "yes").lower() not in {"no", "0", "false"})
        door.set_inheritable(True)
        web, *others = self._commands(door)
        self._check_not_stopped()
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
            self.show(f"  The database's data is in {place}, because its account cannot reach {self.home.folder}.")
        for variable, server in (("DATABASE_URL", Postgres), ("BROKER_URL", Valkey)):
            self._check_not_stopped()
            if not self.environ.get(variable, "").strip():
                running = server(place, durable=True)
                self.supervisor.add(running)
                self.environ[variable] = running.url
                started.append(running.title)
        if started:
            self.show(f"  {' and '.join(started)}: running after {time.monotonic() - began:.1f} s")
        return embedded

    def _fill_database(self, *, demo: bool) -> None:
        """Bring in what changed since the last start, and a demo day where nobody works yet."""
        url = self.environ["DATABASE_URL"]
        try:
            which, marked = identity(url), self.home.marked()
        except psycopg.Error as error:
            raise CannotRun(f"the database does not answer: {str(error).splitlines()[0]}") from error
        for part in PARTS:
            state = part.state(which)
            if marked.get(part.mark) != state:
                self._flask(part.title, part.command_line())
                self.home.mark(part.mark, state)
        if demo and marked.get("demo") != which:
            if not has_projects(url):
                logins = self._flask("a demo day in 武进区", ["demo", "load"])
                self.home.logins.touch(0o600)
                self.home.logins.write_text(logins[max(0, logins.find(DEMO_LOGINS)) :])
            self.home.mark("demo", which)

    def _flask(self, title: str, words: list[str]) -> str:
        """One of the program's own commands. Returns what it printed."""
        began = time.monotonic()
        self.show(f"  {title} …")
        log = self.home.logs / "setup.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = Command(
            " ".join(words),
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
            log=log,
            environment=self.environ,
            folder=ROOT,
        )
        log_begins_at = log.stat().st_size if log.exists() else 0
        command.start()
        printed, shown = "", 0
        try:
            how = None
            while how is None:
                self._check_not_stopped()
                time.sleep(0.05)
                how = command.ending()
                printed = log.read_bytes()[log_begins_at:].decode(errors="replace")
                shown = self._show_progress(printed, shown)
        finally:
            command.stop()
        if how != ending(0):
            raise CannotRun(f"{' '.join(words[:2])}: {error_line(printed)} (log: {log})")
        self.show(f"  {title}: done in {time.monotonic() - began:.0f} s")
        return printed

    def _show_progress(self, printed: str, shown: int) -> int:
        """Show the whole lines beyond the first ``shown`` that begin with a space; the rest is for the log."""
        lines = printed.partition(DEMO_LOGINS)[0].splitlines()[: printed.count("\n")]
        for line in lines[shown:]:
            if line.startswith("  "):
                self.show(f"  {line}")
        return max(shown, len(lines))

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
        """The pages answer, or CannotRun with the last line of their log."""
        deadline = time.monotonic() + READY_S
        while not answers(*door.getsockname()[:2]):
            self._check_not_stopped()
            self.supervisor.look()
            if self.supervisor.failures(web) >= 3 or time.monotonic() > deadline:
                raise CannotRun(f"the pages do not start: {web.last_words()} (log: {web.log})")
            time.sleep(0.1)

    def _welcome(self) -> str:
        lines = self.home.logins.read_text().splitlines() if self.home.logins.exists() else []
        shown = "".join(f"    {line}\n" for line in lines if line.strip()) or NO_LOGINS
        return f"{shown}\n  Logs: {self.home.logs} · Ctrl-C ends everything and keeps the data."


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
