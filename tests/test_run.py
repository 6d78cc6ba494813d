"""`make run`: what ends is started again, what cannot start says why in one line, and nothing outlives it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifications import tasks
from servers.accounts import ServerFailed
from servers.lifetimes import is_alive, until
from servers.postgres import Postgres
from servers.server import free_port
from web import run
from web.wiring import database_content, jobs
from web.wiring.ports import FIRST_PORT, LAST_PORT, listen
from web.wiring.run_home import CannotRun, RunHome
from web.wiring.server_place import place_for
from web.wiring.settings import CHECKS
from web.wiring.supervisor import BACK_OFF_S, STEADY_S, Command, Supervisor

CHILD = "import time; time.sleep(600)"
PARENT = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{CHILD}'])"]


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Frail:
    """A child that ends when it is told to, or cannot start."""

    name = "frail"

    def __init__(self) -> None:
        self.starts, self.ended, self.refusal = 0, True, ""

    def start(self) -> None:
        if self.refusal:
            raise ServerFailed(self.refusal)
        self.starts, self.ended = self.starts + 1, False

    def ending(self) -> str | None:
        return "was ended by SIGKILL" if self.ended else None

    def stop(self) -> None:
        self.ended = True


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(said: list[str], clock: Clock) -> Supervisor:
    return Supervisor(said.append, clock)


# ---------------------------------------------------------------- the supervisor


def test_a_child_that_ends_is_started_again_and_it_is_said_why(supervisor: Supervisor, said: list[str], clock: Clock):
    child = Frail()
    supervisor.add(child)
    child.ended = True
    supervisor.look()
    assert child.starts == 1
    clock.now_s += BACK_OFF_S[0]
    supervisor.look()
    assert child.starts == 2
    assert said == ["frail was ended by SIGKILL: it is started again"]


def test_a_child_that_keeps_ending_is_tried_less_and_less_often(supervisor: Supervisor, said: list[str], clock: Clock):
    child = Frail()
    supervisor.add(child)
    waits = []
    for _ in range(8):
        child.ended = True
        supervisor.look()
        began, starts = clock.now_s, child.starts
        while child.starts == starts:
            clock.now_s += 0.1
            supervisor.look()
        waits.append(clock.now_s - began)
    assert waits == pytest.approx([*BACK_OFF_S, BACK_OFF_S[-1], BACK_OFF_S[-1]], abs=0.11)
    assert "8 times in a row: next try in 30 s" in said[-1]


def test_a_child_that_ran_well_for_a_while_starts_again_at_once(supervisor: Supervisor, clock: Clock):
    child = Frail()
    supervisor.add(child)
    for _ in range(3):
        child.ended = True
        clock.now_s += STEADY_S + 1
        supervisor.look()
        assert supervisor.failures(child) == 1
        clock.now_s += BACK_OFF_S[0]
        supervisor.look()
        assert child.ending() is None


def test_a_child_that_cannot_start_is_told_and_tried_again(supervisor: Supervisor, said: list[str], clock: Clock):
    child = Frail()
    supervisor.add(child)
    child.ended, child.refusal = True, "the disk is full"
    for _ in range(3):
        supervisor.look()
        clock.now_s += BACK_OFF_S[-1]
    assert "frail cannot start (the disk is full), 2 times in a row: next try in 1 s" in said
    child.refusal = ""
    supervisor.look()
    assert child.ending() is None


def test_a_first_start_that_fails_is_no_secret(supervisor: Supervisor):
    child = Frail()
    child.refusal = "no such folder"
    with pytest.raises(ServerFailed, match="no such folder"):
        supervisor.add(child)


def test_everything_that_a_command_started_ends_with_it(tmp_path: Path, supervisor: Supervisor):
    command = Command("parent", PARENT, log=tmp_path / "log")
    supervisor.add(command)
    assert command.pid
    assert until(lambda: len(group(command.pid)) == 2, 90)
    members = group(command.pid)
    supervisor.stop()
    assert not any(is_alive(pid) for pid in members)


def test_what_a_killed_command_left_behind_ends_before_its_next_start(tmp_path: Path):
    command = Command("parent", PARENT, log=tmp_path / "log")
    command.start()
    assert command.pid
    assert until(lambda: len(group(command.pid)) == 2, 90)
    first = group(command.pid)
    os.kill(command.pid, signal.SIGKILL)
    assert until(lambda: command.ending() is not None, 10)
    command.start()
    assert not any(is_alive(pid) for pid in first)
    command.stop()


def test_a_command_that_does_not_listen_is_ended_all_the_same(tmp_path: Path):
    ignore = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (15, 3)]"
    deaf = f"{ignore}; print('deaf', flush=True); time.sleep(600)"
    command = Command("deaf", [sys.executable, "-c", deaf], log=tmp_path / "log", patience_s=0.1)
    command.start()
    pid = command.pid
    assert pid
    assert until(lambda: "deaf" in (tmp_path / "log").read_text(), 20)
    command.stop()
    assert not is_alive(pid)


def test_a_command_follows_its_supervisor_even_when_a_shell_had_it_ignore_the_signal(tmp_path: Path):
    code = (
        "import signal, sys, pathlib; from web.wiring.supervisor import Command;"
        "signal.signal(signal.SIGQUIT, signal.SIG_IGN);"
        "c = Command('sleeper', [sys.executable, '-c', 'import time; time.sleep(600)'], log=pathlib.Path(sys.argv[1]));"
        "c.start(); print(c.pid, flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "log")]
    with subprocess.Popen(words, cwd=run.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        pid = int(starter.stdout.readline())
        starter.kill()
        assert until(lambda: not is_alive(pid), 20)


def test_a_failed_command_brings_its_last_words(tmp_path: Path):
    command = Command(
        "loud", [sys.executable, "-c", "print('before'); raise SystemExit('ERROR: no paper')"], log=tmp_path / "log"
    )
    command.start()
    assert until(lambda: command.ending() is not None, 20)
    assert command.ending() == "ended with exit code 1 (no paper)"
    command.stop()


def group(leader: int) -> list[int]:
    """The processes of a group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


# ---------------------------------------------------------------- addresses and homes


def test_the_port_that_was_asked_for_is_the_one():
    port = free_port()
    with listen({"PORT": str(port)}) as door:
        assert door.getsockname() == ("127.0.0.1", port)


def test_a_taken_port_is_told_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotRun, match=rf"^port {port} is taken .*PORT=…$"):
            listen({"PORT": str(port)})


def test_without_a_wish_the_next_free_port_is_taken():
    with listen({}) as first, listen({}) as second:
        ports = [door.getsockname()[1] for door in (first, second)]
    assert FIRST_PORT <= ports[0] < ports[1] <= LAST_PORT


@pytest.mark.parametrize("wish", ["http", "0", "70000", "-1", "8000.5", "八千"])
def test_a_port_that_is_none_is_told_in_one_line(wish: str):
    with pytest.raises(CannotRun, match="PORT must be a number"):
        listen({"PORT": wish})


def test_a_host_that_is_not_this_machine_is_told_in_one_line():
    with pytest.raises(CannotRun, match=r"HOST|taken"):
        listen({"PORT": str(free_port()), "HOST": "no such host"})


def test_a_home_has_one_run_and_tells_the_second_where_the_first_is(tmp_path: Path):
    first, second = RunHome(tmp_path), RunHome(tmp_path)
    first.lock()
    first.announce("http://127.0.0.1:8000 (process 1)")
    with pytest.raises(CannotRun, match=r"already running .*http://127.0.0.1:8000 \(process 1\)"):
        second.lock()
    first.leave()
    second.lock()
    assert not second.was_killed
    second.leave()


def test_a_home_that_cannot_be_written_is_told_in_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotRun, match="cannot write to"):
        RunHome(tmp_path / "file").lock()


def test_the_addresses_of_a_run_are_for_its_owner_and_go_with_it(tmp_path: Path):
    home = RunHome(tmp_path)
    home.lock()
    home.write_addresses({"DATABASE_URL": "postgresql://u:p@h/d"})
    assert "DATABASE_URL=postgresql://u:p@h/d" in home.addresses.read_text()
    assert home.addresses.stat().st_mode & 0o077 == 0
    home.leave()
    assert not home.addresses.exists()


def test_marks_survive_and_a_damaged_file_of_marks_is_no_hindrance(tmp_path: Path):
    home = RunHome(tmp_path)
    home.mark("network", "a")
    home.mark("catalog", "b")
    assert RunHome(tmp_path).marked() == {"network": "a", "catalog": "b"}
    home.marks.write_text("{")
    assert home.marked() == {}


def test_another_database_is_another_identity(database_url: str, postgres: str):
    assert database_content.identity(database_url) == database_content.identity(database_url)
    assert database_content.identity(database_url) != database_content.identity(postgres)


def test_an_empty_database_has_no_projects(database_url: str, postgres: str):
    assert not database_content.has_projects(database_url)
    assert not database_content.has_projects(postgres)


def test_every_queue_has_a_worker():
    served = {queue for _, queues in run.WORKERS.values() for queue in queues}
    assert served == {*tasks.QUEUES, jobs.QUEUE, "celery"}


def test_every_part_of_the_data_is_there():
    assert [part.mark for part in database_content.PARTS if not database_content.files(part.made_of)] == []
    assert [part.mark for part in database_content.PARTS if part.named and not database_content.files(part.named)] == []


def test_operations_explain_every_setting():
    page = (run.ROOT / "docs" / "operations.md").read_text()
    assert [name for name, _, _ in CHECKS if f"`{name}`" not in page] == []


# ---------------------------------------------------------------- the whole


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the servers' account reaches, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class Started:
    """`make run`'s own process, and what it says."""

    def __init__(self, home: Path, **more: str) -> None:
        kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "BROKER_URL", "MAKELEVEL", "HOST"}}
        self.log = home / "said"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web.run"],
                cwd=run.ROOT,
                env={**kept, "DAIBAN_HOME": str(home / "instance"), "DEMO": "no", "WEB_CONCURRENCY": "1", **more},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text()

    def children(self) -> dict[int, str]:
        """Its direct children: number and command line."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
                if int(fields[1]) == self.process.pid and fields[0] != "Z":
                    found[int(stat.parent.name)] = (stat.parent / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
        return found

    def end(self, sign: int = signal.SIGINT) -> int:
        self.process.send_signal(sign)
        return self.process.wait(60)


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return b'"broker":"ok"' in answer.read().replace(b" ", b"")
    except OSError:
        return False


def nothing_to_import(folder: Path) -> None:
    """Marks that say that network, calendar and catalogue are in: their imports have tests of their own."""
    server = Postgres(place_for(folder), durable=True).start()
    which = database_content.identity(server.url)
    server.stop()
    for part in database_content.PARTS:
        if part.named:
            RunHome(folder).mark(part.mark, part.state(which))


def test_the_whole_starts_survives_the_death_of_each_child_and_leaves_no_process(home: Path):
    nothing_to_import(home / "instance")
    port = free_port()
    started = Started(home, PORT=str(port))
    try:
        assert until(lambda: "Ready after" in started.said() or started.process.poll() is not None, 240), started.said()
        assert f"http://127.0.0.1:{port}" in started.said()
        first = started.children()
        assert len(first) == 6, first
        programs = [Path(f"/proc/{pid}/environ").read_bytes() for pid, words in first.items() if "wsgi" in words]
        assert [b"MALLOC_ARENA_MAX=2" in environ.split(b"\0") for environ in programs] == [True] * 4

        second = Started(home, PORT=str(free_port()))
        assert second.process.wait(60) == 1
        assert "already running from" in started.said()

        everything = {pid for child in first for pid in group(child)}
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        assert until(
            lambda: len(started.children()) == 6 and not set(first) & set(started.children()) and ready(port), 120
        ), started.said()
        assert not any(is_alive(pid) for pid in everything)
        assert started.said().count("was ended by SIGKILL") >= 6

        everything = {pid for child in started.children() for pid in group(child)}
        assert started.end() == 0
        assert not any(is_alive(pid) for pid in everything)
        assert "Traceback" not in started.said()
        assert not (home / "instance" / "run.env").exists()
    finally:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()
