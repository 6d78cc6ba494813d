"""A child process that plans teams and shares out hours: the process that starts it never loads a solver."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from agents.matching.model import Id, MatchingAgent, Need, Network, Weights
from agents.matching.staffing import TeamPlan, WeekPlan, WorkOffer

ENGINE = (sys.executable, "-m", "agents.matching.staffing_engine")
TO_LOAD_S = 30.0
"""What the child may take beside its limit: solvers are loaded, and on a new machine compiled."""


class SolverUnavailable(RuntimeError):
    """The child process answered nothing: it died, or its time was up."""


def teams_in_child(
    needs: Iterable[Need],
    agents: Iterable[MatchingAgent],
    network: Network,
    weights: Weights,
    *,
    limit_s: float,
) -> list[TeamPlan]:
    """As ``plan_teams``. Raises SolverUnavailable."""
    plans: list[TeamPlan] = _ask("teams", (list(needs), list(agents), dict(network), weights), limit_s)
    return plans


def hours_in_child(
    weekly_hours: Mapping[Id, int], offers: Iterable[WorkOffer], waiting: Mapping[Id, int], *, limit_s: float
) -> WeekPlan:
    """As ``share_hours``. Raises SolverUnavailable."""
    plan: WeekPlan = _ask("hours", (dict(weekly_hours), list(offers), dict(waiting)), limit_s)
    return plan


def _ask(kind: str, question: tuple[Any, ...], limit_s: float) -> Any:
    try:
        done = subprocess.run(
            ENGINE, input=pickle.dumps((kind, question, limit_s)), capture_output=True, timeout=limit_s + TO_LOAD_S,
            check=True,
        )  # fmt: skip
    except subprocess.SubprocessError as error:
        raise SolverUnavailable(f"the solver for {kind} answered nothing: {error}") from error
    return pickle.loads(done.stdout)  # noqa: S301 - written by our own child
