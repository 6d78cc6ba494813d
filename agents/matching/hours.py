"""Weekly hours shared out by effort: who works on which project this week, and what waits for lack of hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agents.matching.gap import Gap
from agents.matching.gap_search import solve_gap
from agents.matching.model import Id, MatchingError, stable_key


@dataclass(frozen=True, slots=True)
class Shares:
    """Who works on which project this week, what waits for lack of hours, and how far from the best that can be."""

    agent: Mapping[Id, Id]
    waiting: tuple[Id, ...]
    cost: int
    bound: int


def share_hours(
    hours: Mapping[Id, int],
    efforts: Mapping[tuple[Id, Id], tuple[int, int]],
    waiting: Mapping[Id, int],
    *,
    limit_s: float,
    seed: int = 0,
) -> Shares:
    """Projects to agents within weekly ``hours``; ``efforts`` maps (project, agent) to (hours, cost).

    ``waiting`` names every project with what a week of waiting costs; a project that fits nowhere waits.
    """
    agents, projects = sorted(hours, key=stable_key), sorted(waiting, key=stable_key)
    row, column = {a: i for i, a in enumerate(agents)}, {p: j for j, p in enumerate(projects)}
    m, n = len(agents), len(projects)
    never = max(hours.values(), default=0) + 1
    cost = np.zeros((m + 1, n), dtype=np.int64)
    effort = np.full((m + 1, n), never, dtype=np.int64)
    for (project, agent), (needed, price) in efforts.items():
        if project not in column or agent not in row:
            raise MatchingError("unknown_pair", f"project {project} or agent {agent} is not in the lists",
                                project=project, agent=agent)  # fmt: skip
        cost[row[agent], column[project]] = price
        effort[row[agent], column[project]] = needed
    cost[m] = [waiting[p] for p in projects]
    effort[m] = 0
    room = np.array([hours[a] for a in agents] + [0], dtype=np.int64)
    found = solve_gap(Gap(cost, effort, room), limit_s=limit_s, seed=seed)
    assert found.agent is not None and found.cost is not None  # everybody may wait, so there is an answer
    given = {projects[j]: agents[i] for j, i in enumerate(found.agent.tolist()) if i < m}
    return Shares(given, tuple(p for p in projects if p not in given), found.cost, found.bound)
