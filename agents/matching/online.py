"""One new case at once: the marginal cost of each free agent's next slot, with the scarcity that the last batch saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from heapq import nsmallest

from agents.matching.model import MAX_STARS, Candidate, Choice, Id, Need, Network, Node, RunnerUp, Weights, stable_key
from agents.matching.rules import in_reach, move_cost, pair_terms, roads_from, slot_cost, waiting_terms

NAMED = 3  # whoever is proposed, and two who were not


def place_one(
    need: Need, agents: Iterable[Candidate], network: Network, weights: Weights, shadow_prices: Mapping[Id, int]
) -> Choice:
    """The best agent with a free slot now, or the waiting list when nobody eligible is free.

    ``shadow_prices`` is ``Matching.scarcity`` of the last batch: what a slot of an agent would save others beyond
    its own cost. A slot that a case already waiting needs more than this one is left to it. The answer is a proposal:
    the caller takes the slot by a conditional update and asks again, without that agent, when somebody was quicker.
    """
    cost_of = pair_costs(need, network, weights)
    offers = []
    for agent in agents:
        if agent.held < agent.capacity and (cost := cost_of(agent)) is not None:
            slot = slot_cost(agent.held + 1, agent.capacity, weights)
            offers.append((cost + slot + shadow_prices.get(agent.id, 0), slot, agent))
    # The key that breaks ties is made for those only who may be among the first.
    worst = max(nsmallest(NAMED, (score for score, _, _ in offers)), default=0)
    near = sorted((offer for offer in offers if offer[0] <= worst), key=lambda o: (o[0], stable_key(o[2].id)))
    first = [
        (score, agent, pair_terms(need, agent, network, weights)._replace(evenness=slot))
        for score, slot, agent in near[:NAMED]
    ]
    wait = waiting_terms(need, weights)
    if not first or first[0][0] >= wait.total:
        others = tuple(RunnerUp(a.id, t.total, score - wait.total) for score, a, t in first[:2])
        return Choice(need.id, None, wait, others)
    best, agent, terms = first[0]
    others = tuple(RunnerUp(a.id, t.total, score - best) for score, a, t in first[1:])
    return Choice(need.id, agent.id, terms, others)


def pair_costs(need: Need, network: Network, weights: Weights) -> Callable[[Candidate], int | None]:
    """For one need after another agent: the sum of ``pair_terms``, or None where ``bar`` says no.

    What the need alone decides, and what an agent's seat does, is found once and not for each agent."""
    seats: dict[tuple[Node, int], int | None] = {}  # what the seat costs; None when it is out of reach
    only = need.first_ask if need.lock is None else need.lock
    bans, skills, language, previous, current = need.bans, need.skills, need.language, need.previous, need.current
    level, moved, road_hm = network[need.node][1], move_cost(need, None, weights), roads_from(need.lon, need.lat)
    travel, far, star, newcomer = weights.travel, weights.travel_cap_hm, weights.star, weights.newcomer
    unpractised, strange = weights.unpractised, weights.unpractised_cap

    def cost_of(agent: Candidate) -> int | None:
        known_as = agent.id
        if (only is not None and known_as != only) or known_as in bans:
            return None
        seat = agent.node, agent.level
        if seat not in seats:
            steps = max(0, level - network[agent.node][1])
            seats[seat] = weights.escalation * steps if in_reach(need, agent, network) else None
        here = seats[seat]
        if here is None or agent.away or not skills <= agent.skills:
            return None
        if language is not None and language not in agent.languages:
            return None
        hm, lacking = road_hm(agent.lon, agent.lat), len(skills - agent.practised)
        return (
            here
            + travel * (hm if hm < far else far)
            + unpractised * (lacking if lacking < strange else strange)
            + star * (MAX_STARS - agent.stars)
            + (newcomer if previous and known_as not in previous else 0)
            + (moved if known_as != current else 0)
        )

    return cost_of
