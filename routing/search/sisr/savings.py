"""Savings: a first solution that joins routes end to end where that saves most (Clarke and Wright, with windows)."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
from __future__ import annotations

import numpy as np

from routing.search.sisr.layout import *
from routing.search.sisr.model import Model


def joined(model: Model) -> list[list[int]]:
    """For each vehicle its nodes. Only where ``NEARBY`` holds; what finds no vehicle, or none alone, is left out.

    Starting with many routes matters: putting one stop after another where it costs least gives few long ones, and
    annealing parts those only while it is very hot.
    """
    N, C, T, V = model.N, model.C[0], model.T[0], model.V
    stops = model.stops
    start, end, leaves, capacity = (int(V[0, column]) for column in (START, END, LEAVES, CAPACITY))
    ahead = C[:stops, end].astype(np.int64)
    after = np.maximum(model.AFTER, 0)
    saved = ahead[:, None] + C[start, after] - np.take_along_axis(C[:stops], after, 1)
    saved += int(V[0, FIXED])
    saved[model.AFTER < 0] = 0
    order = np.argsort(-saved, axis=None, kind="stable")
    order = order[saved.ravel()[order] > 0]
    froms, tos = (order // model.AFTER.shape[1]).tolist(), model.AFTER.ravel()[order].tolist()
    opens, closes, service = (N[:stops, column].tolist() for column in (OPENS, CLOSES, SERVICE))
    amount = np.maximum(N[:stops, FROM_DEPOT], N[:stops, FROM_DEPOT] + N[:stops, CHANGE]).tolist()
    left = [max(leaves + int(T[start, s]), opens[s]) + service[s] for s in range(stops)]
    by = [min(closes[s], int(V[0, HOME]) - int(T[s, end]) - service[s]) for s in range(stops)]
    most = int(V[0, MOST])
    fits = (
        (most > 0)
        & (C[start, :stops] < DEAREST_ARC)
        & (C[:stops, end] < DEAREST_ARC)
        & (model.MAY[0] == 1)[N[:stops, REQUEST]]
    )
    line = [[s] if fits[s] and left[s] - service[s] <= by[s] else [] for s in range(stops)]
    of = list(range(stops))
    load = list(amount)
    for i, j in zip(froms, tos, strict=True):
        a, b = of[i], of[j]
        if a == b or not line[a] or not line[b] or line[a][-1] != i or line[b][0] != j or load[a] + load[b] > capacity:
            continue
        if len(line[a]) + len(line[b]) > most:
            continue
        if max(left[i] + int(T[i, j]), opens[j]) > by[j]:
            continue
        previous = i
        for s in line[b]:
            of[s] = a
            at = max(left[previous] + int(T[previous, s]), opens[s]) + service[s]
            left[s] = at
            previous = s
        then = j
        for s in reversed(line[a]):
            by[s] = min(closes[s], by[then] - int(T[s, then]) - service[s])
            then = s
        line[a] += line[b]
        load[a] += load[b]
        line[b] = []
    routes = sorted((each for each in line if each), key=len, reverse=True)[: len(V)]
    return [*routes, *([] for _ in range(len(V) - len(routes)))]
