"""A child process that streams its best orders of visits, and is killed when its time is up."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO

from routing.problem import Problem

Orders = dict[str, list[tuple[str, int]]]


def ortools_orders(problem: Problem, *, limit_s: float, over: Callable[[], bool]) -> Orders:
    """The best orders that OR-Tools told before the limit; empty when it told none."""
    child = subprocess.Popen(
        [sys.executable, "-m", "routing.ortools_engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin and child.stdout
    best: list[Orders] = []
    listener = threading.Thread(target=_listen, args=(child.stdout, best), daemon=True)
    listener.start()
    ends = time.perf_counter() + limit_s
    try:
        with contextlib.suppress(BrokenPipeError):
            pickle.dump((problem, limit_s), child.stdin)
            child.stdin.close()
        while child.poll() is None and time.perf_counter() < ends and not over():
            time.sleep(min(0.02, max(0.0, ends - time.perf_counter())))
    finally:
        child.kill()
        child.wait()
        listener.join(timeout=1.0)
        child.stdout.close()
    return best[-1] if best else {}


def _listen(stream: IO[bytes], best: list[Orders]) -> None:
    while True:
        head = stream.read(8)
        if len(head) < 8:
            return
        body = stream.read(int.from_bytes(head, "big"))
        if len(body) < int.from_bytes(head, "big"):
            return  # cut off in the middle of a sentence
        best[:] = [pickle.loads(body)]  # noqa: S301 - written by our own child
