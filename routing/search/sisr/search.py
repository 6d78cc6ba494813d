"""One search: the arrays that a thread owns, a solution in and out of them, and steps of so many iterations."""

# ruff: noqa: F403, F405 - the names of columns are this package's vocabulary
# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from routing.model.plan import Side
from routing.search.sisr import anneal
from routing.search.sisr.layout import *
from routing.search.sisr.model import Model
from routing.search.sisr.timing import TIMES_WIDTH

Lines = list[list[int]]
"""For each vehicle the nodes of its stops, in order."""
POOL_ROWS, POOL_STOPS = 1 << 13, 128
"""How many routes the pool holds at most, and the stops of the longest."""


class Search:
    """The core with a solution in it. Not to be shared between threads."""

    def __init__(self, model: Model, seed: int, *, searches: bool = True, pools: bool = False) -> None:
        """One that never ``searches``, but fills up what it is given, need not know what no vehicle may serve alone.

        One that ``pools`` keeps the routes of the solutions that it accepts.
        """
        self.model = model
        stops, vehicles, requests = model.stops, len(model.V), len(model.Q)
        width = RICH_WIDTH if model.S[RICH] else PLAIN_WIDTH
        free = np.flatnonzero(model.V[:, RUNNING] == 0)
        kinds = sorted({int(k) for k in model.V[free, KIND]})
        members = [free[model.V[free, KIND] == kind] for kind in kinds]
        rng = np.array([np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] | 1], dtype=np.uint64)
        ints, zeros = np.int64, np.zeros
        rows, longest = (POOL_ROWS, min(stops, POOL_STOPS)) if pools else (1, 0)
        words = np.random.default_rng(0).integers(0, 1 << 64, stops + vehicles, dtype=np.uint64)
        self.core = Core(
            N=model.N, Q=model.Q.copy(), V=model.V, WIN=model.WIN, C=model.C, T=model.T, CT=model.CT, TT=model.TT,
            M=model.M, MAY=model.MAY.copy(), NEAR=model.NEAR, BEFORE=model.BEFORE, AFTER=model.AFTER, RANK=model.RANK,
            KINDS=np.concatenate([*members, np.zeros(0, ints)]).astype(ints),
            KIND_AT=np.cumsum([0, *map(len, members)], dtype=ints),
            P=zeros((vehicles, stops + 3, width), ints), RT=zeros((vehicles, ROUTE_WIDTH), ints),
            P_BEFORE=zeros((vehicles, stops + 3, width), ints), RT_BEFORE=zeros((vehicles, ROUTE_WIDTH), ints),
            where=zeros((stops, WHERE_WIDTH), ints), active=zeros(vehicles, ints), absent=zeros(requests, ints),
            absent_before=zeros(requests, ints), dirty=zeros(vehicles, ints), tried=zeros(stops, ints),
            spots=zeros((2 * model.BEFORE.shape[1], 3), ints), beside=zeros((vehicles, 3), ints),
            found=np.full((requests, vehicles, 2), -1, ints), places=zeros((requests, vehicles, 3), ints),
            line=zeros(stops + requests + 8, ints), times=zeros((stops + 8, TIMES_WIDTH), ints),
            best=zeros((vehicles, stops), np.int32), best_length=zeros(vehicles, ints),
            best_version=np.full(vehicles, -1, ints), keys=zeros(requests, ints), S=model.S.copy(), RNG=rng,
            WORDS=words, pooled_keys=zeros(rows, np.uint64), pooled=zeros((rows, POOLED_WIDTH), ints),
            pooled_stops=zeros((rows, longest), np.int32),
        )  # fmt: skip
        self.core.S[POOLING] = pools
        self.hopeless = np.zeros(0, dtype=np.intp)
        self.clocked: dict[int, tuple[list[int], bool, Ints]] = {}
        """By vehicle the line that was timed last, whether it holds, and its times."""
        self.begin([[] for _ in range(vehicles)])
        if not searches:
            return
        self._work(anneal.RULE_OUT)
        # What no vehicle may serve is not tried again and again.
        hopeless = self.core.MAY.sum(axis=0) == 0
        self.hopeless = np.flatnonzero(hopeless)
        self.begin([[] for _ in range(vehicles)])

    def lines_of(self, orders: Mapping[str, Sequence[Side]]) -> Lines:
        """Orders of visits by vehicle as nodes; a visit that is not to be planned, or not by this vehicle, is left out.

        What would break a rule where it stands is left out too.
        """
        model = self.model
        nodes = {side: node for node, side in enumerate(model.sides)}
        request_of, mate_of = model.N[:, REQUEST].tolist(), model.N[:, MATE].tolist()
        second = model.N[:, SIDE].tolist()
        lines: Lines = []
        taken: set[int] = set()
        for r, vehicle in enumerate(model.vehicles):
            may = model.MAY[r].tolist()
            line = [nodes[side] for side in dict.fromkeys(orders.get(vehicle, ())) if side in nodes]
            line = [node for node in line if may[request_of[node]] and request_of[node] not in taken]
            at = {node: place for place, node in enumerate(line)}
            line = [node for node in line if _whole(at, node, mate_of[node], second[node])]
            while line and not self.stands(r, line):
                line = self._without_worst(r, line)
            lines.append(line)
            taken.update(request_of[node] for node in line)
        return lines

    def stands(self, r: int, line: list[int]) -> bool:
        """Whether a vehicle can drive these nodes within every rule."""
        vehicle, nodes = self.model.V[r].tolist(), self.model.N[line].tolist()
        for from_depot, change, aboard, capacity in (
            (FROM_DEPOT, CHANGE, ABOARD, CAPACITY),
            (FROM_DEPOT_2, CHANGE_2, ABOARD_2, CAPACITY_2),
        ):
            load = vehicle[aboard] + sum(node[from_depot] for node in nodes)
            if not vehicle[RUNNING] and load > vehicle[capacity]:
                return False
            for node in nodes:
                load += node[change]
                if load > vehicle[capacity]:
                    return False
        if len(line) > vehicle[MOST]:
            return False
        return self.reaches(r, line) and self.near_enough(r, line) and self.keeps_time(r, line)

    def reaches(self, r: int, line: list[int]) -> bool:
        """Whether each leg over these nodes, and home, can be driven."""
        model = self.model
        legs = np.array([model.V[r, START], *line, model.V[r, END]], dtype=np.intp)
        return not (model.C[model.V[r, CLASS]][legs[:-1], legs[1:]] >= DEAREST_ARC).any()

    def near_enough(self, r: int, line: list[int]) -> bool:
        """Whether the way over these nodes, and home, keeps the longest distance."""
        model = self.model
        if not model.S[FAR]:
            return True
        legs = np.array([model.V[r, START], *line, model.V[r, END]], dtype=np.intp)
        return int(model.M[model.V[r, CLASS]][legs[:-1], legs[1:]].sum(dtype=int)) <= int(model.V[r, FARTHEST])

    def keeps_time(self, r: int, line: list[int]) -> bool:
        """Whether windows, shift, break and longest duty hold over these nodes, which can be reached."""
        return self._clocked(r, line)[0]

    def _without_worst(self, r: int, line: list[int]) -> list[int]:
        """Without the request whose removal leaves a line that stands, or else without the last one."""
        requests = list(dict.fromkeys(self.model.N[line, REQUEST].tolist()))
        for q in reversed(requests):
            rest = [node for node in line if self.model.N[node, REQUEST] != q]
            if not rest or self.stands(r, rest):
                return rest
        return [node for node in line if self.model.N[node, REQUEST] != requests[-1]]

    def begin(self, lines: Lines) -> None:
        """Start from a solution; what it does not hold is absent."""
        core, model = self.core, self.model
        core.P[:, 0, NODE], core.RT[:, LENGTH] = model.V[:, START], [len(line) for line in lines]
        held = np.zeros(len(model.Q), dtype=bool)
        for r, line in enumerate(lines):
            if line:
                core.P[r, 1 : len(line) + 1, NODE] = line
                held[model.N[line, REQUEST]] = True
        held[self.hopeless] = True
        absent = np.flatnonzero(~held)
        core.absent[: len(absent)] = absent
        core.S[ABSENT] = len(absent)
        self._work(anneal.BEGIN)

    def run(self, iterations: int, hot: float, cool: float) -> int:
        """So many iterations, fewer where the absence rule has reached its end."""
        return self._work(anneal.RUN, iterations, 0, hot, cool)

    def _work(self, action: int, first: int = 0, second: int = 0, hot: float = 1.0, cool: float = 1.0) -> int:
        return int(anneal.work(self.core, action, first, second, hot, cool))

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

    def filled(self) -> Lines:
        """The best solution with whatever still fits put in. The search goes on from its best."""
        lines = self.best()
        likely, hopeless = self.core.MAY.copy(), self.hopeless
        # What a vehicle cannot do alone it may yet do between other stops, where ways are crooked.
        self.core.MAY[:] = self.model.MAY
        self.hopeless = np.zeros(0, dtype=np.intp)
        self.begin(lines)
        filled = lines
        if self.core.S[ABSENT]:
            self._work(anneal.RUN, 0)
            filled = self.now()
        self.core.MAY[:], self.hopeless = likely, hopeless
        self.core.found[:, :, 0] = -1
        self.begin(lines)
        return filled

    def clock(self, vehicle: int, line: list[int]) -> Ints:
        """When the vehicle is where on this line of nodes: the columns of ``route``, a row for each position."""
        return self._clocked(vehicle, line)[1]

    def _clocked(self, r: int, line: list[int]) -> tuple[bool, Ints]:
        """Whether the times of a line hold, and the times. A vehicle's last line is not timed again."""
        known = self.clocked.get(r)
        if known is None or known[0] != line:
            core, model = self.core, self.model
            core.line[: len(line) + 2] = [model.V[r, START], *line, model.V[r, END]]
            holds = bool(self._work(anneal.CLOCK, r, len(line)))
            known = self.clocked[r] = line[:], holds, core.times[: len(line) + 2].copy()
        return known[1], known[2]


def _whole(at: Mapping[int, int], node: int, mate: int, side: int) -> bool:
    """Whether a stop stands alone, or beside its mate in the right order."""
    return mate < 0 or (mate in at and (at[node] > at[mate]) == bool(side))
