"""An independent look at a matching: every rule re-derived, and no choice in the universe cheaper at its prices.

It shares the nouns of model.py with the solver and no other line: places, rules, costs and the dual value are worked
out here again. The proof is weak duality: any prices give a lower bound, and a bound that meets the objective ends the
argument.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.matching.model import COUNTY, MAX_STARS, Id, Matching, MatchingAgent, Need, Network, Node, Weights

Ints = npt.NDArray[np.int64]


def check(
    needs: Iterable[Need], agents: Iterable[MatchingAgent], network: Network, weights: Weights, matching: Matching
) -> list[str]:
    """What is wrong with the matching; an empty list means feasible, truthful and, if so claimed, the cheapest."""
    inspection = _Inspection(list(needs), {a.id: a for a in agents}, network, weights, matching)
    return inspection.infeasible() or inspection.untrue()


@dataclass(frozen=True, slots=True)
class _NeedPool:
    """All who may take needs of one kind, and the part of the cost that needs of this kind share."""

    agents: tuple[MatchingAgent, ...]
    column: dict[Id, int]
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    fixed: Ints
    price: Ints


class _Inspection:
    def __init__(
        self, needs: list[Need], agents: dict[Id, MatchingAgent], network: Network, weights: Weights, matching: Matching
    ) -> None:
        self.needs, self.agents, self.network = needs, agents, network
        self.weights, self.matching = weights, matching
        self.seats: dict[Node, list[MatchingAgent]] = defaultdict(list)
        self.counties: dict[Node, list[MatchingAgent]] = defaultdict(list)
        for agent in agents.values():
            self.seats[agent.node].append(agent)
            for node in self.upwards(agent.node):
                if network[node][1] == COUNTY:
                    self.counties[node].append(agent)
        self.pools: dict[tuple[object, ...], _NeedPool] = {}
        kept = Counter(n.current for n in needs if n.current is not None)
        self.before = {a.id: a.held - kept[a.id] for a in agents.values()}

    def infeasible(self) -> list[str]:
        choices = self.matching.choices
        if len(choices) != len(self.needs) or any(n.id not in choices for n in self.needs):
            return ["the choices are not one for each need"]
        said: list[str] = []
        got: Counter[Id] = Counter()
        for need in self.needs:
            chosen = choices[need.id].agent
            if chosen is None:
                if need.lock is not None:
                    said.append(f"need {need.id} waits although it is locked to {need.lock}")
            elif chosen not in self.agents:
                said.append(f"need {need.id} has agent {chosen}, whom nobody knows")
            else:
                got[chosen] += 1
                if chosen not in self.pool(need).column:
                    said.append(f"need {need.id} has agent {chosen}, who may not take it")
        for agent, count in got.items():
            room = max(0, self.agents[agent].capacity - self.before[agent])
            if count > room:
                said.append(f"agent {agent} got {count} needs and has room for {room}")
        return said

    def untrue(self) -> list[str]:
        said: list[str] = []
        claim = self.matching.certificate
        taken = dict(self.before)
        cost = bound = 0
        for need in self.needs:
            if need.lock is not None:  # an order: no choice, so the same cost in objective and bound
                taken[need.lock] += 1
                paid = int(self.costs(need, self.pool(need))[0]) + self.slot(need.lock, taken[need.lock])
                cost += paid
                bound += paid
        for agent, price in claim.prices.items():
            free = range(taken[agent] + 1, self.agents[agent].capacity + 1)
            bound -= sum(max(0, price - self.slot(agent, k)) for k in free)
        for need in self.needs:
            if need.lock is not None:
                continue
            pool, wait, chosen = self.pool(need), self.waits(need), self.matching.choices[need.id].agent
            costs = self.costs(need, pool)
            least = min(wait, int((costs + pool.price).min())) if len(costs) else wait
            bound += least
            if chosen is None:
                paid = wait
                cost += wait
            else:
                at = pool.column[chosen]
                taken[chosen] += 1
                paid = int(costs[at] + pool.price[at])
                cost += int(costs[at]) + self.slot(chosen, taken[chosen])
            if claim.proven and paid > least:
                said.append(f"need {need.id} could be {paid - least} cheaper at the certificate's prices")
        if cost != self.matching.objective:
            said.append(f"the objective is {cost}, not {self.matching.objective}")
        if bound != claim.bound:
            said.append(f"the bound is {bound}, not {claim.bound}")
        if claim.proven != (bound == cost):
            said.append(f"proven is said to be {claim.proven} at objective {cost} and bound {bound}")
        return said

    def upwards(self, node: Node | None) -> list[Node]:
        line: list[Node] = []
        while node is not None:
            line.append(node)
            node = self.network[node][0]
        return line

    def pool(self, need: Need) -> _NeedPool:
        pin = need.lock if need.lock is not None else need.first_ask
        kind = (need.role, need.node, need.escalated, need.skills, need.language, pin, need.bans)
        if kind not in self.pools:
            self.pools[kind] = self._pool(need, pin)
        return self.pools[kind]

    def _pool(self, need: Need, pin: Id | None) -> _NeedPool:
        line = self.upwards(need.node)
        if need.role == "liaison":
            nearby = list(self.seats[need.node])
        else:
            county = next((node for node in line if self.network[node][1] == COUNTY), None)
            nearby = list(self.seats[need.node] if county is None else self.counties[county])
            if need.escalated:
                for node in line[(0 if county is None else line.index(county)) + 1 :]:
                    nearby += self.seats[node]
        agents = tuple(
            a
            for a in nearby
            if not a.away
            and (pin is None or a.id == pin)
            and a.id not in need.bans
            and need.skills.issubset(a.skills)
            and (need.language is None or need.language in a.languages)
        )
        w, own_level = self.weights, self.network[need.node][1]
        fixed = [
            w.escalation * max(0, own_level - self.network[a.node][1])
            + w.star * (MAX_STARS - a.stars)
            + w.unpractised * min(w.unpractised_cap, sum(1 for s in need.skills if s not in a.practised))
            for a in agents
        ]
        return _NeedPool(
            agents,
            {a.id: i for i, a in enumerate(agents)},
            np.array([a.lon for a in agents], dtype=np.float64),
            np.array([a.lat for a in agents], dtype=np.float64),
            np.array(fixed, dtype=np.int64),
            np.array([self.matching.certificate.prices.get(a.id, 0) for a in agents], dtype=np.int64),
        )

    def costs(self, need: Need, pool: _NeedPool) -> Ints:
        w = self.weights
        x = (pool.lon - need.lon) * (111_195.0 * math.cos(math.radians(need.lat)))
        y = (pool.lat - need.lat) * 111_195.0
        hundreds = np.floor(np.sqrt(x * x + y * y) * 1.3 / 100.0).astype(np.int64)
        cost: Ints = w.travel * np.minimum(hundreds, w.travel_cap_hm) + pool.fixed
        if need.previous:
            cost += w.newcomer
            for known in need.previous & pool.column.keys():
                cost[pool.column[known]] -= w.newcomer
        if need.current is not None:
            moved = w.move if need.told else w.shuffle
            cost += moved
            if need.current in pool.column:
                cost[pool.column[need.current]] -= moved
        return cost

    def waits(self, need: Need) -> int:
        w = self.weights
        moved = 0 if need.current is None else w.move if need.told else w.shuffle
        return w.waiting * need.priority + w.ageing * min(need.waiting_days, w.ageing_cap_days) + moved

    def slot(self, agent: Id, k: int) -> int:
        return self.weights.evenness * ((2 * k - 1) * 100 // self.agents[agent].capacity)
