"""Rings: matters that wait for each other in some situation, though each wait may hold under a condition only. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from dispatch.path.fact_table import situations
from dispatch.path.predicate import predicate

Waits = Mapping[str, Mapping[str, str]]  # what each matter waits for, with the condition of the wait


def ring_in(waits: Waits) -> tuple[str, ...]:
    """A ring that some project's facts would close, from a matter back to itself; empty where there is none."""
    knot = _knot(waits)
    conditions = {when: predicate(when) for on in knot.values() for when in on.values()}
    for facts in situations(*conditions.values()):
        standing = {when: condition.holds(facts) for when, condition in conditions.items()}
        try:
            TopologicalSorter(
                {code: [o for o, when in on.items() if standing[when]] for code, on in knot.items()}
            ).prepare()
        except CycleError as error:
            return tuple(error.args[1])
    return ()


def _knot(waits: Waits) -> dict[str, dict[str, str]]:
    """What is left when matters that wait for nothing, or that nothing waits for, are taken away again and again."""
    left = {code: dict(on) for code, on in waits.items()}
    while True:
        wanted = {on for others in left.values() for on in others}
        inner = {
            code: {on: when for on, when in others.items() if on in left}
            for code, others in left.items()
            if code in wanted and any(on in left for on in others)
        }
        if inner == left:
            return inner
        left = inner
