"""Crash points: the named places between a commit and a call where a worker may die. Only tests act on them."""

from collections.abc import Callable

CRASH_POINTS = (
    "task.started",
    "claim.locked",
    "claim.committed",
    "bucket.passed",
    "send.calling",
    "send.answered",
    "send.returned",
    "settle.written",
    "settle.committed",
    "lookup.calling",
    "lookup.answered",
    "lookup.written",
    "lookup.committed",
    "receipt.locked",
    "receipt.committed",
    "sweep.written",
    "sweep.committed",
    "sweep.publishing",
)

_watcher: Callable[[str], None] | None = None


def watch(watcher: Callable[[str], None] | None) -> None:
    """Call ``watcher`` at each crash point: the chaos tests end the process there."""
    global _watcher
    _watcher = watcher


def reached(point: str) -> None:
    if _watcher is not None:
        _watcher(point)
