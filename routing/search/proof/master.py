"""The master problem by OR-Tools: which routes at which share, and what each stop is worth (MathOpt with GLOP).

Importing it takes seconds: only the child process does.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt

from routing.search.proof.columns import Columns, Reals

log = logging.getLogger(__name__)

MOST_ACTIVE, KEPT_ACTIVE = 1800, 1200
"""Routes in the programme: beyond the first number the dearest leave until the second is reached."""


@dataclass(frozen=True, eq=False)
class MasterAnswer:
    """An optimum of the programme over the routes in it."""

    cost: float
    worth: Reals
    """By stop."""
    by_kind: Reals
    """What one vehicle more of each kind would be worth, never positive, and what one more or less of all is."""
    vehicles: float
    left_out: Reals
    """By stop the share that is paid for and not served."""
    shares: dict[int, float]
    """By route that is used."""


class Master:
    """The linear programme: each stop served or paid for, no kind used more often than there are vehicles."""

    def __init__(self, columns: Columns, prices: Sequence[float], limits: Sequence[int]) -> None:
        self.columns = columns
        self.model = mathopt.Model()
        self.cover = [self.model.add_linear_constraint(lb=1.0) for _ in prices]
        self.count = [self.model.add_linear_constraint(ub=float(limit)) for limit in limits]
        self.fleet = self.model.add_linear_constraint(lb=0.0, ub=float(sum(limits)))
        self.unserved = []
        for row, price in zip(self.cover, prices, strict=True):
            variable = self.model.add_variable(lb=0.0)
            self.model.objective.set_linear_coefficient(variable, float(price))
            row.set_coefficient(variable, 1.0)
            self.unserved.append(variable)
        self.active: dict[int, mathopt.Variable] = {}
        self.settings = mathopt.SolveParameters(
            presolve=mathopt.Emphasis.OFF, lp_algorithm=mathopt.LPAlgorithm.PRIMAL_SIMPLEX
        )
        self._fresh()

    def _fresh(self) -> None:
        self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)

    def use(self, numbers: Sequence[int]) -> None:
        """Let routes be chosen."""
        for number in numbers:
            variable = self.model.add_variable(lb=0.0)
            self.model.objective.set_linear_coefficient(variable, self.columns.costs[number])
            for stop, times in Counter(self.columns.visits[number]).items():
                self.cover[stop].set_coefficient(variable, float(times))
            self.count[self.columns.kinds[number]].set_coefficient(variable, 1.0)
            self.fleet.set_coefficient(variable, 1.0)
            self.active[number] = variable

    def between(self, fewest: int, most: int) -> None:
        """How many vehicles are used in all."""
        self.fleet.lower_bound, self.fleet.upper_bound = float(fewest), float(most)

    def charge(self, stop: int, price: float) -> None:
        """What leaving a stop out costs."""
        self.model.objective.set_linear_coefficient(self.unserved[stop], price)

    def solve(self) -> MasterAnswer | None:
        """The optimum; None where the solver loses its way twice."""
        for _ in range(2):
            try:
                result = self.solver.solve(params=self.settings)
            except Exception as error:  # noqa: BLE001 - whatever it is, a solver begun anew may do better
                log.info("the linear programme is begun anew: %s", type(error).__name__)
                self._fresh()
                continue
            if result.termination.reason is mathopt.TerminationReason.OPTIMAL:
                return self._answer(result)
            self._fresh()
        return None

    def _answer(self, result: mathopt.SolveResult) -> MasterAnswer:
        duals, values = result.dual_values(), result.variable_values()
        shares = {number: values.get(variable, 0.0) for number, variable in self.active.items()}
        fleet = duals[self.fleet]
        return MasterAnswer(
            result.objective_value(),
            np.array([duals[row] for row in self.cover]),
            np.array([duals[row] + fleet for row in self.count]),
            sum(shares.values()),
            np.array([values.get(variable, 0.0) for variable in self.unserved]),
            {number: share for number, share in shares.items() if share > 1e-9},
        )

    def tidy(self, answer: MasterAnswer) -> None:
        """Where there are many routes take the dearest out; they come back when they are worth it."""
        if len(self.active) <= MOST_ACTIVE:
            return
        reduced = self.columns.reduced(answer.worth, answer.by_kind)
        dearest = sorted((x for x in self.active if x not in answer.shares), key=lambda x: -reduced[x])
        for number in dearest[: len(self.active) - KEPT_ACTIVE]:
            self.model.delete_variable(self.active.pop(number))
