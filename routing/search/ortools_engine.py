"""The child process that runs OR-Tools: it searches for orders of visits, or verifies a plan."""

from __future__ import annotations

import pickle
import sys

from routing.model.plan import Orders, Plan
from routing.search.ortools_check import verify_with_ortools
from routing.search.ortools_model import OrToolsModel


def main() -> None:
    """The child: a pickled (problem, limit) comes in, pickled orders go out, each with its length and better.

    With a plan in the place of the limit one answer goes out: what the model has against it.
    """
    problem, limit_or_plan = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the parent process
    if isinstance(limit_or_plan, Plan):
        body = pickle.dumps(verify_with_ortools(problem, limit_or_plan))
        sys.stdout.buffer.write(len(body).to_bytes(8, "big") + body)
        return
    if not problem.vehicles or not problem.requests:
        return

    def report(orders: Orders) -> None:
        body = pickle.dumps(orders)
        sys.stdout.buffer.write(len(body).to_bytes(8, "big") + body)
        sys.stdout.buffer.flush()

    OrToolsModel(problem).search(limit_or_plan, report)


if __name__ == "__main__":
    main()
