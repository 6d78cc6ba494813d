"""Teams: every skill covered, as few heads as possible, no slot taken twice, proven."""

from collections import Counter
from dataclasses import replace
from itertools import chain, combinations, product

from hypothesis import given, settings

from agents.matching.model import Weights
from agents.matching.rules import bar, home_county, pair_terms, waiting_terms
from agents.matching.teams import HEAD, plan_teams
from tests.agents.matching.county import NETWORK, WEIGHTS, a_need, an_agent, problems


def teams(needs, agents):
    plans = plan_teams(needs, agents, NETWORK, Weights())
    assert all(p.proven for p in plans)
    return {need: team for p in plans for need, team in p.teams.items()}


def test_one_agent_who_can_do_all_is_better_than_two():
    agents = [
        an_agent("land", "T1", skills=frozenset({"land"})),
        an_agent("env", "T1", skills=frozenset({"env"})),
        an_agent("both", "T1", stars=0),
    ]
    assert teams([a_need(1, skills=frozenset({"land", "env"}))], agents) == {1: ("both",)}


def test_two_share_what_nobody_can_do_alone():
    agents = [an_agent("land", skills=frozenset({"land"})), an_agent("fire", skills=frozenset({"fire"}))]
    assert teams([a_need(1, skills=frozenset({"land", "fire"}))], agents) == {1: ("fire", "land")}


def test_a_project_waits_when_a_skill_is_missing():
    assert teams([a_need(1, skills=frozenset({"land", "fire"}))], [an_agent("land")]) == {1: ()}


def test_projects_without_a_team_are_named():
    needs = [a_need(1, skills=frozenset({"land"})), a_need(2, skills=frozenset({"fire"}))]
    (plan,) = plan_teams(needs, [an_agent("land")], NETWORK, Weights())
    assert (plan.area, plan.teams, plan.waiting) == ("K1", {1: ("land",), 2: ()}, (2,))


@settings(max_examples=20, deadline=None)
@given(problems(max_needs=4))
def test_teams_have_every_skill_and_nobody_too_many_slots(problem):
    needs, agents = problem
    found = teams([n for n in needs if n.skills], agents)
    staff = {a.id: a for a in agents}
    for need in needs:
        if found.get(need.id):
            assert need.skills <= frozenset().union(*(staff[a].skills for a in found[need.id]))
            assert all(a not in need.bans and not staff[a].away for a in found[need.id])
    for agent in agents:
        assert sum(agent.id in team for team in found.values()) <= max(0, agent.capacity - agent.held)


def cheapest_teams(needs, agents):
    """The least cost of all teams, by trying every combination, pair by pair."""
    options = []
    for need in needs:
        able = {}
        for agent in agents:
            part = replace(need, skills=need.skills & agent.skills)
            sits_there = home_county(NETWORK, agent.node) == home_county(NETWORK, need.node)
            if part.skills and sits_there and bar(part, agent, NETWORK) is None:
                able[agent] = HEAD + pair_terms(part, agent, NETWORK, WEIGHTS).total
        some = chain.from_iterable(combinations(able, size) for size in range(1, len(need.skills) + 1))
        whole = [team for team in some if need.skills <= frozenset().union(*(a.skills for a in team))]
        options.append(
            [((), waiting_terms(need, WEIGHTS).total), *((team, sum(able[a] for a in team)) for team in whole)]
        )
    best = None
    for chosen in product(*options):
        taken = Counter(agent for team, _ in chosen for agent in team)
        if all(agent.held + count <= agent.capacity for agent, count in taken.items()):
            cost = sum(cost for _, cost in chosen)
            best = cost if best is None else min(best, cost)
    return best or 0


@settings(max_examples=60, deadline=None)
@given(problems(max_needs=3, max_agents=4))
def test_no_combination_of_teams_is_cheaper(problem):
    needs, agents = problem
    needs = [need for need in needs if need.skills]
    plans = plan_teams(needs, agents, NETWORK, WEIGHTS)
    assert all(plan.proven for plan in plans)
    assert sum(plan.cost for plan in plans) == cheapest_teams(needs, agents)


def test_the_dearer_need_is_served_first():
    needs = [a_need(1, priority=1), a_need(2, priority=2)]
    assert teams(needs, [an_agent("a", capacity=1)]) == {1: (), 2: ("a",)}
    assert WEIGHTS.waiting > 0
