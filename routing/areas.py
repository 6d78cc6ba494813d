"""Large days: balanced service areas of a thousand stops or fewer, solved on all cores, their borders drawn anew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from routing.pace import Pace
from routing.problem import UNREACHABLE, Problem, Profile
from routing.sisr.drive import Drive
from routing.sisr.layout import Ints
from routing.sisr.model import model_of
from routing.sisr.search import Search

Orders = dict[str, list[tuple[str, int]]]

LARGEST = 1000
"""Stops in one area."""
FIRST_SHARE = 0.6
"""Of the time for the first drawing of areas; the rest is for their borders."""
ROUNDS = 4
LATER_HEAT = 0.15


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the day with vehicles of its own."""

    requests: tuple[int, ...]
    vehicles: tuple[int, ...]


class Division:
    """A problem that is divided, and divided again along other lines."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.points = _points(problem)
        stops = [[stop.location for stop in request.stops] for request in problem.requests]
        self.centres = np.array([self.points[places].mean(axis=0) for places in stops]).reshape(-1, 2)
        self.sizes = np.array([len(places) for places in stops], dtype=np.int64)
        self.number = {request.id: q for q, request in enumerate(problem.requests)}

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
        """Vehicles that are in no area yet are dealt out by the work in each, those of one kind in turn."""
        taken = {v for group in vehicles for v in group}
        free = [v for v, vehicle in enumerate(self.problem.vehicles) if v not in taken]
        work = [max(1, int(self.sizes[group].sum())) for group in requests]
        dealt = [list(group) for group in vehicles]
        for v in free:
            needy = max(range(len(work)), key=lambda g: work[g] / (1 + len(dealt[g])))
            dealt[needy].append(v)
        return [
            Area(tuple(sorted(group)), tuple(sorted(manned))) for group, manned in zip(requests, dealt, strict=True)
        ]

    def part(self, area: Area) -> Problem:
        """The area as a problem of its own; only its places' rows and columns are copied."""
        problem = self.problem
        requests = [problem.requests[q] for q in area.requests]
        vehicles = [problem.vehicles[v] for v in area.vehicles]
        places = {stop.location for request in requests for stop in request.stops}
        places |= {place for vehicle in vehicles for place in (vehicle.start, vehicle.end)}
        places |= {request.depot for request in requests if request.depot is not None}
        kept = sorted(places)
        at = {place: index for index, place in enumerate(kept)}
        return Problem(
            tuple(profile.among(kept) for profile in problem.profiles),
            tuple(
                replace(
                    request,
                    depot=None if request.depot is None else at[request.depot],
                    stops=tuple(replace(stop, location=at[stop.location]) for stop in request.stops),
                )
                for request in requests
            ),
            tuple(replace(vehicle, start=at[vehicle.start], end=at[vehicle.end]) for vehicle in vehicles),
            problem.objective,
        )


def divisible(problem: Problem) -> bool:
    """Whether the day can be cut: nothing is under way, and there is work for several vehicles."""
    return len(problem.vehicles) > 1 and not any(vehicle.prefix for vehicle in problem.vehicles)


def areas_of(problem: Problem, workers: int) -> int:
    """How many areas: enough for their size and for all workers, in whole waves."""
    stops = sum(len(request.stops) for request in problem.requests)
    parts = -(-stops // LARGEST)
    return -(-max(parts, workers) // workers) * workers


def orders_by_areas(problem: Problem, pace: Pace, *, seed: int, workers: int, fleet_first: bool) -> Orders:
    """The orders of visits found area by area, with the borders drawn anew each round."""
    division = Division(problem)
    parts = min(areas_of(problem, workers), len(problem.vehicles))
    orders: Orders = {}
    for round_ in range(ROUNDS):
        ends = FIRST_SHARE + (1 - FIRST_SHARE) * round_ / (ROUNDS - 1)
        areas = division.again(orders, parts, 0.9 * round_) if round_ else division.first(parts)
        waves = -(-len(areas) // workers)
        slice_s = max(0.0, ends * (pace.limit_s - pace.reserve_s) - pace.elapsed_s) / waves
        counted = None
        if pace.max_iterations is not None:
            counted = max(1, pace.max_iterations // (ROUNDS * len(areas)))
        jobs = [
            _Job(division.part(area), orders, seed + 1000 * round_ + at, slice_s, counted, fleet_first and not round_)
            for at, area in enumerate(areas)
        ]
        with ThreadPoolExecutor(workers) as pool:
            for found, done in pool.map(lambda job: job.run(pace), jobs):
                orders |= found
                pace.iterations += done
        if pace.over and pace.max_iterations is None:
            break
    return orders


@dataclass(frozen=True, slots=True)
class _Job:
    """One area in one round."""

    problem: Problem
    orders: Orders
    seed: int
    slice_s: float
    max_iterations: int | None
    fleet_first: bool

    def run(self, whole: Pace) -> tuple[Orders, int]:
        pace = Pace(self.slice_s, self.max_iterations, whole.should_stop)
        search = Search(model_of(self.problem), self.seed)
        lines = search.lines_of(self.orders)
        warm = any(lines)
        search.begin(lines)
        drive = Drive(search, pace, fleet_first=self.fleet_first, heat=LATER_HEAT if warm else 1.0)
        drive.first()
        drive.improve()
        sides = search.model.sides
        found = {
            vehicle.id: [sides[node] for node in line]
            for vehicle, line in zip(self.problem.vehicles, search.filled(), strict=True)
        }
        return found, pace.iterations


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
