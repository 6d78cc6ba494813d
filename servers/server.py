"""A private server: its folder and password, how it starts, is taken over, and stops."""

import functools
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

from servers.accounts import ServerFailed, account_of, as_account, make_folder, reaches, temporary_folder
from servers.lifetimes import die_with_parent, ending, error_line, is_alive, until

START_S = 120.0  # a database that recovers from a power cut may take its time


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listened on a moment ago."""
    with closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


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
        self.folder = temporary_folder() / self.name if place is None else place / self.name
        self.log = self.folder / "log"
        self.account = account_of(self.folder)
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
        options = as_account(self.account) | {"preexec_fn": functools.partial(die_with_parent, self.death_signal)}
        with open(self.log, "ab") as log:
            if self.account:
                os.fchown(log.fileno(), *self.account)
            return subprocess.Popen(self._command(), stdout=log, stderr=log, start_new_session=True, **options)
