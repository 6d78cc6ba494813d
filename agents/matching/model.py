"""The matching's nouns: agents, needs, the network's places, weights, and the answer with its certificate.

Everything here is frozen and light: no solver, no array library, so that a web process may import it freely.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

Id = int | str
Node = str
Role = Literal["lead", "liaison"]

PROVINCE, CITY, COUNTY, TOWN, VILLAGE = 1, 2, 3, 4, 5
MAX_PRIORITY = 9
MAX_STARS = 5


class MatchingError(ValueError):
    """The input cannot be matched: ``code`` names the broken rule, ``facts`` says where."""

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.code = code
        self.facts: dict[str, object] = facts


class NetworkPlace(NamedTuple):
    """A node of the five-level network (五级网络); the plain tuple ``(parent, level, lon, lat)`` is as good."""

    parent: Node | None
    level: int
    lon: float
    lat: float


Network = Mapping[Node, tuple[Node | None, int, float, float]]


@dataclass(frozen=True, slots=True)
class MatchingAgent:
    """A proxy agent (代办员) as the matching sees one.

    ``held`` counts every slot taken now, those of needs in the same call whose ``current`` is this agent included.
    ``away`` means a leave too long for the stand-in (B 角); short leave is settled in leave.py and never comes here.
    ``practised`` are the skills in which the agent is at home (熟练): a preference, where ``skills`` is a condition.
    """

    id: Id
    node: Node
    level: int
    capacity: int
    held: int
    lon: float
    lat: float
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    stars: int = 3
    away: bool = False
    stand_in: Id | None = None
    team: Id | None = None
    practised: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.capacity < 0:
            raise MatchingError("negative_capacity", f"agent {self.id} has capacity {self.capacity}",
                                agent=self.id, capacity=self.capacity)  # fmt: skip
        if self.held < 0:
            raise MatchingError("negative_load", f"agent {self.id} holds {self.held}", agent=self.id, held=self.held)
        if not 0 <= self.stars <= MAX_STARS:
            raise MatchingError("bad_stars", f"agent {self.id} has {self.stars} stars", agent=self.id, stars=self.stars)
        if not PROVINCE <= self.level <= VILLAGE:
            raise MatchingError("bad_level", f"agent {self.id} sits at level {self.level}",
                                agent=self.id, level=self.level)  # fmt: skip


class Candidate(Protocol):
    """What one need asks of an agent: a ``MatchingAgent``, or a row with no more than this."""

    @property
    def id(self) -> Id: ...
    @property
    def node(self) -> Node: ...
    @property
    def level(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def lon(self) -> float: ...
    @property
    def lat(self) -> float: ...
    @property
    def skills(self) -> Set[str]: ...
    @property
    def languages(self) -> Set[str]: ...
    @property
    def stars(self) -> int: ...
    @property
    def away(self) -> bool: ...
    @property
    def practised(self) -> Set[str]: ...


@dataclass(frozen=True, slots=True)
class Need:
    """One role of one project that somebody must fill: the lead (主办) at home, or a liaison (协办) at a counter.

    ``node`` is the home node of a lead and the counter's place of a liaison. ``escalated`` lets a lead's need leave
    the home county for its city or the province. ``told`` says that the enterprise already knows ``current``.
    ``first_ask`` (首问负责) is the agent who owns the need until a handover is accepted; ``lock`` is a lead's order.
    """

    id: Id
    role: Role
    project: Id
    node: Node
    lon: float
    lat: float
    skills: frozenset[str] = frozenset()
    language: str | None = None
    priority: int = 1
    waiting_days: int = 0
    current: Id | None = None
    told: bool = False
    first_ask: Id | None = None
    previous: frozenset[Id] = frozenset()
    lock: Id | None = None
    bans: frozenset[Id] = frozenset()
    escalated: bool = False

    def __post_init__(self) -> None:
        if self.role not in ("lead", "liaison"):
            raise MatchingError("bad_role", f"need {self.id} has role {self.role!r}", need=self.id, role=self.role)
        if not 1 <= self.priority <= MAX_PRIORITY:
            raise MatchingError("bad_priority", f"need {self.id} has priority {self.priority}, not 1 to {MAX_PRIORITY}",
                                need=self.id, priority=self.priority)  # fmt: skip
        if self.waiting_days < 0:
            raise MatchingError("bad_waiting", f"need {self.id} has waited {self.waiting_days} days",
                                need=self.id, waiting_days=self.waiting_days)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weights:
    """What each wish is worth, in whole points. Each line outweighs all lines below it taken together for one need.

    ``travel`` is for each 100 m of road up to ``travel_cap_hm`` of them; ``evenness`` is for each per cent of an
    agent's capacity in the marginal cost (2k-1)/capacity of its k-th slot.
    """

    waiting: int = 20_000_000
    ageing: int = 500_000
    ageing_cap_days: int = 30
    move: int = 400_000
    escalation: int = 20_000
    shuffle: int = 1_000
    newcomer: int = 500
    unpractised: int = 200
    unpractised_cap: int = 5
    star: int = 50
    travel: int = 1
    travel_cap_hm: int = 3_000
    evenness: int = 2

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise MatchingError("negative_weight", f"weight {name} is {getattr(self, name)}", weight=name)
        soft = (self.travel * self.travel_cap_hm + self.unpractised * self.unpractised_cap + self.star * MAX_STARS
                + self.newcomer + self.shuffle + self.evenness * 200)  # fmt: skip
        if self.escalation and self.escalation <= soft:
            raise MatchingError("weights_not_dominated", f"escalation {self.escalation} is within the wishes' {soft}",
                                weight="escalation", below=soft)  # fmt: skip
        reach = 4 * self.escalation + soft
        if self.move and self.move <= reach:
            raise MatchingError("weights_not_dominated", f"move {self.move} is within the {reach} below it",
                                weight="move", below=reach)  # fmt: skip
        if self.waiting <= self.move + reach:
            raise MatchingError("weights_not_dominated", f"waiting {self.waiting} is within the {self.move + reach}",
                                weight="waiting", below=self.move + reach)  # fmt: skip

    def scaled(self, factor: int) -> Weights:
        """The same wishes, each worth ``factor`` times as much."""
        amounts = {name: getattr(self, name) for name in self.__slots__}
        return Weights(**{k: v if k.endswith(("_cap", "_hm", "_days")) else v * factor for k, v in amounts.items()})


class Terms(NamedTuple):
    """What one choice costs, wish by wish; the sum is the choice's part of the objective."""

    waiting: int = 0
    move: int = 0
    escalation: int = 0
    travel: int = 0
    proficiency: int = 0
    stars: int = 0
    continuity: int = 0
    evenness: int = 0

    @property
    def total(self) -> int:
        return sum(self)


class RunnerUp(NamedTuple):
    """Somebody who was not chosen: taking this agent instead would add at least ``lost_by`` to the whole objective."""

    agent: Id
    cost: int
    lost_by: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What one need got: an agent, or the waiting list (``agent`` is None)."""

    need: Id
    agent: Id | None
    terms: Terms
    runners_up: tuple[RunnerUp, ...] = ()

    @property
    def cost(self) -> int:
        return self.terms.total


@dataclass(frozen=True, slots=True)
class Certificate:
    """Shadow prices that prove the objective: with them no eligible pair is cheaper than the choice made.

    ``shadow_prices`` is what one more slot at an agent would cost the whole; an agent whom no need may have has none.
    ``bound`` is the dual value of these prices; ``proven`` says that it equals the objective.
    """

    shadow_prices: Mapping[Id, int]
    bound: int
    proven: bool
    pairs: int  # how many (need, agent) pairs are eligible, all of them priced


@dataclass(frozen=True, slots=True)
class Matching:
    """Every need's choice, what it all costs, the proof, and the shadow prices for cases before the next batch."""

    choices: Mapping[Id, Choice]
    objective: int
    certificate: Certificate
    scarcity: Mapping[Id, int] = field(default_factory=dict)  # of full agents: beyond the cost of their last slot

    def agent_of(self, need: Id) -> Id | None:
        return self.choices[need].agent

    @property
    def assigned(self) -> dict[Id, Id]:
        return {need: choice.agent for need, choice in self.choices.items() if choice.agent is not None}

    @property
    def waiting(self) -> tuple[Id, ...]:
        return tuple(need for need, choice in self.choices.items() if choice.agent is None)


def stable_key(identity: Id) -> tuple[int, int, str]:
    """The order that breaks every tie: whole numbers by size, then texts by code point."""
    return (0, identity, "") if isinstance(identity, int) else (1, 0, identity)
