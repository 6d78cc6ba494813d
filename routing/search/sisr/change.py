"""Changing a solution and taking the change back: routes are kept as they were before an iteration touched them."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.compiled import part, woven
from routing.search.sisr.layout import *
from routing.search.sisr.route import refresh, refresh_rich


@woven
def renew(core, r):
    """Recompute a route after its nodes changed."""
    if core.S[RICH] == 1:
        refresh_rich(
            core.P, core.RT, core.V, core.N, core.WIN, core.C, core.T, core.M, core.where, core.S, core.line,
            core.times, r,
        )  # fmt: skip
    else:
        refresh(core.P, core.RT, core.V, core.N, core.C, core.T, core.where, r)
    core.RT[r, VERSION] = -1


@woven
def touch(core, r):
    """Keep a route as it is, the first time an iteration changes it."""
    S, RT = core.S, core.RT
    if RT[r, STAMP] == S[ITERATION]:
        return
    RT[r, STAMP] = S[ITERATION]
    core.dirty[S[DIRTY]] = r
    S[DIRTY] += 1
    for c in range(ROUTE_WIDTH):
        core.RT_BEFORE[r, c] = RT[r, c]
    now = core.P[r]
    before = core.P_BEFORE[r]
    if S[RICH] == 1:
        for p in range(RT[r, LENGTH] + 2):
            for c in range(RICH_WIDTH):
                before[p, c] = now[p, c]
    else:
        # The rest follows from the nodes.
        for p in range(RT[r, LENGTH] + 2):
            before[p, NODE] = now[p, NODE]


@woven
def settle_place(core, r):
    """Enter a route in the list of active ones, or take it off."""
    S, RT, active = core.S, core.RT, core.active
    is_active = RT[r, LENGTH] > 0 or core.V[r, RUNNING] == 1
    if is_active and RT[r, PLACE] < 0:
        RT[r, PLACE] = S[ACTIVE]
        active[S[ACTIVE]] = r
        S[ACTIVE] += 1
        if core.V[r, RUNNING] == 0:
            S[USED] += 1
    elif not is_active and RT[r, PLACE] >= 0:
        last = active[S[ACTIVE] - 1]
        active[RT[r, PLACE]] = last
        RT[last, PLACE] = RT[r, PLACE]
        RT[r, PLACE] = -1
        S[ACTIVE] -= 1
        if core.V[r, RUNNING] == 0:
            S[USED] -= 1


@part
def take_out(core, r):
    """Close the gaps of a route whose removed stops have ``where`` -1, and recompute it."""
    P, RT = core.P, core.RT
    kept = 0
    n = RT[r, LENGTH]
    for p in range(1, n + 1):
        node = P[r, p, NODE]
        if core.where[node, 0] >= 0:
            kept += 1
            P[r, kept, NODE] = node
    RT[r, LENGTH] = kept
    renew(core, r)
    settle_place(core, r)


@woven
def put_in(core, r, first, second, p, m):
    """Insert one stop after position ``p``, or two after ``p`` and ``m`` of the route as it is, and recompute it."""
    P, RT = core.P, core.RT
    n = RT[r, LENGTH]
    if second >= 0:
        for q in range(n, m, -1):
            P[r, q + 2, NODE] = P[r, q, NODE]
        P[r, m + 2, NODE] = second
        for q in range(m, p, -1):
            P[r, q + 1, NODE] = P[r, q, NODE]
        RT[r, LENGTH] = n + 2
    else:
        for q in range(n, p, -1):
            P[r, q + 1, NODE] = P[r, q, NODE]
        RT[r, LENGTH] = n + 1
    P[r, p + 1, NODE] = first
    renew(core, r)
    settle_place(core, r)


@part
def take_back(core):
    """Undo the iteration."""
    S, P, RT = core.S, core.P, core.RT
    for d in range(S[DIRTY]):
        r = core.dirty[d]
        place = RT[r, PLACE]
        for p in range(1, RT[r, LENGTH] + 1):
            core.where[P[r, p, NODE], 0] = -1
        for c in range(ROUTE_WIDTH):
            RT[r, c] = core.RT_BEFORE[r, c]
        RT[r, PLACE] = place
    for d in range(S[DIRTY]):
        r = core.dirty[d]
        now = P[r]
        before = core.P_BEFORE[r]
        if S[RICH] == 1:
            for p in range(RT[r, LENGTH] + 2):
                for c in range(RICH_WIDTH):
                    now[p, c] = before[p, c]
            for p in range(1, RT[r, LENGTH] + 1):
                core.where[now[p, NODE], ROUTE] = r
                core.where[now[p, NODE], AT] = p
        else:
            for p in range(1, RT[r, LENGTH] + 1):
                now[p, NODE] = before[p, NODE]
            refresh(P, RT, core.V, core.N, core.C, core.T, core.where, r)
        settle_place(core, r)


@part
def keep(core):
    """Let the iteration stand: the changed routes get versions of their own."""
    S = core.S
    for d in range(S[DIRTY]):
        core.RT[core.dirty[d], VERSION] = S[NEXT_VERSION]
        S[NEXT_VERSION] += 1


@part
def remember_best(core):
    """Copy the solution, route by route where it differs from the best so far."""
    S, P, RT = core.S, core.P, core.RT
    for r in range(RT.shape[0]):
        if core.best_version[r] != RT[r, VERSION]:
            core.best_version[r] = RT[r, VERSION]
            core.best_length[r] = RT[r, LENGTH]
            for p in range(1, RT[r, LENGTH] + 1):
                core.best[r, p - 1] = P[r, p, NODE]
    S[BEST_COST] = S[COST_NOW]
    S[BEST_PENALTY] = S[PENALTY_NOW]
    S[BEST_USED] = S[USED]
