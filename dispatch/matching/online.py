"""One new case at once: the marginal cost of each free agent's next slot, with the scarcity that the last batch saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dispatch.matching.model import Agent, Choice, Id, Need, Network, RunnerUp, Weights, stable_key
from dispatch.matching.rules import bar, pair_terms, slot_cost, waiting_terms


def place_one(
    need: Need, agents: Iterable[Agent], network: Network, weights: Weights, prices: Mapping[Id, int]
) -> Choice:
    """The best agent with a free slot now, or the waiting list when nobody eligible is free.

    ``prices`` is ``Matching.scarcity`` of the last batch: what a slot of an agent was worth to others beyond its own
    cost. A slot that is worth more to a case already waiting than to this one is left to it. The answer is a proposal:
    the caller takes the slot by a conditional update and asks again, without that agent, when somebody was quicker.
    """
    offers = []
    for agent in agents:
        if agent.held < agent.capacity and bar(need, agent, network) is None:
            terms = pair_terms(need, agent, network, weights)
            slot = slot_cost(agent.held + 1, agent.capacity, weights)
            offers.append((terms.total + slot + prices.get(agent.id, 0), stable_key(agent.id), agent, terms, slot))
    offers.sort(key=lambda offer: offer[:2])
    first = [(score, agent, terms._replace(evenness=slot)) for score, _, agent, terms, slot in offers[:3]]
    wait = waiting_terms(need, weights)
    if not first or first[0][0] >= wait.total:
        others = tuple(RunnerUp(a.id, t.total, score - wait.total) for score, a, t in first[:2])
        return Choice(need.id, None, wait, others)
    best, agent, terms = first[0]
    others = tuple(RunnerUp(a.id, t.total, score - best) for score, a, t in first[1:])
    return Choice(need.id, agent.id, terms, others)
