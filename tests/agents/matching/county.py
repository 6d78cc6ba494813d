"""A small piece of the network to match in, and builders that fill in what a test does not mention."""

from itertools import product

from hypothesis import strategies as st

from agents.matching.model import MatchingAgent, Need, NetworkPlace, Weights
from agents.matching.rules import bar, pair_terms, slot_cost, waiting_terms

WEIGHTS = Weights()
NETWORK = {
    "P": NetworkPlace(None, 1, 118.78, 32.04),
    "C": NetworkPlace("P", 2, 118.79, 32.06),
    "K1": NetworkPlace("C", 3, 118.80, 32.05),
    "T1": NetworkPlace("K1", 4, 118.82, 32.06),
    "V1": NetworkPlace("T1", 5, 118.83, 32.07),
    "K2": NetworkPlace("C", 3, 119.03, 31.65),
    "T2": NetworkPlace("K2", 4, 119.05, 31.66),
}


def an_agent(ident, node="K1", **given):
    place = NETWORK[node]
    facts = {"capacity": 2, "held": 0, "lon": place.lon, "lat": place.lat, "skills": frozenset({"land", "env"})}
    return MatchingAgent(ident, node, place.level, **(facts | given))


def a_need(ident, node="T1", role="lead", **given):
    place = NETWORK[node]
    facts = {"lon": place.lon, "lat": place.lat, "skills": frozenset({"land"})}
    return Need(ident, role, given.pop("project", ident), node, **(facts | given))


SKILLS = st.frozensets(st.sampled_from(["land", "env", "fire"]), max_size=2)
NODES = st.sampled_from(sorted(NETWORK))


@st.composite
def problems(draw, max_needs=6, max_agents=5):
    """Needs and agents with every rule in play; what is held always covers what is current."""
    ids = list(range(draw(st.integers(0, max_agents))))
    some = st.none() | st.sampled_from([*ids, 99])
    needs = [
        a_need(
            i,
            draw(NODES),
            draw(st.sampled_from(["lead", "lead", "liaison"])),
            skills=draw(SKILLS),
            language=draw(st.sampled_from([None, None, "en"])),
            priority=draw(st.integers(1, 3)),
            waiting_days=draw(st.integers(0, 40)),
            current=draw(some),
            told=draw(st.booleans()),
            first_ask=draw(st.sampled_from([None, None, None, *ids])),
            previous=draw(st.frozensets(st.sampled_from([0, 1, 99]), max_size=2)),
            bans=draw(st.frozensets(st.sampled_from([0, 1]), max_size=1)),
            escalated=draw(st.booleans()),
        )
        for i in range(draw(st.integers(0, max_needs)))
    ]
    agents = [
        an_agent(
            i,
            draw(NODES),
            capacity=draw(st.integers(0, 3)),
            held=sum(n.current == i for n in needs) + draw(st.integers(0, 2)),
            skills=draw(SKILLS) | {"land"},
            languages=draw(st.sampled_from([frozenset(), frozenset({"en"})])),
            stars=draw(st.integers(0, 5)),
            away=draw(st.sampled_from([False, False, False, True])),
            practised=draw(SKILLS),
        )
        for i in ids
    ]
    return needs, agents


def cheapest(needs, agents, network, weights):
    """The least objective, by trying every combination."""
    options = []
    for need in needs:
        found = [(None, waiting_terms(need, weights).total)]
        found += [(a, pair_terms(need, a, network, weights).total) for a in agents if bar(need, a, network) is None]
        options.append(found)
    base = {a.id: a.held - sum(n.current == a.id for n in needs) for a in agents}
    best = None
    for combination in product(*options):
        load = dict(base)
        total = 0
        for agent, cost in combination:
            total += cost
            if agent is not None:
                load[agent.id] += 1
                if load[agent.id] > agent.capacity:
                    break
                total += slot_cost(load[agent.id], agent.capacity, weights)
        else:
            best = total if best is None else min(best, total)
    return best
