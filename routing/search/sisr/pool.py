"""The pool: routes of accepted solutions, the cheapest order of each set of stops, in memory that does not grow."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
import numpy as np

from routing.search.sisr.compiled import part
from routing.search.sisr.layout import *


@part
def pool_changed(core):
    """Keep the routes that an accepted iteration has changed.

    A set of stops and its kind of vehicle have one row, by a sum of random words; what had the row before gives way,
    being older and so from a hotter time.
    """
    RT, pooled = core.RT, core.pooled
    last_row = np.uint64(pooled.shape[0] - 1)
    for d in range(core.S[DIRTY]):
        r = core.dirty[d]
        n = RT[r, LENGTH]
        if n == 0 or n > core.pooled_stops.shape[1] or RT[r, COST] >= BROKEN:
            continue
        key = core.WORDS[core.where.shape[0] + core.V[r, KIND]]
        for p in range(1, n + 1):
            key += core.WORDS[core.P[r, p, NODE]]
        row = np.int64(key & last_row)
        if core.pooled_keys[row] == key and pooled[row, POOLED_COST] <= RT[r, COST]:
            continue
        core.pooled_keys[row] = key
        pooled[row, POOLED_COST] = RT[r, COST]
        pooled[row, POOLED_BY] = r
        pooled[row, POOLED_LENGTH] = n
        for p in range(n):
            core.pooled_stops[row, p] = core.P[r, p + 1, NODE]
