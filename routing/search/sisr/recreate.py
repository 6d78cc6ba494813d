"""Recreate: absent requests go back, one by one, each where it costs least, with a blink now and then."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.chance import below, draw, gap
from routing.search.sisr.change import put_in, touch
from routing.search.sisr.compiled import part, woven
from routing.search.sisr.insertion import (
    PLACE_BITS,
    place_of_one,
    place_of_pair,
    rich_place_of_one,
    rich_place_of_pair,
)
from routing.search.sisr.layout import *
from routing.search.sisr.nearby import place_nearby, place_pair_below, place_pair_nearby


@woven
def place_of(core, r, q, blinks):
    """The two cheapest places of a request in one route."""
    a = core.Q[q, FIRST]
    b = core.Q[q, SECOND]
    if core.S[RICH] == 1:
        if b < 0:
            return rich_place_of_one(
                core.P, core.RT, core.V, core.N, core.WIN, core.C, core.T, core.CT, core.M, core.S, core.RNG,
                core.line, core.times, r, a, blinks,
            )  # fmt: skip
        return rich_place_of_pair(
            core.P, core.RT, core.V, core.N, core.WIN, core.C, core.T, core.CT, core.M, core.S, core.RNG,
            core.line, core.times, r, a, b, blinks,
        )  # fmt: skip
    if b < 0:
        return place_of_one(
            core.P, core.RT, core.V, core.N, core.C, core.T, core.CT, core.TT, core.S, core.RNG, r, a, blinks
        )
    return place_of_pair(
        core.P, core.RT, core.V, core.N, core.C, core.T, core.CT, core.TT, core.S, core.RNG, r, a, b, core.line, blinks
    )


@part
def place_pair_anywhere(core, q):
    """A cheap place of a pair in whatever plain route: the cheapest in those that this iteration has changed.

    They have room. Only where none of them takes it, the others are looked at.
    """
    S, RT = core.S, core.RT
    cost = BAN
    place = -1
    route = -1
    for turn in range(2):
        routes = S[DIRTY]
        if turn == 1:
            routes = S[ACTIVE]
        for y in range(routes):
            r = core.dirty[y]
            if turn == 1:
                r = core.active[y]
                if RT[r, STAMP] == S[ITERATION]:
                    continue
            if RT[r, PLACE] < 0 or core.MAY[r, q] == 0:
                continue
            cost, p = place_pair_below(
                core.P, RT, core.V, core.N, core.C, core.CT, core.T, core.TT, S, core.RNG,
                r, core.Q[q, FIRST], core.Q[q, SECOND], core.line, cost,
            )  # fmt: skip
            if p >= 0:
                place = p
                route = r
        if route >= 0:
            return cost, place, route
    return INF, place, route


CHANCES = (4, 8, 10, 11, 13, 15, 17)
"""Of each order, added up: random, most load, farthest, nearest, tightest window, earliest opening, latest closing."""
HARDEST_FIRST = 0.5
"""How often, while the fleet is being cut, what was absent most often goes back first whatever the order."""

PARTING = 0.01
"""How often what goes back first gets a vehicle of its own, for others to follow: long routes part in no other way."""


@part
def arrange(core):
    """Put the absent requests in the order in which they go back."""
    S, absent, keys = core.S, core.absent, core.keys
    n = S[ABSENT]
    pick = below(core.RNG, CHANCES[6])
    order = 0
    while pick >= CHANCES[order]:
        order += 1
    hardest = S[ABSENCE_RULE] == 1 and draw(core.RNG) < HARDEST_FIRST
    for x in range(n):
        if hardest:
            keys[x] = (1 << 31) - core.Q[absent[x], ABSENCES]
        elif order == 0:
            keys[x] = below(core.RNG, 1 << 30)
        else:
            keys[x] = core.RANK[order, absent[x]]
        keys[x] += core.RANK[0, absent[x]] << 32
    step = n
    while step > 1:
        step = max(1, step * 5 // 11)
        for x in range(step, n):
            key = keys[x]
            q = absent[x]
            y = x - step
            while y >= 0 and keys[y] > key:
                keys[y + step] = keys[y]
                absent[y + step] = absent[y]
                y -= step
            keys[y + step] = key
            absent[y + step] = q


@woven
def empty_vehicle(core, kind):
    """The first unused vehicle of a kind, or -1."""
    for v in range(core.KIND_AT[kind], core.KIND_AT[kind + 1]):
        r = core.KINDS[v]
        if core.RT[r, PLACE] < 0:
            return r
    return -1


@woven
def _alone(core, q):
    """What a vehicle of the one kind costs that serves nobody else."""
    c = core.Q[q, FIRST]
    b = core.Q[q, SECOND]
    cost = core.C[0, core.V[0, START], c] + core.V[0, FIXED]
    if b < 0:
        return cost + core.C[0, c, core.V[0, END]]
    return cost + core.C[0, c, b] + core.C[0, b, core.V[0, END]]


@part
def recreate(core, penalty_before, weighted_before):
    """Greedy insertion with blinks. What fits nowhere stays absent; where that is too much to be accepted it ends."""
    S, RT, Q = core.S, core.RT, core.Q
    active, absent, found, places = core.active, core.absent, core.found, core.places
    arrange(core)
    left = 0
    penalty = 0
    weighted = 0.0
    kinds = core.KIND_AT.shape[0] - 1
    parting = S[NEARBY] == 1 and S[EXACT] == 0 and S[USED] < S[LIMIT] and draw(core.RNG) < PARTING
    for x in range(S[ABSENT]):
        q = absent[x]
        cost = INF
        route = -1
        place = -1
        routes = S[ACTIVE]
        if parting:
            parting = False
            routes = 0
        elif S[NEARBY] == 1 and S[EXACT] == 0:
            if Q[q, SECOND] >= 0:
                cost, place, route = place_pair_nearby(
                    core.P, RT, core.V, core.N, core.C, core.CT, core.T, core.TT, core.MAY, core.where, core.BEFORE,
                    core.AFTER, core.tried, core.beside, core.spots, S, core.RNG, Q[q, FIRST], Q[q, SECOND], q,
                )  # fmt: skip
            else:
                cost, place, route = place_nearby(
                    core.P, RT, core.V, core.N, core.C, core.CT, core.T, core.TT, core.MAY, core.where, core.BEFORE,
                    core.AFTER, S, core.RNG, Q[q, FIRST], q,
                )  # fmt: skip
                place = core.where[place, AT] if place >= 0 else 0
            if route >= 0:
                routes = 0
            else:
                cost = INF
                # While the fleet is cut the same few are absent again and again: what is known of a route serves.
                if Q[q, SECOND] >= 0 and S[ABSENCE_RULE] == 0:
                    routes = 0
                    cost, place, route = place_pair_anywhere(core, q)
        for y in range(routes):
            r = active[y]
            changing = RT[r, VERSION] < 0
            if changing or found[q, r, 0] != RT[r, VERSION]:
                c = BAN
                p = -1
                c_2 = BAN
                p_2 = -1
                if core.MAY[r, q] == 1:
                    c, p, c_2, p_2 = place_of(core, r, q, changing)
                if changing:
                    if c < cost and c < BAN:
                        cost = c
                        place = p
                        route = r
                    continue
                found[q, r, 0] = RT[r, VERSION]
                found[q, r, 1] = c
                places[q, r, 0] = p
                places[q, r, 1] = c_2
                places[q, r, 2] = p_2
            c = found[q, r, 1]
            if c < cost and c < BAN:
                S[BLINKS_IN] -= 1
                p = places[q, r, 0]
                if S[BLINKS_IN] < 0:
                    S[BLINKS_IN] = gap(core.RNG, S[BLINK_GAP])
                    c = places[q, r, 1]
                    p = places[q, r, 2]
                    if c >= cost or c >= BAN:
                        continue
                cost = c
                place = p
                route = r
        if S[USED] < S[LIMIT] and (S[NEARBY] == 0 or cost > _alone(core, q)):
            for kind in range(kinds):
                r = empty_vehicle(core, kind)
                if r < 0 or core.MAY[r, q] == 0:
                    continue
                c, p, _, _ = place_of(core, r, q, False)
                if c < BAN and c + core.P[r, 0, ARC] + core.V[r, FIXED] < cost:
                    cost = c + core.P[r, 0, ARC] + core.V[r, FIXED]
                    place = p
                    route = r
        if route < 0:
            absent[left] = q
            left += 1
            penalty += Q[q, PENALTY]
            weighted += float(Q[q, PENALTY]) * Q[q, ABSENCES]
            if penalty > penalty_before and weighted >= weighted_before:
                break
            continue
        touch(core, route)
        after = place
        if Q[q, SECOND] >= 0:
            after = place >> PLACE_BITS
        put_in(core, route, Q[q, FIRST], Q[q, SECOND], after, place & ((1 << PLACE_BITS) - 1))
    S[ABSENT] = left
