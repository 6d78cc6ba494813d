"""Policies: rules of assignment to compare: the one of real halls, the greedy one, and ours. Pure."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.matching.model import COUNTY, Id, Matching, MatchingAgent, Need, Network, Node, Weights, stable_key
from agents.matching.rules import ancestry, bar, home_county, road_hm


@dataclass(frozen=True, slots=True)
class WaitingNeeds:
    """What a rule sees of one day: the needs that wait, the agents with their loads, and how many each has served."""

    needs: Sequence[Need]
    agents: Mapping[Id, MatchingAgent]
    served: Mapping[Id, int]
    network: Network
    seed: int

    def can_take(self, agent: Id, need: Need) -> bool:
        """Whether no rule keeps the agent from the need."""
        return bar(need, self.agents[agent], self.network) is None


class Policy(Protocol):
    """A rule of assignment: says which agent takes which waiting need now."""

    @property
    def name(self) -> str: ...

    def assign(self, waiting: WaitingNeeds) -> dict[Id, Id]:
        """Agent of each need that is placed now; the others wait."""
        ...


class Seats:
    """Who could take a need at all: agents by the place they sit in, so that a day need not look at the province."""

    def __init__(self, agents: Iterable[MatchingAgent], network: Network) -> None:
        self.network = network
        self.by_node: dict[Node, list[Id]] = defaultdict(list)
        self.by_county: dict[Node, list[Id]] = defaultdict(list)
        for agent in agents:
            self.by_node[agent.node].append(agent.id)
            if agent.level >= COUNTY:
                self.by_county[home_county(network, agent.node)].append(agent.id)

    def rings(self, need: Need) -> list[list[Id]]:
        """Candidates in the order of escalation: the home county (or the counter), then city, then province."""
        if need.role == "liaison":
            return [self.by_node[need.node]]
        home = home_county(self.network, need.node)
        above = [self.by_node[node] for node in ancestry(self.network, home)[1:]] if need.escalated else []
        return [self.by_county[home] or self.by_node[home], *above]


@dataclass(frozen=True, slots=True)
class HallRule:
    """What real halls do: who is idle, then who served fewest so far, ties at random; upwards when all are full."""

    seats: Seats
    name: str = "先空闲、再办件少者、随机"

    def assign(self, waiting: WaitingNeeds) -> dict[Id, Id]:
        rng, held, served = random.Random(waiting.seed), _Loads(waiting.agents), waiting.served
        taken: dict[Id, Id] = {}
        turn: dict[Id, int] = defaultdict(int)
        for need in waiting.needs:
            for ring in self.seats.rings(need):
                free = [a for a in ring if held.has_room(a) and waiting.can_take(a, need)]
                if free:
                    best = min((held[a] > 0, served.get(a, 0) + turn[a]) for a in free)
                    equal = [a for a in free if (held[a] > 0, served.get(a, 0) + turn[a]) == best]
                    chosen = rng.choice(sorted(equal, key=stable_key))
                    held.take(chosen)
                    turn[chosen] += 1
                    taken[need.id] = chosen
                    break
        return taken


@dataclass(frozen=True, slots=True)
class NearestFree:
    """Greedy: in order of arrival, the nearest agent with a free slot, at whatever level."""

    seats: Seats
    name: str = "就近空闲"

    def assign(self, waiting: WaitingNeeds) -> dict[Id, Id]:
        held, agents = _Loads(waiting.agents), waiting.agents
        taken: dict[Id, Id] = {}
        for need in waiting.needs:
            near = [
                (road_hm(need.lon, need.lat, agents[a].lon, agents[a].lat), stable_key(a), a)
                for ring in self.seats.rings(need)
                for a in ring
                if held.has_room(a) and waiting.can_take(a, need)
            ]
            if near:
                chosen = min(near)[2]
                held.take(chosen)
                taken[need.id] = chosen
        return taken


Matcher = Callable[[Iterable[Need], Iterable[MatchingAgent], Network, Weights], Matching]


@dataclass(frozen=True, slots=True)
class ByMatching:
    """Ours: all that wait are matched together by ``agents.matching.batch.match``, which the caller hands in."""

    match: Matcher
    weights: Weights
    name: str = "整体匹配"

    def assign(self, waiting: WaitingNeeds) -> dict[Id, Id]:
        return self.match(waiting.needs, waiting.agents.values(), waiting.network, self.weights).assigned


class _Loads:
    def __init__(self, agents: Mapping[Id, MatchingAgent]) -> None:
        self.agents = agents
        self.more: dict[Id, int] = defaultdict(int)

    def __getitem__(self, agent: Id) -> int:
        return self.agents[agent].held + self.more[agent]

    def has_room(self, agent: Id) -> bool:
        return self[agent] < self.agents[agent].capacity

    def take(self, agent: Id) -> None:
        self.more[agent] += 1
