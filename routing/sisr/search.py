"""One search: the arrays that a thread owns, a solution in and out of them, and steps of so many iterations."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
from __future__ import annotations

import numpy as np

from routing.sisr import anneal
from routing.sisr.layout import *
from routing.sisr.model import Model
from routing.sisr.route import TIMES_WIDTH

Lines = list[list[int]]
"""For each vehicle the nodes of its stops, in order."""


class Search:
    """The core with a solution in it. Not to be shared between threads."""

    def __init__(self, model: Model, seed: int) -> None:
        self.model = model
        stops, vehicles, requests = model.stops, len(model.V), len(model.Q)
        width = RICH_WIDTH if model.S[RICH] else PLAIN_WIDTH
        free = np.flatnonzero(model.V[:, RUNNING] == 0)
        kinds = sorted({int(k) for k in model.V[free, KIND]})
        members = [free[model.V[free, KIND] == kind] for kind in kinds]
        rng = np.array([(seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) % 2**64 or 1], dtype=np.uint64)
        ints, zeros = np.int64, np.zeros
        self.core = Core(
            N=model.N, Q=model.Q.copy(), V=model.V, WIN=model.WIN, C=model.C, T=model.T, CT=model.CT, TT=model.TT,
            MAY=model.MAY.copy(), NEAR=model.NEAR, RANK=model.RANK,
            KINDS=np.concatenate([*members, np.zeros(0, ints)]).astype(ints),
            KIND_AT=np.cumsum([0, *map(len, members)], dtype=ints),
            P=zeros((vehicles, stops + 3, width), ints), RT=zeros((vehicles, ROUTE_WIDTH), ints),
            P_BEFORE=zeros((vehicles, stops + 3, width), ints), RT_BEFORE=zeros((vehicles, ROUTE_WIDTH), ints),
            where=zeros((stops, 2), ints), active=zeros(vehicles, ints), absent=zeros(requests, ints),
            absent_before=zeros(requests, ints), dirty=zeros(vehicles, ints),
            found=np.full((requests, vehicles, 2), -1, ints), places=zeros((requests, vehicles, 3), ints),
            line=zeros(stops + requests + 8, ints), times=zeros((stops + 8, TIMES_WIDTH), ints),
            best=zeros((vehicles, stops), np.int32), best_length=zeros(vehicles, ints),
            best_version=np.full(vehicles, -1, ints), keys=zeros(requests, ints), S=model.S.copy(), RNG=rng,
        )  # fmt: skip
        anneal.warm_up(self.core.RNG)
        self.hopeless = np.zeros(0, dtype=np.intp)
        self.begin([[] for _ in range(vehicles)])
        anneal.rule_out(self.core)
        # What no vehicle may serve is not tried again and again.
        hopeless = self.core.MAY.sum(axis=0) == 0
        self.hopeless = np.flatnonzero(hopeless)
        self.begin([[] for _ in range(vehicles)])

    def begin(self, lines: Lines) -> None:
        """Start from a solution; what it does not hold is absent."""
        core, model = self.core, self.model
        core.P[:, 0, NODE], core.RT[:, LENGTH] = model.V[:, START], 0
        held = np.zeros(len(model.Q), dtype=bool)
        for r, line in enumerate(lines):
            core.P[r, 1 : len(line) + 1, NODE] = line
            core.RT[r, LENGTH] = len(line)
            held[model.N[line, REQUEST]] = True
        held[self.hopeless] = True
        absent = np.flatnonzero(~held)
        core.absent[: len(absent)] = absent
        core.S[ABSENT] = len(absent)
        anneal.begin(core)

    def run(self, iterations: int, hot: float, cool: float) -> int:
        """So many iterations, fewer where the absence rule has reached its end."""
        return int(anneal.run(self.core, iterations, hot, cool))

    def now(self) -> Lines:
        """The current solution."""
        P, RT = self.core.P, self.core.RT
        return [P[r, 1 : RT[r, LENGTH] + 1, NODE].tolist() for r in range(len(RT))]

    def best(self) -> Lines:
        """The best solution since ``begin``."""
        core = self.core
        return [core.best[r, : core.best_length[r]].tolist() for r in range(len(core.RT))]

    @property
    def rank(self) -> tuple[int, int]:
        """Of the best: penalties of what is absent, then cost."""
        return int(self.core.S[BEST_PENALTY]), int(self.core.S[BEST_COST])

    @property
    def complete(self) -> bool:
        """Whether the best serves everything that the search may serve."""
        return int(self.core.S[BEST_PENALTY]) == 0

    def clock(self, vehicle: int, line: list[int]) -> Ints:
        """When the vehicle is where on this line of nodes: the columns of ``route``, a row for each position."""
        core, model = self.core, self.model
        core.line[: len(line) + 2] = [model.V[vehicle, START], *line, model.V[vehicle, END]]
        anneal.clock(core, vehicle, len(line))
        return core.times[: len(line) + 2].copy()
