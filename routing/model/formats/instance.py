"""An instance: a problem, and a plan of it in the terms of the file that it came from."""

from __future__ import annotations

import math
from collections.abc import Iterator
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
    numbers: dict[tuple[str, int], int]
    """The file's number of each side of each request."""

    def cost(self, plan: Plan) -> float | int:
        """What the plan drives, in the file's units; double precision is summed from the coordinates themselves."""
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
