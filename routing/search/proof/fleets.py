"""What any plan costs at least, from what duals say of every number of vehicles that it may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routing.search.sisr.layout import Ints


@dataclass(frozen=True, eq=False)
class DualPoint:
    """What each stop is worth, in whole parts of a unit, and by kind of vehicle the least that a route costs beyond
    the worth of its stops, or a number below it."""

    worth: Ints
    least: tuple[int, ...]

    def costs(self, limits: Sequence[int]) -> Ints:
        """By number of vehicles used: what serving every stop, or paying for it, costs at least."""
        cheapest = sorted(zip(self.least, limits, strict=True))
        steps = [least for least, limit in cheapest for _ in range(limit)]
        return int(self.worth.sum()) + np.cumsum([0, *steps], dtype=np.int64)


def least_cost(points: Sequence[DualPoint], limits: Sequence[int]) -> int:
    """A bound: for the best fleet the best of the duals.

    A plan with so many vehicles costs at least the worth of all stops and, for each vehicle, the least that a route
    costs beyond its stops. That holds for every dual and every number; one of the numbers is the plan's.
    """
    return int(np.max([point.costs(limits) for point in points], axis=0).min())


def needed(points: Sequence[DualPoint], limits: Sequence[int]) -> list[DualPoint]:
    """Few of the points that say as much as all of them."""
    costs = np.array([point.costs(limits) for point in points])
    bound = costs.max(axis=0).min()
    chosen: list[int] = []
    for number in range(costs.shape[1]):
        if not any(costs[at, number] >= bound for at in chosen):
            chosen.append(int(costs[:, number].argmax()))
    return [points[at] for at in chosen]
