"""The doorbell: tells workers that messages are due; what comes in a rush is rung for together, and nobody waits."""

import atexit
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from notifications.message import Priority

log = logging.getLogger(__name__)

Publish = Callable[[Sequence[int], Priority], None]
"""Puts messages of one priority, at most ``MOST_TOGETHER``, before a worker."""

TOGETHER_S = 0.05
"""After a ring, what comes in so short a time is rung for together: a task costs workers as much as a message does."""
MOST_TOGETHER = 5
"""A worker takes the messages of one ring one after the other, so they are few where a provider is slow."""
DEAF_S = 5.0
"""After a broker did not answer, this long nobody rings: the rows are safe and the sweep finds them."""


class TaskPublisher:
    """Rings at once where it is quiet, and once for many in a rush. One-time codes wait for nobody."""

    def __init__(self, publish: Publish, *, together_s: float = TOGETHER_S) -> None:
        self._publish, self._together_s = publish, together_s
        self._lock = threading.Lock()
        self._rang = self._deaf_until = float("-inf")
        self._later: threading.Timer | None = None
        self._waiting: list[tuple[int, Priority]] = []

    def publish_due(self, due: Iterable[tuple[int, Priority]]) -> None:
        """Tell workers of messages and their priorities. A broker that is down costs nothing: the rows are there."""
        at_once = list(due)
        now = time.monotonic()
        with self._lock:
            if now - self._rang < self._together_s:
                self._waiting += [one for one in at_once if one[1] is not Priority.CODE]
                at_once = [one for one in at_once if one[1] is Priority.CODE]
                if self._waiting and self._later is None:
                    later = threading.Timer(self._rang + self._together_s - now, self.flush)
                    later.daemon = True
                    try:
                        later.start()
                        self._later = later
                    except RuntimeError:  # no thread can be had any more: the process ends, or is full of them
                        at_once += self._waiting
                        self._waiting = []
            elif at_once:
                self._rang = now
        self._send(at_once)

    def flush(self) -> None:
        """Ring for what is gathered."""
        with self._lock:
            gathered, self._waiting, self._later = self._waiting, [], None
            self._rang = time.monotonic()
        self._send(gathered)

    def _send(self, due: list[tuple[int, Priority]]) -> None:
        by_priority: dict[Priority, list[int]] = defaultdict(list)
        for message_id, priority in due:
            by_priority[priority].append(message_id)
        for priority in sorted(by_priority):
            ids = by_priority[priority]
            together = 1 if priority is Priority.CODE else MOST_TOGETHER
            for first in range(0, len(ids), together):
                if time.monotonic() < self._deaf_until:
                    return
                self._try(ids[first : first + together], priority)

    def _try(self, ids: list[int], priority: Priority) -> None:
        try:
            self._publish(ids, priority)
        except Exception as error:  # noqa: BLE001  the outermost edge of a committed transaction: it goes on
            self._deaf_until = time.monotonic() + DEAF_S
            log.warning("no task can be published for %s s; the sweep will find messages %s: %s", DEAF_S, ids, error)


_publisher: TaskPublisher | None = None


def use(publish: Publish | None, *, together_s: float = TOGETHER_S) -> None:
    """Who is told, after a commit, that messages are due: ``tasks.ring`` in the program, nobody in most tests."""
    global _publisher
    flush()
    _publisher = TaskPublisher(publish, together_s=together_s) if publish else None


def publish_due(due: Iterable[tuple[int, Priority]]) -> None:
    """Tell workers of what is due: at once, or with others a moment later."""
    if _publisher is not None:
        _publisher.publish_due(due)


def flush() -> None:
    """Ring for what is gathered; a process that ends does so by itself."""
    if _publisher is not None:
        _publisher.flush()


def _reset_after_fork() -> None:
    """What the parent gathered the parent rings for; its lock and its timer do not live here."""
    global _publisher
    if _publisher is not None:
        _publisher = TaskPublisher(_publisher._publish, together_s=_publisher._together_s)


atexit.register(flush)
os.register_at_fork(after_in_child=_reset_after_fork)
