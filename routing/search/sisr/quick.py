"""What an insertion costs in time, from what is kept of the route as it stands, without timing all of it again.

Two ways, both to the unit what ``timing.appraise`` says. Where only starts of service cost (lateness, announced
windows), the route is driven on from the insertion until it is on time again. Where only the length of the duty costs
(its price, its limit, waiting, evenness), what lies before and behind is known by its shortest duration and latest
start, and two such parts make one in a few steps (as in Vidal et al., Computers & OR 40(1), 2013).
"""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.compiled import part
from routing.search.sisr.layout import *
from routing.search.sisr.moments import last_opening, opening
from routing.search.sisr.timing import BY_RESTED, serve


@part
def start_costs(N, node, serves):
    """What it costs to serve a stop at an instant: late, or outside what was announced."""
    cost = 0
    if N[node, LATE_COST] > 0 and serves > N[node, LATE_FROM]:
        cost += N[node, LATE_COST] * (serves - N[node, LATE_FROM])
    if N[node, TOLD_COST] > 0:
        off = max(N[node, TOLD_OPENS] - serves, serves - N[node, TOLD_CLOSES])
        if off > 0:
            cost += N[node, TOLD_COST] * ((off + 59) // 60)
    return cost


@part
def moments_of(P, V, N, WIN, T, r, n, leaves):
    """Earliest departures and latest arrivals of a route without a break."""
    ways = T[V[r, CLASS]]
    at = leaves
    P[r, 0, LEFT] = at
    P[r, 0, LEFT_UNRESTED] = INF
    for p in range(1, n + 2):
        node = P[r, p, NODE]
        at += ways[P[r, p - 1, NODE], node]
        if p <= n:
            at = min(opening(N, WIN, node, at) + N[node, SERVICE], INF)
        P[r, p, LEFT] = at
        P[r, p, LEFT_UNRESTED] = INF
    by = V[r, HOME]
    P[r, n + 1, LATEST] = by
    P[r, n + 1, LATEST_UNRESTED] = -INF
    for p in range(n, -1, -1):
        node = P[r, p, NODE]
        by -= ways[node, P[r, p + 1, NODE]]
        if p > 0:
            by = last_opening(N, WIN, node, by - N[node, SERVICE])
        by = max(by, -INF)
        P[r, p, LATEST] = by
        P[r, p, LATEST_UNRESTED] = -INF


@part
def keep_starts(P, RT, V, N, WIN, T, S, r, n):
    """Keep when the stops of a route that is in time are served, and what that costs up to each. Returns the cost."""
    ways = T[V[r, CLASS]]
    cost = 0
    hurried = 0
    at = P[r, 0, LEFT]
    here = P[r, 0, NODE]
    P[r, 0, LEFT_TIMED] = at
    P[r, 0, COST_SO_FAR] = 0
    P[r, 0, HURRIED] = 0
    for p in range(1, n + 1):
        node = P[r, p, NODE]
        serves = serve(N, WIN, node, at + ways[here, node], P[r, p, LATEST])
        cost += start_costs(N, node, serves)
        if N[node, TOLD_COST] > 0 and serves < N[node, TOLD_OPENS]:
            hurried = 1
        at = serves + N[node, SERVICE]
        here = node
        P[r, p, SERVED] = serves
        P[r, p, LEFT_TIMED] = at
        P[r, p, COST_SO_FAR] = cost
        P[r, p, HURRIED] = hurried
    RT[r, STARTS_COST] = cost
    return cost // S[SCALE]


@part
def starts_with(P, RT, N, WIN, T, V, S, r, a, b, p, m, times, spare):
    """What the starts of service cost more with the stops put in; -INF where the route must be timed anew.

    It ends early, with a cost of at least ``spare``, where the insertion is no use at that price.
    """
    if P[r, p, HURRIED] == 1:
        return -INF  # a wait that is skipped may come back
    n = RT[r, LENGTH]
    ways = T[V[r, CLASS]]
    scale = S[SCALE]
    before = RT[r, TIMED]
    # The latest arrivals between the two stops are other ones now.
    by = P[r, p + 1, LATEST]
    next_node = P[r, p + 1, NODE]
    by_b = 0
    if b >= 0:
        by = P[r, m + 1, LATEST] - ways[b, P[r, m + 1, NODE]]
        by = last_opening(N, WIN, b, by - N[b, SERVICE])
        by_b = by
        next_node = b
        for q in range(m, p, -1):
            node = P[r, q, NODE]
            by = last_opening(N, WIN, node, by - ways[node, next_node] - N[node, SERVICE])
            times[q, BY_RESTED] = by
            next_node = node
    by = last_opening(N, WIN, a, by - ways[a, next_node] - N[a, SERVICE])
    at = serve(N, WIN, a, P[r, p, LEFT_TIMED] + ways[P[r, p, NODE], a], by)
    if at > by:
        return -INF  # a wait before it is too long now
    cost = P[r, p, COST_SO_FAR] + start_costs(N, a, at)
    if cost // scale - before >= spare:
        return cost // scale - before
    at += N[a, SERVICE]
    here = a
    q = p
    while q <= n:
        if b >= 0 and q == m:
            at = serve(N, WIN, b, at + ways[here, b], by_b)
            if at > by_b:
                return -INF
            cost += start_costs(N, b, at)
            at += N[b, SERVICE]
            here = b
        q += 1
        if q > n:
            break
        node = P[r, q, NODE]
        by = P[r, q, LATEST]
        if b >= 0 and q <= m:
            by = times[q, BY_RESTED]
        at = serve(N, WIN, node, at + ways[here, node], by)
        if at > by:
            return -INF
        if at == P[r, q, SERVED] and (b < 0 or q > m):
            cost += RT[r, STARTS_COST] - P[r, q - 1, COST_SO_FAR]
            break
        cost += start_costs(N, node, at)
        if cost // scale - before >= spare:
            break
        at += N[node, SERVICE]
        here = node
    return cost // scale - before


@part
def keep_durations(P, RT, V, N, T, S, r, n):
    """Keep the shortest durations up to and from each stop. Returns what the duty costs; the route is in time."""
    ways = T[V[r, CLASS]]
    duration = 0
    latest = V[r, HOME]
    work = 0
    P[r, 0, DURATION] = 0
    P[r, 0, START_BY] = latest
    for p in range(1, n + 1):
        node = P[r, p, NODE]
        way = ways[P[r, p - 1, NODE], node]
        work += way + N[node, SERVICE]
        duration += way
        wait = max(N[node, OPENS] - duration - latest, 0)
        latest = min(N[node, CLOSES] - duration, latest)
        duration += wait + N[node, SERVICE]
        P[r, p, DURATION] = duration
        P[r, p, START_BY] = latest
    P[r, n + 1, DURATION_TO_COME] = 0
    P[r, n + 1, NO_WAIT_FROM] = 0
    to_come = 0
    fresh = 0
    for p in range(n, 0, -1):
        node = P[r, p, NODE]
        step = ways[node, P[r, p + 1, NODE]] + N[node, SERVICE]
        wait = max(fresh - step - N[node, CLOSES], 0)
        fresh = max(fresh - step, N[node, OPENS]) - wait
        to_come += step + wait
        P[r, p, DURATION_TO_COME] = to_come
        P[r, p, NO_WAIT_FROM] = fresh
    way = ways[P[r, n, NODE], P[r, n + 1, NODE]]
    RT[r, WORK] = work + way
    if n == 0 and V[r, RUNNING] == 0:
        return 0
    if V[r, ON_DUTY] >= 0:
        end = P[r, n + 1, LEFT]
        RT[r, WAITING] = end - V[r, LEAVES] - RT[r, WORK]
        return duty_costs(V, S, r, end - V[r, ON_DUTY], RT[r, WAITING], n == 0)
    RT[r, WAITING] = duration + way - RT[r, WORK]
    return duty_costs(V, S, r, duration + way, RT[r, WAITING], False)


@part
def duty_costs(V, S, r, duty, waited, free):
    """What a duty of so long with so much waiting costs; BROKEN beyond the longest, unless it only goes home."""
    if duty > V[r, DUTY] and not free:
        return BROKEN
    cost = S[DUTY_PRICE] * duty + S[WAITING_PRICE] * waited
    if duty > S[FAIR_DUTY]:
        cost += S[EVEN_PRICE] * (duty - S[FAIR_DUTY])
    return cost // S[SCALE]


@part
def duty_with(P, RT, V, N, T, S, r, a, b, p, m):
    """What the duty costs more with the stops put in, which keep their windows."""
    ways = T[V[r, CLASS]]
    duration = P[r, p, DURATION]
    latest = P[r, p, START_BY]
    left = P[r, p, LEFT]
    work = RT[r, WORK]
    here = P[r, p, NODE]
    q = p
    node = a
    while True:
        way = ways[here, node]
        duration += way
        wait = max(N[node, OPENS] - duration - latest, 0)
        latest = min(N[node, CLOSES] - duration, latest)
        duration += wait + N[node, SERVICE]
        left = max(left + way, N[node, OPENS]) + N[node, SERVICE]
        here = node
        if b < 0 or node == b:
            break
        if q == m:
            node = b
        else:
            q += 1
            node = P[r, q, NODE]
    q += 1
    node = P[r, q, NODE]
    way = ways[here, node]
    if b < 0:
        work += ways[P[r, p, NODE], a] + way - ways[P[r, p, NODE], node] + N[a, SERVICE]
    elif p == m:
        work += ways[P[r, p, NODE], a] + ways[a, b] + way - ways[P[r, p, NODE], node] + N[a, SERVICE] + N[b, SERVICE]
    else:
        behind = P[r, p + 1, NODE]
        before = P[r, m, NODE]
        work += ways[P[r, p, NODE], a] + ways[a, behind] - ways[P[r, p, NODE], behind] + N[a, SERVICE]
        work += ways[before, b] + way - ways[before, node] + N[b, SERVICE]
    if V[r, ON_DUTY] >= 0:
        end = max(left + way, P[r, q, NO_WAIT_FROM]) + P[r, q, DURATION_TO_COME]
        return duty_costs(V, S, r, end - V[r, ON_DUTY], end - V[r, LEAVES] - work, False) - RT[r, TIMED]
    duration += way
    wait = max(P[r, q, NO_WAIT_FROM] - duration - latest, 0)
    duration += wait + P[r, q, DURATION_TO_COME]
    return duty_costs(V, S, r, duration, duration - work, False) - RT[r, TIMED]
