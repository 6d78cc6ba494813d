"""Boundaries: the named moments between a commit and a call, at which a worker may die. Nothing happens here."""

from collections.abc import Callable

MOMENTS = (
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
    "sweep.ringing",
)

_watcher: Callable[[str], None] | None = None


def watch(watcher: Callable[[str], None] | None) -> None:
    """Who is told of each moment: the chaos tests, which end the process there."""
    global _watcher
    _watcher = watcher


def reached(moment: str) -> None:
    if _watcher is not None:
        _watcher(moment)
