"""A child process with OR-Tools in it: it streams its best orders of visits, what it has against a plan, or a bound.

It is killed when its time is up, and the process that starts it never imports OR-Tools.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

from routing.model.plan import Orders, Plan
from routing.model.problem import Problem

log = logging.getLogger(__name__)

ENGINE = (sys.executable, "-m", "routing.search.ortools_engine")
PROVER = (sys.executable, "-m", "routing.search.proof.engine")
BEHIND_THE_SEARCH = 10


class OrToolsUnavailable(RuntimeError):
    """The child process answered nothing: it died, or its time was up."""


def ortools_orders(
    problem: Problem, *, limit_s: float, over: Callable[[], bool], max_iterations: int | None = None
) -> Orders:
    """The best orders that OR-Tools found before the limit; empty when it found none.

    With ``max_iterations`` it looks at about so many plans and no clock, so the same problem has the same answer.
    """
    limit = max_iterations if max_iterations is not None else limit_s
    if limit_s <= 0 or over():
        return {}
    best, code = run_child((problem, limit), limit_s=limit_s, over=over)
    if not best and code not in (0, None):
        log.error("OR-Tools ended with %s and answered nothing", code)
    return best[-1] if best else {}


def ortools_objections(
    problem: Problem, plan: Plan, *, limit_s: float = 60.0, over: Callable[[], bool] = lambda: False
) -> list[str]:
    """What OR-Tools, the model of record, has against a plan; empty when it agrees. Raises OrToolsUnavailable."""
    answers, code = run_child((problem, plan), limit_s=limit_s, over=over)
    if not answers:
        raise OrToolsUnavailable(f"OR-Tools ended with {code} within {limit_s:g} s and answered nothing")
    return list(answers[-1])


def run_child(
    message: object, *, limit_s: float, over: Callable[[], bool], command: Sequence[str] = ENGINE
) -> tuple[list[Any], int | None]:
    """What a child process answered, and its exit code; None when it was killed."""
    ends = time.perf_counter() + limit_s
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdin and child.stdout
    answers: list[Any] = []
    # A large message fills the pipe until the child has loaded OR-Tools and reads: the clock is watched meanwhile.
    writer = threading.Thread(target=_write, args=(child.stdin, message), daemon=True)
    reader = threading.Thread(target=_read, args=(child.stdout, answers), daemon=True)
    writer.start()
    reader.start()
    try:
        while child.poll() is None and time.perf_counter() < ends and not over():
            time.sleep(min(0.02, max(0.0, ends - time.perf_counter())))
        code = child.poll()
    finally:
        child.kill()
        child.wait()
        writer.join(timeout=1.0)
        reader.join(timeout=1.0)
        child.stdout.close()
    return answers, code


class Colleague:
    """A child process that is told more while it works, and answers when it has something to say."""

    def __init__(self, first: object, command: Sequence[str] = PROVER) -> None:
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        # Where there is no core for both, the search goes on as if it were alone.
        os.setpriority(os.PRIO_PROCESS, self.child.pid, BEHIND_THE_SEARCH)
        self.outbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.threads = [threading.Thread(target=each, daemon=True) for each in (self._write, self._read)]
        self.outbox.put(first)
        for thread in self.threads:
            thread.start()

    def tell(self, message: object) -> None:
        """Send a message, without waiting until it is read."""
        self.outbox.put(message)

    def heard(self) -> list[Any]:
        """What it said since the last look."""
        answers = []
        with contextlib.suppress(queue.Empty):
            while True:
                answers.append(self.answers.get_nowait())
        return answers

    @property
    def exit_code(self) -> int | None:
        """None while it works."""
        return self.child.poll()

    def end(self) -> None:
        """Kill it."""
        self.child.kill()
        self.child.wait()
        self.outbox.put(_END)
        for thread in self.threads:
            thread.join(timeout=1.0)
        if self.child.stdout:
            self.child.stdout.close()

    def _write(self) -> None:
        assert self.child.stdin
        with contextlib.suppress(BrokenPipeError), self.child.stdin as stream:
            while (message := self.outbox.get()) is not _END:
                pickle.dump(message, stream)
                stream.flush()

    def _read(self) -> None:
        assert self.child.stdout
        for answer in _messages(self.child.stdout):
            self.answers.put(answer)


_END = object()


def _write(stream: IO[bytes], message: object) -> None:
    with contextlib.suppress(BrokenPipeError), stream:
        pickle.dump(message, stream)


def _read(stream: IO[bytes], answers: list[Any]) -> None:
    for answer in _messages(stream):
        answers[:] = [answer]


def _messages(stream: IO[bytes]) -> Iterator[Any]:
    """Messages, each behind its length, until the stream ends or is cut off in the middle of one."""
    while True:
        head = stream.read(8)
        if len(head) < 8:
            return
        body = stream.read(int.from_bytes(head, "big"))
        if len(body) < int.from_bytes(head, "big"):
            return
        yield pickle.loads(body)  # noqa: S301 - written by our own child
