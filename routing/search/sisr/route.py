"""One route refreshed after a change: its loads, and what can still be promised at each position."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.compiled import part, woven
from routing.search.sisr.layout import *
from routing.search.sisr.quick import keep_durations, keep_starts, moments_of
from routing.search.sisr.timing import BY_RESTED, BY_TIRED, LEFT_RESTED, LEFT_TIRED, WAITED, appraise, leaves_from


@woven
def refresh_loads(P, V, N, r, n, load, so_far, to_come, from_depot, change, aboard):
    """Loads on departure from each position, and the highest before and after."""
    on = V[r, aboard]
    for p in range(1, n + 1):
        on += N[P[r, p, NODE], from_depot]
    P[r, 0, load] = on
    highest = on
    P[r, 0, so_far] = on
    for p in range(1, n + 1):
        on += N[P[r, p, NODE], change]
        P[r, p, load] = on
        if on > highest:
            highest = on
        P[r, p, so_far] = highest
    highest = on
    for p in range(n, -1, -1):
        if P[r, p, load] > highest:
            highest = P[r, p, load]
        P[r, p, to_come] = highest


@part
def refresh(P, RT, V, N, C, T, where, r):
    """Recompute a plain route after its nodes changed."""
    n = RT[r, LENGTH]
    k = V[r, CLASS]
    line = P[r]
    costs = C[k]
    ways = T[k]
    on = V[r, ABOARD]
    for p in range(1, n + 1):
        on += N[line[p, NODE] & NUMBERS, FROM_DEPOT]
    highest = on
    capacity = V[r, CAPACITY]
    left = V[r, LEAVES]
    i = V[r, START] & NUMBERS
    line[0, NODE] = i
    line[0, LEFT] = left
    line[0, LOAD] = on
    line[0, LOAD_SO_FAR] = on
    cost = 0
    dearest = 0
    before = -1
    for p in range(1, n + 1):
        j = line[p, NODE] & NUMBERS
        left = max(left + ways[i, j], N[j, OPENS]) + N[j, SERVICE]
        arc = costs[i, j]
        line[p - 1, ARC] = arc
        cost += arc
        dearest = max(dearest, arc)
        on += N[j, CHANGE]
        if on > highest:
            highest = on
        line[p, LEFT] = left
        line[p, LOAD] = on
        line[p, LOAD_SO_FAR] = highest
        where[j, ROUTE] = r
        where[j, AT] = p
        where[j, PREVIOUS] = before
        where[j, LEFT_AT] = left
        where[j, ROOM_BEFORE] = capacity - highest
        i = j
        before = j
    j = V[r, END] & NUMBERS
    line[n + 1, NODE] = j
    line[n + 1, LEFT] = left + ways[i, j]
    arc = costs[i, j]
    line[n, ARC] = arc
    cost += arc
    dearest = max(dearest, arc)
    latest = V[r, HOME]
    line[n + 1, LATEST] = latest
    highest = on
    for p in range(n, 0, -1):
        i = line[p, NODE] & NUMBERS
        where[i, NEXT] = j
        where[i, NEXT_BY] = latest
        where[i, NEXT_ARC] = line[p, ARC]
        latest = min(N[i, CLOSES], latest - ways[i, j] - N[i, SERVICE])
        line[p, LATEST] = latest
        if line[p, LOAD] > highest:
            highest = line[p, LOAD]
        line[p, LOAD_TO_COME] = highest
        where[i, ROOM_BEHIND] = capacity - highest
        j = i
    if line[0, LOAD] > highest:
        highest = line[0, LOAD]
    line[0, LOAD_TO_COME] = highest
    latest -= ways[V[r, START], j]
    line[0, LATEST] = latest
    full = line[1, LOAD_TO_COME] > capacity or n > V[r, MOST]
    if n > 0 and (dearest >= DEAREST_ARC or V[r, LEAVES] > latest or full):
        # Without the triangle inequality a removal can do this, or where what stays on board was to be delivered first.
        cost += BROKEN
    if V[r, RUNNING] == 0:
        if n == 0:
            cost = 0
        else:
            cost += V[r, FIXED]
    RT[r, COST] = cost


@part
def refresh_rich(P, RT, V, N, WIN, C, T, M, where, S, line, times, r):
    """Recompute a route with several windows, two loads, a break, or a cost of time."""
    n = RT[r, LENGTH]
    k = V[r, CLASS]
    P[r, 0, NODE] = V[r, START]
    P[r, n + 1, NODE] = V[r, END]
    refresh_loads(P, V, N, r, n, LOAD, LOAD_SO_FAR, LOAD_TO_COME, FROM_DEPOT, CHANGE, ABOARD)
    refresh_loads(P, V, N, r, n, LOAD_2, LOAD_SO_FAR_2, LOAD_TO_COME_2, FROM_DEPOT_2, CHANGE_2, ABOARD_2)
    cost = 0
    dearest = 0
    for p in range(n + 1):
        line[p] = P[r, p, NODE]
        arc = C[k, P[r, p, NODE], P[r, p + 1, NODE]]
        P[r, p, ARC] = arc
        cost += arc
        dearest = max(dearest, arc)
    line[n + 1] = P[r, n + 1, NODE]
    leaves = leaves_from(V, N, S, r, line, n)
    RT[r, LEAVE] = leaves
    if V[r, REST] < 0:
        moments_of(P, V, N, WIN, T, r, n, leaves)
    else:
        appraise(V, N, WIN, T, S, r, line, n, times, True)
        for p in range(n + 2):
            P[r, p, LEFT] = times[p, LEFT_RESTED]
            P[r, p, LEFT_UNRESTED] = times[p, LEFT_TIRED]
            P[r, p, LATEST] = times[p, BY_RESTED]
            P[r, p, LATEST_UNRESTED] = times[p, BY_TIRED]
    for p in range(1, n + 1):
        where[P[r, p, NODE], 0] = r
        where[P[r, p, NODE], 1] = p
    late = P[r, 0, LEFT] > P[r, 0, LATEST] and P[r, 0, LEFT_UNRESTED] > P[r, 0, LATEST_UNRESTED]
    full = P[r, 1, LOAD_TO_COME] > V[r, CAPACITY] or P[r, 1, LOAD_TO_COME_2] > V[r, CAPACITY_2]
    full = full or n > V[r, MOST]
    if S[FAR] == 1:
        metres = 0
        for p in range(n + 1):
            metres += M[k, P[r, p, NODE], P[r, p + 1, NODE]]
        RT[r, METRES] = metres
        full = full or metres > V[r, FARTHEST]
    if n > 0 and (dearest >= DEAREST_ARC or late or full):
        cost += BROKEN
    if V[r, RUNNING] == 0:
        if n == 0:
            cost = 0
        else:
            cost += V[r, FIXED]
    RT[r, TIMED] = 0
    RT[r, WAITING] = 0
    RT[r, QUICK] = 0
    if S[TIMES_COST] == 1:
        if V[r, REST] < 0 and not (n > 0 and late):
            RT[r, QUICK] = S[TIMES_BY]
        if RT[r, QUICK] == DUTIES:
            RT[r, TIMED] = keep_durations(P, RT, V, N, T, S, r, n)
        elif RT[r, QUICK] == STARTS:
            RT[r, TIMED] = keep_starts(P, RT, V, N, WIN, T, S, r, n)
        elif n > 0 or V[r, RUNNING] == 1:
            RT[r, TIMED] = appraise(V, N, WIN, T, S, r, line, n, times, False)
            RT[r, WAITING] = times[0, WAITED]
        if RT[r, TIMED] >= BROKEN:
            RT[r, QUICK] = 0
        cost += RT[r, TIMED]
    RT[r, COST] = cost
