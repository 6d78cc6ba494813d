"""Teams where a project needs several skills: as few heads as possible, county by county, proven by CP-SAT."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic

import numpy as np
from ortools.sat.python import cp_model

from agents.matching.arrays import Flags, Ints
from agents.matching.cost_arrays import roads
from agents.matching.model import COUNTY, MAX_STARS, MatchingAgent, Need, Network, Node, Weights, stable_key
from agents.matching.rules import METRES_A_DEGREE, bar, cosine, home_county, move_cost, waiting_terms
from agents.matching.staffing import TeamPlan

HEAD = 5_000  # points for each member: more than the wishes about one member may differ by, less than an escalation
NEAREST, FOR_A_SKILL, VERSATILE = 16, 6, 12  # candidates of a need; the proof is over these


def plan_teams(
    needs: Iterable[Need],
    agents: Iterable[MatchingAgent],
    network: Network,
    weights: Weights,
    *,
    limit_s: float = 60.0,
    at_once: int = 1,
) -> list[TeamPlan]:
    """The cheapest teams in each county: together the members have every skill of the need, each takes one slot.

    A need is a project with all its skills; each member must be able to come (place, leave, bans, language). The time
    limit is for all counties together, a county that it cuts short says so by its bound. ``at_once``: how many counties
    are solved side by side, each by one thread; the answer is the same.
    """
    by_area: dict[Node, list[Need]] = defaultdict(list)
    for need in sorted(needs, key=lambda n: stable_key(n.id)):
        by_area[home_county(network, need.node)].append(need)
    staff: dict[Node, list[MatchingAgent]] = defaultdict(list)
    for agent in sorted(agents, key=lambda a: stable_key(a.id)):
        staff[home_county(network, agent.node)].append(agent)
    ends_at = monotonic() + limit_s

    def plan(area: Node) -> TeamPlan:
        return _plan(area, by_area[area], staff[area], network, weights, max(0.1, ends_at - monotonic()))

    # The solver lets go of the interpreter while it works: threads are enough.
    with ThreadPoolExecutor(at_once) as threads:
        return list(threads.map(plan, sorted(by_area)))


def _plan(
    area: Node, needs: list[Need], agents: list[MatchingAgent], network: Network, weights: Weights, limit_s: float
) -> TeamPlan:
    model, staff = cp_model.CpModel(), _Staff(area, agents, network, weights)
    joins: dict[tuple[int, int], cp_model.IntVar] = {}
    costs: list[int] = []
    variables: list[cp_model.IntVar] = []
    slots_of: dict[int, list[cp_model.IntVar]] = defaultdict(list)
    for n, need in enumerate(needs):
        waits = model.new_bool_var(f"w{n}")
        variables.append(waits)
        costs.append(waiting_terms(need, weights).total)
        offers: dict[str, list[cp_model.IntVar]] = {skill: [] for skill in need.skills}
        for price, a, useful in staff.offers(need):
            joins[n, a] = member = model.new_bool_var(f"x{n},{a}")
            slots_of[a].append(member)
            variables.append(member)
            costs.append(price)
            for skill in useful:
                offers[skill].append(member)
            model.add_implication(member, ~waits)
        for skill in sorted(offers):
            model.add_bool_or([*offers[skill], waits])
    for a, members in slots_of.items():
        if len(members) > (room := agents[a].capacity - agents[a].held):
            model.add(cp_model.LinearExpr.sum(members) <= room)
    model.minimize(cp_model.LinearExpr.weighted_sum(variables, costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.linearization_level = 2
    solver.parameters.cp_model_presolve = False  # there is nothing to simplify, and looking for it took half the time
    solver.parameters.max_time_in_seconds = limit_s
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        cost = sum(waiting_terms(n, weights).total for n in needs)
        return TeamPlan(area, {n.id: () for n in needs}, cost, 0)
    teams = {
        need.id: tuple(agents[a].id for a in range(len(agents)) if (n, a) in joins and solver.value(joins[n, a]))
        for n, need in enumerate(needs)
    }
    bound = round(solver.objective_value) if status == cp_model.OPTIMAL else int(solver.best_objective_bound)
    return TeamPlan(area, teams, round(solver.objective_value), bound)


class _Staff:
    """One area's agents in arrays, with room and not away: the same sums as rules.pair_terms, for a need at once."""

    def __init__(self, area: Node, agents: list[MatchingAgent], network: Network, weights: Weights) -> None:
        self.agents, self.network, self.weights = agents, network, weights
        self.is_county = network[area][1] == COUNTY
        self.there = np.array([not a.away and a.held < a.capacity for a in agents], dtype=bool)
        self.lon = np.array([a.lon for a in agents], dtype=np.float64)
        self.lat = np.array([a.lat for a in agents], dtype=np.float64)
        self.level = np.array([network[a.node][1] for a in agents], dtype=np.int64)
        self.stars = np.array([weights.star * (MAX_STARS - a.stars) for a in agents], dtype=np.int64)
        skills = sorted({s for a in agents for s in a.skills})
        self.column = {skill: c for c, skill in enumerate(skills)}
        shape = len(agents), len(skills)
        self.has = np.array([[s in a.skills for s in skills] for a in agents], dtype=bool).reshape(shape)
        self.knows = np.array([[s in a.practised for s in skills] for a in agents], dtype=bool).reshape(shape)

    def offers(self, need: Need) -> list[tuple[int, int, frozenset[str]]]:
        """Who could join and for how much: the cheapest few, the cheapest for each skill, and the most versatile.

        A member covers the skills that it has; the others cover the rest. Only covered skills can be unpractised.
        """
        wanted = [self.column[skill] for skill in sorted(need.skills) if skill in self.column]
        brings = self.has[:, wanted]
        useful = brings.sum(axis=1)
        price = self._prices(need, (brings & ~self.knows[:, wanted]).sum(axis=1))
        able = np.flatnonzero(self.there & (useful > 0) & self._may_come(need))
        able = able[np.argsort(price[able], kind="stable")]
        kept = [able[:NEAREST], able[np.argsort(-useful[able], kind="stable")][:VERSATILE]]
        kept += [able[brings[able, c]][:FOR_A_SKILL] for c in range(len(wanted))]
        return [
            (int(price[a]), a, need.skills & self.agents[a].skills) for a in np.unique(np.concatenate(kept)).tolist()
        ]

    def _prices(self, need: Need, unpractised: Ints) -> Ints:
        w = self.weights
        lon, lat, metres_east = (np.array([x]) for x in (need.lon, need.lat, METRES_A_DEGREE * cosine(need.lat)))
        (hm,) = roads(lon, lat, self.lon, self.lat, metres_east)
        price: Ints = HEAD + self.stars + w.travel * np.minimum(hm, w.travel_cap_hm)
        price += w.escalation * np.maximum(0, self.network[need.node][1] - self.level)
        price += w.unpractised * np.minimum(unpractised, w.unpractised_cap)
        if need.previous:
            price += np.array([w.newcomer * (a.id not in need.previous) for a in self.agents], dtype=np.int64)
        if need.current is not None:
            price += np.array([move_cost(need, a.id, w) for a in self.agents], dtype=np.int64)
        return price

    def _may_come(self, need: Need) -> Flags:
        """What remains of the rules: place, language, bans, first ask. Whoever sits in a county may lead there."""
        anybody = replace(need, skills=frozenset())
        if (
            self.is_county
            and need.role == "lead"
            and need.language is need.lock is need.first_ask is None
            and not need.bans
        ):
            return np.ones(len(self.agents), dtype=bool)
        return np.array([bar(anybody, a, self.network) is None for a in self.agents], dtype=bool)
