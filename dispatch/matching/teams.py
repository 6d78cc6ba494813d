"""Teams where a project needs several skills: as few heads as possible, county by county, proven by CP-SAT."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic

from ortools.sat.python import cp_model

from dispatch.matching.model import Agent, Id, Need, Network, Node, Weights, stable_key
from dispatch.matching.rules import bar, home_county, pair_terms, waiting_terms

HEAD = 5_000  # points for each member: more than the wishes about one member may differ by, less than an escalation


NEAREST, FOR_A_SKILL, VERSATILE = 16, 6, 12  # candidates of a need; the proof is over these


@dataclass(frozen=True, slots=True)
class TeamPlan:
    """Every project's team in one county-level area (an empty team waits), its cost, and how far it is proven."""

    area: Node
    teams: Mapping[Id, tuple[Id, ...]]
    cost: int
    bound: int

    @property
    def proven(self) -> bool:
        return self.cost == self.bound


def plan_teams(
    needs: Iterable[Need],
    agents: Iterable[Agent],
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
    staff: dict[Node, list[Agent]] = defaultdict(list)
    for agent in sorted(agents, key=lambda a: stable_key(a.id)):
        staff[home_county(network, agent.node)].append(agent)
    ends_at = monotonic() + limit_s

    def plan(area: Node) -> TeamPlan:
        return _plan(area, by_area[area], staff[area], network, weights, max(0.1, ends_at - monotonic()))

    # The solver lets go of the interpreter while it works: threads are enough.
    with ThreadPoolExecutor(at_once) as hands:
        return list(hands.map(plan, sorted(by_area)))


def _plan(
    area: Node, needs: list[Need], agents: list[Agent], network: Network, weights: Weights, limit_s: float
) -> TeamPlan:
    model = cp_model.CpModel()
    joins: dict[tuple[int, int], cp_model.IntVar] = {}
    costs: list[int] = []
    variables: list[cp_model.IntVar] = []
    asked: dict[int, list[cp_model.IntVar]] = defaultdict(list)
    for n, need in enumerate(needs):
        waits = model.new_bool_var(f"w{n}")
        variables.append(waits)
        costs.append(waiting_terms(need, weights).total)
        offers: dict[str, list[cp_model.IntVar]] = {skill: [] for skill in need.skills}
        for price, a, useful in _offers(need, agents, network, weights):
            joins[n, a] = member = model.new_bool_var(f"x{n},{a}")
            asked[a].append(member)
            variables.append(member)
            costs.append(price)
            for skill in useful:
                offers[skill].append(member)
            model.add_implication(member, ~waits)
        for skill in sorted(offers):
            model.add_bool_or([*offers[skill], waits])
    for a, members in asked.items():
        if len(members) > (room := agents[a].capacity - agents[a].held):
            model.add(cp_model.LinearExpr.sum(members) <= room)
    model.minimize(cp_model.LinearExpr.weighted_sum(variables, costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.linearization_level = 2
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


def _offers(
    need: Need, agents: list[Agent], network: Network, weights: Weights
) -> list[tuple[int, int, frozenset[str]]]:
    """Who could join and for how much: the cheapest few, the cheapest for each skill, and the most versatile."""
    able = []
    parts: dict[frozenset[str], Need] = {}
    for a, agent in enumerate(agents):
        useful = need.skills & agent.skills
        if not useful or agent.held >= agent.capacity:
            continue
        # What a member lacks is the others' part: only what it brings is asked of it, and can be unpractised.
        if useful not in parts:
            parts[useful] = replace(need, skills=useful)
        part = parts[useful]
        if bar(part, agent, network) is None:
            able.append((HEAD + pair_terms(part, agent, network, weights).total, a, useful))
    able.sort(key=lambda offer: offer[:2])
    kept = dict.fromkeys(able[:NEAREST])
    for skill in sorted(need.skills):
        kept.update(dict.fromkeys([offer for offer in able if skill in offer[2]][:FOR_A_SKILL]))
    kept.update(dict.fromkeys(sorted(able, key=lambda offer: (-len(offer[2]), *offer[:2]))[:VERSATILE]))
    return sorted(kept, key=lambda offer: offer[1])
