"""Windows and breaks of one stop or leg: the earliest and the latest that they allow."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: ignore-errors
# Numba infers the types of what it compiles from the arrays of layout.Core.
from routing.search.sisr.compiled import part
from routing.search.sisr.layout import *


@part
def opening(N, WIN, node, at):
    """The earliest service at or after an instant; INF when the last window has closed."""
    if N[node, WINDOWS] == 1:
        if at > N[node, CLOSES]:
            return INF
        return max(at, N[node, OPENS])
    for w in range(N[node, WINDOW], N[node, WINDOW] + N[node, WINDOWS]):
        if at <= WIN[w, 1]:
            return max(at, WIN[w, 0])
    return INF


@part
def last_opening(N, WIN, node, at):
    """The latest service at or before an instant; -INF when the first window has not opened."""
    if N[node, WINDOWS] == 1:
        if at < N[node, OPENS]:
            return -INF
        return min(at, N[node, CLOSES])
    for w in range(N[node, WINDOW] + N[node, WINDOWS] - 1, N[node, WINDOW] - 1, -1):
        if at >= WIN[w, 0]:
            return min(at, WIN[w, 1])
    return -INF


@part
def rested(left, travel, opens, closes, length):
    """The earliest arrival after a leg that holds the break."""
    if left > closes:
        return INF
    return max(left + travel, opens) + length


@part
def leave_unrested_by(latest, travel, opens, closes, length):
    """The latest departure on a leg that holds the break and arrives in time."""
    if opens + length > latest:
        return -INF
    return min(closes, latest - length - travel)
