"""Leave and sickness: the stand-in (B 角) for a few days, else other agents, disturbing as few projects as possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from agents.matching.batch import match
from agents.matching.model import (
    COUNTY,
    MAX_STARS,
    Choice,
    Id,
    MatchingAgent,
    MatchingError,
    Need,
    Network,
    Node,
    Weights,
)
from agents.matching.rules import home_county

SHORT_LEAVE_DAYS = 3


@dataclass(frozen=True, slots=True)
class Reassignment:
    """A need that changes hands: ``agent`` is None when it has to wait; ``forced`` when its agent is the absent one."""

    need: Id
    project: Id
    before: Id
    agent: Id | None
    forced: bool
    told: bool


@dataclass(frozen=True, slots=True)
class AbsenceRelief:
    """What an absence changes: who acts for whom, which needs move, and how many enterprises have to be told.

    ``others`` are the moves of needs whose own agent is there. They are made only where a need of an absent agent would
    wait otherwise, and ``needed`` of them are the fewest with which as little waits as can: whatever is beyond that
    number is unforced."""

    acting: Mapping[Id, Id]
    moves: tuple[Reassignment, ...]
    rescued: int = 0  # needs that would wait if nobody but the absent agents' projects moved
    needed: int = 0

    @property
    def notices(self) -> int:
        return len({move.project for move in self.moves if move.told})

    @property
    def others(self) -> tuple[Reassignment, ...]:
        return tuple(move for move in self.moves if not move.forced)

    @property
    def unforced(self) -> int:
        return len(self.others) - self.needed


def relieve(
    absent: Mapping[Id, int], needs: Iterable[Need], agents: Iterable[MatchingAgent], network: Network, weights: Weights
) -> AbsenceRelief:
    """Who takes over while the agents of ``absent`` are away for so many working days.

    ``needs`` are those that have an agent now. Up to three days the stand-in acts and nothing moves, unless there is
    no stand-in or the stand-in is absent too. For longer ones only the absent agents' needs are placed, all others
    staying where they are; others move only in counties where a need would otherwise wait.
    """
    everybody = {a.id: a for a in agents}
    _check_absences(absent, everybody)
    acting = {a: b for a, days in absent.items() if (b := _stand_in(a, days, absent, everybody)) is not None}
    unavailable = absent.keys() - acting.keys()
    staff = [replace(a, away=True) if a.id in unavailable else a for a in everybody.values()]
    held = [n for n in needs if n.current is not None]
    displaced = [_released(n, unavailable) for n in held if n.current in unavailable]
    found = dict(match(displaced, _within_reach(displaced, staff, network), network, weights).choices)
    waiting = [n for n in displaced if found[n.id].agent is None]
    needed = 0
    if waiting:
        areas = {_area(n, network) for n in waiting}
        near = [_released(n, unavailable) for n in held if _area(n, network) in areas]
        # Whoever has an agent keeps it, told or not, unless that lets a waiting need be placed.
        firm = [replace(n, told=True) if n.current not in unavailable else n for n in near]
        busy = _with_taken_slots(staff, displaced, {n.id for n in near}, found)
        near_by = _within_reach(firm, busy, network)
        found.update(match(firm, near_by, network, _moves_first(weights, len(waiting) + len(displaced))).choices)
        needed = fewest_moves(firm, near_by, network, unavailable)
    rescued = sum(found[n.id].agent is not None for n in waiting)
    return AbsenceRelief(acting, _reassignments(held, found, unavailable), rescued, needed)


def _check_absences(absent: Mapping[Id, int], everybody: Mapping[Id, MatchingAgent]) -> None:
    for agent, days in absent.items():
        if agent not in everybody:
            raise MatchingError("unknown_agent", f"agent {agent} is absent, and nobody knows it", agent=agent)
        if days < 1:
            raise MatchingError("bad_leave", f"agent {agent} is absent for {days} days", agent=agent, days=days)


def _with_taken_slots(
    staff: Sequence[MatchingAgent], displaced: Iterable[Need], matched_again: Set[Id], found: Mapping[Id, Choice]
) -> list[MatchingAgent]:
    """The staff with the slots that displaced needs of other areas took in the first match."""
    taken = Counter(found[n.id].agent for n in displaced if n.id not in matched_again)
    return [replace(a, held=a.held + taken[a.id]) if a.id in taken else a for a in staff]


def _reassignments(held: Iterable[Need], found: Mapping[Id, Choice], unavailable: Set[Id]) -> tuple[Reassignment, ...]:
    """The needs whose agent is another one than before."""
    return tuple(
        Reassignment(n.id, n.project, n.current, found[n.id].agent, n.current in unavailable, n.told)
        for n in held
        if n.id in found and n.current is not None and found[n.id].agent != n.current
    )


def fewest_moves(needs: Sequence[Need], agents: Iterable[MatchingAgent], network: Network, unavailable: Set[Id]) -> int:
    """How many needs of agents who are there must move at least so that as little waits as can: everything but waiting
    and moving costs nothing here, so the objective counts them, and the certificate proves that no fewer do."""
    weights = Weights(move=1, escalation=0, shuffle=0, newcomer=0, unpractised=0, star=0, travel=0, evenness=0)
    told = [replace(n, told=True, previous=frozenset()) for n in needs]
    answer = match(told, agents, network, weights)
    if not answer.certificate.proven:
        raise ArithmeticError("the fewest moves are not proven")
    return sum(answer.agent_of(n.id) != n.current and n.current not in unavailable for n in told)


def _moves_first(weights: Weights, displaced: int) -> Weights:
    """Moving somebody else's need outweighs every lesser wish of all displaced needs together, not of one alone."""
    lesser = (
        4 * weights.escalation + weights.travel * weights.travel_cap_hm + weights.unpractised * weights.unpractised_cap
        + weights.star * MAX_STARS + weights.newcomer + weights.shuffle + weights.evenness * 200
    )  # fmt: skip
    factor = 1 + displaced * lesser // max(1, weights.move)
    return replace(
        weights, move=weights.move * factor, waiting=weights.waiting * factor, ageing=weights.ageing * factor
    )


def _stand_in(agent: Id, days: int, absent: Mapping[Id, int], everybody: Mapping[Id, MatchingAgent]) -> Id | None:
    deputy = everybody[agent].stand_in
    if days > SHORT_LEAVE_DAYS or deputy is None or deputy in absent:
        return None
    return deputy if deputy in everybody and not everybody[deputy].away else None


def _released(need: Need, unavailable: Set[Id]) -> Need:
    """An absent agent's lock or first ask binds nobody: the absence itself is the handover."""
    return replace(
        need,
        lock=None if need.lock is not None and need.lock in unavailable else need.lock,
        first_ask=None if need.first_ask is not None and need.first_ask in unavailable else need.first_ask,
    )


def _within_reach(needs: Sequence[Need], agents: Sequence[MatchingAgent], network: Network) -> list[MatchingAgent]:
    """The agents that could matter: those of the needs' areas, those above the counties, and those who hold one."""
    areas = {_area(n, network) for n in needs}
    holders = {n.current for n in needs}
    return [
        a
        for a in agents
        if a.level < COUNTY or a.id in holders or home_county(network, a.node) in areas or a.node in areas
    ]


def _area(need: Need, network: Network) -> Node:
    return need.node if need.role == "liaison" else home_county(network, need.node)
