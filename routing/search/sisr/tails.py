"""Tails: two routes exchange what comes behind a stop of each (2-opt*), two become one, or one parts in two."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
import math

from routing.search.sisr.chance import below, draw
from routing.search.sisr.change import settle_place, touch
from routing.search.sisr.compiled import part, woven
from routing.search.sisr.layout import *
from routing.search.sisr.route import refresh

PROPOSALS = 2
"""Exchanges that are looked at before each ruin."""
HEAT = 0.3
"""Of the temperature: an exchange is drawn at random, where what was taken out goes back to the best place."""


@part
def carries(core, r, a, s, b):
    """Whether a vehicle holds the first ``a`` stops of one route and then what follows the first ``b`` of another."""
    P, N = core.P, core.N
    n = core.RT[s, LENGTH]
    on = core.V[r, ABOARD]
    for p in range(1, a + 1):
        on += N[P[r, p, NODE], FROM_DEPOT]
    for p in range(b + 1, n + 1):
        on += N[P[s, p, NODE], FROM_DEPOT]
    most = on
    for p in range(1, a + 1):
        on += N[P[r, p, NODE], CHANGE]
        most = max(most, on)
    for p in range(b + 1, n + 1):
        on += N[P[s, p, NODE], CHANGE]
        most = max(most, on)
    return most <= core.V[r, CAPACITY]


@part
def exchange(core, r, a, s, b):
    """Put behind position ``a`` of one route what is behind ``b`` of another, and the other way round."""
    P, RT, line = core.P, core.RT, core.line
    n = RT[r, LENGTH]
    m = RT[s, LENGTH]
    for route in (r, s):
        touch(core, route)
    for p in range(a + 1, n + 1):
        line[p - a] = P[r, p, NODE]
    for p in range(b + 1, m + 1):
        P[r, a + p - b, NODE] = P[s, p, NODE]
    for p in range(1, n - a + 1):
        P[s, b + p, NODE] = line[p]
    RT[r, LENGTH] = a + m - b
    RT[s, LENGTH] = b + n - a
    for route in (r, s):
        refresh(P, RT, core.V, core.N, core.C, core.T, core.where, route)
        RT[route, VERSION] = -1
        settle_place(core, route)


@woven
def empty_route(core):
    """An unused vehicle that may be used, or -1."""
    if core.S[USED] < core.S[LIMIT]:
        for v in range(core.KIND_AT[0], core.KIND_AT[1]):
            if core.RT[core.KINDS[v], PLACE] < 0:
                return core.KINDS[v]
    return -1


@part
def trade(core, temperature):
    """Look at some exchanges and make the first that is accepted; whether one was.

    Only where ``NEARBY`` holds, without pairs. Behind a stop then comes one that may well come just after it, or its
    route ends there.
    """
    RT, P, V, C, T, where, RNG = core.RT, core.P, core.V, core.C[0], core.T[0], core.where, core.RNG
    width = core.AFTER.shape[1]
    for _ in range(PROPOSALS):
        i = below(RNG, where.shape[0])
        r = where[i, ROUTE]
        x = below(RNG, width + 1)
        if r < 0:
            continue
        a = where[i, AT]
        then = where[i, NEXT]
        if x < width:
            j = core.AFTER[i, x]
            s = -1
            if j >= 0:
                s = where[j, ROUTE]
            if s < 0 or s == r:
                continue
            b = where[j, AT] - 1
            before = P[s, b, NODE]
            left = P[s, b, LEFT]
            by = P[s, b + 1, LATEST]
            delta = C[i, j] - where[i, NEXT_ARC] - P[s, b, ARC]
            if b == 0 and a == RT[r, LENGTH]:
                delta -= V[s, FIXED]
            else:
                delta += C[before, then]
        else:
            s = empty_route(core)
            if s < 0 or a == RT[r, LENGTH]:
                continue
            j = V[s, END]
            b = 0
            before = V[s, START]
            left = V[s, LEAVES]
            by = V[s, HOME]
            delta = C[i, j] - where[i, NEXT_ARC] + C[before, then] + V[s, FIXED]
        if (
            delta < -HEAT * temperature * math.log(1.0 - draw(RNG))
            and delta < BAN
            and where[i, LEFT_AT] + T[i, j] <= by
            and left + T[before, then] <= where[i, NEXT_BY]
            and a + RT[s, LENGTH] - b <= V[r, MOST]
            and b + RT[r, LENGTH] - a <= V[s, MOST]
            and carries(core, r, a, s, b)
            and carries(core, s, b, r, a)
        ):
            exchange(core, r, a, s, b)
            return True
    return False
