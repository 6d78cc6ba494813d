"""Task publisher: tells workers after a commit that messages are due. In a rush, several share one task."""

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

BATCH_WINDOW_S = 0.05
"""Messages that come this soon after a task share the next one: a task costs workers as much as a message does."""
BATCH_SIZE = 5
"""A worker sends the messages of one task one after the other, so a task holds only a few."""
BROKER_SILENT_S = 5.0
"""After a broker did not answer, no task is published for this long: the rows are safe and the sweep finds them."""


class TaskPublisher:
    """Publishes at once when there is no rush, else in batches. One-time codes are published at once and alone."""

    def __init__(self, publish: Publish, *, window_s: float = BATCH_WINDOW_S) -> None:
        self._publish, self._window_s = publish, window_s
        self._lock = threading.Lock()
        self._published_at = self._broker_silent_until = float("-inf")
        self._timer: threading.Timer | None = None
        self._waiting: list[tuple[int, Priority]] = []

    def publish_due(self, due: Iterable[tuple[int, Priority]]) -> None:
        """Publish tasks for these messages. A broker that is down loses nothing: the rows are in the database."""
        at_once = list(due)
        now = time.monotonic()
        with self._lock:
            if now - self._published_at < self._window_s:
                self._waiting += [one for one in at_once if one[1] is not Priority.CODE]
                at_once = [one for one in at_once if one[1] is Priority.CODE]
                if self._waiting and self._timer is None:
                    timer = threading.Timer(self._published_at + self._window_s - now, self.flush)
                    timer.daemon = True
                    try:
                        timer.start()
                        self._timer = timer
                    except RuntimeError:  # no thread can be had any more: the process ends, or is full of them
                        at_once += self._waiting
                        self._waiting = []
            elif at_once:
                self._published_at = now
        self._send(at_once)

    def flush(self) -> None:
        """Publish what waits for the end of the window."""
        with self._lock:
            waiting, self._waiting, self._timer = self._waiting, [], None
            self._published_at = time.monotonic()
        self._send(waiting)

    def _send(self, due: list[tuple[int, Priority]]) -> None:
        by_priority: dict[Priority, list[int]] = defaultdict(list)
        for message_id, priority in due:
            by_priority[priority].append(message_id)
        for priority in sorted(by_priority):
            ids = by_priority[priority]
            size = 1 if priority is Priority.CODE else BATCH_SIZE
            for first in range(0, len(ids), size):
                if time.monotonic() < self._broker_silent_until:
                    return
                self._try(ids[first : first + size], priority)

    def _try(self, ids: list[int], priority: Priority) -> None:
        try:
            self._publish(ids, priority)
        except Exception as error:  # noqa: BLE001  the outermost edge of a committed transaction: it goes on
            self._broker_silent_until = time.monotonic() + BROKER_SILENT_S
            log.warning(
                "no task can be published for %s s; the sweep will find messages %s: %s", BROKER_SILENT_S, ids, error
            )


_publisher: TaskPublisher | None = None


def use(publish: Publish | None, *, window_s: float = BATCH_WINDOW_S) -> None:
    """From now on this process publishes with ``publish``: ``tasks.publish`` in the program, nothing in most tests."""
    global _publisher
    flush()
    _publisher = TaskPublisher(publish, window_s=window_s) if publish else None


def publish_due(due: Iterable[tuple[int, Priority]]) -> None:
    """Publish tasks for what is due: at once, or in a batch a moment later."""
    if _publisher is not None:
        _publisher.publish_due(due)


def flush() -> None:
    """Publish what waits; a process that ends does so by itself."""
    if _publisher is not None:
        _publisher.flush()


def _reset_after_fork() -> None:
    """The parent publishes what waits in the parent. Its lock and its timer do not exist in the child."""
    global _publisher
    if _publisher is not None:
        _publisher = TaskPublisher(_publisher._publish, window_s=_publisher._window_s)


atexit.register(flush)
os.register_at_fork(after_in_child=_reset_after_fork)
