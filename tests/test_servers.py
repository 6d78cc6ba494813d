"""The embedded servers start anywhere, keep what they hold, and say in one line why they cannot."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from servers import accounts, lifetimes
from servers.accounts import SHARED, ServerFailed, account_of, make_folder, nobody, reaches, temporary_folder
from servers.lifetimes import die_with_parent, end_with_parent, ending, error_line, is_alive, until
from servers.postgres import Postgres
from servers.programs import package_folder, program, runs
from servers.server import Server, free_port
from servers.valkey import Valkey
from web.wiring.server_place import place_for

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the servers' account reaches, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="home-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def running() -> Iterator[list[Server]]:
    """What a test starts and puts here is ended with it."""
    started: list[Server] = []
    yield started
    for server in started:
        server.kill()
        server.stop()


def ask(server: Postgres, question: str) -> object:
    with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
        answer = connection.execute(question)
        row = answer.fetchone() if answer.description else None
        return row and row[0]


def one_line(failure: pytest.ExceptionInfo[ServerFailed]) -> str:
    said = str(failure.value)
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def test_a_database_keeps_its_rows_when_it_is_stopped_or_killed(home: Path, running: list[Server]) -> None:
    first = Postgres(home, durable=True).start()
    running.append(first)
    ask(first, "CREATE TABLE kept (n int)")
    ask(first, "INSERT INTO kept VALUES (1)")
    first.kill()
    assert first.ending() == "was ended by SIGKILL"
    port = first.port
    first.start()  # as the supervisor does: the same object, the same address
    assert first.port == port
    ask(first, "INSERT INTO kept VALUES (2)")
    first.stop()
    assert first.ending() == "ended with exit code 0"

    second = Postgres(home, durable=True).start()
    running.append(second)
    assert ask(second, "SELECT count(*) FROM kept") == 2


def test_the_database_asks_everybody_for_the_password(postgres: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no password supplied|authentication failed"):
        psycopg.connect(postgres.replace("+psycopg", "").replace(postgres.split(":")[2].split("@")[0], "wrong"))


def test_a_running_database_is_taken_over(home: Path, running: list[Server]) -> None:
    first = Postgres(home).start()
    running.append(first)
    second = Postgres(home).start()
    assert (second.pid, second.port) == (first.pid, first.port)
    assert second.ending() is None
    second.stop()
    assert first.ending() is not None


def test_a_note_that_names_a_strangers_process_is_not_believed(home: Path, running: list[Server]) -> None:
    server = Postgres(home)
    running.append(server)
    server.start().kill()
    note = server.data / "postmaster.pid"
    lines = (
        note.read_text().splitlines()
        if note.exists()
        else ["", str(server.data), "0", str(server.port), "", "", "", ""]
    )
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        note.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert Postgres.start(server).ending() is None
        assert stranger.poll() is None


def test_a_process_of_the_folder_that_is_just_ending_is_waited_for(home: Path, running: list[Server]) -> None:
    server = Postgres(home)
    running.append(server)
    server.start().stop()
    note = [str(server.data), "0", str(free_port()), "", "", "", ""]
    ending_soon = [sys.executable, "-c", "import time; time.sleep(0.3)"]
    with subprocess.Popen(ending_soon, cwd=server.data) as last:
        (server.data / "postmaster.pid").write_text("\n".join([str(last.pid), *note]) + "\n")
        threading.Thread(target=last.wait).start()
        assert Postgres.start(server).ending() is None
        assert server.pid != last.pid


def test_where_a_database_cannot_be_made_is_told_in_one_line(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres" / "data.new").write_text("a file of somebody's")
    with pytest.raises(ServerFailed) as failure:
        Postgres(home).start()
    assert f"cannot make a database in {home / 'postgres'}" in one_line(failure)


def test_on_another_system_than_linux_a_database_is_taken_over_all_the_same(
    home: Path, running: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Postgres(home).start()
    running.append(first)
    monkeypatch.setattr(sys, "platform", "darwin")
    second = Postgres(home).start()
    assert (second.pid, second.ending()) == (first.pid, None)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert not is_alive(ended.pid)


def test_an_interrupted_first_start_leaves_nothing_that_hinders_the_second(home: Path, running: list[Server]) -> None:
    server = Postgres(home)
    running.append(server)
    (server.folder / "data.new").mkdir(parents=True)
    (server.folder / "data.new" / "PG_VERSION").write_text("18\n")
    (server.folder / "data").mkdir()
    assert ask(server.start(), "SELECT 1") == 1


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda data: (data / "PG_VERSION").write_text("9.6\n"), "incompatible"),
        (lambda data: (data / "global" / "pg_control").unlink(), "pg_control"),
        (lambda data: (data / "PG_VERSION").unlink(), "not a database"),
        (lambda data: (data.parent / "password").write_text(""), "password"),
        (lambda data: (data.parent / "password").write_text("another"), "password"),
    ],
    ids=["another version", "no control file", "foreign files", "no password", "wrong password"],
)
def test_a_broken_data_folder_is_told_in_one_line(home: Path, running: list[Server], damage, word: str) -> None:
    server = Postgres(home)
    running.append(server)
    server.start().stop()
    damage(server.data)
    with pytest.raises(ServerFailed) as failure:
        Postgres(home).start()
    said = one_line(failure)
    assert word in said
    assert str(home) in said


def test_a_place_that_is_no_folder_is_told_in_one_line(home: Path) -> None:
    (home / "postgres").write_text("not a folder")
    with pytest.raises(ServerFailed) as failure:
        Postgres(home).start()
    assert str(home) in one_line(failure)


def test_the_broker_keeps_its_list_when_it_is_killed(home: Path, running: list[Server]) -> None:
    broker = Valkey(home, durable=True).start()
    running.append(broker)
    with redis.Redis.from_url(broker.url) as client:
        client.rpush("queue", "a", "b")
        client.execute_command("WAITAOF", 1, 0, 2000)
    broker.kill()
    broker.start()
    with redis.Redis.from_url(broker.url) as client:
        assert client.lrange("queue", 0, -1) == [b"a", b"b"]


def test_the_broker_asks_for_its_password_and_shows_it_to_no_process_list(valkey: str) -> None:
    password = valkey.split(":")[2].split("@")[0]
    with redis.Redis.from_url(valkey.replace(password, "wrong")) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    listed = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if os.access(p, os.R_OK) and p.exists()]
    assert not any(password.encode() in line for line in listed)


def test_a_running_broker_is_taken_over(home: Path, running: list[Server]) -> None:
    first = Valkey(home).start()
    running.append(first)
    second = Valkey(home).start()
    assert (second.pid, second.port) == (first.pid, first.port)
    second.stop()
    assert first.ending() is not None


def test_a_port_that_was_taken_meanwhile_is_waited_for(home: Path, running: list[Server]) -> None:
    broker = Valkey(home).start()
    running.append(broker)
    broker.kill()
    with socket.create_server(("127.0.0.1", broker.port)) as taken:
        threading.Timer(0.3, taken.close).start()
        port = broker.port
        assert broker.start().ending() is None
    assert broker.port == port


def test_a_long_log_is_put_aside(home: Path, running: list[Server]) -> None:
    broker = Valkey(home)
    running.append(broker)
    broker.folder.mkdir()
    with broker.log.open("wb") as log:
        log.truncate(10_000_001)
    broker.start()
    assert (home / "valkey" / "log.1").stat().st_size == 10_000_001
    assert broker.log.stat().st_size < 10_000


def test_a_password_that_cannot_be_read_is_told_in_one_line(home: Path) -> None:
    (home / "valkey" / "password").mkdir(parents=True)
    with pytest.raises(ServerFailed) as failure:
        Valkey(home).start()
    assert f"cannot use {home / 'valkey'}" in one_line(failure)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process list as Linux keeps it")
def test_a_redis_of_the_machine_serves_before_the_one_that_came_with_us(
    home: Path, running: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Valkey(home).start()
    running.append(ours)
    binary = Path(f"/proc/{ours.pid}/exe").readlink()
    ours.stop()
    (home / "bin").mkdir()
    (home / "bin" / "redis-server").symlink_to(binary)
    monkeypatch.setenv("PATH", str(home / "bin"), prepend=os.pathsep)
    theirs = Valkey(home).start()
    running.append(theirs)
    assert Path(f"/proc/{theirs.pid}/cmdline").read_bytes().startswith(bytes(home / "bin" / "redis-server"))


def test_without_roots_rights_a_server_runs_with_our_own(
    home: Path, running: list[Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "AS_ROOT", False)
    assert account_of(home) is None
    assert reaches(home, None)
    folder = temporary_folder()
    assert folder.stat().st_uid == os.geteuid()
    folder.rmdir()
    broker = Valkey(home).start()
    running.append(broker)
    assert (home / "valkey" / "password").stat().st_uid == os.geteuid()


def test_a_folder_that_cannot_be_made_is_told_in_one_line(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(ServerFailed) as failure:
        make_folder(home / "file" / "below")
    assert "cannot make the folder" in one_line(failure)


def test_a_child_hears_the_signals_that_a_shell_had_it_ignore(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {sign: signal.signal(sign, signal.SIG_IGN) for sign in (signal.SIGINT, signal.SIGQUIT)}
    try:
        die_with_parent(0)  # no signal: this process outlives whoever started it, as before
        assert [signal.getsignal(sign) for sign in before] == [signal.SIG_DFL, signal.SIG_DFL]
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
    monkeypatch.setattr(lifetimes, "LIBC", None)
    end_with_parent(signal.SIGKILL)  # where the system knows no such word, nothing is asked of it


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process list as Linux keeps it")
def test_a_process_runs_until_its_last_thread_has_ended() -> None:
    """A broker closes its file in a thread of its own; the next one must not start meanwhile."""
    ends_its_first_thread = (
        "import ctypes, threading, sys;"
        "threading.Thread(target=sys.stdin.read).start();"
        "ctypes.CDLL(None).pthread_exit(None)"
    )
    with subprocess.Popen([sys.executable, "-c", ends_its_first_thread], stdin=subprocess.PIPE) as child:
        first_thread = Path(f"/proc/{child.pid}/stat")
        assert until(lambda: first_thread.read_text().rsplit(")", 1)[1].split()[0] == "Z", 30)
        assert is_alive(child.pid)
        child.kill()
        assert until(lambda: not is_alive(child.pid), 30)


def test_a_damaged_append_only_file_is_told_in_one_line(home: Path, running: list[Server]) -> None:
    broker = Valkey(home, durable=True)
    running.append(broker)
    broker.start()
    with redis.Redis.from_url(broker.url) as client:
        client.set("a", "b")
    broker.stop()
    part = next((broker.folder / "appendonlydir").glob("*.incr.aof"))
    part.write_bytes(b"this was never written by a broker\r\n" * 3)
    with pytest.raises(ServerFailed) as failure:
        Valkey(home, durable=True).start()
    assert "nothing in" in one_line(failure)


def test_a_temporary_server_leaves_no_folder() -> None:
    server = Valkey()
    server.start()
    folder = server.folder.parent
    assert folder.exists()
    server.stop()
    assert not folder.exists()


def test_when_its_starter_is_killed_a_server_goes_with_it() -> None:
    code = (
        "import servers.valkey as v, sys; s = v.Valkey().start();"
        "print(s.pid, s.folder.parent, flush=True); sys.stdin.read()"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    assert starter.stdin
    pid, folder = starter.stdout.readline().split()
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    starter.stdin.close()
    assert until(lambda: not is_alive(int(pid)), 10)
    subprocess.run(["rm", "-r", folder], check=True)


@pytest.mark.skipif(not AS_ROOT, reason="only root hands its servers to another account")
class TestAsRoot:
    def test_a_home_that_nobody_reaches_has_its_servers_elsewhere_and_no_parent_is_opened(
        self, running: list[Server]
    ) -> None:
        with tempfile.TemporaryDirectory() as closed:  # mode 0700
            home = Path(closed) / "clone" / "instance"
            place = place_for(home)
            assert place.parent == SHARED
            assert place_for(home) == place
            assert place_for(Path(closed) / "other") != place
            server = Postgres(place)
            running.append(server)
            try:
                assert ask(server.start(), "SELECT 1") == 1
                assert stat.S_IMODE(Path(closed).stat().st_mode) == 0o700
                assert server.folder.stat().st_uid == nobody()[0]
            finally:
                server.stop()
                subprocess.run(["rm", "-r", place], check=True)

    def test_a_program_that_nobody_reaches_is_copied_once_with_its_libraries(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        package = f"little_server_{os.getpid()}"
        for name in (f"{package}/_binaries", f"{package}.libs", f"{package}-1.0.dist-info"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / f"{package}-1.0.dist-info" / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n")
        (tmp_path / f"{package}.libs" / "libc.so").write_text("")
        tmp_path.chmod(0o700)
        for name, code in (("runs", 0), ("fails", 3)):
            binary = tmp_path / package / "_binaries" / name
            binary.write_text(f"#!/bin/sh\nexit {code}\n")
            binary.chmod(0o755)
        monkeypatch.syspath_prepend(tmp_path)
        copy = SHARED / f"{package}-1.0"
        try:
            found = [program(package, Path("_binaries/runs"), nobody(), "_binaries") for _ in range(2)]
            assert found == [copy / package / "_binaries" / "runs"] * 2
            assert (copy / f"{package}.libs" / "libc.so").is_file()
            with pytest.raises(ServerFailed, match="cannot run"):
                program(package, Path("_binaries/fails"), nobody(), "_binaries")
        finally:
            subprocess.run(["rm", "-r", copy], check=True)

    def test_where_temporary_files_lie_closed_the_servers_lie_elsewhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tmp_path.chmod(0o700)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        folder = temporary_folder()
        assert folder.parent == SHARED
        assert reaches(folder, nobody())
        folder.rmdir()

    def test_a_home_that_everybody_reaches_keeps_its_servers(self, home: Path) -> None:
        assert place_for(home) == home

    def test_a_database_made_by_a_person_runs_with_that_persons_rights(self, home: Path) -> None:
        (home / "postgres").mkdir()
        os.chown(home / "postgres", 4711, 4711)
        assert Postgres(home).account == (4711, 4711)

    def test_a_home_that_was_closed_later_is_told_in_one_line(self, home: Path) -> None:
        (home / "postgres" / "data").mkdir(parents=True)
        (home / "postgres" / "data" / "PG_VERSION").write_text("18\n")
        home.chmod(0o700)
        with pytest.raises(ServerFailed) as failure:
            place_for(home)
        assert "x permission" in one_line(failure)


def test_a_free_port_is_free() -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", free_port()))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with exit code 0"),
        (3, "ended with exit code 3"),
        (-9, "was ended by SIGKILL"),
        (-99, "was ended by signal 99"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int, words: str) -> None:
    assert ending(code) == words


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("2026 LOG: starting\n2026 FATAL:  could not open file\n2026 LOG: down\n", "could not open file"),
        ("ERROR:  first\nERROR:  second\n", "second"),
        ("Bad file format reading the append only file\nbye\n", "Bad file format reading the append only file"),
        ("one\n\ntwo\n", "two"),
        ("\n", "it said nothing and did not answer"),
    ],
)
def test_the_line_of_a_log_that_says_most_is_its_last_error(log: str, line: str) -> None:
    assert error_line(log) == line


def test_a_package_that_is_not_there_is_told_with_what_installs_it() -> None:
    with pytest.raises(ServerFailed, match="no_such_package is not installed: run `make run`"):
        package_folder("no_such_package")


def test_a_program_that_cannot_be_run_is_known_as_such(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    assert not runs(broken, None), "no permission"
    broken.chmod(0o755)
    assert not runs(broken, None), "it fails"
    broken.write_text("#!/bin/sh\nexit 0\n")
    assert runs(broken, None)
    assert not runs(tmp_path / "nowhere", None)
