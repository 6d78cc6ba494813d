"""A problem made easier so that a bound can be proved, and why there is none for some."""

# ruff: noqa: F403, F405 - the names of columns are the core's vocabulary
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routing.model.bound_check import BoundCertificate, ProvedPoint
from routing.model.check_costs import route_cost
from routing.model.plan import NoBound, Route, Visit
from routing.model.problem import Problem
from routing.model.quantities import NOTHING
from routing.model.vehicle import Vehicle
from routing.search.proof.columns import Reals
from routing.search.proof.fleets import DualPoint
from routing.search.proof.graphs import UNIT, KindGraph, Truths, graphs_of, nearest_of
from routing.search.sisr.layout import *
from routing.search.sisr.model import Model, model_of

MOST_STOPS = 600
MOST_STEPS = 1 << 15
DEAREST = 1 << 44


@dataclass(frozen=True, eq=False)
class Relaxation:
    """What may be driven, what leaving a stop out costs, and what every plan costs whatever it does."""

    model: Model
    kinds: list[KindGraph]
    prices: Reals
    """By stop, in the core's units; a stop that must be served has a price that no plan reaches."""
    hopeless: Truths
    """By stop, whether no vehicle can serve it."""
    constant: int
    """What is driven already, in the problem's units."""
    idle: int
    """The ways home of vehicles on duty that visit nothing more, in the core's units."""

    @property
    def stops(self) -> int:
        return self.model.stops

    @property
    def kind_of(self) -> dict[int, int]:
        """By vehicle the number of its kind."""
        return {v: at for at, kind in enumerate(self.kinds) for v in kind.vehicles}

    def whole(self, worth: Reals) -> Ints:
        """The worth of each stop in whole parts, between nothing and what leaving it out costs."""
        most = np.floor(self.prices).astype(np.int64) * UNIT
        rounded = np.round(np.clip(worth, 0, float(DEAREST))).astype(np.int64)
        whole: Ints = np.where(self.hopeless & (self.prices < DEAREST), most, np.minimum(rounded, most))
        return whole

    def certificate(self, bound: int, points: Sequence[DualPoint]) -> BoundCertificate:
        """The bound and its points in the problem's units, by stop and by vehicle, for a check by other code."""
        sides, scale = self.model.sides, int(self.model.S[SCALE])
        proved = tuple(
            ProvedPoint(
                {side: scale * worth for side, worth in zip(sides, point.worth.tolist(), strict=True)},
                {
                    self.model.vehicles[v]: scale * least
                    for kind, least in zip(self.kinds, point.least, strict=True)
                    for v in kind.vehicles
                },
            )
            for point in points
        )
        near = nearest_of(self.model).tolist()
        remembers = {sides[stop]: tuple(sides[other] for other in others) for stop, others in enumerate(near)}
        return BoundCertificate(self.whole_bound(bound), proved, remembers)

    def whole_bound(self, bound: int) -> int:
        """In the problem's units, constants and all."""
        return (bound + self.idle) * int(self.model.S[SCALE]) + self.constant


def relaxed(problem: Problem) -> Relaxation | NoBound:
    """The relaxation, or why there is none."""
    stops = sum(len(request.stops) for request in problem.requests)
    if stops > MOST_STOPS:
        return NoBound.LARGE
    model = model_of(problem, neighbours=0)
    if not model.stops or not len(model.V):
        return NoBound.NOTHING
    duty = model.V[model.V[:, RUNNING] == 1]
    if (model.C[duty[:, CLASS], duty[:, START], duty[:, END]] >= NO_WAY).any():
        return NoBound.NO_WAY_HOME
    kinds = graphs_of(model)
    if any(kind.steps > MOST_STEPS or kind.shortest < 1 for kind in kinds):
        return NoBound.NO_CLOCK
    price = np.array([DEAREST if r.penalty is None else r.penalty for r in problem.requests], dtype=np.float64)
    by_name = {request.id: at for at, request in enumerate(problem.requests)}
    by_stop = np.array([price[by_name[name]] for name, _ in model.sides])
    by_stop = np.where(model.N[: model.stops, MATE] >= 0, by_stop // 2, by_stop)
    scale = int(model.S[SCALE])
    served = np.zeros(model.stops, dtype=bool)
    for kind in kinds:
        served[kind.graph.arcs] = True
    constant = sum(_driven(problem, vehicle) for vehicle in problem.vehicles if vehicle.prefix)
    idle = sum(kind.idle for kind in kinds) // UNIT
    return Relaxation(model, kinds, by_stop // scale, ~served, constant, idle)


def _driven(problem: Problem, vehicle: Vehicle) -> int:
    """What a vehicle's prefix costs without the way home and what time costs."""
    prefix = vehicle.prefix
    assert prefix is not None
    requests = {request.id: request for request in problem.requests}
    visits = tuple(Visit(d.request, d.side, d.arrival_s, d.start_s, d.departure_s, NOTHING) for d in prefix.done)
    cost = route_cost(problem, requests, vehicle, Route(vehicle.id, 0, visits, 0, NOTHING))
    last = requests[visits[-1].request].stops[visits[-1].side].location if visits else vehicle.start
    profile, weights = problem.profile_of(vehicle), problem.objective
    home_s, home_m = int(profile.seconds[last, vehicle.end]), int(profile.metres[last, vehicle.end])
    home = weights.travel_per_s * vehicle.travel_s(home_s) + weights.travel_per_m * home_m
    return cost.travel - home + cost.lateness + cost.moved + cost.vehicles
