"""Why this agent, who came second and by how much, why nobody, and the smallest change that would place the case.

Everything is facts: codes and numbers, from which a page makes its sentences.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from agents.matching.batch import match
from agents.matching.model import (
    COUNTY,
    Id,
    Matching,
    MatchingAgent,
    MatchingError,
    Need,
    Network,
    Node,
    Terms,
    Weights,
    stable_key,
)
from agents.matching.rules import Bar, ancestry, bar, home_county, in_reach, pair_terms, road_hm

USUAL_CAPACITY = 5  # of a new agent where there is nobody to compare with


class ChangeKind(StrEnum):
    """The kinds of change, the smallest first."""

    ACCEPT_HANDOVER = "accept_handover"
    LIFT_BAN = "lift_ban"
    ESCALATE = "escalate"
    RETURN = "return"
    ADD_AGENTS = "add_agents"


@dataclass(frozen=True, slots=True)
class SmallestChange:
    """What somebody would have to do so that ``need`` is placed: one step, after a handover where first ask stands."""

    need: Id
    step: ChangeKind
    after_handover: bool = False
    agent: Id | None = None
    newcomers: tuple[MatchingAgent, ...] = ()

    def apply(self, needs: Iterable[Need], agents: Iterable[MatchingAgent]) -> tuple[list[Need], list[MatchingAgent]]:
        """The needs and agents as they would be."""
        return [self._need(n) if n.id == self.need else n for n in needs], [*map(self._agent, agents), *self.newcomers]

    def _need(self, need: Need) -> Need:
        if self.step is ChangeKind.ACCEPT_HANDOVER or self.after_handover:
            need = replace(need, first_ask=None)
        if self.step is ChangeKind.LIFT_BAN:
            need = replace(need, bans=need.bans - {self.agent})
        if self.step is ChangeKind.ESCALATE:
            need = replace(need, escalated=True)
        return need

    def _agent(self, agent: MatchingAgent) -> MatchingAgent:
        return replace(agent, away=False) if self.step is ChangeKind.RETURN and agent.id == self.agent else agent


@dataclass(frozen=True, slots=True)
class Rival:
    """The runner-up: what it would have cost, and what it lost by, wish by wish (positive: worse than the chosen one).

    ``scarcity`` is the rest of the loss: what others would lose with its slot (its shadow price).
    """

    agent: Id
    terms: Terms
    lost_by: int
    differences: Mapping[str, int]
    scarcity: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """One need's choice in facts. ``load`` counts its agent's slots with this one; ``bars`` whom each rule kept out."""

    need: Id
    agent: Id | None
    terms: Terms
    road_hm: int | None
    load: int | None
    capacity: int | None
    candidates: int
    full: int
    bars: Mapping[Bar, int]
    only_by_order: Bar | None
    rival: Rival | None
    change: SmallestChange | None


def explain(
    need_id: Id,
    needs: Iterable[Need],
    agents: Iterable[MatchingAgent],
    network: Network,
    weights: Weights,
    matching: Matching,
) -> Explanation:
    """The facts about one need of a matching; for a waiting one a change that was tried and placed it."""
    all_needs, staff = list(needs), {a.id: a for a in agents}
    need = next((n for n in all_needs if n.id == need_id), None)
    if need is None or need_id not in matching.choices:
        raise MatchingError("unknown_need", f"need {need_id} is not in the matching", need=need_id)
    choice = matching.choices[need_id]
    loads = _loads(all_needs, staff, matching)
    bars = Counter(b for a in _neighbours(need, staff.values(), network) if (b := bar(need, a, network)) is not None)
    able = [a for a in staff.values() if bar(need, a, network) is None]
    full = sum(1 for a in able if loads[a.id] >= a.capacity)
    order = Bar.LOCK if need.lock is not None else Bar.FIRST_ASK if need.first_ask is not None else None
    agent = None if choice.agent is None else staff[choice.agent]
    return Explanation(
        need=need_id,
        agent=choice.agent,
        terms=choice.terms,
        road_hm=None if agent is None else road_hm(need.lon, need.lat, agent.lon, agent.lat),
        load=None if agent is None else loads[agent.id],
        capacity=None if agent is None else agent.capacity,
        candidates=len(able),
        full=full,
        bars=dict(bars),
        only_by_order=order,
        rival=_rival(need, staff, network, weights, matching),
        change=smallest_change(need, all_needs, list(staff.values()), network, weights) if agent is None else None,
    )


def smallest_change(
    need: Need, needs: Sequence[Need], agents: Sequence[MatchingAgent], network: Network, weights: Weights
) -> SmallestChange | None:
    """The first change, the smallest first, after which a new match places the need: tried before it is named."""
    near_needs, near_agents = _neighbourhood(need, needs, agents, network)

    def places(change: SmallestChange) -> bool:
        return match(*change.apply(near_needs, near_agents), network, weights).agent_of(need.id) is not None

    for change in _single_changes(need, near_agents, network):
        if places(change):
            return change
    return _newcomers(need, near_needs, near_agents, network, places)


def _single_changes(need: Need, agents: Sequence[MatchingAgent], network: Network) -> Iterator[SmallestChange]:
    pinned = need.first_ask is not None
    free = replace(need, first_ask=None)
    if pinned:
        yield SmallestChange(need.id, ChangeKind.ACCEPT_HANDOVER)
    for ban in sorted(need.bans, key=stable_key):
        if any(a.id == ban and bar(replace(free, bans=frozenset()), a, network) is None for a in agents):
            yield SmallestChange(need.id, ChangeKind.LIFT_BAN, pinned, ban)
    if need.role == "lead" and not need.escalated:
        wider = replace(free, escalated=True)
        if any(bar(wider, a, network) is None and bar(free, a, network) is Bar.PLACE for a in agents):
            yield SmallestChange(need.id, ChangeKind.ESCALATE, pinned)
    away = [a for a in agents if a.away and bar(free, replace(a, away=False), network) is None]
    for agent in sorted(away, key=lambda a: stable_key(a.id)):
        yield SmallestChange(need.id, ChangeKind.RETURN, pinned, agent.id)


def _newcomers(
    need: Need,
    needs: Sequence[Need],
    agents: Sequence[MatchingAgent],
    network: Network,
    places: Callable[[SmallestChange], bool],
) -> SmallestChange | None:
    """The fewest new agents of the right kind: doubled until the need is placed, then narrowed down."""
    node = need.node if need.role == "liaison" else home_county(network, need.node)
    place = network[node]
    peers = sorted(a.capacity for a in agents if a.node == node and a.capacity > 0)
    capacity = peers[len(peers) // 2] if peers else USUAL_CAPACITY
    known = {a.id for a in agents}
    languages = frozenset() if need.language is None else frozenset({need.language})

    def added(count: int) -> SmallestChange:
        names = (name for k in itertools.count(1) if (name := f"new-{k}") not in known)
        staff = tuple(
            MatchingAgent(name, node, place[1], capacity, 0, place[2], place[3], need.skills, languages)
            for name in itertools.islice(names, count)
        )
        return SmallestChange(need.id, ChangeKind.ADD_AGENTS, need.first_ask is not None, None, staff)

    enough = 1
    while not places(added(enough)):
        if enough > len(needs):
            return None
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if places(added(middle)):
            enough = middle
        else:
            too_few = middle
    return added(enough)


def _neighbourhood(
    need: Need, needs: Sequence[Need], agents: Sequence[MatchingAgent], network: Network
) -> tuple[list[Need], list[MatchingAgent]]:
    """All who compete with the need, directly or through others: areas joined by the needs that may use several."""
    root: dict[Node, Node] = {}

    def find(node: Node) -> Node:
        root.setdefault(node, node)
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    def area(node: Node) -> Node:
        return home_county(network, node) if network[node][1] >= COUNTY else node

    def join(nodes: Iterable[Node]) -> None:
        first, *rest = nodes
        for node in rest:
            root[find(node)] = find(first)

    seat = {a.id: area(a.node) for a in agents}
    for one in needs:
        areas = [area(one.node)]
        if one.role == "lead" and (one.escalated or one.id == need.id):
            areas += ancestry(network, areas[0])[1:]
        areas += [seat[i] for i in (one.current, one.first_ask, one.lock) if i in seat]
        join(areas)
    here = find(area(need.node))
    return [n for n in needs if find(area(n.node)) == here], [a for a in agents if find(seat[a.id]) == here]


def _neighbours(need: Need, agents: Iterable[MatchingAgent], network: Network) -> Iterator[MatchingAgent]:
    """The agents at the places where the need may be served, whatever else keeps them out."""
    anywhere = replace(need, lock=None, first_ask=None, bans=frozenset())
    return (a for a in agents if in_reach(anywhere, a, network))


def _loads(needs: Sequence[Need], staff: Mapping[Id, MatchingAgent], matching: Matching) -> dict[Id, int]:
    loads = {a.id: a.held for a in staff.values()}
    for need in needs:
        if need.current in loads:
            loads[need.current] -= 1
        chosen = matching.choices[need.id].agent
        if chosen is not None:
            loads[chosen] += 1
    return loads


def _rival(
    need: Need, staff: Mapping[Id, MatchingAgent], network: Network, weights: Weights, matching: Matching
) -> Rival | None:
    choice = matching.choices[need.id]
    if not choice.runners_up:
        return None
    second = choice.runners_up[0]
    terms = pair_terms(need, staff[second.agent], network, weights)
    mine = choice.terms._replace(evenness=0)
    differences = {
        name: theirs - ours for name, theirs, ours in zip(Terms._fields, terms, mine, strict=True) if theirs != ours
    }
    return Rival(second.agent, terms, second.lost_by, differences, second.lost_by - sum(differences.values()))
