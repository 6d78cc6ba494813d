"""Lifetimes: when a process ends, and with whom; how it ended, in words."""

import ctypes
import errno
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def end_with_parent(sign: int) -> None:
    """This process gets ``sign`` when the thread that started it ends (Linux)."""
    if LIBC is not None:
        LIBC.prctl(_PR_SET_PDEATHSIG, sign)


def die_with_parent(sign: int = signal.SIGQUIT) -> None:
    """A ``preexec_fn``: when we are killed and cannot end a child, it ends all the same (Linux)."""
    for ignored in (signal.SIGINT, signal.SIGQUIT):  # as a shell's `&` leaves them to what it starts
        signal.signal(ignored, signal.SIG_DFL)
    end_with_parent(sign)


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
