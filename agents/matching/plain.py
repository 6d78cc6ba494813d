"""Matching on plain costs: agents with slots, cases with a waiting cost, candidate pairs with a price, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from agents.matching.flow import cheapest_flow
from agents.matching.model import Id, MatchingError
from agents.matching.pricing import greatest_shadow_prices


@dataclass(frozen=True, slots=True)
class PlainProblem:
    """``slots`` lists each agent's free slots by their own costs, rising; ``candidates`` are (case, agent, cost)."""

    slots: Mapping[Id, Sequence[int]]
    waiting: Mapping[Id, int]
    candidates: Sequence[tuple[Id, Id, int]]

    def __post_init__(self) -> None:
        seen = set()
        for case, agent, _ in self.candidates:
            if agent not in self.slots:
                raise MatchingError("unknown_agent", f"a candidate of case {case} is agent {agent}, whom nobody knows",
                                    case=case, agent=agent)  # fmt: skip
            if case not in self.waiting:
                raise MatchingError("unknown_case", f"agent {agent} is a candidate of case {case}, which is not listed",
                                    case=case, agent=agent)  # fmt: skip
            if (case, agent) in seen:
                raise MatchingError("twice", f"agent {agent} is given twice for case {case}", case=case, agent=agent)
            seen.add((case, agent))
        for agent, costs in self.slots.items():
            if any(b < a for a, b in pairwise(costs)):
                raise MatchingError("not_convex", f"the slots of agent {agent} get cheaper", agent=agent)


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """Each case's agent (None waits), the objective, and shadow prices that prove it: ``bound`` is their dual value."""

    agent: Mapping[Id, Id | None]
    objective: int
    shadow_prices: Mapping[Id, int]
    values: Mapping[Id, int]
    bound: int

    @property
    def proven(self) -> bool:
        return self.bound == self.objective


def match_plain(problem: PlainProblem) -> PlainAnswer:
    """The cheapest matching; exact, and the certificate says so."""
    agents, cases = list(problem.slots), list(problem.waiting)
    row = {a: i for i, a in enumerate(agents)}
    line = {c: i for i, c in enumerate(cases)}
    need = np.array([line[c] for c, _, _ in problem.candidates], dtype=np.int64)
    agent = np.array([row[a] for _, a, _ in problem.candidates], dtype=np.int64)
    cost = np.array([p for _, _, p in problem.candidates], dtype=np.int64)
    order = np.lexsort((agent, need))
    need, agent, cost = need[order], agent[order], cost[order]
    wait = np.array([problem.waiting[c] for c in cases], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum([len(problem.slots[a]) for a in agents])]).astype(np.int64)
    slots = np.array([c for a in agents for c in problem.slots[a]], dtype=np.int64)
    chosen = cheapest_flow(wait, need, agent, cost, starts, slots)
    price = greatest_shadow_prices(chosen, wait, need, agent, cost, starts, slots)
    value = wait.copy()
    np.minimum.at(value, need, cost + price[agent])
    excess = np.repeat(price, np.diff(starts)) - slots
    bound = int(value.sum()) - int(excess[excess > 0].sum())
    own = chosen[need] == agent
    load = np.bincount(chosen[chosen >= 0], minlength=len(agents))
    used = np.concatenate([slots[s : s + k] for s, k in zip(starts[:-1], load, strict=True)]) if agents else slots
    objective = int(cost[own].sum()) + int(wait[chosen < 0].sum()) + int(used.sum())
    return PlainAnswer(
        {c: None if chosen[i] < 0 else agents[chosen[i]] for i, c in enumerate(cases)},
        objective,
        {a: int(price[i]) for i, a in enumerate(agents)},
        {c: int(value[i]) for i, c in enumerate(cases)},
        bound,
    )
