"""The supervisor: processes that start in order, are started again when they end, and end together."""

import functools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from servers.accounts import ServerFailed
from servers.lifetimes import LIBC, die_with_parent, end_with_parent, ending, error_line, until

STEADY_S = 30.0  # what ran this long was well; its next end is its first
BACK_OFF_S = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
LARGEST_LOG = 10_000_000
_PR_SET_CHILD_SUBREAPER = 36


class Child(Protocol):
    """What is supervised: a server of servers/, or a Command."""

    name: str

    def start(self) -> object:
        """Start it, also again. Raises ServerFailed or OSError when that cannot be."""

    def ending(self) -> str | None:
        """None while it runs, else how it ended, in words."""

    def stop(self) -> None:
        """End it in good order, and at once when it does not obey."""


class Command:
    """A program of ours: a process group of its own, with a log."""

    def __init__(
        self,
        name: str,
        words: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        pass_fds: Sequence[int] = (),
        patience_s: float = 10.0,
    ) -> None:
        self.name = name
        self.log = log
        self.patience_s = patience_s
        self._words, self._environment, self._folder, self._pass_fds = words, environment, folder, pass_fds
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins_at = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process. What an earlier one left in its group is ended first."""
        self._clear()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with open(self.log, "ab") as log:
            self._log_begins_at = log.tell()
            self._process = subprocess.Popen(
                self._words,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self._pass_fds,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends the others in order
                preexec_fn=functools.partial(die_with_parent, signal.SIGQUIT),
            )

    def ending(self) -> str | None:
        """None while it runs, else how it ended and its last words."""
        if self._process is None:
            return "is not running"
        code = self._process.poll()
        if code is None:
            return None
        return ending(code) + (f" ({self.last_words()})" if code > 0 else "")

    def last_words(self) -> str:
        """The line of its log, since its start, that tells most."""
        with suppress(OSError), open(self.log, "rb") as file:
            file.seek(self._log_begins_at)
            return error_line(file.read()[-20_000:].decode(errors="replace"))[:300]
        return ""

    def ask_to_end(self) -> None:
        """Send the polite signal and do not wait."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """End it and everything it started."""
        self.ask_to_end()
        if not until(lambda: self.ending() is not None, self.patience_s) and self._process:
            self._process.send_signal(signal.SIGQUIT)
            until(lambda: self.ending() is not None, 2)
        self._clear()

    def _clear(self) -> None:
        if self._process:
            group = self._process.pid
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
            self._process.wait()
            self._process = None
            with suppress(ChildProcessError):  # nobody of the group is left, or they were never our children
                while True:
                    os.waitpid(-group, 0)
            until(lambda: not _has_members(group), 1)


def _has_members(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


@dataclass
class _Watched:
    child: Child
    started_at: float
    failures: int = 0
    due_at: float | None = None


class Supervisor:
    """Starts children in their order, starts an ended one again with back-off, and ends all of them."""

    def __init__(self, report: Callable[[str], None], moment: Callable[[], float] = time.monotonic) -> None:
        self._report, self._moment = report, moment
        self._watched: list[_Watched] = []

    def add(self, child: Child) -> None:
        """Start a child and watch it from now on. A first start that fails is raised."""
        watched = _Watched(child, self._moment())
        self._watched.append(watched)
        child.start()
        watched.started_at = self._moment()

    def is_watching(self) -> bool:
        """Whether there is anything to end."""
        return bool(self._watched)

    def failures(self, child: Child) -> int:
        """How often in a row this child ended early."""
        return next(w.failures for w in self._watched if w.child is child)

    def restart(self, child: Child, why: str) -> None:
        """Start a child that still runs again, because of ``why``. One that just ended is started again anyhow."""
        watched = next(w for w in self._watched if w.child is child)
        if watched.due_at is None:
            self._report(f"{child.name} {why}: it is started again")
            self._start_again(watched)

    def look(self) -> None:
        """One look at every child: note who ended, and start again whose time has come."""
        for watched in self._watched:
            if watched.due_at is None:
                self._note(watched)
            if watched.due_at is not None and self._moment() >= watched.due_at:
                self._start_again(watched)

    def _note(self, watched: _Watched) -> None:
        how = watched.child.ending()
        if self._moment() - watched.started_at > STEADY_S:
            watched.failures = 0
        if how is not None:
            self._put_off(watched, how)

    def _put_off(self, watched: _Watched, why: str) -> None:
        delay_s = BACK_OFF_S[min(watched.failures, len(BACK_OFF_S) - 1)]
        watched.failures += 1
        watched.due_at = self._moment() + delay_s
        when = "it is started again" if watched.failures == 1 else f"next try in {delay_s:.0f} s"
        often = "" if watched.failures == 1 else f", {watched.failures} times in a row"
        self._report(f"{watched.child.name} {why}{often}: {when}")

    def _start_again(self, watched: _Watched) -> None:
        watched.due_at = None
        try:
            watched.child.start()
        except (ServerFailed, OSError) as failure:
            self._put_off(watched, f"cannot start ({failure})")
        watched.started_at = self._moment()

    def stop(self) -> None:
        """End every child: commands together, then the servers they used, the last started first."""
        commands = [w.child for w in self._watched if isinstance(w.child, Command)]
        for command in commands:
            command.ask_to_end()
        for command in commands:
            command.stop()
        for watched in reversed(self._watched):
            if not isinstance(watched.child, Command):
                watched.child.stop()
        self._watched.clear()


def take_charge() -> None:
    """What our children leave behind becomes ours, and when `make` is killed we end as if by Ctrl-C (Linux)."""
    if LIBC is not None:
        LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    if os.environ.get("MAKELEVEL"):
        end_with_parent(signal.SIGTERM)
