"""A whole batch at once: the cheapest matching over all eligible pairs, with its proof."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

import numpy as np

from agents.matching.arrays import Flags, Ints
from agents.matching.candidate_matrix import CandidateMatrix, CountyBlock, build_candidate_matrix
from agents.matching.cost_arrays import BARRED
from agents.matching.flow import cheapest_flow
from agents.matching.gc_disabled import gc_disabled
from agents.matching.model import Certificate, Choice, Id, Matching, MatchingAgent, Need, Network, RunnerUp, Weights
from agents.matching.pricing import greatest_shadow_prices, least_need_values
from agents.matching.rules import pair_terms, slot_cost, waiting_terms

WHOLE = 3_000_000  # a flow with no more pairs than this is solved on all of them
NEAREST = 30  # else arcs that a need starts with; pricing brings in what is missing
BROUGHT = 12  # arcs that one round of pricing adds for a need at most


@dataclass(frozen=True, slots=True)
class Solution:
    """Rows of agents for rows of needs (-1 waits), each agent's shadow prices, and the rounds of pricing."""

    chosen: Ints
    shadow_price: Ints  # what a slot in use at each agent costs the whole: the greatest
    least_shadow_price: Ints  # what one slot more at each agent would save the whole: the least
    rounds: int


@gc_disabled()
def match(
    needs: Iterable[Need],
    agents: Iterable[MatchingAgent],
    network: Network,
    weights: Weights,
    *,
    limit_s: float | None = None,
) -> Matching:
    """The cheapest matching. Every need has a choice: an agent or the waiting list. Ties fall by stable keys.

    The answer is proven unless ``limit_s`` runs out between two rounds of pricing; then the certificate's bound
    says how far from the best it can be at most.
    """
    question = build_candidate_matrix(needs, agents, network, weights)
    return answer(question, solve(question, limit_s=limit_s), network, weights)


def solve(
    question: CandidateMatrix, *, limit_s: float | None = None, whole: int = WHOLE, nearest: int = NEAREST
) -> Solution:
    """Blocks that share agents are one flow: solved on few arcs, priced over all, until no arc is missing."""
    ends_at = None if limit_s is None else monotonic() + limit_s
    chosen = np.full(len(question.needs), -1, dtype=np.int64)
    shadow_price = np.zeros(len(question.agents), dtype=np.int64)
    least_shadow_price = np.zeros(len(question.agents), dtype=np.int64)
    rounds = 0
    for blocks in components(question.blocks, len(question.agents)):
        part = _solve_component(question, blocks, ends_at, whole, nearest)
        chosen[part.rows] = part.chosen
        shadow_price[part.people] = part.shadow_price
        least_shadow_price[part.people] = part.least_shadow_price
        rounds = max(rounds, part.rounds)
    for row, agent in question.locked.items():
        chosen[row] = agent
    return Solution(chosen, shadow_price, least_shadow_price, rounds)


def components(blocks: Sequence[CountyBlock], n_agents: int) -> list[list[CountyBlock]]:
    """Blocks joined by the agents they share, in the order of their first members."""
    first = [-1] * n_agents
    root = list(range(len(blocks)))

    def find(b: int) -> int:
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        return b

    for b, block in enumerate(blocks):
        for agent in block.agents.tolist():
            if first[agent] < 0:
                first[agent] = b
            else:
                one, two = sorted((find(first[agent]), find(b)))
                root[two] = one
    joined: dict[int, list[CountyBlock]] = defaultdict(list)
    for b, block in enumerate(blocks):
        joined[find(b)].append(block)
    return list(joined.values())


class _Part(NamedTuple):
    """What one component found: agents for its need rows, and prices for its people."""

    rows: Ints
    chosen: Ints
    people: Ints
    shadow_price: Ints
    least_shadow_price: Ints
    rounds: int


def _solve_component(
    question: CandidateMatrix, blocks: Sequence[CountyBlock], ends_at: float | None, whole: int, nearest: int
) -> _Part:
    rows = np.concatenate([b.needs for b in blocks])
    people = np.unique(np.concatenate([b.agents for b in blocks]))
    wait = question.wait[rows]
    starts, costs = _slots(question, people)
    local = [np.searchsorted(people, b.agents) for b in blocks]
    offset = np.cumsum([0] + [len(b.needs) for b in blocks])
    few = None if sum(int((b.cost < BARRED).sum()) for b in blocks) <= whole else nearest
    room = np.diff(starts) > 0
    start = [_nearest(b, at, int(o), room, few) for b, at, o in zip(blocks, local, offset, strict=False)]
    need, agent, cost = _join(start)
    rounds = 0
    while True:
        rounds += 1
        chosen = cheapest_flow(wait, need, agent, cost, starts, costs)
        shadow_price = greatest_shadow_prices(chosen, wait, need, agent, cost, starts, costs)
        value = wait.copy()
        own = chosen[need] == agent
        value[need[own]] = cost[own] + shadow_price[agent[own]]
        missing = [
            _cheaper(b, at, int(o), shadow_price, value) for b, at, o in zip(blocks, local, offset, strict=False)
        ]
        if not sum(len(m[0]) for m in missing) or (ends_at is not None and monotonic() > ends_at):
            saved = least_need_values(chosen, wait, need, agent, cost, starts, costs)
            least_shadow_price = np.zeros(len(people), dtype=np.int64)
            for b, at, o in zip(blocks, local, offset, strict=False):
                gain = saved[o : o + len(b.needs)][:, None] - b.cost
                np.maximum.at(least_shadow_price, at, gain.max(axis=0))
            return _Part(
                rows, np.where(chosen >= 0, people[chosen], -1), people, shadow_price, least_shadow_price, rounds
            )
        need, agent, cost = _join([(need, agent, cost), *missing])


def _slots(question: CandidateMatrix, people: Ints) -> tuple[Ints, Ints]:
    """The slot lists of some agents."""
    counts = np.diff(question.slot_start)[people]
    starts = np.concatenate([[0], np.cumsum(counts)])
    at = np.repeat(question.slot_start[people] - starts[:-1], counts) + np.arange(starts[-1])
    return starts, question.slot_cost[at]


Arcs = tuple[Ints, Ints, Ints]


def _nearest(block: CountyBlock, local: Ints, offset: int, room: Flags, few: int | None) -> Arcs:
    """The cheapest few arcs of each need (all when ``few`` is None) to agents with any room at all."""
    cost = np.where(room[local][None, :], block.cost, BARRED)
    if few is None or cost.shape[1] <= few:
        row, column = np.nonzero(cost < BARRED)
    else:
        best = np.argpartition(cost, few - 1, axis=1)[:, :few]
        row = np.repeat(np.arange(len(best)), few)
        column = best.ravel()
        allowed = cost[row, column] < BARRED
        row, column = row[allowed], column[allowed]
    return row + offset, local[column], cost[row, column]


def _cheaper(block: CountyBlock, local: Ints, offset: int, shadow_price: Ints, value: Ints) -> Arcs:
    """Arcs that would be cheaper than what their need got, at the present prices: the worst few of each need."""
    gain = block.cost + shadow_price[local][None, :]
    gain -= value[offset : offset + len(block.needs)][:, None]
    rows = np.flatnonzero(gain.min(axis=1) < 0)
    if not len(rows):
        return rows, rows, rows
    gain = gain[rows]
    if gain.shape[1] > BROUGHT:
        column = np.argpartition(gain, BROUGHT - 1, axis=1)[:, :BROUGHT]
    else:
        column = np.broadcast_to(np.arange(gain.shape[1]), gain.shape)
    negative = np.take_along_axis(gain, column, axis=1) < 0
    row = np.repeat(rows, column.shape[1])[negative.ravel()]
    column = column[negative]
    return row + offset, local[column], block.cost[row, column]


def _join(parts: Sequence[Arcs]) -> Arcs:
    """Arcs together, sorted by need and then agent, so that their order never depends on how they were found."""
    need, agent, cost = (np.concatenate([p[i] for p in parts]) for i in range(3))
    order = np.lexsort((agent, need))
    return need[order], agent[order], cost[order]


def answer(question: CandidateMatrix, solution: Solution, network: Network, weights: Weights) -> Matching:
    """The solution in the words of the model, with its certificate and every need's runners-up."""
    chosen, shadow_price = solution.chosen, solution.shadow_price
    others, best, pairs = _runners_up(question, solution)
    taken = question.base.tolist()
    for agent in question.locked.values():
        taken[agent] -= 1
    choices: dict[Id, Choice] = {}
    objective = 0
    locked_cost = 0
    in_order = sorted(range(len(chosen)), key=lambda row: row not in question.locked)
    found: dict[int, Choice] = {}
    for row in in_order:
        need, at = question.needs[row], int(chosen[row])
        if at < 0:
            choice = Choice(need.id, None, waiting_terms(need, weights), others.get(row, ()))
        else:
            agent_ = question.agents[at]
            taken[at] += 1
            even = slot_cost(taken[at], agent_.capacity, weights)
            terms = pair_terms(need, agent_, network, weights)._replace(evenness=even)
            choice = Choice(need.id, agent_.id, terms, others.get(row, ()))
            if row in question.locked:
                locked_cost += choice.cost
        objective += choice.cost
        found[row] = choice
    for row in range(len(chosen)):
        choices[question.needs[row].id] = found[row]
    bound = locked_cost + sum(best[row] for row in range(len(chosen)) if row not in question.locked)
    saved = np.repeat(shadow_price, np.diff(question.slot_start)) - question.slot_cost
    bound -= int(saved[saved > 0].sum())
    priced = sorted({a for b in question.blocks for a in b.agents.tolist()})
    prices = {question.agents[a].id: int(shadow_price[a]) for a in priced}
    certificate = Certificate(prices, bound, bound == objective, pairs + len(question.locked))
    return Matching(choices, objective, certificate, _scarcity(question, solution, weights))


def _runners_up(
    question: CandidateMatrix, solution: Solution
) -> tuple[dict[int, tuple[RunnerUp, ...]], list[int], int]:
    """For each need the two best others, the least it could pay at these prices, and how many pairs were looked at."""
    others: dict[int, tuple[RunnerUp, ...]] = {}
    best: list[int] = question.wait.tolist()
    pairs = 0
    for block in question.blocks:
        pairs += int((block.cost < BARRED).sum())
        reduced = block.cost + solution.shadow_price[block.agents][None, :]
        least = np.minimum(reduced.min(axis=1), question.wait[block.needs])
        # The chosen agent steps aside, then the two cheapest are found; argmin takes the first, the least stable key.
        width = len(block.agents)
        at = np.searchsorted(block.agents, solution.chosen[block.needs])
        own = np.flatnonzero(solution.chosen[block.needs] >= 0)
        reduced[own, at[own]] = BARRED
        ranks = []
        lines = np.arange(len(reduced))
        for _ in range(min(2, width)):
            second = reduced.argmin(axis=1)
            ranks.append((second, reduced[lines, second]))
            reduced[lines, second] = 2 * BARRED
        for r, row in enumerate(block.needs.tolist()):
            best[row] = int(least[r])
            others[row] = tuple(
                RunnerUp(question.agents[block.agents[c[r]]].id, int(block.cost[r, c[r]]), int(v[r] - least[r]))
                for c, v in ranks
                if v[r] < BARRED
            )
    return others, best, pairs


def _scarcity(question: CandidateMatrix, solution: Solution, weights: Weights) -> dict[Id, int]:
    """What a slot of each full agent would be worth to others, should it come free, beyond its own cost."""
    free = np.diff(question.slot_start)
    load = np.bincount(solution.chosen[solution.chosen >= 0], minlength=len(free))
    for agent in question.locked.values():
        load[agent] -= 1
    scarce = {}
    for row in np.flatnonzero((load >= free) & (solution.least_shadow_price > 0)).tolist():
        agent_ = question.agents[row]
        last = slot_cost(agent_.capacity, agent_.capacity, weights) if agent_.capacity else 0
        if solution.least_shadow_price[row] > last:
            scarce[agent_.id] = int(solution.least_shadow_price[row]) - last
    return scarce
