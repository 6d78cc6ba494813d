"""Service areas of a large day: balanced parts of a thousand stops or fewer, and their borders drawn anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.model.plan import Orders
from routing.model.problem import Problem
from routing.model.profile import UNREACHABLE, Profile
from routing.search.sisr.layout import Ints

LARGEST = 1000
"""Stops in one area."""


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
