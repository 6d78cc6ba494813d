"""One route in time: labels with the break taken and due, when to leave, and what the timing costs."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.compiled import part, woven
from routing.search.sisr.layout import *
from routing.search.sisr.moments import last_opening, leave_unrested_by, opening, rested

# Columns of the scratch table that times one line of nodes.
LEFT_RESTED = 0
LEFT_TIRED = 1
BY_RESTED = 2
BY_TIRED = 3
SERVES_RESTED = 4
SERVES_TIRED = 5
ARRIVES = 6
SERVES = 7
LEAVES_AT = 8
RESTS = 9  # 1 where the break lies on the leg that ends here
WAITED = 10
REST_BEGINS = 11
TIMES_WIDTH = 12


@woven
def label(V, N, WIN, T, r, line, n, times, leaves, told):
    """Earliest departures and latest arrivals with the break taken and with it still due."""
    k = V[r, CLASS]
    rest = V[r, REST]
    opens = V[r, REST_OPENS]
    closes = V[r, REST_CLOSES]
    times[n + 1, BY_RESTED] = V[r, HOME]
    times[n + 1, BY_TIRED] = -INF
    if rest >= 0:
        times[n + 1, BY_TIRED] = min(V[r, HOME], closes)
    for p in range(n, -1, -1):
        travel = T[k, line[p], line[p + 1]]
        by = times[p + 1, BY_RESTED] - travel
        tired = -INF
        if rest >= 0:
            tired = max(
                times[p + 1, BY_TIRED] - travel,
                leave_unrested_by(times[p + 1, BY_RESTED], travel, opens, closes, rest),
            )
        if p > 0:
            by = last_opening(N, WIN, line[p], by - N[line[p], SERVICE])
            if rest >= 0:
                tired = last_opening(N, WIN, line[p], tired - N[line[p], SERVICE])
        times[p, BY_RESTED] = max(by, -INF)
        times[p, BY_TIRED] = max(tired, -INF)
    if rest < 0:
        times[0, LEFT_RESTED] = leaves
        times[0, LEFT_TIRED] = INF
    else:
        times[0, LEFT_TIRED] = leaves
        # Who leaves after the break's window has no break.
        times[0, LEFT_RESTED] = INF if V[r, ON_DUTY] >= 0 else max(leaves, closes + 1)
    for p in range(1, n + 2):
        travel = T[k, line[p - 1], line[p]]
        at = times[p - 1, LEFT_RESTED] + travel
        tired_at = INF
        if rest >= 0:
            at = min(at, rested(times[p - 1, LEFT_TIRED], travel, opens, closes, rest))
            tired_at = times[p - 1, LEFT_TIRED] + travel
        if p <= n:
            node = line[p]
            at = serve(N, WIN, node, at, times[p, BY_RESTED] if told else -INF)
            times[p, SERVES_RESTED] = at
            at += N[node, SERVICE]
            if rest >= 0:
                tired_at = serve(N, WIN, node, tired_at, times[p, BY_TIRED] if told else -INF)
                times[p, SERVES_TIRED] = tired_at
                tired_at += N[node, SERVICE]
        times[p, LEFT_RESTED] = min(at, INF)
        times[p, LEFT_TIRED] = min(tired_at, INF)


@part
def serve(N, WIN, node, at, by):
    """When service starts: as early as allowed, but not before what was announced where waiting breaks nothing."""
    if at >= INF:
        return INF
    at = opening(N, WIN, node, at)
    if N[node, TOLD_COST] > 0 and N[node, TOLD_OPENS] > at:
        told = opening(N, WIN, node, N[node, TOLD_OPENS])
        if told <= by:
            return told
    return at


@woven
def timing_from(V, N, WIN, T, S, r, line, n, times, leaves):
    """As ``timing``, leaving at an instant or later."""
    k = V[r, CLASS]
    rest = V[r, REST]
    opens = V[r, REST_OPENS]
    closes = V[r, REST_CLOSES]
    running = V[r, RUNNING] == 1
    for p in range(n + 2):
        times[p, RESTS] = 0
    end = times[n + 1, LEFT_RESTED]
    free = n == 0 and running  # going home is never against a rule
    late_start = False
    if free:
        rest = -1
        end = leaves + T[k, line[0], line[1]]
    if rest >= 0:
        if times[n + 1, LEFT_TIRED] <= min(V[r, HOME], closes):
            end = times[n + 1, LEFT_TIRED]
        else:
            late_start = True
            for p in range(n + 1, 0, -1):
                travel = T[k, line[p - 1], line[p]]
                by_rest = rested(times[p - 1, LEFT_TIRED], travel, opens, closes, rest)
                if by_rest <= times[p - 1, LEFT_RESTED] + travel and by_rest < INF:
                    times[p, RESTS] = 1
                    late_start = False
                    break
    if end >= INF or (end > V[r, HOME] and not free):
        times[0, WAITED] = 0
        return BROKEN
    start = leaves
    if late_start and V[r, ON_DUTY] < 0:
        start = max(start, closes + 1)
    at = start
    fresh = late_start or rest < 0
    for p in range(1, n + 2):
        travel = T[k, line[p - 1], line[p]]
        if times[p, RESTS] == 1:
            at = rested(at, travel, opens, closes, rest)
            fresh = True
        else:
            at += travel
        if p <= n:
            at = serve(N, WIN, line[p], at, times[p, BY_RESTED if fresh else BY_TIRED])
            times[p, SERVES] = at
            at += N[line[p], SERVICE]
    if V[r, ON_DUTY] < 0:
        start = _latest_start(V, N, WIN, T, S, r, line, n, times, at, start)
    at = start
    waited = 0
    cost = 0
    times[0, LEAVES_AT] = at
    fresh = late_start or rest < 0
    for p in range(1, n + 2):
        arrives = at + T[k, line[p - 1], line[p]]
        ready = arrives
        if times[p, RESTS] == 1:
            fresh = True
            begins = max(at, opens)
            times[p, REST_BEGINS] = begins
            ready = max(arrives, opens) + rest
            if begins < arrives:
                arrives = ready  # begun on the way
            else:
                waited += begins - arrives
        times[p, ARRIVES] = arrives
        at = ready
        if p <= n:
            node = line[p]
            serves = serve(N, WIN, node, at, times[p, BY_RESTED if fresh else BY_TIRED])
            waited += serves - at
            times[p, SERVES] = serves
            if N[node, LATE_COST] > 0 and serves > N[node, LATE_FROM]:
                cost += N[node, LATE_COST] * (serves - N[node, LATE_FROM])
            if N[node, TOLD_COST] > 0:
                off = max(N[node, TOLD_OPENS] - serves, serves - N[node, TOLD_CLOSES])
                if off > 0:
                    cost += N[node, TOLD_COST] * ((off + 59) // 60)
            at = serves + N[node, SERVICE]
            times[p, LEAVES_AT] = at
    times[n + 1, LEAVES_AT] = at
    times[0, WAITED] = waited
    began = times[0, LEAVES_AT]
    if V[r, ON_DUTY] >= 0:
        began = V[r, ON_DUTY]
    duty = at - began
    if (duty > V[r, DUTY] or at > V[r, HOME]) and not free:
        return BROKEN
    cost += S[DUTY_PRICE] * duty + S[WAITING_PRICE] * waited
    if duty > S[FAIR_DUTY]:
        cost += S[EVEN_PRICE] * (duty - S[FAIR_DUTY])
    return cost // S[SCALE]


@woven
def _latest_start(V, N, WIN, T, S, r, line, n, times, end, earliest):
    """The latest departure with the same end and no start that costs more, but for the longest duty's sake."""
    k = V[r, CLASS]
    opens = V[r, REST_OPENS]
    closes = V[r, REST_CLOSES]
    if n == 0:
        return earliest
    dear = S[DUTY_PRICE] > 0 or S[WAITING_PRICE] > 0 or S[EVEN_PRICE] > 0 or end - earliest > V[r, DUTY]
    by = end
    if not dear:
        # Only the wait at the first stop is saved: the slack before later waits stays with the courier.
        by = times[1, SERVES]
        if times[1, RESTS] == 1:
            by = leave_unrested_by(by, T[k, line[0], line[1]], opens, closes, V[r, REST])
        else:
            by -= T[k, line[0], line[1]]
        if V[r, REST] >= 0 and earliest <= closes:
            by = min(by, closes)
        return max(by, earliest)
    at_any_price = end
    for p in range(n + 1, 0, -1):
        travel = T[k, line[p - 1], line[p]]
        if times[p, RESTS] == 1:
            by = leave_unrested_by(by, travel, opens, closes, V[r, REST])
            at_any_price = leave_unrested_by(at_any_price, travel, opens, closes, V[r, REST])
        else:
            by -= travel
            at_any_price -= travel
        if p > 1:
            node = line[p - 1]
            by = last_opening(N, WIN, node, by - N[node, SERVICE])
            at_any_price = last_opening(N, WIN, node, at_any_price - N[node, SERVICE])
            serves = times[p - 1, SERVES]
            if N[node, LATE_COST] > 0:
                by = min(by, max(serves, N[node, LATE_FROM]))
            if N[node, TOLD_COST] > 0:
                by = min(by, max(serves, N[node, TOLD_CLOSES]))
    by = max(by, min(at_any_price, end - V[r, DUTY]))
    if V[r, REST] >= 0 and earliest <= closes:
        by = min(by, closes)
    return max(by, earliest)


@part
def leaves_from(V, N, S, r, line, n):
    """The earliest departure of a route with these nodes: once the vehicle, and all that it delivers, can leave."""
    leaves = V[r, LEAVES]
    if S[RELEASES] == 1 and V[r, RUNNING] == 0:
        for p in range(1, n + 1):
            leaves = max(leaves, N[line[p], RELEASE])
    return leaves


@part
def appraise(V, N, WIN, T, S, r, line, n, times, promise_only):
    """Label the line, choose when to leave and where to rest, write the times, and return what they cost.

    BROKEN against shift or duty. The end is the earliest, the start the latest that keeps it; with several windows or a
    break a later end may have a shorter duty, which is looked for at each edge of a window where exactness is asked.
    With ``promise_only`` there are labels alone, and no wait for what was announced.
    """
    k = V[r, CLASS]
    rest = max(V[r, REST], 0)
    earliest = leaves_from(V, N, S, r, line, n)
    leaves = earliest
    way = 0
    p = 0
    edge = 0
    edges = 0
    while True:
        label(V, N, WIN, T, r, line, n, times, leaves, not promise_only)
        if promise_only:
            return 0
        cost = timing_from(V, N, WIN, T, S, r, line, n, times, leaves)
        if cost < BROKEN or S[EXACT] == 0 or V[r, RUNNING] == 1 or V[r, DUTY] >= INF:
            return cost
        leaves = -1
        while leaves < 0:
            if edge == edges:
                if p == n + 1:
                    return BROKEN
                if p > 0:
                    way += N[line[p], SERVICE]
                p += 1
                way += T[k, line[p - 1], line[p]]
                edge = 0
                edges = 8
                if p <= n:
                    edges += 4 * N[line[p], WINDOWS]
            which = edge // 2
            if which < 4:
                leaves = V[r, HOME]
                if which == 0:
                    leaves = V[r, REST_OPENS]
                elif which < 3:
                    leaves = V[r, REST_CLOSES] + which - 1
            else:
                leaves = WIN[N[line[p], WINDOW] + (which - 4) // 2, which % 2]
            leaves -= way + (edge % 2) * rest
            edge += 1
            if leaves < earliest or leaves > V[r, HOME]:
                leaves = -1
