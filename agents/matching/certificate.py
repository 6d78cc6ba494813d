"""An independent check of a matching: every rule again, and no eligible pair cheaper at the shadow prices.

It shares the nouns of model.py with the solver and no other line: places, rules, costs and the dual value are worked
out here again. The proof is weak duality: any shadow prices give a lower bound, and a bound that meets the objective
proves that nothing is cheaper.
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
    """What is wrong with the matching. An empty list: it is feasible, its figures are true, and it is the cheapest if
    it claims so."""
    inspection = _Inspection(list(needs), {a.id: a for a in agents}, network, weights, matching)
    return inspection.broken_rules() or inspection.false_claims()


@dataclass(frozen=True, slots=True)
class _NeedPool:
    """All agents who may take needs of one kind, and the part of the cost that is the same for all these needs."""

    agents: tuple[MatchingAgent, ...]
    column: dict[Id, int]
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    fixed: Ints
    shadow_price: Ints


class _Inspection:
    def __init__(
        self, needs: list[Need], agents: dict[Id, MatchingAgent], network: Network, weights: Weights, matching: Matching
    ) -> None:
        self.needs, self.agents, self.network = needs, agents, network
        self.weights, self.matching = weights, matching
        self.by_node: dict[Node, list[MatchingAgent]] = defaultdict(list)
        self.by_county: dict[Node, list[MatchingAgent]] = defaultdict(list)
        for agent in agents.values():
            self.by_node[agent.node].append(agent)
            for node in self.upwards(agent.node):
                if network[node][1] == COUNTY:
                    self.by_county[node].append(agent)
        self.pools: dict[tuple[object, ...], _NeedPool] = {}
        matched_again = Counter(n.current for n in needs if n.current is not None)
        self.held_by_others = {a.id: a.held - matched_again[a.id] for a in agents.values()}

    def broken_rules(self) -> list[str]:
        choices = self.matching.choices
        if len(choices) != len(self.needs) or any(n.id not in choices for n in self.needs):
            return ["the choices are not one for each need"]
        faults: list[str] = []
        got: Counter[Id] = Counter()
        for need in self.needs:
            chosen = choices[need.id].agent
            if chosen is None:
                if need.lock is not None:
                    faults.append(f"need {need.id} waits although it is locked to {need.lock}")
            elif chosen not in self.agents:
                faults.append(f"need {need.id} has agent {chosen}, whom nobody knows")
            else:
                got[chosen] += 1
                if chosen not in self.pool(need).column:
                    faults.append(f"need {need.id} has agent {chosen}, who may not take it")
        for agent, count in got.items():
            room = max(0, self.agents[agent].capacity - self.held_by_others[agent])
            if count > room:
                faults.append(f"agent {agent} got {count} needs and has room for {room}")
        for agent, price in self.matching.certificate.shadow_prices.items():
            if agent not in self.agents:
                faults.append(f"agent {agent} has a shadow price, and nobody knows the agent")
            elif price < 0:
                faults.append(f"the shadow price of agent {agent} is {price}, less than 0")
        return faults

    def false_claims(self) -> list[str]:
        faults: list[str] = []
        claim = self.matching.certificate
        taken = dict(self.held_by_others)
        cost = bound = 0
        for need in self.needs:
            if need.lock is not None:  # an order leaves no choice: the same cost in objective and bound
                taken[need.lock] += 1
                paid = int(self.costs(need, self.pool(need))[0]) + self.slot(need.lock, taken[need.lock])
                cost += paid
                bound += paid
        for agent, price in claim.shadow_prices.items():
            if price > 0:  # a slot never pays anybody: at no price none of them gains anything
                free = range(taken[agent] + 1, self.agents[agent].capacity + 1)
                bound -= sum(max(0, price - self.slot(agent, k)) for k in free)
        for need in self.needs:
            if need.lock is not None:
                continue
            pool, wait, chosen = self.pool(need), self.waits(need), self.matching.choices[need.id].agent
            costs = self.costs(need, pool)
            least = min(wait, int((costs + pool.shadow_price).min())) if len(costs) else wait
            bound += least
            if chosen is None:
                paid = wait
                cost += wait
            else:
                at = pool.column[chosen]
                taken[chosen] += 1
                paid = int(costs[at] + pool.shadow_price[at])
                cost += int(costs[at]) + self.slot(chosen, taken[chosen])
            if claim.proven and paid > least:
                faults.append(f"need {need.id} could be {paid - least} cheaper at the shadow prices")
        if cost != self.matching.objective:
            faults.append(f"the objective is {cost}, not {self.matching.objective}")
        if bound != claim.bound:
            faults.append(f"the bound is {bound}, not {claim.bound}")
        if claim.proven != (bound == cost):
            faults.append(f"proven is said to be {claim.proven} at objective {cost} and bound {bound}")
        return faults + (self.overpriced(taken) if claim.proven else [])

    def overpriced(self, taken: dict[Id, int]) -> list[str]:
        """Agents with a free slot whose shadow price is more than that slot costs: a proof has none."""
        return [
            f"agent {agent} has a free slot for {slot} and a shadow price of {price}"
            for agent, price in self.matching.certificate.shadow_prices.items()
            if taken[agent] < self.agents[agent].capacity and price > (slot := self.slot(agent, taken[agent] + 1))
        ]

    def upwards(self, node: Node | None) -> list[Node]:
        line: list[Node] = []
        while node is not None:
            line.append(node)
            node = self.network[node][0]
        return line

    def pool(self, need: Need) -> _NeedPool:
        only = need.lock if need.lock is not None else need.first_ask
        kind = (need.role, need.node, need.escalated, need.skills, need.language, only, need.bans)
        if kind not in self.pools:
            self.pools[kind] = self._pool(need, only)
        return self.pools[kind]

    def _pool(self, need: Need, only: Id | None) -> _NeedPool:
        line = self.upwards(need.node)
        if need.role == "liaison":
            nearby = list(self.by_node[need.node])
        else:
            county = next((node for node in line if self.network[node][1] == COUNTY), None)
            nearby = list(self.by_node[need.node] if county is None else self.by_county[county])
            if need.escalated:
                for node in line[(0 if county is None else line.index(county)) + 1 :]:
                    nearby += self.by_node[node]
        agents = tuple(
            a
            for a in nearby
            if not a.away
            and (only is None or a.id == only)
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
            np.array([self.matching.certificate.shadow_prices.get(a.id, 0) for a in agents], dtype=np.int64),
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
