"""The child process that proves and recombines: a problem comes in, then pools; bounds and sets of routes go out."""

from __future__ import annotations

import pickle
import queue
import sys
import threading

from routing.search.proof.messages import PoolRows
from routing.search.proof.prover import Prover


def main() -> None:
    """A pickled (problem, request) comes in first; whatever goes out has its length before it."""
    problem, request = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the parent process
    incoming: queue.SimpleQueue[PoolRows | None] = queue.SimpleQueue()
    threading.Thread(target=_take_in, args=(incoming,), daemon=True).start()
    Prover(problem, request, incoming, _tell).run()


def _tell(answer: object) -> None:
    body = pickle.dumps(answer)
    sys.stdout.buffer.write(len(body).to_bytes(8, "big") + body)
    sys.stdout.buffer.flush()


def _take_in(incoming: queue.SimpleQueue[PoolRows | None]) -> None:
    """Whatever pools the parent process sends, and None behind the last."""
    while True:
        try:
            incoming.put(pickle.load(sys.stdin.buffer))  # noqa: S301 - written by the parent process
        except EOFError:
            incoming.put(None)
            return


if __name__ == "__main__":
    main()
