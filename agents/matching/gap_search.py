"""The search for a good answer to a generalised assignment problem, with a bound.

Prices on the hours give a first bound and a first answer; prices on the jobs (knapsacks.py) a much stronger bound that
also takes out the pairs that no better answer can have. Dives from these prices (dives.py) come close to the best.
After them the jobs of some agents at a time are shared out again: the same prices say whether that can help at all,
and leave HiGHS few pairs. When few pairs are left at all, HiGHS ends the matter.
"""

from __future__ import annotations

from math import ceil
from time import monotonic

import numpy as np

from agents.matching.arrays import Flags, Ints
from agents.matching.descent import descend
from agents.matching.dives import dive
from agents.matching.gap import Gap, GapAnswer, hour_prices
from agents.matching.gap_highs import INFEASIBLE, OPTIMAL, Edges, solve_edges
from agents.matching.knapsacks import Knapsacks, job_prices

LOADED_SHARE = 0.9  # of the time is left for the search when there was something to compile first
SACK_SHARE = 0.2
SACK_CELLS = 30_000_000  # jobs × hours of the largest agent beyond which the table of a knapsack is too large
DIVE_SHARE, IDLE_DIVES = 0.45, 6  # so many dives without a better answer end them
DIVE_STOP = 25  # jobs that a dive leaves to HiGHS: with more it seldom ends
REST_S, REST_SHARE = 2.0, 0.12  # for HiGHS on what a dive leaves, at most
CORE_WIDTH, CORE_SHARE = 6, 0.4  # edges a job and share of the time, where there are no tables
WHOLE_SHARE, MOST, FEW_A_JOB = 0.6, 0.95, 2.5  # so few pairs a job promise an end
LEFT_A_JOB = 5.0  # pairs a job up to which what is left is solved as a whole
AROUND, AROUND_STEPS = 4, 60  # agents of the first neighbourhood, steps of its prices
TRY_S = 1.0  # for one neighbourhood at most
NEVER = 1 << 40  # costs more than any job is worth
SEED = 0  # the same input gives the same answer


def compile_search() -> None:
    """Compile the inner loops, or load them from their cache. Call it before a clock starts."""
    one = np.ones((1, 1), dtype=np.int64)
    Knapsacks(one, one, one[0]).forced(np.zeros(1))
    descend(Gap(one, one, one[0]), np.zeros(1, dtype=np.int64))


def solve_gap(gap: Gap, *, limit_s: float) -> GapAnswer:
    """The best answer found within about ``limit_s`` seconds. The first call on a machine compiles for longer."""
    began = monotonic()
    if gap.cost.shape[1] == 0:
        return GapAnswer(np.zeros(0, dtype=np.int64), 0, 0, True)
    compile_search()
    ends_at = max(began + limit_s, monotonic() + LOADED_SHARE * limit_s)
    search = _Search(gap, ends_at, np.random.default_rng(SEED))
    search.run()
    cost = None if search.agent is None else int(search.cost)
    return GapAnswer(search.agent, cost, search.bound, cost is not None and cost <= search.bound)


class _Search:
    """The best answer so far and the ways to better it."""

    def __init__(self, gap: Gap, ends_at: float, rng: np.random.Generator) -> None:
        self.gap, self.ends_at, self.rng = gap, ends_at, rng
        self.m, self.n = gap.cost.shape
        self.jobs = np.arange(self.n)
        self.lower, self.hour_price = hour_prices(gap)
        self.reduced = gap.cost + self.hour_price[:, None] * gap.effort
        self.job_price = self.reduced.min(axis=0)
        self.reduced -= self.job_price[None, :]
        self.reduced[gap.effort > gap.room[:, None]] = np.inf
        self.rank = np.argsort(self.reduced, axis=0, kind="stable")
        self.agent: Ints | None = None
        self.cost = np.inf
        self.done = False
        self.size = min(self.m, AROUND)  # agents in a neighbourhood; it grows while HiGHS is quick

    @property
    def bound(self) -> int:
        if self.done and self.agent is not None:
            return int(self.cost)
        return ceil(self.lower - 1e-6 * max(1.0, abs(self.lower)))

    @property
    def left_s(self) -> float:
        return self.ends_at - monotonic()

    def run(self) -> None:
        self._start()
        self._descend()
        if self.agent is None or self._finished():
            return
        if self._is_small(self.n, self.gap.room):
            self._price_jobs()
            self._dive_often(until=monotonic() + self.left_s * DIVE_SHARE)
        elif self._core() and not self._finished():
            self._exact()
        tried = np.inf
        while not self._finished():
            left = float(self._possible().sum())
            if left <= LEFT_A_JOB * self.n and left < 0.7 * tried:
                tried = left
                self._whole()
            else:
                self._around()

    def _is_small(self, jobs: int, room: Ints) -> bool:
        return (jobs + 1) * (int(room.max(initial=0)) + 1) <= SACK_CELLS

    def _finished(self) -> bool:
        return self.done or self.cost <= self.bound or self.left_s <= 0.02

    def _possible(self) -> Flags:
        """The pairs that can be in a better answer."""
        return self.reduced + self.lower <= self.cost - 1 + 1e-6

    def _take(self, agent: Ints) -> bool:
        cost = int(self.gap.cost[agent, self.jobs].sum())
        load = np.bincount(agent, weights=self.gap.effort[agent, self.jobs], minlength=self.m)
        if (load > self.gap.room).any() or cost >= self.cost:
            return False
        self.agent, self.cost = agent.copy(), cost
        return True

    def _start(self) -> None:
        """A first answer: jobs in the order of what their second choice would cost them, then HiGHS on the core."""
        self._greedy()
        width = min(self.m, 5)
        while self.agent is None and self.left_s > 0:
            edges = np.zeros((self.m, self.n), dtype=bool)
            edges[self.rank[:width], self.jobs[None, :]] = True
            edges &= np.isfinite(self.reduced)
            self._milp(np.arange(self.m), self.jobs, edges, self.left_s * 0.5, loose=True)
            if width == self.m:
                break
            width = min(self.m, width * 2)

    def _greedy(self) -> None:
        with np.errstate(invalid="ignore"):
            best = np.take_along_axis(self.reduced, self.rank[:2], axis=0)
            regret = best[1] - best[0] if self.m > 1 else best[0]
        room = self.gap.room.copy()
        agent = np.full(self.n, -1, dtype=np.int64)
        for job in np.argsort(-regret, kind="stable").tolist():
            for i in self.rank[:, job].tolist():
                if self.gap.effort[i, job] <= room[i] and np.isfinite(self.reduced[i, job]):
                    agent[job] = i
                    room[i] -= self.gap.effort[i, job]
                    break
            else:
                return
        self._take(agent)

    def _descend(self) -> None:
        """Shifts and swaps while they save cost."""
        if self.agent is not None:
            self._take(descend(self.gap, self.agent))

    def _price_jobs(self) -> None:
        """The bound of the knapsacks, and for each pair what it would add: from now on the guide to good pairs."""
        sacks = Knapsacks(self.gap.cost, self.gap.effort, self.gap.room)
        found = job_prices(sacks, self.job_price, self.cost, ends_at=monotonic() + self.left_s * SACK_SHARE)
        self.job_price = found.price
        if found.bound > self.lower:
            self.lower = found.bound
            self.reduced = sacks.forced(found.price) - found.bound
            self.rank = np.argsort(self.reduced, axis=0, kind="stable")

    def _dive_often(self, *, until: float) -> None:
        """Dives, each a little wilder than the one before, and HiGHS on what they leave."""
        number, idle = 0, 0
        while monotonic() < until and idle < IDLE_DIVES and not self._finished():
            before = self.agent, self.cost
            found = dive(self.gap, self.job_price, self.lower, stop=DIVE_STOP, rng=self.rng,
                         ends_at=until, wild=0.02 * (1 + number))  # fmt: skip
            number, idle = number + 1, idle + 1
            self.agent, self.cost = found.agent, np.inf
            if not len(found.left):
                self._take(found.agent)
            edges = self.gap.effort[:, found.left] <= found.room[:, None]
            allowed = min(REST_S, REST_SHARE * self.left_s)
            self._milp(np.arange(self.m), found.left, edges, allowed, better=False)
            if self.cost < np.inf:
                self._descend()
            if self.cost < before[1]:
                idle = 0
            else:
                self.agent, self.cost = before

    def _whole(self) -> None:
        """HiGHS on every pair that can be in a better answer: when it ends, so does the search."""
        edges = self._possible()
        edges[self.agent, self.jobs] = True
        share = MOST if edges.sum() <= FEW_A_JOB * self.n else WHOLE_SHARE
        status = self._milp(np.arange(self.m), self.jobs, edges, self.left_s * share, better=True)
        self.done = status in (OPTIMAL, INFEASIBLE)

    def _core(self) -> bool:
        """HiGHS on the best edges of every job; True when it finished."""
        edges = np.zeros((self.m, self.n), dtype=bool)
        edges[self.rank[:CORE_WIDTH], self.jobs[None, :]] = True
        edges &= np.isfinite(self.reduced)
        status = self._milp(np.arange(self.m), self.jobs, edges, self.left_s * CORE_SHARE)
        return status == OPTIMAL

    def _exact(self) -> None:
        """HiGHS on every edge that can be in a better answer: one whose reduced cost fits between bound and answer."""
        edges = self.reduced < self.cost - self.lower
        edges[self.agent, self.jobs] = True
        self.done = self._milp(np.arange(self.m), self.jobs, edges, self.left_s * CORE_SHARE) == OPTIMAL

    def _around(self) -> None:
        """The jobs of some agents shared out again among them: only where their prices say that this may help."""
        assert self.agent is not None
        agents = self._some_agents()
        jobs = np.flatnonzero(np.isin(self.agent, agents))
        here = np.ix_(agents, jobs)
        edges = self._possible()[here]
        paid = int(self.gap.cost[self.agent[jobs], jobs].sum())
        room = self.gap.room[agents]
        began = monotonic()
        if self._is_small(len(jobs), room):
            # A pair that is out of the question costs too much to be picked.
            sacks = Knapsacks(np.where(edges, self.gap.cost[here], NEVER), self.gap.effort[here], room)
            ends_at = min(self.ends_at, began + TRY_S)
            found = job_prices(sacks, self.job_price[jobs], paid, ends_at=ends_at, steps=AROUND_STEPS)
            if found.bound > paid - 1 + 1e-6:
                self.size = min(self.m, self.size + 1)
                return
            edges &= sacks.forced(found.price) <= paid - 1 + 1e-6
        status = self._milp(agents, jobs, edges, min(TRY_S, self.left_s), better=True)
        if status not in (OPTIMAL, INFEASIBLE):
            self.size = max(2, self.size - 1)
        elif monotonic() - began < 0.3 * TRY_S:
            self.size = min(self.m, self.size + 1)

    def _some_agents(self) -> Ints:
        """By turns any agents, and those that would gladly take a job that stands badly."""
        assert self.agent is not None
        if self.rng.random() < 0.5:
            return np.sort(self.rng.choice(self.m, size=min(self.m, self.size), replace=False))
        regret = self.reduced[self.agent, self.jobs]
        bad = self.rng.choice(self.n, size=self.size, p=(regret + 1e-9) / (regret + 1e-9).sum())
        wished = np.concatenate([[self.agent[j], *self.rank[:2, j]] for j in bad.tolist()])
        return np.sort(np.array(list(dict.fromkeys(wished.tolist()))[: self.size], dtype=np.int64))

    def _milp(
        self,
        agents: Ints,
        jobs: Ints,
        edges: Flags,
        limit_s: float,
        *,
        loose: bool = False,
        better: bool = False,
    ) -> int:
        """HiGHS on the given edges among some agents and jobs, all else as it stands; takes a better answer.

        ``better``: nothing but a better answer is looked for, so that INFEASIBLE says there is none."""
        status, found = solve_edges(
            Edges(self.gap, agents, jobs, edges), self.agent, limit_s=limit_s, loose=loose, better=better
        )
        if found is not None:
            self._take(found)
        return status
