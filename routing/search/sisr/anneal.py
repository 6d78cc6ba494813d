"""The search: ruin, recreate, and accept by simulated annealing or by the sum of absences."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
import math

from routing.search.sisr.chance import draw
from routing.search.sisr.change import keep, remember_best, renew, settle_place, take_back
from routing.search.sisr.compiled import entry, part, woven
from routing.search.sisr.layout import *
from routing.search.sisr.pool import pool_changed
from routing.search.sisr.recreate import place_of, recreate
from routing.search.sisr.ruin import ruin
from routing.search.sisr.tails import trade
from routing.search.sisr.timing import appraise

MOST_ABSENT = 3
"""More requests than these are never absent in exchange for others that are harder to place."""


@part
def absence(core):
    """Penalties of what is absent, and the same weighted by how often it was."""
    penalty = 0
    weighted = 0.0
    for x in range(core.S[ABSENT]):
        q = core.absent[x]
        penalty += core.Q[q, PENALTY]
        weighted += float(core.Q[q, PENALTY]) * core.Q[q, ABSENCES]
    return penalty, weighted


@part
def begin(core):
    """Compute everything from the nodes in the routes and the list of absent requests; also forgets the best."""
    S, RT = core.S, core.RT
    S[ACTIVE] = 0
    S[USED] = 0
    S[COST_NOW] = 0
    for s in range(core.where.shape[0]):
        core.where[s, 0] = -1
    for r in range(RT.shape[0]):
        RT[r, PLACE] = -1
        RT[r, STAMP] = -1
        renew(core, r)
        settle_place(core, r)
        RT[r, VERSION] = S[NEXT_VERSION]
        S[NEXT_VERSION] += 1
        S[COST_NOW] += RT[r, COST]
    S[PENALTY_NOW], _ = absence(core)
    remember_best(core)


@woven
def better_than_best(core):
    S = core.S
    return S[PENALTY_NOW] < S[BEST_PENALTY] or (S[PENALTY_NOW] == S[BEST_PENALTY] and S[COST_NOW] < S[BEST_COST])


@woven
def fewer_absent(core, absent_before, penalty, penalty_before, weighted, weighted_before):
    """Whether less is absent, or a few requests that were absent less often.

    Without a bound on how many, the search drifts to solutions that lack a dozen requests, none of which is hard.
    """
    return penalty < penalty_before or (
        weighted < weighted_before and core.S[ABSENT] <= max(MOST_ABSENT, absent_before)
    )


@woven
def cost_now(core):
    """What the solution costs as it stands, the changes of this iteration among it."""
    cost = core.S[COST_NOW]
    for d in range(core.S[DIRTY]):
        r = core.dirty[d]
        cost += core.RT[r, COST] - core.RT_BEFORE[r, COST]
    return cost


@part
def stand(core, cost, penalty):
    """Let a change stand at what it costs."""
    if core.S[POOLING] == 1:
        pool_changed(core)
    keep(core)
    core.S[COST_NOW] = cost
    core.S[PENALTY_NOW] = penalty
    if better_than_best(core):
        remember_best(core)


@part
def anneal(core, iterations, hot, cool):
    """So many iterations while the temperature falls from ``hot`` to ``cool``; none means to fill up what is there.

    Under the absence rule it returns as soon as nothing is absent. Returns the iterations done.
    """
    S, Q = core.S, core.Q
    filling = iterations == 0
    if filling:
        # Nothing is taken out; what fits goes in, with no blink and with every start of duty considered.
        iterations = 1
        S[BLINKS_IN] = INF
        S[EXACT] = 1
        for q in range(Q.shape[0]):
            for r in range(core.RT.shape[0]):
                core.found[q, r, 0] = -1
    trading = S[NEARBY] == 1 and S[PAIRS] == 0 and S[ABSENCE_RULE] == 0 and not filling
    temperature = hot
    factor = math.exp(math.log(cool / hot) / iterations)
    for done in range(iterations):
        S[ITERATION] += 1
        S[DIRTY] = 0
        if trading and trade(core, temperature):
            stand(core, cost_now(core), S[PENALTY_NOW])
            S[ITERATION] += 1
            S[DIRTY] = 0
        absent_before = S[ABSENT]
        for x in range(absent_before):
            core.absent_before[x] = core.absent[x]
        penalty_before = S[PENALTY_NOW]
        weighted_before = 0.0
        if absent_before > 0:
            _, weighted_before = absence(core)
        if not filling:
            ruin(core)
        recreate(core, INF if filling else penalty_before, weighted_before)
        cost = cost_now(core)
        penalty = 0
        weighted = 0.0
        if S[ABSENT] > 0:
            penalty, weighted = absence(core)
            for x in range(S[ABSENT]):
                Q[core.absent[x], ABSENCES] += 1
        if cost >= BROKEN and cost >= S[COST_NOW]:
            accepted = False
        elif fewer_absent(core, absent_before, penalty, penalty_before, weighted, weighted_before):
            accepted = True
        elif penalty == penalty_before and (S[ABSENCE_RULE] == 0 or weighted <= weighted_before):
            accepted = cost < S[COST_NOW] - temperature * math.log(1.0 - draw(core.RNG))
        else:
            accepted = False
        if accepted:
            stand(core, cost, penalty)
            if S[ABSENCE_RULE] == 1 and penalty == 0:
                return done + 1
        else:
            take_back(core)
            S[ABSENT] = absent_before
            for x in range(absent_before):
                core.absent[x] = core.absent_before[x]
        temperature *= factor
    if filling:
        S[EXACT] = 0
        S[BLINKS_IN] = 0
    return iterations


@part
def rule_out(core):
    """With all routes empty: a vehicle that cannot serve a request alone may not serve it at all."""
    core.S[EXACT] = 1
    for r in range(core.RT.shape[0]):
        for q in range(core.Q.shape[0]):
            if core.MAY[r, q] == 1:
                cost, _, _, _ = place_of(core, r, q, False)
                if cost >= BAN:
                    core.MAY[r, q] = 0
    core.S[EXACT] = 0


@woven
def clock(core, r, n):
    """Time the nodes in ``line`` as a route: writes ``times``, returns what they cost."""
    return appraise(core.V, core.N, core.WIN, core.T, core.S, r, core.line, n, core.times, False)


RUN = 0
BEGIN = 1
RULE_OUT = 2
CLOCK = 3


@entry
def work(core, action, first, second, hot, cool):
    """The one way in, so that the parts are compiled once."""
    if action == RUN:
        return anneal(core, first, hot, cool)
    if action == BEGIN:
        begin(core)
    elif action == RULE_OUT:
        rule_out(core)
    elif action == CLOCK:
        core.S[EXACT] = 1
        stands = clock(core, first, second)
        core.S[EXACT] = 0
        return 1 if stands < BROKEN else 0
    return 0
