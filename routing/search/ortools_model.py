"""OR-Tools, the model of record: a problem's arrays as a RoutingModel, to search or to compare a plan with.

Importing this module takes seconds, so only the child process and what verifies before a commit import it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2, routing_ils_pb2

from routing.model.plan import Orders, Plan
from routing.model.problem import Problem
from routing.model.quantities import MAX_AMOUNT
from routing.search.sisr.layout import (
    ABOARD,
    ABOARD_2,
    CAPACITY,
    CAPACITY_2,
    CHANGE,
    CHANGE_2,
    CLASS,
    CLOSES,
    DUTY,
    DUTY_PRICE,
    END,
    FAR,
    FARTHEST,
    FIRST,
    FIXED,
    FROM_DEPOT,
    FROM_DEPOT_2,
    HOME,
    INF,
    LATE_COST,
    LATE_FROM,
    LEAVES,
    MOST,
    NO_WAY,
    ON_DUTY,
    OPENS,
    PENALTY,
    RELEASE,
    RELEASES,
    REST,
    REST_CLOSES,
    REST_OPENS,
    RUNNING,
    SCALE,
    SECOND,
    SERVICE,
    START,
    TOLD_CLOSES,
    TOLD_COST,
    TOLD_OPENS,
    WINDOW,
    WINDOWS,
)
from routing.search.sisr.model import Model, model_of

OFF = 2
"""BOOL_FALSE of OR-Tools' three-valued switches."""
PENALTY_UNIT = 10**6
FEWER = 10**9


class OrToolsModel:
    """A problem as a RoutingModel."""

    def __init__(self, problem: Problem) -> None:
        self.model: Model = model_of(problem, neighbours=0)
        m = self.model
        self.horizon = max(map(self._ends_by, range(len(m.V))), default=0) + 1
        self.manager = pywrapcp.RoutingIndexManager(len(m.N), len(m.V), m.V[:, START].tolist(), m.V[:, END].tolist())
        self.routing = pywrapcp.RoutingModel(self.manager)
        self._costs()
        self._time()
        self._load("pieces", FROM_DEPOT, CHANGE, ABOARD, CAPACITY)
        self._load("grams", FROM_DEPOT_2, CHANGE_2, ABOARD_2, CAPACITY_2)
        self._lengths(problem)
        self._requests(problem)

    def _ends_by(self, v: int) -> int:
        """When a vehicle is home at the latest: one on duty may come home after its shift, when it visits nothing."""
        m, row = self.model, self.model.V[v]
        home = int(m.T[row[CLASS], row[START], row[END]])
        late = int(row[LEAVES]) + (home if home < NO_WAY else 0)
        return max(int(row[HOME]), late if row[RUNNING] else 0)

    def _costs(self) -> None:
        m, routing = self.model, self.routing
        blocked = 10**10
        costs = [np.where(c == NO_WAY, blocked, c).astype(np.int64).tolist() for c in m.C]
        evaluators = [routing.RegisterTransitMatrix(cost) for cost in costs]
        for v, row in enumerate(m.V):
            routing.SetArcCostEvaluatorOfVehicle(evaluators[row[CLASS]], v)
            routing.SetFixedCostOfVehicle(int(min(row[FIXED], FEWER)), v)
            if row[RUNNING]:
                routing.SetVehicleUsedWhenEmpty(True, v)

    def _time(self) -> None:
        m, routing, horizon = self.model, self.routing, self.horizon
        service = m.N[:, SERVICE][:, None]
        ways = [np.where(t == NO_WAY, horizon + 1, t + service).astype(np.int64).tolist() for t in m.T]
        transits = [routing.RegisterTransitMatrix(way) for way in ways]
        routing.AddDimensionWithVehicleTransits([transits[k] for k in m.V[:, CLASS]], horizon, horizon, False, "time")
        time = self.time = routing.GetDimensionOrDie("time")
        for node in range(m.stops):
            index, row = self.manager.NodeToIndex(node), m.N[node]
            if row[OPENS] >= INF or row[OPENS] > horizon:
                routing.ActiveVar(index).SetValue(0)
                continue
            time.CumulVar(index).SetRange(int(row[OPENS]), int(min(row[CLOSES], horizon)))
            for w in range(row[WINDOW], row[WINDOW] + row[WINDOWS] - 1):
                time.CumulVar(index).RemoveInterval(int(m.WIN[w, 1]) + 1, int(m.WIN[w + 1, 0]) - 1)
            if row[LATE_COST]:
                time.SetCumulVarSoftUpperBound(index, int(row[LATE_FROM]), int(row[LATE_COST]))
            elif row[TOLD_COST]:
                by_second = max(1, int(row[TOLD_COST]) // 60)
                time.SetCumulVarSoftUpperBound(index, int(row[TOLD_CLOSES]), by_second)
                time.SetCumulVarSoftLowerBound(index, int(row[TOLD_OPENS]), by_second)
        services = [int(x) for x in m.N[:, SERVICE]]
        by_index = [
            0 if routing.IsEnd(i) or routing.IsStart(i) else services[self.manager.IndexToNode(i)]
            for i in range(routing.Size())
        ]
        for v, row in enumerate(m.V):
            start, end = time.CumulVar(routing.Start(v)), time.CumulVar(routing.End(v))
            start.SetRange(int(row[LEAVES]), int(row[LEAVES] if row[RUNNING] else max(row[LEAVES], row[HOME])))
            if not row[RUNNING]:
                end.SetMax(int(row[HOME]))
            if row[DUTY] < INF:
                used = int(row[LEAVES] - row[ON_DUTY]) if row[RUNNING] else 0
                time.SetSpanUpperBoundForVehicle(max(0, int(row[DUTY]) - used), v)
            if row[REST] >= 0:
                rest = routing.solver().FixedDurationIntervalVar(
                    int(row[REST_OPENS]), int(row[REST_CLOSES]), int(row[REST]), False, f"rest {v}"
                )
                time.SetBreakIntervalsOfVehicle([rest], v, by_index)

    def _lengths(self, problem: Problem) -> None:
        """Most stops and metres, where vehicles have them."""
        m, routing = self.model, self.routing
        if (m.V[:, MOST] < INF).any():
            step = routing.RegisterUnaryTransitVector([int(node < m.stops) for node in range(len(m.N))])
            most = np.clip(m.V[:, MOST], 0, m.stops).tolist()
            routing.AddDimensionWithVehicleCapacity(step, 0, most, True, "stops")
        if m.S[FAR]:
            ways = [routing.RegisterTransitMatrix(metres.astype(np.int64).tolist()) for metres in m.M]
            home = m.M[m.V[:, CLASS], m.V[:, START], m.V[:, END]] * m.V[:, RUNNING]  # is never too far
            farthest = np.clip(m.V[:, FARTHEST], home, MAX_AMOUNT).tolist()
            routing.AddDimensionWithVehicleTransitAndCapacity(
                [ways[k] for k in m.V[:, CLASS]], 0, farthest, True, "metres"
            )

    def _load(self, name: str, from_depot: int, change: int, aboard: int, capacity: int) -> None:
        m, routing = self.model, self.routing
        if not m.N[:, [from_depot, change]].any():
            return
        step = routing.RegisterUnaryTransitVector(m.N[:, change].tolist())
        out = routing.RegisterUnaryTransitVector(m.N[:, from_depot].tolist())
        routing.AddDimensionWithVehicleCapacity(step, 0, m.V[:, capacity].tolist(), False, name)
        routing.AddDimension(out, 0, int(m.N[:, from_depot].sum()), True, f"{name} out")
        load, loaded = routing.GetDimensionOrDie(name), routing.GetDimensionOrDie(f"{name} out")
        for v, row in enumerate(m.V):
            routing.solver().Add(load.CumulVar(routing.Start(v)) == loaded.CumulVar(routing.End(v)) + int(row[aboard]))

    def _requests(self, problem: Problem) -> None:
        m, routing, solver = self.model, self.routing, self.routing.solver()
        for q, row in enumerate(m.Q):
            nodes = [int(node) for node in (row[FIRST], row[SECOND]) if node >= 0]
            indices = [self.manager.NodeToIndex(node) for node in nodes]
            price = min(10**13, PENALTY_UNIT * int(row[PENALTY]) + FEWER)
            able = [v for v in range(len(m.V)) if m.MAY[v, q]]
            for index in indices:
                routing.AddDisjunction([index], price)
                if able:
                    routing.VehicleVar(index).SetValues([-1, *able])
                else:
                    routing.ActiveVar(index).SetValue(0)
            for v in able if m.S[RELEASES] else ():
                if released := int(m.N[nodes[0], RELEASE]):
                    is_its = solver.IsEqualCstVar(routing.VehicleVar(indices[0]), v)
                    solver.Add(self.time.CumulVar(routing.Start(v)) >= is_its * released)
            if len(indices) == 2:
                routing.AddPickupAndDelivery(*indices)
                solver.Add(routing.VehicleVar(indices[0]) == routing.VehicleVar(indices[1]))
                solver.Add(routing.ActiveVar(indices[0]) == routing.ActiveVar(indices[1]))
                solver.Add(self.time.CumulVar(indices[0]) <= self.time.CumulVar(indices[1]))

    def orders(self, next_of: Callable[[int], int]) -> Orders:
        """The visits by vehicle, read from where each index leads."""
        found: Orders = {}
        for v, name in enumerate(self.model.vehicles):
            index, line = next_of(self.routing.Start(v)), []
            while not self.routing.IsEnd(index):
                line.append(self.model.sides[self.manager.IndexToNode(index)])
                index = next_of(index)
            found[name] = line
        return found

    def compare(self, plan: Plan) -> tuple[bool, int, int]:
        """Whether the model takes the plan's routes as they are, the cost of its arcs, and the routes in use."""
        nodes = {side: node for node, side in enumerate(self.model.sides)}
        orders = {
            route.vehicle: [nodes[v.request, v.side] for v in route.visits if (v.request, v.side) in nodes]
            for route in plan.routes
        }
        lines = [[self.manager.NodeToIndex(node) for node in orders.get(name, [])] for name in self.model.vehicles]
        routing = self.routing
        routing.CloseModel()
        taken = routing.ReadAssignmentFromRoutes(lines, True)
        if taken is None:
            return False, 0, 0
        cost, used, fixed = 0, 0, self.model.V[:, FIXED].tolist()
        for v in range(len(lines)):
            index, line = routing.Start(v), 0
            while not routing.IsEnd(index):
                following = taken.Value(routing.NextVar(index))
                cost += routing.GetArcCostForVehicle(index, following, v)
                line += not routing.IsEnd(following)
                index = following
            if line:
                cost -= min(fixed[v], FEWER)
                used += 1
        return True, cost * int(self.model.S[SCALE]), used

    def search(self, limit: float | int, on_plan: Callable[[Orders], None]) -> None:
        """Iterated local search for so many seconds, or so many plans where ``limit`` is a whole number.

        Each better plan is reported at once. Counted in plans it never looks at the clock, and repeats itself.
        """
        routing = self.routing
        if duty := int(self.model.S[DUTY_PRICE]):  # not where plans are compared: the costs of arcs would hold it
            self.time.SetSpanCostCoefficientForAllVehicles(duty)
        routing.AddAtSolutionCallback(lambda: on_plan(self.orders(lambda index: routing.NextVar(index).Value())))
        settings = pywrapcp.DefaultRoutingSearchParameters()
        settings.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        if isinstance(limit, int):
            settings.solution_limit = limit
        else:
            settings.time_limit.FromMilliseconds(max(1, int(limit * 1000)))
        settings.use_iterated_local_search = True
        ils = settings.iterated_local_search_parameters
        ils.perturbation_strategy = routing_ils_pb2.PerturbationStrategy.RUIN_AND_RECREATE
        ruin = ils.ruin_recreate_parameters.ruin_strategies.add()
        ruin.random_walk.num_removed_visits = 20
        ils.ruin_recreate_parameters.recreate_strategy.heuristic = (
            routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
        )
        ils.improve_perturbed_solution = True
        annealing = ils.reference_solution_acceptance_strategy.simulated_annealing
        annealing.cooling_schedule_strategy = routing_ils_pb2.CoolingScheduleStrategy.EXPONENTIAL
        annealing.automatic_temperatures = True
        for name in (
            "use_global_cheapest_insertion_path_lns",
            "use_local_cheapest_insertion_path_lns",
            "use_global_cheapest_insertion_expensive_chain_lns",
            "use_local_cheapest_insertion_expensive_chain_lns",
            "use_global_cheapest_insertion_close_nodes_lns",
        ):
            setattr(settings.local_search_operators, name, OFF)
        routing.CloseModelWithParameters(settings)
        routing.SolveWithIteratedLocalSearch(settings)
