"""A child process with OR-Tools in it: it streams its best orders of visits, or what it has against a plan.

It is killed when its time is up, and the process that starts it never imports OR-Tools.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

from routing.model.plan import Orders, Plan
from routing.model.problem import Problem

log = logging.getLogger(__name__)

ENGINE = (sys.executable, "-m", "routing.search.ortools_engine")


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


def _write(stream: IO[bytes], message: object) -> None:
    with contextlib.suppress(BrokenPipeError), stream:
        pickle.dump(message, stream)


def _read(stream: IO[bytes], answers: list[Any]) -> None:
    while True:
        head = stream.read(8)
        if len(head) < 8:
            return
        body = stream.read(int.from_bytes(head, "big"))
        if len(body) < int.from_bytes(head, "big"):
            return  # cut off in the middle of a message
        answers[:] = [pickle.loads(body)]  # noqa: S301 - written by our own child
