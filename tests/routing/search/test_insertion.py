"""The quick test of an insertion says what the whole route says: the same cost at its place, or that there is none.

A search remembers for each absent request and route what putting it there costs. Each of these is compared with
all places, each found by computing the whole route anew. Days have every feature at once, and in some of
them vehicles have a frozen prefix.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations_with_replacement
from random import Random

import numpy as np
import pytest

from routing.search.sisr import anneal
from routing.search.sisr.insertion import PLACE_BITS
from routing.search.sisr.layout import (
    ABOARD,
    ABOARD_2,
    BAN,
    BROKEN,
    CAPACITY,
    CAPACITY_2,
    CHANGE,
    CHANGE_2,
    COST,
    DUTIES,
    EXACT,
    FIRST,
    FROM_DEPOT,
    FROM_DEPOT_2,
    QUICK,
    REQUEST,
    RICH,
    RUNNING,
    SECOND,
    STARTS,
    VERSION,
)
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search
from routing.search.solve import compile_core, improve
from tests.routing.search.fuzzed import a_random_day, driven_in_any_order

LOADS = ((FROM_DEPOT, CHANGE, ABOARD, CAPACITY), (FROM_DEPOT_2, CHANGE_2, ABOARD_2, CAPACITY_2))
DAYS = 300


def placings(line: list[int], nodes: list[int]):
    """The line with the nodes put in, in their order, at every place."""
    for places in combinations_with_replacement(range(len(line) + 1), len(nodes)):
        put = line[:]
        for place, node in reversed(list(zip(places, nodes, strict=True))):
            put.insert(place, node)
        yield places, put


def holds(search: Search, r: int, line: list[int]) -> bool:
    """Whether the vehicle has room for these nodes at every stop."""
    vehicle, nodes = search.model.V[r], search.model.N
    for out, change, aboard, capacity in LOADS:
        load = vehicle[aboard] + sum(nodes[node, out] for node in line)
        if not vehicle[RUNNING] and load > vehicle[capacity]:
            return False
        for node in line:
            load += nodes[node, change]
            if load > vehicle[capacity]:
                return False
    return True


def cost_of(search: Search, r: int, line: list[int]) -> int:
    """What a route costs that is computed from nothing."""
    search.begin([line if at == r else [] for at in range(len(search.core.RT))])
    return int(search.core.RT[r, COST])


def without(search: Search, lines: list[list[int]], q: int) -> list[list[int]]:
    return [[node for node in line if search.model.N[node, REQUEST] != q] for line in lines]


def remembered(search: Search, lines: list[list[int]]) -> Iterator[tuple[int, int, int, list[int], int]]:
    """Route, request, what its place there is remembered to cost, the place, and how the route is timed."""
    search.begin(lines)
    core = search.core
    versions, costs, ways = (core.RT[:, column].copy() for column in (VERSION, COST, QUICK))
    search._work(anneal.RUN, 0)  # fills up, and so looks at every absent request in every route
    for r, q in np.argwhere(core.MAY):
        if core.found[q, r, 0] == versions[r] and costs[r] < BROKEN:
            place = int(core.places[q, r, 0])
            places = [place] if core.Q[q, SECOND] < 0 else [place >> PLACE_BITS, place % (1 << PLACE_BITS)]
            yield int(r), int(q), int(core.found[q, r, 1]), places if place >= 0 else [], int(ways[r])


def differences(search: Search, again: Search, lines: list[list[int]], ways: Counter[int]) -> list[tuple[int, ...]]:
    """Where the whole route says another cost: route, request, and how much the quick test is above."""
    wrong = []
    again.core.S[EXACT] = 1
    for r, q, cost, places, way in list(remembered(search, lines)):
        nodes = [int(node) for node in search.model.Q[q, [FIRST, SECOND]] if node >= 0]
        now = cost_of(again, r, lines[r])
        put_in = [(at, put) for at, put in placings(lines[r], nodes) if holds(search, r, put)]
        costs = {at: cost_of(again, r, put) - now for at, put in put_in}
        cheapest = min([each for each in costs.values() if each < BAN], default=BAN)
        ways[way] += 1
        if cost != costs.get(tuple(places)) if places else cheapest != BAN:
            wrong.append((r, q, cost, cheapest, *places, way))
    return wrong


@pytest.mark.parametrize("under_way", [False, True])
def test_the_quick_test_of_an_insertion_agrees_with_the_whole_route(under_way):
    compile_core()
    ways: Counter[int] = Counter()
    for seed in range(DAYS):
        draw = Random(seed)
        problem = a_random_day(draw, Random(-1 - seed))
        if under_way:
            problem = driven_in_any_order(draw, problem, improve(problem, {}, limit_s=60, max_iterations=0))
        model = model_of(problem)
        if not model.S[RICH]:
            continue
        search, again = Search(model, seed), Search(model, 0)
        search.run(40, model.hot, model.hot / 100)
        lines = search.now()
        for q in range(0, len(model.Q), 3):
            found = differences(search, again, without(search, lines, q), ways)
            assert found == [], f"day {seed}, request {q}"
    assert min(ways[0], ways[STARTS], ways[DUTIES]) >= 40, ways
