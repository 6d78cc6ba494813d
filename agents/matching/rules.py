"""Who may take a need, and what it costs: every rule and wish for one pair, in plain arithmetic.

Distances use only operations that IEEE 754 rounds exactly, so that every machine finds the same whole number.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from math import sqrt

from agents.matching.model import (
    COUNTY,
    MAX_STARS,
    VILLAGE,
    Candidate,
    Id,
    MatchingError,
    Need,
    Network,
    Node,
    Terms,
    Weights,
)

DETOUR = 1.3
METRES_A_DEGREE = 111_195.0


class Bar(StrEnum):
    """Why an agent may not take a need, the first reason in this order."""

    FIRST_ASK = "first_ask"
    LOCK = "lock"
    BAN = "ban"
    PLACE = "place"
    AWAY = "away"
    SKILL = "skill"
    LANGUAGE = "language"
    FULL = "full"


def ancestry(network: Network, node: Node) -> tuple[Node, ...]:
    """The node and all above it, from itself to the root; a cycle or an unknown node is named."""
    path: list[Node] = []
    here: Node | None = node
    while here is not None:
        if here in path:
            raise MatchingError("cycle", f"the network has a cycle through {here}", node=here, path=[*path, here])
        if here not in network:
            raise MatchingError("unknown_node", f"node {here} is not in the network", node=here, below=path[-1:])
        path.append(here)
        here = network[here][0]
    return tuple(path)


def home_county(network: Network, node: Node) -> Node:
    """The county-level node over ``node``; for a place above the counties, that place itself."""
    here: Node | None = node
    for _ in range(VILLAGE - COUNTY + 1):
        if here is None or here not in network:
            break
        if network[here][1] <= COUNTY:
            return here
        here = network[here][0]
    return ancestry(network, node)[-1]  # no county over it: the root, or an error where the network is broken


def in_reach(need: Need, agent: Candidate, network: Network) -> bool:
    """Does the agent sit where the role demands?

    A liaison sits at the counter's place, a lead in the home county or, once escalated, also at the seats above it.
    """
    if need.role == "liaison":
        return agent.node == need.node
    home = home_county(network, need.node)
    if network[home][1] < COUNTY:
        at_home = agent.node == home
    else:
        at_home = network[agent.node][1] >= COUNTY and home_county(network, agent.node) == home
    return at_home or (need.escalated and agent.level < COUNTY and agent.node in ancestry(network, home)[1:])


def bar(need: Need, agent: Candidate, network: Network) -> Bar | None:
    """The first rule that keeps ``agent`` from ``need``, capacity apart; None when nothing does."""
    if need.lock is not None and need.lock != agent.id:
        return Bar.LOCK
    if need.lock is None and need.first_ask is not None and need.first_ask != agent.id:
        return Bar.FIRST_ASK
    if agent.id in need.bans:
        return Bar.BAN
    if not in_reach(need, agent, network):
        return Bar.PLACE
    if agent.away:
        return Bar.AWAY
    if not need.skills <= agent.skills:
        return Bar.SKILL
    if need.language is not None and need.language not in agent.languages:
        return Bar.LANGUAGE
    return None


@lru_cache(maxsize=4096)
def cosine(degrees: float) -> float:
    """Cosine by its series: sums and products only, good to 1e-12 within 60 degrees."""
    x = degrees * (3.141592653589793 / 180.0)
    s = x * x
    total, term = 1.0, 1.0
    for k in range(2, 26, 2):
        term = term * s / (-(k - 1.0) * k)
        total = total + term
    return total


def road_hm(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> int:
    """Road distance in whole hundreds of metres: the flat distance at the first point's latitude, with a detour."""
    return roads_from(lon_a, lat_a)(lon_b, lat_b)


def roads_from(lon_a: float, lat_a: float) -> Callable[[float, float], int]:
    """The same from one point to many."""
    metres_east = METRES_A_DEGREE * cosine(lat_a)

    def to(lon_b: float, lat_b: float) -> int:
        north = (lat_b - lat_a) * METRES_A_DEGREE
        east = (lon_b - lon_a) * metres_east
        return int(sqrt(north * north + east * east) * DETOUR / 100.0)

    return to


def slot_cost(k: int, capacity: int, weights: Weights) -> int:
    """Marginal cost of an agent's k-th slot: W(2k-1)/capacity in whole per cent, never falling with k."""
    return weights.evenness * ((2 * k - 1) * 100 // capacity)


def waiting_terms(need: Need, weights: Weights) -> Terms:
    """What it costs to leave the need on the waiting list."""
    days = min(need.waiting_days, weights.ageing_cap_days)
    return Terms(waiting=weights.waiting * need.priority + weights.ageing * days, move=move_cost(need, None, weights))


def move_cost(need: Need, agent: Id | None, weights: Weights) -> int:
    if need.current is None or need.current == agent:
        return 0
    return weights.move if need.told else weights.shuffle


def pair_terms(need: Need, agent: Candidate, network: Network, weights: Weights) -> Terms:
    """What it costs to give ``need`` to ``agent``, the evenness of its load apart."""
    hm = min(road_hm(need.lon, need.lat, agent.lon, agent.lat), weights.travel_cap_hm)
    unpractised = min(len(need.skills - agent.practised), weights.unpractised_cap)
    return Terms(
        move=move_cost(need, agent.id, weights),
        escalation=weights.escalation * max(0, network[need.node][1] - network[agent.node][1]),
        travel=weights.travel * hm,
        proficiency=weights.unpractised * unpractised,
        stars=weights.star * (MAX_STARS - agent.stars),
        continuity=weights.newcomer if need.previous and agent.id not in need.previous else 0,
    )
