"""An instance: a problem, and a plan of it in the terms of the file that it came from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from routing.model.formats.parsed import Rounding
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.model.vehicle import Vehicle


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem, and what its numbers mean in the file that it came from."""

    name: str
    problem: Problem
    rounding: Rounding
    scale: int
    """How many units of the problem are one of the file."""
    numbers: Mapping[tuple[str, int], int | str]
    """The file's number of each side of each request; its name where the file has names."""
    in_terms: bool = False
    """Whether a plan costs what all terms of its objective say, and not just its way."""
    penalties_cost: bool = True
    """Whether what is left out is part of that cost."""

    def cost(self, plan: Plan) -> float | int:
        """What the plan drives, in the file's units; double precision is summed from the coordinates themselves."""
        if self.in_terms:
            cost = plan.cost.total if self.penalties_cost else plan.cost.terms
            return cost // self.scale if cost % self.scale == 0 else cost / self.scale
        if self.rounding is Rounding.DOUBLE:
            return sum(math.dist(a, b) for route in self._ways(plan) for a, b in route)
        metres = sum(
            int(self.problem.profile_of(vehicle).metres[leg]) for vehicle, route in self._legs(plan) for leg in route
        )
        return metres if self.scale == 1 else metres / self.scale

    def cost_text(self, plan: Plan) -> str:
        """The cost as it is printed: one decimal, two, or none."""
        return f"{self.cost(plan):.{self.rounding.decimals}f}"

    def routes(self, plan: Plan) -> Iterator[str]:
        """The classical lines: ``Route #1: 5 3 7``."""
        for at, route in enumerate(plan.routes, 1):
            visits = " ".join(str(self.numbers[visit.request, visit.side]) for visit in route.visits)
            yield f"Route #{at}: {visits}"

    def _legs(self, plan: Plan) -> Iterator[tuple[Vehicle, list[tuple[int, int]]]]:
        vehicles = {vehicle.id: vehicle for vehicle in self.problem.vehicles}
        requests = {request.id: request for request in self.problem.requests}
        for route in plan.routes:
            vehicle = vehicles[route.vehicle]
            visited = (requests[visit.request].stops[visit.side].location for visit in route.visits)
            places = [vehicle.start, *visited, vehicle.end]
            yield vehicle, list(pairwise(places))

    def _ways(self, plan: Plan) -> Iterator[list[tuple[tuple[float, float], tuple[float, float]]]]:
        points = self.problem.points
        assert points is not None
        for _, legs in self._legs(plan):
            yield [(points[a], points[b]) for a, b in legs]
