"""All eligible pairs of needs and agents with their costs: a block of arrays for each home county or counter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from agents.matching.model import (
    COUNTY,
    MAX_STARS,
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
    DETOUR,
    METRES_A_DEGREE,
    Bar,
    ancestry,
    bar,
    cosine,
    home_county,
    pair_terms,
    slot_cost,
    waiting_terms,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
BARRED = np.int64(2**60)


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

    features = _Features(needs, agents, row_of, network, weights)
    for (role, node, escalated), rows in sorted(groups.items()):
        columns = list(by_node[node] if role == "liaison" or network[node][1] < COUNTY else by_home[node])
        if escalated:
            columns += [row for above in ancestry(network, node)[1:] for row in by_node[above]]
        if columns:
            at = np.array(rows, dtype=np.int64)
            of = np.array(sorted(columns), dtype=np.int64)
            blocks.append(CountyBlock(at, of, features.costs(at, of)))
    return tuple(blocks)


def roads(lon_a: Floats, lat_a: Floats, lon_b: Floats, lat_b: Floats, metres_east: Floats) -> Ints:
    """Whole hundreds of metres from each first point to each second one: rules.road_hm in arrays.

    ``metres_east`` are those of a degree at each first point."""
    north = lat_b[None, :] - lat_a[:, None]
    north *= METRES_A_DEGREE
    north *= north
    east = lon_b[None, :] - lon_a[:, None]
    east *= metres_east[:, None]
    east *= east
    north += east
    np.sqrt(north, out=north)
    north *= DETOUR
    north /= 100.0
    return north.astype(np.int64)


class _Features:
    """What the costs of many pairs at once are computed from; the same sums as rules.pair_terms, in arrays."""

    def __init__(
        self,
        needs: Sequence[Need],
        agents: Sequence[MatchingAgent],
        row_of: Mapping[Id, int],
        network: Network,
        weights: Weights,
    ) -> None:
        self.weights, self.needs, self.row_of = weights, needs, row_of
        self.lon = np.array([n.lon for n in needs], dtype=np.float64)
        self.lat = np.array([n.lat for n in needs], dtype=np.float64)
        self.metres_east = np.array([METRES_A_DEGREE * cosine(n.lat) for n in needs], dtype=np.float64)
        self.level = np.array([network[n.node][1] for n in needs], dtype=np.int64)
        self.agent_lon = np.array([a.lon for a in agents], dtype=np.float64)
        self.agent_lat = np.array([a.lat for a in agents], dtype=np.float64)
        self.agent_level = np.array([a.level for a in agents], dtype=np.int64)
        self.star_cost = np.array([weights.star * (MAX_STARS - a.stars) for a in agents], dtype=np.int64)
        self.away = np.array([a.away for a in agents], dtype=bool)
        skills = sorted({s for n in needs for s in n.skills})
        languages = sorted({n.language for n in needs if n.language is not None})
        bit = {("skill", s): i for i, s in enumerate(skills)}
        tongue = {("language", s): len(skills) + i for i, s in enumerate(languages)}
        both = bit | tongue
        words = max(1, -(-len(both) // 63))

        def bits(sets: Iterable[Iterable[tuple[str, str]]], index: Mapping[tuple[str, str], int]) -> Ints:
            cache: dict[frozenset[tuple[str, str]], list[int]] = {}
            rows = []
            for members in sets:
                key = frozenset(members)
                if key not in cache:
                    row = [0] * words
                    for member in key:
                        if (at := index.get(member)) is not None:
                            row[at // 63] |= 1 << (at % 63)
                    cache[key] = row
                rows.append(cache[key])
            return np.array(rows, dtype=np.int64).reshape(-1, words)

        self.wanted = bits(
            (
                [("skill", s) for s in n.skills] + ([] if n.language is None else [("language", n.language)])
                for n in needs
            ),
            both,
        )
        self.wanted_skills = bits(([("skill", s) for s in n.skills] for n in needs), bit)
        self.lacks = ~bits(
            ([("skill", s) for s in a.skills] + [("language", s) for s in a.languages] for a in agents), both
        )
        self.unpractised = ~bits(([("skill", s) for s in a.practised] for a in agents), bit)

    def costs(self, at: Ints, of: Ints) -> Ints:
        w = self.weights
        cost = roads(self.lon[at], self.lat[at], self.agent_lon[of], self.agent_lat[of], self.metres_east[at])
        np.minimum(cost, w.travel_cap_hm, out=cost)
        cost *= w.travel
        cost += w.escalation * np.maximum(0, self.level[at][:, None] - self.agent_level[of][None, :])
        cost += self.star_cost[of][None, :]
        missing = np.zeros(cost.shape, dtype=np.int64)
        barred = np.broadcast_to(self.away[of][None, :], cost.shape).copy()
        for word in range(self.wanted.shape[1]):
            missing += np.bitwise_count(self.wanted_skills[at, word][:, None] & self.unpractised[of, word][None, :])
            barred |= (self.wanted[at, word][:, None] & self.lacks[of, word][None, :]) != 0
        cost += w.unpractised * np.minimum(missing, w.unpractised_cap)
        self._personal(cost, barred, at, of)
        cost[barred] = BARRED
        return cost

    def _personal(self, cost: Ints, barred: npt.NDArray[np.bool_], at: Ints, of: Ints) -> None:
        """What names single agents: bans, earlier agents of the enterprise, the agent who has the need now."""
        column = {int(a): c for c, a in enumerate(of)}
        for r, row in enumerate(at.tolist()):
            need = self.needs[row]
            if need.previous:
                known = self._columns(need.previous, column)
                cost[r] += self.weights.newcomer
                cost[r, known] -= self.weights.newcomer
            if need.current is not None:
                move = self.weights.move if need.told else self.weights.shuffle
                cost[r] += move
                cost[r, self._columns([need.current], column)] -= move
            if need.bans:
                barred[r, self._columns(need.bans, column)] = True

    def _columns(self, ids: Iterable[Id], column: Mapping[int, int]) -> list[int]:
        return [column[row] for i in ids if (row := self.row_of.get(i)) is not None and row in column]
