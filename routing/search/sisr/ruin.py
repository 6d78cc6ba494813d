"""Ruin: strings of neighbouring stops are taken out of neighbouring routes."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.chance import below, draw
from routing.search.sisr.change import take_out, touch
from routing.search.sisr.compiled import part, woven
from routing.search.sisr.layout import *

SPLIT_CHANCE = 0.5
SPLIT_GROWTH = 0.01
AT_THE_ABSENT = 0.5
"""How often, while the fleet is being cut, room is made around a request that is absent."""


@woven
def make_absent(core, q):
    """Take a request off its route (``take_out`` closes the gap) and note it as absent."""
    core.where[core.Q[q, FIRST], 0] = -1
    if core.Q[q, SECOND] >= 0:
        core.where[core.Q[q, SECOND], 0] = -1
    core.absent[core.S[ABSENT]] = q
    core.S[ABSENT] += 1


@woven
def remove_string(core, r, at, length):
    """Take out ``length`` stops around a position, leaving a part in the middle half of the time."""
    RT, RNG = core.RT, core.RNG
    n = RT[r, LENGTH]
    kept = 0
    if length > 1 and length < n and draw(RNG) < SPLIT_CHANCE:
        kept = 1
        while length + kept < n and draw(RNG) < SPLIT_GROWTH:
            kept += 1
    span = length + kept
    lowest = max(1, at - span + 1)
    highest = min(at, n - span + 1)
    begins = lowest + below(RNG, highest - lowest + 1)
    gap_at = begins + span
    if kept > 0:
        gap_at = begins + 1 + below(RNG, length - 1)
    touch(core, r)
    for p in range(begins, begins + span):
        if gap_at <= p < gap_at + kept:
            continue
        node = core.P[r, p, NODE]
        if core.where[node, 0] >= 0:
            make_absent(core, core.N[node, REQUEST])
    take_out(core, r)


@part
def ruin(core):
    """Adjacent string removal around a random stop, or around one that is absent."""
    S, RT, RNG = core.S, core.RT, core.RNG
    stops = core.where.shape[0]
    routes = 0
    planned = 0
    for a in range(S[ACTIVE]):
        if RT[core.active[a], LENGTH] > 0:
            routes += 1
            planned += RT[core.active[a], LENGTH]
    if routes == 0:
        return
    longest = min(float(S[STRING]), planned / routes)
    most = 4.0 * (S[REMOVED_X10] / 10.0) / (1.0 + longest) - 1.0
    strings = int(draw(RNG) * most + 1.0)
    seed = below(RNG, stops)
    if S[ABSENCE_RULE] == 1 and S[ABSENT] > 0 and draw(RNG) < AT_THE_ABSENT:
        q = core.absent[below(RNG, S[ABSENT])]
        seed = core.Q[q, FIRST]
        if core.Q[q, SECOND] >= 0 and draw(RNG) < 0.5:
            seed = core.Q[q, SECOND]
    done = 0
    for a in range(core.NEAR.shape[1]):
        c = core.NEAR[seed, a]
        if c < 0 or done >= strings:
            break
        r = core.where[c, 0]
        if r < 0 or RT[r, STAMP] == S[ITERATION]:
            continue
        length = int(draw(RNG) * min(float(RT[r, LENGTH]), longest) + 1.0)
        remove_string(core, r, core.where[c, 1], min(length, RT[r, LENGTH]))
        done += 1
