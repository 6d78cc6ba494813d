"""What the search and the child process that proves and recombines tell each other."""

from __future__ import annotations

from dataclasses import dataclass

from routing.model.plan import NoBound
from routing.search.sisr.layout import Cells, Ints
from routing.search.sisr.search import Lines


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """Prove a bound and recombine, for so long."""

    limit_s: float
    proves: bool
    """Whether a bound is wanted, and not new sets of routes alone."""


@dataclass(frozen=True, slots=True, eq=False)
class PoolRows:
    """The search as it stands: its best lines, what they cost, and the pool's routes."""

    best: Lines
    cost: int
    """In the core's units, without what is unserved."""
    best_costs: list[int]
    """By vehicle."""
    by: Ints
    """By route, a vehicle that may drive it."""
    costs: Ints
    lengths: Ints
    stops: Cells

    @property
    def routes(self) -> list[tuple[int, int, tuple[int, ...]]]:
        """A vehicle, what its route costs, and its nodes, route by route; the best plan's come last."""
        rows = zip(self.by.tolist(), self.costs.tolist(), self.lengths.tolist(), self.stops.tolist(), strict=True)
        routes = [(by, cost, tuple(line[:length])) for by, cost, length, line in rows]
        return routes + [(v, self.best_costs[v], tuple(line)) for v, line in enumerate(self.best) if line]


@dataclass(frozen=True, slots=True)
class BoundRaised:
    """What any plan costs at least, in the problem's units, and its routes in the core's."""

    bound: int
    core_bound: int


@dataclass(frozen=True, slots=True)
class NoBoundBecause:
    """Why there is no bound."""

    reason: NoBound


@dataclass(frozen=True, slots=True)
class Recombined:
    """A set of routes as lines of nodes."""

    lines: Lines
