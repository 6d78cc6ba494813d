"""Step order: steps sorted so that each comes after what it waits for, or the cycle that forbids it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dispatch.path.errors import CycleFound
from dispatch.path.path_step import PathStep


def in_order(steps: Mapping[str, PathStep]) -> tuple[PathStep, ...]:
    """Topological order, stable: among those that are ready, as given. Raises CycleFound with one ring."""
    done: dict[str, PathStep] = {}
    left = dict(steps)
    while left:
        ready = [code for code, step in left.items() if all(wait.on not in left for wait in step.waits)]
        if not ready:
            raise CycleFound(_a_cycle(left))
        for code in ready:
            done[code] = left.pop(code)
    return tuple(done.values())


def _a_cycle(left: Mapping[str, PathStep]) -> tuple[str, ...]:
    trail: list[str] = [min(left)]
    while True:
        following = next(wait.on for wait in left[trail[-1]].waits if wait.on in left)
        if following in trail:
            ring = [*trail[trail.index(following) :], following]
            return tuple(reversed(ring))
        trail.append(following)
