"""Weekly hours shared out by effort: a generalised assignment problem, answered with a bound.

Prices on the hours give a first bound and the core edges; prices on the jobs, where knapsacks.py is quick enough for
the problem, a much stronger one that also takes out the pairs that no better answer can have. HiGHS solves what is left
as a whole when it is small, and else one neighbourhood of agents after the other around the best answer so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from time import monotonic

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from dispatch.matching.knapsacks import Knapsacks, job_prices
from dispatch.matching.model import Id, MatchingError, stable_key

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PRICE_STEPS = 700
CORE_WIDTH = 6  # edges that a job keeps in the core
CORE_PAIRS = 20_000  # a problem with no more pairs has its core solved as a whole first
CORE_SHARE = 0.4  # of the time
DESCENT_SHARE = 0.05
SACK_SHARE = 0.3
SACK_CELLS = 8_000_000  # jobs × agents × hours beyond which knapsacks are neither quick nor small
BEST_SHARE = 0.3
WHOLE_SHARE, MOST, FEW_A_JOB = 0.6, 0.95, 2.5  # so few pairs a job promise an end
FIRST_SHARE = 0.15  # for neighbourhoods before the jobs are priced
FIRST_AROUND = 10  # agents of the first neighbourhood
LEFT_A_JOB = 5.0  # pairs a job up to which what is left is solved as a whole
SHAKEN_JOBS, SHAKEN_AT_ONCE = 250, 25  # larger problems are not shaken: a descent takes too long
TRY_S = 1.0  # for one neighbourhood at most
OPTIMAL, INFEASIBLE = 0, 2  # scipy's numbers


@dataclass(frozen=True, slots=True)
class Gap:
    """Agent i does job j at ``cost[i, j]`` and spends ``effort[i, j]`` of its ``room[i]``."""

    cost: Ints
    effort: Ints
    room: Ints

    def __post_init__(self) -> None:
        if self.cost.shape != self.effort.shape or self.room.shape != self.cost.shape[:1]:
            raise MatchingError("bad_shape", f"costs are {self.cost.shape}, efforts {self.effort.shape}, "
                                f"rooms {self.room.shape}")  # fmt: skip
        if (short := np.flatnonzero(self.room < 0)).size:
            raise MatchingError("negative_capacity", f"agent {short[0]} has room {self.room[short[0]]}",
                                agent=int(short[0]), capacity=int(self.room[short[0]]))  # fmt: skip
        if (self.effort < 0).any():
            i, j = np.argwhere(self.effort < 0)[0]
            raise MatchingError("negative_effort", f"job {j} gives back effort at agent {i}", agent=int(i), job=int(j))


@dataclass(frozen=True, slots=True)
class GapAnswer:
    """The agent of each job, the cost, and a lower bound on any cost; ``agent`` is None when none was found."""

    agent: Ints | None
    cost: int | None
    bound: int
    proven: bool

    @property
    def gap(self) -> float | None:
        """How far above the bound the answer is, as a share of the bound."""
        if self.cost is None:
            return None
        return (self.cost - self.bound) / max(1, abs(self.bound))


def solve_gap(gap: Gap, *, limit_s: float, seed: int = 0) -> GapAnswer:
    """The best answer found within about ``limit_s`` seconds."""
    ends_at = monotonic() + limit_s
    if gap.cost.shape[1] == 0:
        return GapAnswer(np.zeros(0, dtype=np.int64), 0, 0, True)
    search = _Search(gap, ends_at, np.random.default_rng(seed))
    search.run()
    cost = None if search.agent is None else int(search.cost)
    bound = search.bound
    return GapAnswer(search.agent, cost, bound, cost is not None and cost <= bound)


def hour_prices(gap: Gap, steps: int = PRICE_STEPS) -> tuple[float, Floats]:
    """A lower bound and what an hour of each agent is worth, by subgradient ascent; the bound is close to the LP's."""
    m, n = gap.cost.shape
    jobs = np.arange(n)
    cost, effort = gap.cost.astype(np.float64), gap.effort.astype(np.float64)
    price = np.zeros(m)
    best, best_price = -np.inf, price
    stretch, stalled = 0.04, 0
    for _ in range(steps):
        reduced = cost + price[:, None] * effort
        at = reduced.argmin(axis=0)
        value = float(reduced[at, jobs].sum() - price @ gap.room)
        over = np.bincount(at, weights=effort[at, jobs], minlength=m) - gap.room
        if value > best + 1e-9 * max(1.0, abs(best)) or best == -np.inf:
            best, best_price, stalled = value, price.copy(), 0
        else:
            stalled += 1
            if stalled >= 15:
                stretch, stalled, price = stretch * 0.7, 0, best_price.copy()
        square = float(over @ over)
        if square == 0.0:
            break
        price = np.maximum(0.0, price + stretch * max(abs(best), 1.0) / square * over)
    return best, best_price


@dataclass(frozen=True, slots=True)
class Shares:
    """Who works on which project this week, what waits for lack of hours, and how far from the best that can be."""

    agent: Mapping[Id, Id]
    waiting: tuple[Id, ...]
    cost: int
    bound: int


def share_hours(
    hours: Mapping[Id, int],
    efforts: Mapping[tuple[Id, Id], tuple[int, int]],
    waiting: Mapping[Id, int],
    *,
    limit_s: float,
    seed: int = 0,
) -> Shares:
    """Projects to agents within weekly ``hours``; ``efforts`` maps (project, agent) to (hours, cost).

    ``waiting`` names every project with what a week of waiting costs; a project that fits nowhere waits.
    """
    agents, projects = sorted(hours, key=stable_key), sorted(waiting, key=stable_key)
    row, column = {a: i for i, a in enumerate(agents)}, {p: j for j, p in enumerate(projects)}
    m, n = len(agents), len(projects)
    never = max(hours.values(), default=0) + 1
    cost = np.zeros((m + 1, n), dtype=np.int64)
    effort = np.full((m + 1, n), never, dtype=np.int64)
    for (project, agent), (needed, price) in efforts.items():
        if project not in column or agent not in row:
            raise MatchingError("unknown_pair", f"project {project} or agent {agent} is not in the lists",
                                project=project, agent=agent)  # fmt: skip
        cost[row[agent], column[project]] = price
        effort[row[agent], column[project]] = needed
    cost[m] = [waiting[p] for p in projects]
    effort[m] = 0
    room = np.array([hours[a] for a in agents] + [0], dtype=np.int64)
    found = solve_gap(Gap(cost, effort, room), limit_s=limit_s, seed=seed)
    assert found.agent is not None and found.cost is not None  # everybody may wait, so there is an answer
    given = {projects[j]: agents[i] for j, i in enumerate(found.agent.tolist()) if i < m}
    return Shares(given, tuple(p for p in projects if p not in given), found.cost, found.bound)


class _Search:
    """The best answer so far and the ways to better it."""

    def __init__(self, gap: Gap, ends_at: float, rng: np.random.Generator) -> None:
        self.gap, self.ends_at, self.rng = gap, ends_at, rng
        self.m, self.n = gap.cost.shape
        self.jobs = np.arange(self.n)
        value, self.price = hour_prices(gap)
        self.lower = value
        self.reduced = gap.cost + self.price[:, None] * gap.effort
        self.reduced -= self.reduced.min(axis=0)[None, :]
        self.reduced[gap.effort > gap.room[:, None]] = np.inf
        self.rank = np.argsort(self.reduced, axis=0, kind="stable")
        self.agent: Ints | None = None
        self.cost = np.inf
        self.done = False
        # Agents in a neighbourhood; it grows while HiGHS is quick.
        self.size = min(self.m, 4) if self.n <= SHAKEN_JOBS else min(self.m, FIRST_AROUND)
        gaps = np.take_along_axis(self.reduced, self.rank[: min(self.m, 4)], axis=0)[-1]
        finite = gaps[np.isfinite(gaps)]
        self.cutoff = float(np.median(finite)) + 1e-9 if len(finite) else 1.0

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
        self._descend(self.left_s * DESCENT_SHARE)
        if self.agent is not None and not self._finished():
            if self.n * self.m * int(self.gap.room.max()) <= SACK_CELLS:
                if self.n > SHAKEN_JOBS:
                    self._better_it(until=monotonic() + self.left_s * FIRST_SHARE)
                self._price_jobs()
                if self.n <= SHAKEN_JOBS and not self._finished() and self._possible().sum() > LEFT_A_JOB * self.n:
                    self._best_pairs()
            elif self.m * self.n <= CORE_PAIRS and self._core():
                self._exact()
        tried = np.inf
        while self.agent is not None and not self._finished():
            left = float(self._possible().sum())
            if left <= LEFT_A_JOB * self.n and left < 0.7 * tried:
                tried = left
                self._whole()
            else:
                self._better_it(until=monotonic())

    def _better_it(self, *, until: float) -> None:
        """Neighbourhoods around the best answer, at least one; in between as long again jobs are shaken."""
        while not self._finished():
            began = monotonic()
            self._around()
            shaken_until = min(self.ends_at, 2 * monotonic() - began)
            while self.n <= SHAKEN_JOBS and monotonic() < shaken_until:
                self._shake()
            if monotonic() >= until:
                return

    def _finished(self) -> bool:
        return self.done or self.cost <= self.bound or self.left_s <= 0.02

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

    def _descend(self, limit_s: float) -> None:
        """Shifts and swaps while they save cost: in each pass the best ones whose agents do not meet."""
        ends_at = monotonic() + limit_s
        cost, effort = self.gap.cost, self.gap.effort
        while self.agent is not None and monotonic() < ends_at:
            at = self.agent.copy()
            own, spent = cost[at, self.jobs], effort[at, self.jobs]
            slack = self.gap.room - np.bincount(at, weights=spent, minlength=self.m)
            # Rows: the job whose agent takes the column's job.
            theirs, needed = cost[at], effort[at]
            saves = theirs + theirs.T - own[:, None] - own[None, :]
            fits = needed <= (slack[at] + spent)[:, None]
            saves[~(fits & fits.T)] = 0
            moves = cost - own[None, :]
            moves[effort > slack[:, None]] = 0
            i, j = np.nonzero(moves < 0)
            one, two = np.nonzero(np.triu(saves) < 0)
            if not len(i) and not len(one):
                return
            offers = [(v, a, b, True) for v, a, b in zip(moves[i, j].tolist(), i.tolist(), j.tolist(), strict=True)]
            offers += [
                (v, a, b, False) for v, a, b in zip(saves[one, two].tolist(), one.tolist(), two.tolist(), strict=True)
            ]
            touched: set[int] = set()
            for _, a, job, is_shift in sorted(offers):
                pair = {a, int(at[job])} if is_shift else {int(at[a]), int(at[job])}
                if touched.isdisjoint(pair):
                    touched |= pair
                    if is_shift:
                        at[job] = a
                    else:
                        at[a], at[job] = at[job], at[a]
            if not self._take(at):
                return

    def _shake(self) -> None:
        """Some jobs of a few agents dealt out again almost by price, then a descent; kept when no dearer."""
        assert self.agent is not None
        before, paid = self.agent, self.cost
        agents = self.rng.choice(self.m, size=min(self.m, int(self.rng.integers(2, 6))), replace=False)
        jobs = self.rng.permutation(np.flatnonzero(np.isin(before, agents)))[:SHAKEN_AT_ONCE]
        at = before.copy()
        at[jobs] = -1
        kept = at >= 0
        used = np.bincount(at[kept], weights=self.gap.effort[at[kept], self.jobs[kept]], minlength=self.m)
        room = (self.gap.room - used).astype(np.int64)
        wish = self.reduced[:, jobs] + self.cutoff * self.rng.random((self.m, len(jobs)))
        order = np.argsort(wish, axis=0)
        for column, job in enumerate(jobs.tolist()):
            fits = [i for i in order[:, column].tolist() if self.gap.effort[i, job] <= room[i]]
            if not fits:
                return
            at[job] = fits[0]
            room[fits[0]] -= self.gap.effort[fits[0], job]
        self.cost = np.inf
        self._take(at)
        self._descend(self.left_s)
        if self.cost > paid:
            self.agent, self.cost = before, paid

    def _price_jobs(self) -> None:
        """The bound of the knapsacks, and for each pair what it would add: from now on the guide to good pairs."""
        usable = np.where(np.isfinite(self.reduced), self.gap.cost + self.price[:, None] * self.gap.effort, np.inf)
        sacks = Knapsacks(self.gap.cost, self.gap.effort, self.gap.room)
        found = job_prices(sacks, usable.min(axis=0), self.cost, ends_at=monotonic() + self.left_s * SACK_SHARE)
        if found.bound <= self.lower:
            return
        self.lower = found.bound
        self.reduced = sacks.forced(found.price) - found.bound
        self.rank = np.argsort(self.reduced, axis=0, kind="stable")
        gaps = np.take_along_axis(self.reduced, self.rank[: min(self.m, 4)], axis=0)[-1]
        finite = gaps[np.isfinite(gaps)]
        self.cutoff = float(np.median(finite)) + 1e-9 if len(finite) else 1.0

    def _possible(self) -> Flags:
        """The pairs that can be in a better answer."""
        return self.reduced + self.lower <= self.cost - 1 + 1e-6

    def _best_pairs(self) -> None:
        """HiGHS on the pairs that add least to the bound, a few a job, while that helps: often a long way at once."""
        before = np.inf
        while self.cost < before and not self._finished():
            before = self.cost
            edges = self._possible()
            if edges.sum() <= FEW_A_JOB * self.n:
                return
            edges &= self.reduced <= np.sort(self.reduced[edges])[int(FEW_A_JOB * self.n)]
            edges[self.agent, self.jobs] = True
            self._milp(np.arange(self.m), self.jobs, edges, self.left_s * BEST_SHARE, better=True)

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
        """The jobs of some agents shared out anew among them, along the edges that cost little more than the best."""
        assert self.agent is not None
        agents = np.sort(self.rng.choice(self.m, size=min(self.m, self.size), replace=False))
        jobs = np.flatnonzero(np.isin(self.agent, agents))
        edges = (self.reduced[np.ix_(agents, jobs)] < self.cutoff) & self._possible()[np.ix_(agents, jobs)]
        edges[np.searchsorted(agents, self.agent[jobs]), np.arange(len(jobs))] = True
        began = monotonic()
        status = self._milp(agents, jobs, edges, min(TRY_S, self.left_s))
        took_s = monotonic() - began
        if status != OPTIMAL:
            self.size = max(2, self.size - 1)
        elif took_s < 0.3 * TRY_S:
            self.size = min(self.m, self.size + 1)

    def _milp(
        self,
        agents: Ints,
        jobs: Ints,
        edges: npt.NDArray[np.bool_],
        limit_s: float,
        *,
        loose: bool = False,
        better: bool = False,
    ) -> int:
        """HiGHS on the given edges among some agents and jobs, all else as it stands; takes a better answer.

        ``better``: nothing but a better answer is looked for, so that INFEASIBLE says there is none."""
        i, j = np.nonzero(edges)
        if not len(i):
            return INFEASIBLE
        who, what = agents[i], jobs[j]
        used = np.zeros(self.m, dtype=np.int64)
        if self.agent is not None:
            others = np.ones(self.n, dtype=bool)
            others[jobs] = False
            np.add.at(used, self.agent[others], self.gap.effort[self.agent[others], self.jobs[others]])
        room = (self.gap.room - used)[agents]
        k = np.arange(len(i))
        once = sparse.csr_array((np.ones(len(k)), (j, k)), shape=(len(jobs), len(k)))
        hours = sparse.csr_array((self.gap.effort[who, what].astype(float), (i, k)), shape=(len(agents), len(k)))
        paid = self.gap.cost[who, what].astype(float)
        rules = [LinearConstraint(once, 1, 1), LinearConstraint(hours, -np.inf, room)]
        if better and self.agent is not None:
            now = float(self.gap.cost[self.agent[jobs], jobs].sum())
            rules.append(LinearConstraint(paid[None, :], -np.inf, now - 1))
        result = milp(
            paid,
            constraints=rules,
            integrality=np.ones(len(k)),
            bounds=Bounds(0, 1),
            options={"time_limit": max(0.05, limit_s), "mip_rel_gap": 0.02 if loose else 0.0},
        )
        if result.x is not None:
            new = np.zeros(self.n, dtype=np.int64) if self.agent is None else self.agent.copy()
            on = result.x > 0.5
            new[what[on]] = who[on]
            self._take(new)
        return int(result.status)
