"""Insertion where there are many plain stops: beside near ones only, in whatever route those are."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.chance import gap
from routing.search.sisr.compiled import part
from routing.search.sisr.insertion import PLACE_BITS
from routing.search.sisr.layout import *


@part
def place_nearby(P, RT, V, N, C, CT, T, TT, MAY, where, BEFORE, AFTER, S, RNG, c, q):
    """The cheapest place of a request with one stop beside its neighbours, in whatever plain route.

    Returns the cost and after which stop; where that is -1, at the start of the route that comes third.
    """
    cost = BAN
    behind = -1
    route = -1
    passed = -1
    passed_route = -1
    from_depot = N[c, FROM_DEPOT]
    to_depot = from_depot + N[c, CHANGE]
    opens = N[c, OPENS]
    closes = N[c, CLOSES]
    service = N[c, SERVICE]
    to_c = CT[0, c]
    from_c = C[0, c]
    way_to = TT[0, c]
    way_from = T[0, c]
    for side in range(2):
        if side == 0:
            beside = BEFORE[c]
        else:
            beside = AFTER[c]
        for x in range(beside.shape[0]):
            i = beside[x]
            if i < 0:
                break
            i = i & NUMBERS
            r = where[i, ROUTE]
            if r < 0:
                continue
            if side == 1:
                j = i
                i = where[i, PREVIOUS]
                if i < 0:
                    r = r & NUMBERS
                    delta = to_c[P[r, 0, NODE]] + from_c[j] - P[r, 0, ARC]
                    if (
                        delta < cost
                        and MAY[r, q] == 1
                        and max(P[r, 0, LEFT] + way_to[P[r, 0, NODE]], opens) <= closes
                        and max(P[r, 0, LEFT] + way_to[P[r, 0, NODE]], opens) + service + way_from[j] <= P[r, 1, LATEST]
                        and (from_depot == 0 or P[r, 0, LOAD_SO_FAR] + from_depot <= V[r, CAPACITY])
                        and P[r, 0, LOAD_TO_COME] + to_depot <= V[r, CAPACITY]
                        and RT[r, LENGTH] < V[r, MOST]
                        and not (passed < 0 and passed_route == r)
                    ):
                        S[BLINKS_IN] -= 1
                        if S[BLINKS_IN] < 0:
                            S[BLINKS_IN] = gap(RNG, S[BLINK_GAP])
                            passed = -1
                            passed_route = r
                        else:
                            cost = delta
                            behind = -1
                            route = r
                    continue
                i = i & NUMBERS
            j = where[i, NEXT] & NUMBERS
            delta = to_c[i] + from_c[j] - where[i, NEXT_ARC]
            if delta >= cost:
                continue
            at = max(where[i, LEFT_AT] + way_to[i], opens)
            if (
                at > closes
                or at + service + way_from[j] > where[i, NEXT_BY]
                or (from_depot > 0 and from_depot > where[i, ROOM_BEFORE])
                or to_depot > where[i, ROOM_BEHIND]
                or MAY[r & NUMBERS, q] == 0
                or RT[r & NUMBERS, LENGTH] >= V[r & NUMBERS, MOST]
                or i == passed
            ):
                continue
            S[BLINKS_IN] -= 1
            if S[BLINKS_IN] < 0:
                S[BLINKS_IN] = gap(RNG, S[BLINK_GAP])
                passed = i
                continue
            cost = delta
            behind = i
            route = r
    return cost, behind, route


@part
def mark_second(C, CT, T, TT, where, BEFORE, AFTER, beside, spots, N, look, b):
    """List by route what the second stop of a pair costs beside its neighbours, where it is in time by itself."""
    opens = N[b, OPENS]
    closes = N[b, CLOSES]
    service = N[b, SERVICE]
    to_b = CT[0, b]
    from_b = C[0, b]
    way_to = TT[0, b]
    way_from = T[0, b]
    found = 0
    for side in range(2):
        if side == 0:
            near = BEFORE[b]
        else:
            near = AFTER[b]
        for x in range(near.shape[0]):
            i = near[x]
            if i < 0:
                break
            i = i & NUMBERS
            r = where[i, ROUTE]
            if r < 0:
                continue
            r = r & NUMBERS
            if side == 1:
                i = where[i, PREVIOUS]
                if i < 0:
                    continue
                i = i & NUMBERS
            j = where[i, NEXT] & NUMBERS
            at = max(where[i, LEFT_AT] + way_to[i], opens)
            if at > closes or at + service + way_from[j] > where[i, NEXT_BY]:
                continue
            delta = to_b[i] + from_b[j] - where[i, NEXT_ARC]
            spots[found, 0] = delta
            spots[found, 1] = where[i, AT]
            if beside[r, 0] != look:
                beside[r, 0] = look
                beside[r, 1] = delta
                spots[found, 2] = -1
            else:
                beside[r, 1] = min(beside[r, 1], delta)
                spots[found, 2] = beside[r, 2]
            beside[r, 2] = found
            found += 1


@part
def holds(line, N, T, TT, p, m, at, room, b):
    """Whether a pair that reaches the stop behind ``p`` at an instant can bring its second stop behind ``m``."""
    closes = N[b, CLOSES]
    for q in range(p + 1, m + 1):
        i = line[q, NODE] & NUMBERS
        if at > line[q, LATEST] or line[q, LOAD] > room:
            return False
        left = max(at + N[i, SERVICE], line[q, LEFT])
        if left > closes:
            return False
        j = line[q + 1, NODE] & NUMBERS
        if q == m:
            at = max(left + TT[0, b, i], N[b, OPENS])
            return at <= closes and at + N[b, SERVICE] + T[0, b, j] <= line[q + 1, LATEST]
        at = left + T[0, i, j]
    return False


@part
def place_pair_nearby(P, RT, V, N, C, CT, T, TT, MAY, where, BEFORE, AFTER, tried, beside, spots, S, RNG, a, b, q):
    """The cheapest place of a pair, each stop beside its own neighbours or the second behind the first.

    Returns the cost, the place and the route.
    """
    cost = BAN
    place = -1
    route = -1
    S[LOOKS] += 1
    look = S[LOOKS]
    mark_second(C, CT, T, TT, where, BEFORE, AFTER, beside, spots, N, look, b)
    a_opens = N[a, OPENS]
    a_closes = N[a, CLOSES]
    a_service = N[a, SERVICE]
    b_opens = N[b, OPENS]
    b_closes = N[b, CLOSES]
    b_service = N[b, SERVICE]
    change = N[a, CHANGE]
    a_to_b = C[0, a, b]
    a_to_b_s = T[0, a, b]
    to_a = CT[0, a]
    from_a = C[0, a]
    from_b = C[0, b]
    way_to_a = TT[0, a]
    way_from_a = T[0, a]
    way_from_b = T[0, b]
    for side in range(3):
        if side == 0:
            near = BEFORE[a]
        elif side == 1:
            near = AFTER[a]
        else:
            near = AFTER[b]
        for x in range(near.shape[0]):
            i = near[x]
            if i < 0:
                break
            i = i & NUMBERS
            r = where[i, ROUTE]
            if r < 0:
                continue
            r = r & NUMBERS
            p = 0
            if side == 0:
                p = where[i, AT]
            else:
                j = i
                i = where[i, PREVIOUS]
                if i >= 0:
                    p = where[i, AT]
            if i >= 0:
                i = i & NUMBERS
                if tried[i] == look:
                    continue
                tried[i] = look
                j = where[i, NEXT] & NUMBERS
                arc = where[i, NEXT_ARC]
                left = where[i, LEFT_AT]
                by = where[i, NEXT_BY]
            else:
                i = P[r, 0, NODE] & NUMBERS
                arc = P[r, 0, ARC]
                left = P[r, 0, LEFT]
                by = P[r, 1, LATEST]
            base = to_a[i] + from_a[j] - arc
            behind = to_a[i] + a_to_b + from_b[j] - arc
            both = beside[r, 0] == look and base + beside[r, 1] < cost
            if not both and behind >= cost:
                continue
            at = max(left + way_to_a[i], a_opens)
            room = V[r, CAPACITY] - change
            if at > a_closes or P[r, p, LOAD] > room or MAY[r, q] == 0 or RT[r, LENGTH] + 2 > V[r, MOST]:
                continue
            at += a_service
            if behind < cost:
                b_at = max(at + a_to_b_s, b_opens)
                if b_at <= b_closes and b_at + b_service + way_from_b[j] <= by:
                    S[BLINKS_IN] -= 1
                    if S[BLINKS_IN] < 0:
                        S[BLINKS_IN] = gap(RNG, S[BLINK_GAP])
                    else:
                        cost = behind
                        place = (p << PLACE_BITS) | p
                        route = r
            at += way_from_a[j]
            if not both or at > by:
                continue
            spot = beside[r, 2]
            while spot >= 0:
                m = spots[spot, 1]
                delta = base + spots[spot, 0]
                spot = spots[spot, 2]
                if m > p and delta < cost and holds(P[r], N, T, TT, p, m, at, room, b):
                    S[BLINKS_IN] -= 1
                    if S[BLINKS_IN] < 0:
                        S[BLINKS_IN] = gap(RNG, S[BLINK_GAP])
                    else:
                        cost = delta
                        place = (p << PLACE_BITS) | m
                        route = r
    return cost, place, route


@part
def place_pair_below(P, RT, V, N, C, CT, T, TT, S, RNG, r, a, b, spare, cost):
    """The cheapest place of a pair anywhere in a plain route, of those that cost less than is given.

    Returns the cost and the place, -1 where there is none. ``spare`` is scratch space, a number for each position.
    """
    place = -1
    n = RT[r, LENGTH]
    if n + 2 > V[r, MOST]:
        return cost, place
    line = P[r]
    room = V[r, CAPACITY] - N[a, CHANGE]
    a_opens = N[a, OPENS]
    a_closes = N[a, CLOSES]
    a_service = N[a, SERVICE]
    b_opens = N[b, OPENS]
    b_closes = N[b, CLOSES]
    b_service = N[b, SERVICE]
    a_to_b = C[0, a, b]
    a_to_b_s = T[0, a, b]
    to_a = CT[0, a]
    from_a = C[0, a]
    to_b = CT[0, b]
    from_b = C[0, b]
    way_to_a = TT[0, a]
    way_from_a = T[0, a]
    way_to_b = TT[0, b]
    way_from_b = T[0, b]
    # The second stop alone, at its cheapest from each position on: what it adds at least.
    least = BAN
    first_b = 0
    j = line[n + 1, NODE] & NUMBERS
    for p in range(n, -1, -1):
        by = line[p + 1, LATEST]
        if b_opens + b_service > by:
            # Later positions only are in time.
            first_b = p + 1
            break
        i = line[p, NODE] & NUMBERS
        alone = to_b[i] + from_b[j] - line[p, ARC]
        if alone < least:
            at = max(line[p, LEFT] + way_to_b[i], b_opens)
            if at <= b_closes and at + b_service + way_from_b[j] <= by:
                least = alone
        spare[p] = least
        j = i
    for p in range(first_b - 1, -1, -1):
        spare[p] = least
    j = line[0, NODE] & NUMBERS
    for p in range(n + 1):
        left = line[p, LEFT]
        if left > a_closes:
            break
        i = j
        j = line[p + 1, NODE] & NUMBERS
        arc = line[p, ARC]
        base = to_a[i] + from_a[j] - arc
        behind = to_a[i] + a_to_b + from_b[j] - arc
        apart = p < n and base + spare[p + 1] < cost
        if not apart and (behind >= cost or p < first_b):
            continue
        at = max(left + way_to_a[i], a_opens)
        if at > a_closes or line[p, LOAD] > room:
            continue
        at += a_service
        by = line[p + 1, LATEST]
        if behind < cost and p >= first_b:
            b_at = max(at + a_to_b_s, b_opens)
            if b_at <= b_closes and b_at + b_service + way_from_b[j] <= by:
                S[BLINKS_IN] -= 1
                if S[BLINKS_IN] < 0:
                    S[BLINKS_IN] = gap(RNG, S[BLINK_GAP])
                else:
                    cost = behind
                    place = (p << PLACE_BITS) | p
        if not apart:
            continue
        at += way_from_a[j]
        m = p + 1
        i_2 = j
        while m <= n and at <= line[m, LATEST] and line[m, LOAD] <= room and base + spare[m] < cost:
            at = max(at + N[i_2, SERVICE], line[m, LEFT])
            if at > b_closes:
                break
            j_2 = line[m + 1, NODE] & NUMBERS
            if m >= first_b:
                delta = base + to_b[i_2] + from_b[j_2] - line[m, ARC]
                if delta < cost:
                    b_at = max(at + way_to_b[i_2], b_opens)
                    if b_at <= b_closes and b_at + b_service + way_from_b[j_2] <= line[m + 1, LATEST]:
                        S[BLINKS_IN] -= 1
                        if S[BLINKS_IN] < 0:
                            S[BLINKS_IN] = gap(RNG, S[BLINK_GAP])
                        else:
                            cost = delta
                            place = (p << PLACE_BITS) | m
            at += T[0, i_2, j_2]
            i_2 = j_2
            m += 1
    return cost, place
