"""Recombination: the best set of known routes, chosen whole, by OR-Tools (MathOpt with HiGHS)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from ortools.math_opt.python import mathopt

from routing.search.proof.columns import Columns, Reals

MOST_ROUTES = 4000


def recombined(
    columns: Columns,
    costs: Mapping[int, float],
    *,
    prices: Reals,
    limits: Sequence[int],
    most: int,
    begin: Sequence[int],
    limit_s: float,
) -> list[int] | None:
    """Of the routes in ``costs`` those that together cost least, each stop in one of them or paid for.

    ``begin`` are the routes of the plan so far: nothing dearer is answered. None where nothing was found in time.
    """
    model = mathopt.Model()
    cover: list[list[mathopt.Variable]] = [[] for _ in prices]
    kinds: list[list[mathopt.Variable]] = [[] for _ in limits]
    goal = []
    chosen = {number: model.add_binary_variable() for number in costs}
    for number, variable in chosen.items():
        goal.append(costs[number] * variable)
        kinds[columns.kinds[number]].append(variable)
        for stop in columns.visits[number]:
            cover[stop].append(variable)
    left = [model.add_variable(lb=0.0) for _ in prices]
    for variables, variable, price in zip(cover, left, prices.tolist(), strict=True):
        goal.append(price * variable)
        model.add_linear_constraint(mathopt.fast_sum([*variables, variable]) >= 1.0)
    for variables, limit in zip(kinds, limits, strict=True):
        if variables and limit < len(variables):
            model.add_linear_constraint(mathopt.fast_sum(variables) <= float(limit))
    model.add_linear_constraint(mathopt.fast_sum(list(chosen.values())) <= float(most))
    model.minimize(mathopt.fast_sum(goal))
    in_use = set(begin)
    hint = mathopt.SolutionHint({variable: float(number in in_use) for number, variable in chosen.items()})
    settings = mathopt.SolveParameters(time_limit=datetime.timedelta(seconds=limit_s))
    result = mathopt.solve(
        model,
        mathopt.SolverType.HIGHS,
        params=settings,
        model_params=mathopt.ModelSolveParameters(solution_hints=[hint]),
    )
    if not result.has_primal_feasible_solution():
        return None
    values = result.variable_values()
    return [number for number, variable in chosen.items() if values[variable] > 0.5]
