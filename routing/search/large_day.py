"""A large day: its areas solved on all cores, round after round along other borders."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from routing.model.check import violations
from routing.model.plan import Orders, Route
from routing.model.problem import Problem
from routing.search.answer import PlanBuilder
from routing.search.areas import DividedProblem, areas_of
from routing.search.pace import Pace, SolveProgress
from routing.search.sisr.drive import Drive
from routing.search.sisr.layout import BEST_COST, BEST_USED, FEWER_FIRST, SCALE
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search

FIRST_SHARE = 0.6
"""Of the time for the first drawing of areas; the rest is for their borders."""
ROUNDS = 4
LATER_HEAT = 0.15
WORTH_DRAWING = 2
"""Another round needs this many times what it takes to draw areas and begin in them."""
BETWEEN_LOOKS_S = 0.2
"""How often progress is reported, and whether to stop is looked up."""


class LargeDay:
    """A day planned area by area, with the borders drawn anew each round."""

    def __init__(
        self,
        problem: Problem,
        pace: Pace,
        *,
        seed: int,
        workers: int,
        fleet_first: bool,
        on_progress: Callable[[SolveProgress], None] | None = None,
    ) -> None:
        self.problem, self.pace, self.seed, self.workers = problem, pace, seed, workers
        self.fleet_first, self.on_progress = fleet_first, on_progress
        self.division = DividedProblem(problem)
        self.parts = min(areas_of(problem, workers), len(problem.vehicles))
        self.stopped = threading.Event()
        self.jobs: list[_Job] = []

    def routes(self) -> list[Route]:
        """The routes that were found when the time is up."""
        with ThreadPoolExecutor(self.workers) as pool:
            for round_ in range(ROUNDS):
                began_s = self.pace.elapsed_s
                self._draw(round_, pool)
                setting_up_s = self.pace.elapsed_s - began_s
                if not round_ and not self.pace.over:
                    self.pace.reserve_s = self._reserve_s()
                ends = self._ends(round_, setting_up_s)
                waiting = len(self.jobs)
                for job in self.jobs:
                    job.waves = -(-waiting // self.workers)
                    waiting -= 1
                counted = None
                if self.pace.max_iterations is not None:
                    counted = max(1, self.pace.max_iterations // (ROUNDS * len(self.jobs)))
                self._watch([pool.submit(job.improve, ends, counted) for job in self.jobs])
                if self.stopped.is_set() or ends >= 1:
                    break
            return [route for routes in pool.map(_Job.routes, self.jobs) for route in routes]

    def _ends(self, round_: int, setting_up_s: float) -> float:
        """The share of the time after which a round ends: all of it where drawing another would not pay."""
        ends = FIRST_SHARE + (1 - FIRST_SHARE) * round_ / (ROUNDS - 1)
        until_s = max(ends * self._improving_s, self.pace.elapsed_s)
        if self.pace.max_iterations is None and self._improving_s - until_s < WORTH_DRAWING * setting_up_s:
            return 1.0
        return ends

    @property
    def _improving_s(self) -> float:
        return self.pace.limit_s - self.pace.reserve_s

    def orders(self) -> Orders:
        """Each vehicle's stops in order, as they stand."""
        return {name: order for job in self.jobs for name, order in job.orders().items()}

    def _draw(self, round_: int, pool: ThreadPoolExecutor) -> None:
        """The areas of this round, each begun with what the round before found."""
        orders = self.orders()
        areas = self.division.again(orders, self.parts, 0.9 * round_) if round_ else self.division.first(self.parts)
        fleet_first, seed = self.fleet_first and not round_, self.seed + 1000 * round_
        jobs = [
            _Job(self, self.division.part(area), orders, seed + at, fleet_first) for at, area in enumerate(areas)
        ]  # fmt: skip
        self._watch([pool.submit(job.begin) for job in jobs])
        self.jobs = jobs

    def _reserve_s(self) -> float:
        """How long it takes to make a checked plan: measured on one area, of which there are several."""
        began_s = self.pace.elapsed_s
        job = self.jobs[0]
        violations(job.problem, PlanBuilder(job.problem, job.search).plan(job.search.filled(), engine="sisr", seed=0))
        return 1.5 * len(self.jobs) * (self.pace.elapsed_s - began_s) + 0.05

    def _watch(self, working: Iterable[Future[int]]) -> None:
        """Wait for the workers; tell meanwhile how the day stands, and ask whether to go on."""
        left = set(working)
        while left:
            done, left = wait(left, timeout=BETWEEN_LOOKS_S)
            self.pace.iterations += sum(each.result() for each in done)
            if self.pace.should_stop is not None and self.pace.should_stop():
                self.pace.stopped = True
                self.stopped.set()
            if self.on_progress is not None and self.jobs:
                self.on_progress(self._progress())

    def _progress(self) -> SolveProgress:
        pace, standing = self.pace, [job.standing() for job in self.jobs]
        cost, vehicles, unserved = (sum(each) for each in zip(*standing, strict=True))
        return SolveProgress(pace.share, pace.elapsed_s, pace.iterations, cost, vehicles, unserved)


class _Job:
    """One area in one round."""

    search: Search

    def __init__(self, day: LargeDay, problem: Problem, orders: Orders, seed: int, fleet_first: bool) -> None:
        self.day, self.problem, self.earlier, self.seed, self.fleet_first = day, problem, orders, seed, fleet_first
        self.waves = 1

    def begin(self) -> int:
        """The arrays, and a first solution. Returns the iterations done."""
        self.search = Search(model_of(self.problem), self.seed)
        lines = self.search.lines_of(self.earlier)
        self.warm = any(lines)
        self.search.begin(lines)
        self._drive(Pace(3600.0)).first()
        return 1

    def improve(self, ends: float, counted: int | None) -> int:
        """Use this area's share of the time until ``ends``: alike for all that are still to come."""
        whole = self.day.pace
        until_s = ends * (whole.limit_s - whole.reserve_s)
        pace = Pace(max(0.0, until_s - whole.elapsed_s) / self.waves, counted, self.day.stopped.is_set)
        self._drive(pace).improve()
        return pace.iterations

    def _drive(self, pace: Pace) -> Drive:
        return Drive(self.search, pace, fleet_first=self.fleet_first, heat=LATER_HEAT if self.warm else 1.0)

    def standing(self) -> tuple[int, int, int]:
        """Cost, vehicles and unserved requests of the best so far."""
        S, model = self.search.core.S, self.search.model
        cost = int(S[BEST_COST])
        if self.problem.objective.primary.value == "vehicles":
            cost %= FEWER_FIRST
        held = sum(map(len, self.search.best()))
        unserved = max(0, model.stops - held)
        return cost * int(S[SCALE]), int(S[BEST_USED]), unserved

    def orders(self) -> Orders:
        """What the area's vehicles visit, in order."""
        sides = self.search.model.sides
        return {
            vehicle.id: [sides[node] for node in line]
            for vehicle, line in zip(self.problem.vehicles, self.search.best(), strict=True)
        }

    def routes(self) -> list[Route]:
        """What the area's vehicles do, with whatever still fits put in."""
        return PlanBuilder(self.problem, self.search).routes(self.search.filled())
