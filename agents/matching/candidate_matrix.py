"""All eligible pairs of needs and agents with their costs: a block of arrays for each home county or counter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from agents.matching.arrays import Ints
from agents.matching.cost_arrays import CostArrays
from agents.matching.model import (
    COUNTY,
    Id,
    MatchingAgent,
    MatchingError,
    Need,
    Network,
    Node,
    Weights,
    stable_key,
)
from agents.matching.rules import (
    Bar,
    ancestry,
    bar,
    home_county,
    pair_terms,
    slot_cost,
    waiting_terms,
)


@dataclass(frozen=True, slots=True)
class CountyBlock:
    """Needs that look at the same agents; ``cost[r, c]`` is BARRED where ``agents[c]`` may not take ``needs[r]``."""

    needs: Ints
    agents: Ints
    cost: Ints


@dataclass(frozen=True, slots=True)
class CandidateMatrix:
    """The whole question in arrays; needs and agents stand in the order of their stable keys.

    ``slot_start`` and ``slot_cost`` list each agent's free slots with their marginal costs; locked needs are placed
    beforehand (``locked``: need row to agent row) and their slots are no longer in the list.
    """

    needs: tuple[Need, ...]
    agents: tuple[MatchingAgent, ...]
    wait: Ints
    blocks: tuple[CountyBlock, ...]
    slot_start: Ints
    slot_cost: Ints
    locked: Mapping[int, int]
    base: Ints  # slots taken before the batch begins, an agent each


def build_candidate_matrix(
    needs: Iterable[Need], agents: Iterable[MatchingAgent], network: Network, weights: Weights
) -> CandidateMatrix:
    """Every rule applied to every pair; raises MatchingError where the input contradicts itself."""
    need_list = tuple(sorted(needs, key=lambda n: stable_key(n.id)))
    agent_list = tuple(sorted(agents, key=lambda a: stable_key(a.id)))
    row_of = _rows(agent_list, network)
    _reject_duplicates(need_list)
    base = _held_by_others(need_list, agent_list, row_of)
    locked = _locks(need_list, agent_list, row_of, base, network)
    for agent in locked.values():
        base[agent] += 1
    slots = [
        # One slot more than there are needs says all of an agent who could take them all.
        [slot_cost(k, a.capacity, weights) for k in range(b + 1, min(a.capacity, b + len(need_list) + 1) + 1)]
        for a, b in zip(agent_list, base.tolist(), strict=True)
    ]
    start = np.zeros(len(slots) + 1, dtype=np.int64)
    np.cumsum([len(s) for s in slots], out=start[1:])
    flat = np.fromiter((c for s in slots for c in s), dtype=np.int64, count=int(start[-1]))
    wait = np.array([waiting_terms(n, weights).total for n in need_list], dtype=np.int64)
    blocks = _blocks(need_list, agent_list, row_of, locked, network, weights)
    return CandidateMatrix(need_list, agent_list, wait, blocks, start, flat, locked, base)


def _rows(agents: Sequence[MatchingAgent], network: Network) -> dict[Id, int]:
    row_of: dict[Id, int] = {}
    seen: set[Node] = set()
    for row, agent in enumerate(agents):
        if agent.id in row_of:
            raise MatchingError("twice", f"agent {agent.id} is given twice", agent=agent.id)
        row_of[agent.id] = row
        if agent.node not in seen:
            ancestry(network, agent.node)
            seen.add(agent.node)
        if network[agent.node][1] != agent.level:
            raise MatchingError("level_mismatch", f"agent {agent.id} claims level {agent.level} at {agent.node}",
                                agent=agent.id, node=agent.node, level=agent.level)  # fmt: skip
    return row_of


def _reject_duplicates(needs: Sequence[Need]) -> None:
    for one, two in pairwise(needs):
        if one.id == two.id:
            raise MatchingError("twice", f"need {one.id} is given twice", need=one.id)


def _held_by_others(needs: Sequence[Need], agents: Sequence[MatchingAgent], row_of: Mapping[Id, int]) -> Ints:
    """Slots held now, without those of the needs that are being matched again."""
    base = np.array([a.held for a in agents], dtype=np.int64)
    for need in needs:
        if need.current is not None and need.current in row_of:
            base[row_of[need.current]] -= 1
    for row in np.flatnonzero(base < 0).tolist():
        raise MatchingError("held_too_small", f"agent {agents[row].id} has more of these needs than it holds",
                            agent=agents[row].id, held=agents[row].held)  # fmt: skip
    return base


def _locks(
    needs: Sequence[Need], agents: Sequence[MatchingAgent], row_of: Mapping[Id, int], base: Ints, network: Network
) -> dict[int, int]:
    """Each locked need's agent; a lock that cannot be kept is named with its reason."""
    locked: dict[int, int] = {}
    taken: dict[int, list[Id]] = defaultdict(list)
    for row, need in enumerate(needs):
        if need.lock is None:
            continue
        if need.lock not in row_of:
            raise MatchingError("unknown_agent", f"need {need.id} is locked to {need.lock}, whom nobody knows",
                                need=need.id, agent=need.lock)  # fmt: skip
        agent = agents[row_of[need.lock]]
        if reason := bar(need, agent, network):
            raise MatchingError("infeasible_lock", f"need {need.id} is locked to agent {agent.id}: {reason.value}",
                                need=need.id, agent=agent.id, reason=reason.value)  # fmt: skip
        locked[row] = row_of[need.lock]
        taken[row_of[need.lock]].append(need.id)
    for at, ids in taken.items():
        free = agents[at].capacity - int(base[at])
        if len(ids) > free:
            raise MatchingError("infeasible_lock", f"{len(ids)} needs locked to agent {agents[at].id}, free: {free}",
                                agent=agents[at].id, needs=ids, free=free, reason=Bar.FULL.value)  # fmt: skip
    return locked


def _blocks(
    needs: Sequence[Need],
    agents: Sequence[MatchingAgent],
    row_of: Mapping[Id, int],
    locked: Mapping[int, int],
    network: Network,
    weights: Weights,
) -> tuple[CountyBlock, ...]:
    home: dict[Node, Node] = {}
    by_node: dict[Node, list[int]] = defaultdict(list)
    by_home: dict[Node, list[int]] = defaultdict(list)
    for row, agent in enumerate(agents):
        by_node[agent.node].append(row)
        if agent.level >= COUNTY:
            if agent.node not in home:
                home[agent.node] = home_county(network, agent.node)
            by_home[home[agent.node]].append(row)

    groups: dict[tuple[str, Node, bool], list[int]] = defaultdict(list)
    blocks: list[CountyBlock] = []
    for row, need in enumerate(needs):
        if row in locked:
            continue
        if need.node not in home:
            home[need.node] = home_county(network, need.node)
        if need.first_ask is not None:
            if need.first_ask in row_of and bar(need, agent := agents[row_of[need.first_ask]], network) is None:
                cost = np.array([[pair_terms(need, agent, network, weights).total]], dtype=np.int64)
                blocks.append(CountyBlock(np.array([row]), np.array([row_of[agent.id]]), cost))
        elif need.role == "liaison":
            groups[("liaison", need.node, False)].append(row)
        else:
            groups[("lead", home[need.node], need.escalated)].append(row)

    cost_arrays = CostArrays(needs, agents, row_of, network, weights)
    for (role, node, escalated), rows in sorted(groups.items()):
        columns = list(by_node[node] if role == "liaison" or network[node][1] < COUNTY else by_home[node])
        if escalated:
            columns += [row for above in ancestry(network, node)[1:] for row in by_node[above]]
        if columns:
            at = np.array(rows, dtype=np.int64)
            of = np.array(sorted(columns), dtype=np.int64)
            blocks.append(CountyBlock(at, of, cost_arrays.costs(at, of)))
    return tuple(blocks)
