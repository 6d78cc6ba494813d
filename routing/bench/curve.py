"""The curve: what one sweep over all stops costs at growing sizes, against n log n."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.model.profile import Profile
from routing.model.quantities import Load, Window
from routing.model.request import Request, RequestKind, Stop
from routing.model.vehicle import Vehicle

SIZES = (100, 300, 1_000, 3_000, 10_000)
REMOVED = 10
"""How many stops an iteration takes out and puts back on average: a sweep is so many iterations that each is once."""
FEW_AND_MANY = (5, 45)
"""How many sweeps two solves make, whose difference is timed."""
DAY_S = 9 * 3600


def a_day(stops: int, seed: int = 0) -> Problem:
    """Stops in towns over a plain as large as their number asks for, a third of them with a two-hour window."""
    draw = np.random.default_rng(seed)
    side = 1_000 * math.sqrt(stops)
    towns = draw.uniform(0, side, (max(1, stops // 50), 2))
    places = towns[draw.integers(0, len(towns), stops)] + draw.normal(0, side / 40, (stops, 2))
    points = np.vstack(([[side / 2, side / 2]], places))
    seconds = np.empty((stops + 1, stops + 1), dtype=np.int32)
    for row, point in enumerate(points):
        seconds[row] = np.ceil(np.sqrt(((points - point) ** 2).sum(axis=1)) / 10)
    seconds.flags.writeable = False
    opens = draw.integers(0, (DAY_S - 7200) // 3600, stops + 1) * 3600
    bound = draw.random(stops + 1) < 1 / 3
    farthest_s = int(seconds[0].max())
    shift = Window(0, DAY_S + 2 * farthest_s)

    def request(at: int) -> Request:
        window = Window(int(opens[at]), int(opens[at]) + 7200 + farthest_s) if bound[at] else shift
        return Request(f"{at}", RequestKind.DELIVERY, (Stop(at, (window,), 120, Load(1)),))

    vehicles = tuple(Vehicle(f"{at}", 0, 0, shift, Load(60), fixed_cost=3600) for at in range(max(2, stops // 20)))
    return Problem((Profile(seconds),), tuple(map(request, range(1, stops + 1))), vehicles)


def sweeps(solve: Callable[..., Plan], sizes: Sequence[int] = SIZES) -> Iterator[tuple[int, float, float]]:
    """Stops, seconds a sweep, and microseconds a sweep over n log2 n; the first plan and the set-up cancel out."""
    for stops in sizes:
        problem = a_day(stops)
        once = max(1, stops // REMOVED)
        spent_s = [
            solve(problem, limit_s=3600.0, max_iterations=count * once, seed=0).seconds for count in FEW_AND_MANY
        ]
        sweep_s = (spent_s[1] - spent_s[0]) / (FEW_AND_MANY[1] - FEW_AND_MANY[0])
        yield stops, sweep_s, 1e6 * sweep_s / (stops * math.log2(stops))
