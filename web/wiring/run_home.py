"""Run home: the folder of one installation, which one run at a time may use."""

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from prepare import digest

MEMORY = Path("/dev/shm")  # noqa: S108  a folder of our own is made in it
LEAST_FREE_BYTES = 32 * 1024 * 1024


def metrics_place(home: Path) -> dict[str, str]:
    """Where the processes of this run count, apart from the data's disk: counts are files mapped into memory, and a
    process whose mapped file finds no room is killed. No place with room: each process counts for itself alone."""
    place = MEMORY / f"daiban-{os.getuid()}-{digest((), str(home))[:12]}"
    try:
        if shutil.disk_usage(MEMORY).free < LEAST_FREE_BYTES:
            return {}
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
    except OSError:
        return {}
    return {"PROMETHEUS_MULTIPROC_DIR": str(place)}


class CannotRun(RuntimeError):
    """The program cannot be started. The message is one line: why, and what can be done."""


class RunHome:
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
        other = self._lock.read().strip()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise CannotRun(f"already running from {self.folder}: {other or 'it is just starting'}") from None
        self.was_killed = bool(other)

    def announce(self, line: str) -> None:
        """What a second `make run` shows as its reason not to start."""
        assert self._lock
        self._lock.truncate(0)
        self._lock.write(line)
        self._lock.flush()

    def write_addresses(self, addresses: Mapping[str, str]) -> None:
        """For `flask` in another terminal: where the running servers are."""
        text = "# Written by `make run`, removed when it ends.\n" + "".join(f"{k}={v}\n" for k, v in addresses.items())
        with os.fdopen(os.open(self.addresses, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def marked(self) -> dict[str, str]:
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
