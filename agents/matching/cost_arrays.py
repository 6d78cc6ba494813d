"""The costs of many pairs at once: the same sums as rules.pair_terms, in arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from agents.matching.arrays import Flags, Floats, Ints
from agents.matching.model import MAX_STARS, Id, MatchingAgent, Need, Network, Weights
from agents.matching.rules import DETOUR, METRES_A_DEGREE, cosine

BARRED = np.int64(2**60)


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


class CostArrays:
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

    def _personal(self, cost: Ints, barred: Flags, at: Ints, of: Ints) -> None:
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
