"""Weekly hours shared out by effort: who works on which project this week, and what waits for lack of hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from agents.matching.gap import Gap
from agents.matching.gap_search import solve_gap
from agents.matching.model import Id, MatchingError, stable_key
from agents.matching.staffing import WeekPlan, WorkOffer


def share_hours(
    weekly_hours: Mapping[Id, int],
    offers: Iterable[WorkOffer],
    waiting: Mapping[Id, int],
    *,
    limit_s: float = 2.0,
) -> WeekPlan:
    """Each project to one agent within the agents' ``weekly_hours``, at the least cost.

    ``waiting`` names every project with what a week of waiting costs. A project that no agent has hours for waits.
    """
    agents, projects = sorted(weekly_hours, key=stable_key), sorted(waiting, key=stable_key)
    row, column = {a: i for i, a in enumerate(agents)}, {p: j for j, p in enumerate(projects)}
    m, n = len(agents), len(projects)
    never = max(weekly_hours.values(), default=0) + 1
    cost = np.zeros((m + 1, n), dtype=np.int64)
    effort = np.full((m + 1, n), never, dtype=np.int64)
    for offer in offers:
        if offer.project not in column or offer.agent not in row:
            raise MatchingError("unknown_pair", f"project {offer.project} or agent {offer.agent} is not in the lists",
                                project=offer.project, agent=offer.agent)  # fmt: skip
        cost[row[offer.agent], column[offer.project]] = offer.cost
        effort[row[offer.agent], column[offer.project]] = offer.hours
    # The last row is the waiting list: an agent whose work takes no hours.
    cost[m] = [waiting[p] for p in projects]
    effort[m] = 0
    room = np.array([weekly_hours[a] for a in agents] + [0], dtype=np.int64)
    found = solve_gap(Gap(cost, effort, room), limit_s=limit_s)
    assert found.agent is not None and found.cost is not None  # everybody may wait, so there is an answer
    given = {projects[j]: agents[i] for j, i in enumerate(found.agent.tolist()) if i < m}
    left = dict(weekly_hours)
    for project, agent in given.items():
        left[agent] -= int(effort[row[agent], column[project]])
    return WeekPlan(given, tuple(p for p in projects if p not in given), left, found.cost, found.bound)
