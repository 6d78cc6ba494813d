"""The cheapest place for a request in one route, and the one after it."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.chance import gap
from routing.search.sisr.compiled import part
from routing.search.sisr.layout import *
from routing.search.sisr.moments import opening, rested
from routing.search.sisr.quick import duty_with, starts_with
from routing.search.sisr.timing import appraise

PLACE_BITS = 20
"""A place is the position after which the first stop goes, shifted by these bits, plus that of the second stop."""


@part
def place_of_one(P, RT, V, N, C, T, CT, TT, S, RNG, r, c, blinks):
    """For a request with one stop, in a plain route: (cost, place, second cost, second place)."""
    n = RT[r, LENGTH]
    k = V[r, CLASS]
    cost = BAN
    place = -1
    cost_2 = BAN
    place_2 = -1
    capacity = V[r, CAPACITY]
    from_depot = N[c, FROM_DEPOT]
    to_depot = from_depot + N[c, CHANGE]
    if (from_depot > 0 and P[r, 0, LOAD] + from_depot > capacity) or P[r, n, LOAD] + to_depot > capacity:
        return cost, place, cost_2, place_2
    if n >= V[r, MOST]:
        return cost, place, cost_2, place_2
    opens = N[c, OPENS]
    closes = N[c, CLOSES]
    service = N[c, SERVICE]
    skip = S[BLINKS_IN]
    i = P[r, 0, NODE]
    for p in range(n + 1):
        left = P[r, p, LEFT]
        if left > closes:
            break
        j = P[r, p + 1, NODE]
        delta = CT[k, c, i] + C[k, c, j] - P[r, p, ARC]
        if delta < cost_2:
            at = max(left + TT[k, c, i], opens)
            if (
                at <= closes
                and at + service + T[k, c, j] <= P[r, p + 1, LATEST]
                and (from_depot == 0 or P[r, p, LOAD_SO_FAR] + from_depot <= capacity)
                and P[r, p, LOAD_TO_COME] + to_depot <= capacity
            ):
                if blinks:
                    skip -= 1
                    if skip < 0:
                        skip = gap(RNG, S[BLINK_GAP])
                        i = j
                        continue
                if delta < cost:
                    cost_2 = cost
                    place_2 = place
                    cost = delta
                    place = p
                else:
                    cost_2 = delta
                    place_2 = p
        i = j
    if blinks:
        S[BLINKS_IN] = skip
    return cost, place, cost_2, place_2


@part
def place_of_pair(P, RT, V, N, C, T, CT, TT, S, RNG, r, a, b, spare, blinks):
    """For a pair, in a plain route. ``spare`` is scratch space, a number for each position."""
    n = RT[r, LENGTH]
    k = V[r, CLASS]
    cost = BAN
    place = -1
    cost_2 = BAN
    place_2 = -1
    if n + 2 > V[r, MOST]:
        return cost, place, cost_2, place_2
    room = V[r, CAPACITY] - N[a, CHANGE]
    a_opens = N[a, OPENS]
    a_closes = N[a, CLOSES]
    a_service = N[a, SERVICE]
    b_opens = N[b, OPENS]
    b_closes = N[b, CLOSES]
    b_service = N[b, SERVICE]
    a_to_b = C[k, a, b]
    a_to_b_s = T[k, a, b]
    skip = S[BLINKS_IN]
    # The second stop alone, at its cheapest from each position on: what the pair costs at least.
    least = BAN
    first_b = 0
    for p in range(n, -1, -1):
        j = P[r, p + 1, NODE]
        if b_opens + b_service > P[r, p + 1, LATEST]:
            # Later positions only are in time.
            first_b = p + 1
            break
        alone = CT[k, b, P[r, p, NODE]] + C[k, b, j] - P[r, p, ARC]
        if alone < least and P[r, p, LEFT] <= b_closes:
            least = alone
        spare[p] = least
    for p in range(first_b - 1, -1, -1):
        spare[p] = least
    for p in range(n + 1):
        left = P[r, p, LEFT]
        if left > a_closes:
            break
        if P[r, p, LOAD] > room:
            continue
        i = P[r, p, NODE]
        j = P[r, p + 1, NODE]
        arc = P[r, p, ARC]
        to_a = CT[k, a, i]
        base = to_a + C[k, a, j] - arc
        at = max(left + TT[k, a, i], a_opens)
        if at > a_closes:
            continue
        at += a_service
        # The second stop right behind the first.
        if p >= first_b:
            delta = to_a + a_to_b + C[k, b, j] - arc
            if delta < cost_2:
                b_at = max(at + a_to_b_s, b_opens)
                if b_at <= b_closes and b_at + b_service + T[k, b, j] <= P[r, p + 1, LATEST]:
                    skip -= 1
                    if blinks and skip < 0:
                        skip = gap(RNG, S[BLINK_GAP])
                    elif delta < cost:
                        cost_2 = cost
                        place_2 = place
                        cost = delta
                        place = (p << PLACE_BITS) | p
                    else:
                        cost_2 = delta
                        place_2 = (p << PLACE_BITS) | p
        if p == n or base + spare[p + 1] >= cost_2:
            continue
        at += T[k, a, j]
        if at > P[r, p + 1, LATEST]:
            continue
        for m in range(p + 1, n + 1):
            i = P[r, m, NODE]
            if P[r, m, LOAD] > room:
                break
            at = max(at, N[i, OPENS]) + N[i, SERVICE]
            if at > b_closes:
                break
            j = P[r, m + 1, NODE]
            if m >= first_b:
                delta = base + CT[k, b, i] + C[k, b, j] - P[r, m, ARC]
                if delta < cost_2:
                    b_at = max(at + TT[k, b, i], b_opens)
                    if b_at <= b_closes and b_at + b_service + T[k, b, j] <= P[r, m + 1, LATEST]:
                        skip -= 1
                        if blinks and skip < 0:
                            skip = gap(RNG, S[BLINK_GAP])
                        elif delta < cost:
                            cost_2 = cost
                            place_2 = place
                            cost = delta
                            place = (p << PLACE_BITS) | m
                        else:
                            cost_2 = delta
                            place_2 = (p << PLACE_BITS) | m
            if m == n or base + spare[m + 1] >= cost_2:
                break
            at += T[k, i, j]
            if at > P[r, m + 1, LATEST]:
                break
    if blinks:
        S[BLINKS_IN] = skip
    return cost, place, cost_2, place_2


@part
def _arrive(T, k, r, V, i, j, left, left_tired):
    """The earliest arrivals after the leg: rested, and with the break still due."""
    travel = T[k, i, j]
    at = left + travel
    if V[r, REST] < 0:
        return at, INF
    return min(at, rested(left_tired, travel, V[r, REST_OPENS], V[r, REST_CLOSES], V[r, REST])), left_tired + travel


@part
def leaves_later(RT, V, N, S, r, c):
    """Whether a route must leave later than it does once it delivers this."""
    return S[RELEASES] == 1 and V[r, RUNNING] == 0 and N[c, RELEASE] > RT[r, LEAVE]


@part
def timed_with(P, RT, V, N, WIN, T, S, r, a, b, p, m, line, times, spare):
    """What the timing of the route costs more with the stops put in; of what costs ``spare`` or more, that it does."""
    if RT[r, QUICK] == DUTIES:
        return duty_with(P, RT, V, N, T, S, r, a, b, p, m)
    if RT[r, QUICK] == STARTS and not leaves_later(RT, V, N, S, r, a):
        more = starts_with(P, RT, N, WIN, T, V, S, r, a, b, p, m, times, spare)
        if more > -INF:
            return more
    n = RT[r, LENGTH]
    at = 0
    for q in range(n + 2):
        line[at] = P[r, q, NODE]
        at += 1
        if q == p:
            line[at] = a
            at += 1
        if b >= 0 and q == m:
            line[at] = b
            at += 1
    timed = appraise(V, N, WIN, T, S, r, line, at - 2, times, False)
    # A route that the times of its own orders break is not made worse for nothing.
    return BROKEN if timed >= BROKEN else timed - RT[r, TIMED]


@part
def rich_place_of_one(P, RT, V, N, WIN, C, T, CT, M, S, RNG, line, times, r, c, blinks):
    """As ``place_of_one``, under every rule."""
    n = RT[r, LENGTH]
    k = V[r, CLASS]
    cost = BAN
    place = -1
    cost_2 = BAN
    place_2 = -1
    capacity = V[r, CAPACITY]
    capacity_2 = V[r, CAPACITY_2]
    from_depot = N[c, FROM_DEPOT]
    from_depot_2 = N[c, FROM_DEPOT_2]
    to_depot = from_depot + N[c, CHANGE]
    to_depot_2 = from_depot_2 + N[c, CHANGE_2]
    saved = S[WAITING_PRICE] * RT[r, WAITING] // S[SCALE]
    rests = V[r, REST] >= 0
    closes = N[c, CLOSES]
    service = N[c, SERVICE]
    if n >= V[r, MOST]:
        return cost, place, cost_2, place_2
    later = leaves_later(RT, V, N, S, r, c)
    left = P[r, 0, LEFT]
    left_tired = P[r, 0, LEFT_UNRESTED]
    if later:
        left = N[c, RELEASE]
        left_tired = INF
        if rests:
            left_tired = left
            left = max(left, V[r, REST_CLOSES] + 1)
    for p in range(n + 1):
        i = P[r, p, NODE]
        j = P[r, p + 1, NODE]
        if p > 0 and later:
            left, left_tired = _arrive(T, k, r, V, P[r, p - 1, NODE], i, left, left_tired)
            if left > P[r, p, LATEST] and left_tired > P[r, p, LATEST_UNRESTED]:
                break
            left = opening(N, WIN, i, left) + N[i, SERVICE]
            left_tired = opening(N, WIN, i, left_tired) + N[i, SERVICE]
        elif p > 0:
            left = P[r, p, LEFT]
            left_tired = P[r, p, LEFT_UNRESTED]
        if left > closes and (not rests or left_tired > closes):
            break
        delta = CT[k, c, i] + C[k, c, j] - P[r, p, ARC]
        if delta - saved >= cost_2 or delta >= BAN:
            continue
        if (
            (from_depot > 0 and P[r, p, LOAD_SO_FAR] + from_depot > capacity)
            or P[r, p, LOAD_TO_COME] + to_depot > capacity
            or (from_depot_2 > 0 and P[r, p, LOAD_SO_FAR_2] + from_depot_2 > capacity_2)
            or P[r, p, LOAD_TO_COME_2] + to_depot_2 > capacity_2
        ):
            continue
        if rests:
            at, tired = _arrive(T, k, r, V, i, c, left, left_tired)
            at = opening(N, WIN, c, at) + service
            tired = opening(N, WIN, c, tired) + service
            at, tired = _arrive(T, k, r, V, c, j, at, tired)
            if at > P[r, p + 1, LATEST] and tired > P[r, p + 1, LATEST_UNRESTED]:
                continue
        else:
            at = opening(N, WIN, c, left + T[k, i, c]) + service + T[k, c, j]
            if at > P[r, p + 1, LATEST]:
                continue
        if S[FAR] == 1 and RT[r, METRES] + M[k, i, c] + M[k, c, j] - M[k, i, j] > V[r, FARTHEST]:
            continue
        if S[TIMES_COST] == 1:
            delta += timed_with(P, RT, V, N, WIN, T, S, r, c, -1, p, -1, line, times, cost_2 - delta)
            if delta >= cost_2:
                continue
        if blinks:
            S[BLINKS_IN] -= 1
            if S[BLINKS_IN] < 0:
                S[BLINKS_IN] = gap(RNG, S[BLINK_GAP])
                continue
        if delta < cost:
            cost_2 = cost
            place_2 = place
            cost = delta
            place = p
        else:
            cost_2 = delta
            place_2 = p
    return cost, place, cost_2, place_2


@part
def rich_place_of_pair(P, RT, V, N, WIN, C, T, CT, M, S, RNG, line, times, r, a, b, blinks):
    """As ``place_of_pair``, under every rule."""
    n = RT[r, LENGTH]
    k = V[r, CLASS]
    cost = BAN
    place = -1
    cost_2 = BAN
    place_2 = -1
    room = V[r, CAPACITY] - N[a, CHANGE]
    room_2 = V[r, CAPACITY_2] - N[a, CHANGE_2]
    if n + 2 > V[r, MOST]:
        return cost, place, cost_2, place_2
    far = S[FAR] == 1
    longer = 0
    saved = S[WAITING_PRICE] * RT[r, WAITING] // S[SCALE]
    for p in range(n + 1):
        if P[r, p, LOAD] > room or P[r, p, LOAD_2] > room_2:
            continue
        i = P[r, p, NODE]
        j = P[r, p + 1, NODE]
        at, tired = _arrive(T, k, r, V, i, a, P[r, p, LEFT], P[r, p, LEFT_UNRESTED])
        at = opening(N, WIN, a, at) + N[a, SERVICE]
        tired = opening(N, WIN, a, tired) + N[a, SERVICE]
        if at >= INF and tired >= INF:
            continue
        base = CT[k, a, i] + C[k, a, j] - P[r, p, ARC]
        if far:
            longer = RT[r, METRES] + M[k, i, a] - M[k, i, j] - V[r, FARTHEST]
        last = a
        for m in range(p, n + 1):
            j = P[r, m + 1, NODE]
            if m == p:
                delta = CT[k, a, i] + C[k, a, b] + C[k, b, j] - P[r, p, ARC]
            else:
                delta = base + CT[k, b, last] + C[k, b, j] - P[r, m, ARC]
            if delta - saved < cost_2 and delta < BAN:
                b_at, b_tired = _arrive(T, k, r, V, last, b, at, tired)
                b_at = opening(N, WIN, b, b_at) + N[b, SERVICE]
                b_tired = opening(N, WIN, b, b_tired) + N[b, SERVICE]
                b_at, b_tired = _arrive(T, k, r, V, b, j, b_at, b_tired)
                near = True
                if far:
                    more = M[k, last, b] + M[k, b, j]
                    if m > p:
                        more += M[k, a, P[r, p + 1, NODE]] - M[k, last, j]
                    near = longer + more <= 0
                if near and (b_at <= P[r, m + 1, LATEST] or b_tired <= P[r, m + 1, LATEST_UNRESTED]):
                    if S[TIMES_COST] == 1:
                        delta += timed_with(P, RT, V, N, WIN, T, S, r, a, b, p, m, line, times, cost_2 - delta)
                    if delta < cost_2:
                        blinked = False
                        if blinks:
                            S[BLINKS_IN] -= 1
                            if S[BLINKS_IN] < 0:
                                S[BLINKS_IN] = gap(RNG, S[BLINK_GAP])
                                blinked = True
                        if blinked:
                            pass
                        elif delta < cost:
                            cost_2 = cost
                            place_2 = place
                            cost = delta
                            place = (p << PLACE_BITS) | m
                        else:
                            cost_2 = delta
                            place_2 = (p << PLACE_BITS) | m
            if m == n or base - saved >= cost_2:
                break
            at, tired = _arrive(T, k, r, V, last, j, at, tired)
            if at > P[r, m + 1, LATEST] and tired > P[r, m + 1, LATEST_UNRESTED]:
                break
            if P[r, m + 1, LOAD] > room or P[r, m + 1, LOAD_2] > room_2:
                break
            at = opening(N, WIN, j, at) + N[j, SERVICE]
            tired = opening(N, WIN, j, tired) + N[j, SERVICE]
            last = j
    return cost, place, cost_2, place_2
