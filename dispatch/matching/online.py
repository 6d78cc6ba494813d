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
            terms = terms._replace(evenness=slot_cost(agent.held + 1, agent.capacity, weights))
            offers.append((terms.total + prices.get(agent.id, 0), stable_key(agent.id), agent, terms))
    offers.sort(key=lambda offer: offer[:2])
    wait = waiting_terms(need, weights)
    if not offers or offers[0][0] >= wait.total:
        others = tuple(RunnerUp(a.id, t.total, score - wait.total) for score, _, a, t in offers[:2])
        return Choice(need.id, None, wait, others)
    best, _, agent, terms = offers[0]
    others = tuple(RunnerUp(a.id, t.total, score - best) for score, _, a, t in offers[1:3])
    return Choice(need.id, agent.id, terms, others)
