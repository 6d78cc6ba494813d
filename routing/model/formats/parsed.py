"""A parsed file: its nodes and pairs in the file's own units, checked before they become a problem."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from routing.model.formats.numbered import Malformed, TextLine
from routing.model.problem import Primary


class Rounding(enum.Enum):
    """How the length of an arc follows from coordinates, and so in what units the problem counts."""

    TENTHS = "cut to one decimal"
    DOUBLE = "double precision"
    NEAREST = "rounded to the nearest whole number"
    UP = "rounded up to a whole number"
    DOWN = "cut to a whole number"
    AS_GIVEN = "a matrix of whole numbers"

    @property
    def decimals(self) -> int:
        """How many decimals a cost is printed with."""
        return {Rounding.TENTHS: 1, Rounding.DOUBLE: 2}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Node:
    """A line of a file: a place and what is wanted there. ``demand`` below zero is taken off a vehicle that picked it
    up."""

    line: TextLine
    number: int
    x: float
    y: float
    demand: int = 0
    ready: Decimal = Decimal(0)
    due: Decimal | None = Decimal(0)
    """None: at no time too late."""
    service: Decimal = Decimal(0)


@dataclass(slots=True)
class ParsedInstance:
    """What an instance file holds, in the file's own units. The first node is the depot."""

    name: str
    nodes: list[Node]
    capacity: int
    fleet: int | None = None
    """None: as many vehicles as there are requests."""
    pairs: list[tuple[int, int]] = field(default_factory=list)
    """Pickup and delivery, as places in ``nodes``; without any, each node is a delivery of its own."""
    matrix: NDArray[np.int64] | None = None
    longest: int | None = None
    """How much longer than nothing a route may be."""
    rounding: Rounding = Rounding.TENTHS
    """What the file itself says of its coordinates; an objective given by name overrules it."""
    primary: Primary = Primary.DISTANCE


def pair_up(nodes: list[Node], partners: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs of a file that says of each node where it was picked up and where it goes, 0 for neither.

    Refused: a partner that is not there or does not agree, a pickup of nothing, demands that differ.
    """
    places = {node.number: place for place, node in enumerate(nodes)}
    pairs = []
    for place, (node, (pickup, delivery)) in enumerate(zip(nodes, partners, strict=True)):
        if place == 0:
            if pickup or delivery:
                raise node.line.wrong("the depot has a partner")
            continue
        if (pickup == 0) == (delivery == 0):
            raise node.line.wrong(f"node {node.number} names {pickup} as pickup and {delivery} as delivery: one is 0")
        other = places.get(pickup or delivery, 0)
        if other == 0:
            raise node.line.wrong(f"node {node.number} names partner {pickup or delivery}, which is no customer")
        if partners[other] != ((0, node.number) if pickup else (node.number, 0)):
            raise node.line.wrong(f"node {node.number} names partner {pickup or delivery}, which names another")
        if nodes[other].demand != -node.demand:
            raise node.line.wrong(f"node {node.number} has demand {node.demand}, its partner {nodes[other].demand}")
        if delivery:
            if node.demand < 0:
                raise node.line.wrong(f"node {node.number} picks up {node.demand}, less than 0")
            pairs.append((place, other))
    return pairs


def numbered_once(nodes: list[Node], last: int) -> None:
    """Refuses a number that comes twice, or a file without a depot, whose ``last`` line is then named."""
    if not nodes:
        raise Malformed(last, "the file ends where a node should follow: there is not even a depot")
    seen: set[int] = set()
    for node in nodes:
        if node.number in seen:
            raise node.line.wrong(f"node {node.number} comes twice")
        seen.add(node.number)


def depot_first(nodes: list[Node]) -> None:
    """Refuses a file whose first row is no depot, where a row's place says what it is."""
    depot, lowest = nodes[0], min(node.number for node in nodes)
    if depot.number != lowest:
        raise depot.line.wrong(f"the first node is {depot.number}, and {lowest} comes later: the depot comes first")
