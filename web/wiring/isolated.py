"""Isolated reading: what strangers upload is unpacked in a process of its own, with an end to its memory and time."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore

from web.wiring.reader_limits import REFUSED

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2  # a process of pages; the rest wait a little, then are asked to come again
WAIT_S = 15.0
TIME_S = 30.0  # by the clock, on a machine that is busy; of the processor a reader has less

_places = BoundedSemaphore(AT_ONCE)


class UnreadableUpload(ValueError):
    """A reader refuses: ``reason`` is its one word, or `exhausted` when memory, time or the reader itself gave up."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Busy(Exception):
    """As many uploads as may be are being read: the next one comes again in a moment."""

    wait_s = 10


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=WAIT_S):
        raise Busy("every place is taken")
    try:
        yield
    finally:
        _places.release()


def read_isolated(reader: str, content: bytes, *words: str) -> bytes:
    """What the module ``reader`` makes of these bytes, in a process of its own. Raises UnreadableUpload and Busy.

    A reader takes them from its standard input, writes what it made, or ends with REFUSED and one word."""
    command: Sequence[str] = [sys.executable, "-m", reader, *words]
    with _place():
        try:
            done = subprocess.run(
                command, input=content, capture_output=True, timeout=TIME_S, cwd=ROOT, check=False,
                env={"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise UnreadableUpload("exhausted") from None
    if done.returncode == REFUSED:
        raise UnreadableUpload(done.stderr.decode(errors="replace").strip()[:40] or "refused")
    if done.returncode != 0:
        raise UnreadableUpload("exhausted")
    return done.stdout
