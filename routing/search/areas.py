"""Large days: balanced service areas of a thousand stops or fewer, solved on all cores, their borders drawn anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.model.check import violations
from routing.model.plan import Route
from routing.model.problem import UNREACHABLE, Problem, Profile
from routing.search.answer import Answers
from routing.search.pace import Pace, SolveProgress
from routing.search.sisr.drive import Drive
from routing.search.sisr.layout import BEST_COST, BEST_USED, FEWER_FIRST, SCALE, Ints
from routing.search.sisr.model import model_of
from routing.search.sisr.search import Search

Orders = dict[str, list[tuple[str, int]]]

LARGEST = 1000
"""Stops in one area."""
FIRST_SHARE = 0.6
"""Of the time for the first drawing of areas; the rest is for their borders."""
ROUNDS = 4
LATER_HEAT = 0.15
WORTH_DRAWING = 2
"""Another round needs this many times what it takes to draw areas and begin in them."""
BETWEEN_LOOKS_S = 0.2
"""How often whoever waits is told, and asks whether to stop."""


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the day with vehicles of its own."""

    requests: tuple[int, ...]
    vehicles: tuple[int, ...]


class DividedProblem:
    """A problem that is divided, and divided again along other lines."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.points = _points(problem)
        stops = [[stop.location for stop in request.stops] for request in problem.requests]
        self.centres = np.array([self.points[places].mean(axis=0) for places in stops]).reshape(-1, 2)
        self.sizes = np.array([len(places) for places in stops], dtype=np.int64)
        self.number = {request.id: q for q, request in enumerate(problem.requests)}
        self.starts = sorted({vehicle.start for vehicle in problem.vehicles})
        self.home = self._homes()

    def _homes(self) -> Ints:
        """For each request where a vehicle would best start: at its depot, else at the start nearest by."""
        away = ((self.centres[:, None] - self.points[self.starts][None]) ** 2).sum(axis=2)
        home = np.argmin(away, axis=1) if self.starts else np.zeros(len(away), dtype=np.int64)
        rank = {start: at for at, start in enumerate(self.starts)}
        for q, request in enumerate(self.problem.requests):
            if request.depot is not None:
                home[q] = rank.get(request.depot, home[q])
        return home

    def first(self, parts: int) -> list[Area]:
        """Areas of the requests as they lie, cut across the longer side again and again."""
        groups = [np.arange(len(self.problem.requests))]
        while len(groups) < parts:
            largest = max(range(len(groups)), key=lambda g: int(self.sizes[groups[g]].sum()))
            group = groups.pop(largest)
            axis = int(np.argmax(np.ptp(self.centres[group], axis=0)))
            groups += self._halves(group[np.argsort(self.centres[group, axis], kind="stable")], self.sizes)
        return self._manned([list(map(int, group)) for group in groups], [[] for _ in groups])

    def again(self, orders: Orders, parts: int, turn: float) -> list[Area]:
        """Areas of whole routes, cut across a direction that turns from round to round."""
        vehicles = {vehicle.id: v for v, vehicle in enumerate(self.problem.vehicles)}
        routes, held = [], set()
        for name, order in orders.items():
            members = sorted({self.number[request] for request, _ in order})
            if members:
                routes.append((vehicles[name], members))
                held.update(members)
        if not routes:
            return self.first(parts)
        centres = np.array([self.centres[members].mean(axis=0) for _, members in routes])
        sizes = np.array([int(self.sizes[members].sum()) for _, members in routes])
        groups = [np.arange(len(routes))]
        while len(groups) < min(parts, len(routes)):
            largest = max(range(len(groups)), key=lambda g: int(sizes[groups[g]].sum()))
            group = groups.pop(largest)
            if len(group) < 2:
                groups.append(group)
                break
            angle = turn + 1.57 * len(groups)
            along = centres[group] @ np.array([np.cos(angle), np.sin(angle)])
            groups += self._halves(group[np.argsort(along, kind="stable")], sizes)
        requests = [[q for r in group for q in routes[r][1]] for group in groups]
        middles = np.array([centres[group].mean(axis=0) for group in groups])
        for q in range(len(self.problem.requests)):
            if q not in held:
                requests[int(np.argmin(((middles - self.centres[q]) ** 2).sum(axis=1)))].append(q)
        return self._manned(requests, [[routes[r][0] for r in group] for group in groups])

    @staticmethod
    def _halves(ordered: Ints, sizes: Ints) -> list[Ints]:
        running = np.cumsum(sizes[ordered])
        cut = int(np.searchsorted(running, running[-1] / 2)) + 1
        cut = min(max(1, cut), len(ordered) - 1)
        return [ordered[:cut], ordered[cut:]]

    def _manned(self, requests: list[list[int]], vehicles: list[list[int]]) -> list[Area]:
        """Vehicles that are in no area yet are dealt out by the work that each area has for their start."""
        taken = {v for group in vehicles for v in group}
        work = np.zeros((len(requests), max(1, len(self.starts))))
        for g, group in enumerate(requests):
            np.add.at(work[g], self.home[group], self.sizes[group])
        rank = {start: at for at, start in enumerate(self.starts)}
        dealt = [list(group) for group in vehicles]
        manned = np.zeros_like(work)
        for g, group in enumerate(vehicles):
            for v in group:
                manned[g, rank[self.problem.vehicles[v].start]] += 1
        whole = np.maximum(1, work.sum(axis=1))
        for v, vehicle in enumerate(self.problem.vehicles):
            if v not in taken:
                start = rank[vehicle.start]
                need = work[:, start] / (1 + manned[:, start])
                if not need.any():
                    need = whole / (1 + manned.sum(axis=1))
                needy = int(np.argmax(need))
                dealt[needy].append(v)
                manned[needy, start] += 1
        return [Area(tuple(sorted(group)), tuple(sorted(men))) for group, men in zip(requests, dealt, strict=True)]

    def part(self, area: Area) -> Problem:
        """The area as a problem of its own."""
        return self.problem.part(area.requests, area.vehicles)


def divisible(problem: Problem) -> bool:
    """Whether the day can be cut: nothing is under way, and there is work for several vehicles."""
    return len(problem.vehicles) > 1 and not any(vehicle.prefix for vehicle in problem.vehicles)


def areas_of(problem: Problem, workers: int) -> int:
    """How many areas: enough for their size and for all workers, in whole waves."""
    stops = sum(len(request.stops) for request in problem.requests)
    parts = -(-stops // LARGEST)
    return -(-max(parts, workers) // workers) * workers


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
        violations(job.problem, Answers(job.problem, job.search).plan(job.search.filled(), engine="sisr", seed=0))
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
        return Answers(self.problem, self.search).routes(self.search.filled())


def _points(problem: Problem) -> NDArray[np.float64]:
    """A point for each place: its own, or else its distance from two places far apart."""
    if problem.points is not None:
        return np.array(problem.points, dtype=np.float64)
    profile: Profile = problem.profiles[0]
    first = _distances(profile, 0)
    far = int(np.argmax(first))
    return np.stack([_distances(profile, far), _distances(profile, int(np.argmax(_distances(profile, far))))], axis=1)


def _distances(profile: Profile, place: int) -> NDArray[np.float64]:
    row: NDArray[np.float64] = profile.seconds[place].astype(np.float64)
    row[row == UNREACHABLE] = 0
    return row
