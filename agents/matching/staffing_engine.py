"""The child process with the solver of teams or of weekly hours: a pickled question comes in, its answer goes out."""

from __future__ import annotations

import pickle
import sys
from importlib import import_module

SOLVERS = {"teams": ("agents.matching.teams", "plan_teams"), "hours": ("agents.matching.hours", "share_hours")}
"""Only the one that is asked is loaded: that takes longer than most questions."""


def main() -> None:
    """Answer one question, and end."""
    kind, question, limit_s = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the parent process
    module, function = SOLVERS[kind]
    answer = getattr(import_module(module), function)(*question, limit_s=limit_s)
    sys.stdout.buffer.write(pickle.dumps(answer))


if __name__ == "__main__":
    main()
