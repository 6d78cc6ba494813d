"""Measures the matching on a synthetic province: ``python tests/benchmarks/matching.py batch|online|leave|teams|gap``.

22,000 agents sit on the real network's nodes, several at each hall; skills, capacities and projects come from a seed.
Each line of output is one JSON object with wall and processor seconds and the peak memory.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from agents.matching.batch import answer, solve
from agents.matching.candidate_matrix import build_candidate_matrix
from agents.matching.certificate import check
from agents.matching.gap import Gap
from agents.matching.gap_search import solve_gap
from agents.matching.leave import relieve
from agents.matching.model import COUNTY, TOWN, VILLAGE, MatchingAgent, Need, NetworkPlace, Weights
from agents.matching.online import place_one
from agents.matching.rules import home_county
from agents.matching.teams import plan_teams

NETWORK_CSV = Path(__file__).parents[2] / "agents" / "data" / "network.csv"
AGENTS = 22_000
SKILLS = [f"skill-{i}" for i in range(12)]
WEIGHTS = Weights()


def province(count, seed):
    """A network, its agents, and ``count`` needs: four in five are leads, one in twenty of them escalated."""
    draw = random.Random(seed)
    with NETWORK_CSV.open(encoding="utf-8") as file:
        network = {
            r["code"]: NetworkPlace(r["parent_code"] or None, int(r["level"]), float(r["lon"]), float(r["lat"]))
            for r in csv.DictReader(file)
        }
    villages = [n for n, p in network.items() if p.level == VILLAGE]
    draw.shuffle(villages)
    halls = [n for n, p in network.items() if p.level <= COUNTY]
    towns = [n for n, p in network.items() if p.level == TOWN]
    agents = []
    for number, node in enumerate((halls * 6 + towns + villages)[:AGENTS]):
        place = network[node]
        hall = place.level <= COUNTY
        skills = draw.sample(SKILLS, draw.randint(5, 12) if hall else draw.randint(2, 5))
        capacity = draw.randint(5, 15) if hall else draw.randint(2, 8)
        languages = frozenset({"en"}) if draw.random() < 0.1 else frozenset()
        agents.append(
            MatchingAgent(number, node, place.level, capacity, 0, place.lon, place.lat, frozenset(skills), languages,
                  draw.randint(1, 5))
        )  # fmt: skip
    inside = defaultdict(list)
    for node, place in network.items():
        if place.level >= COUNTY:
            inside[home_county(network, node)].append(node)
    counties = sorted(inside)
    needs = []
    for number in range(count):
        county = draw.choice(counties)
        lead = draw.random() < 0.8
        node = draw.choice(inside[county]) if lead else network[county].parent
        skills = frozenset(draw.sample(SKILLS, draw.choice([1, 1, 1, 2]) if lead else 1))
        needs.append(
            Need(number, "lead" if lead else "liaison", number, node, network[node].lon, network[node].lat, skills,
                 "en" if lead and draw.random() < 0.03 else None, draw.randint(1, 3), draw.randint(0, 9),
                 escalated=lead and draw.random() < 0.05)
        )  # fmt: skip
    return network, agents, needs


class Watch:
    """Wall and processor seconds since it was made."""

    def __init__(self):
        self.wall, self.cpu = perf_counter(), process_time()

    def read(self):
        return {"wall_s": round(perf_counter() - self.wall, 3), "cpu_s": round(process_time() - self.cpu, 3)}


def say(**facts):
    facts["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def batch(options):
    network, agents, needs = province(options.needs, options.seed)
    watch = Watch()
    question = build_candidate_matrix(needs, agents, network, WEIGHTS)
    built = watch.read()
    solution = solve(question)
    matching = answer(question, solution, network, WEIGHTS)
    facts = {"waiting": len(matching.waiting), "proven": matching.certificate.proven,
             "pairs": matching.certificate.pairs, "rounds": solution.rounds}  # fmt: skip
    say(job="batch", needs=options.needs, building=built, total=watch.read(), **facts)
    if options.check:
        watch = Watch()
        say(job="check", faults=check(needs, agents, network, WEIGHTS, matching), **watch.read())
    return network, agents, needs, matching


def settled(options):
    """A batch that has been applied: everybody who was placed has a told agent, every agent holds its load."""
    network, agents, needs, matching = batch(options)
    load = Counter(matching.assigned.values())
    agents = [replace(a, held=load[a.id]) for a in agents]
    needs = [
        replace(n, current=matching.agent_of(n.id), told=True) for n in needs if matching.agent_of(n.id) is not None
    ]
    return network, agents, needs, matching


def online(options):
    network, agents, needs, matching = settled(options)
    pools = defaultdict(list)
    for agent in agents:
        pools[home_county(network, agent.node)].append(agent)
    new = [replace(n, current=None, told=False, escalated=False) for n in needs if n.role == "lead"][:2_000]
    times = []
    for need in new:
        began = process_time()
        place_one(need, pools[home_county(network, need.node)], network, WEIGHTS, matching.scarcity)
        times.append(process_time() - began)
    p50, p99 = np.quantile(times, [0.5, 0.99])
    say(job="online", placed=len(new), cpu_ms_p50=round(1000 * p50, 3), cpu_ms_p99=round(1000 * p99, 3))


def leave(options):
    network, agents, needs, _ = settled(options)
    loaded = [a.id for a in agents if a.held]
    absent = dict.fromkeys(random.Random(options.seed).sample(loaded, len(loaded) // 50), 5)
    watch = Watch()
    relief = relieve(absent, needs, agents, network, WEIGHTS)
    say(
        job="leave", absent=len(absent), moves=len(relief.moves), others=len(relief.others), needed=relief.needed,
        unforced=relief.unforced, waiting=sum(m.agent is None for m in relief.moves), notices=relief.notices,
        **watch.read(),
    )  # fmt: skip


def teams(options):
    network, agents, needs = province(options.needs * 4 // 3, options.seed)  # four in five of them are leads
    draw = random.Random(options.seed)
    leads = [n for n in needs if n.role == "lead"][: options.needs]
    whole = [replace(n, skills=frozenset(draw.sample(SKILLS, draw.randint(2, 4))), language=None) for n in leads]
    watch = Watch()
    plans = plan_teams(whole, agents, network, WEIGHTS, limit_s=options.limit, at_once=options.at_once)
    say(job="teams", areas=len(plans), proven=sum(p.proven for p in plans), projects=len(whole),
        waiting=sum(not team for p in plans for team in p.teams.values()), **watch.read())  # fmt: skip


def drawn_gap(family, m, n, seed):
    """A problem drawn by the published rules of the families A to E."""
    rng = np.random.default_rng(seed)
    if family in "ABC":
        effort, cost = rng.integers(5, 26, (m, n)), rng.integers(10, 51, (m, n))
    elif family == "D":
        effort = rng.integers(1, 101, (m, n))
        cost = 111 - effort + rng.integers(-10, 11, (m, n))
    else:
        effort = np.floor(1 - 10 * np.log(1 - rng.random((m, n)))).astype(np.int64)
        cost = np.floor(1000 / effort - 10 * rng.random((m, n))).astype(np.int64)
    if family in "AB":
        cheapest = cost.argmin(axis=0)
        load = np.bincount(cheapest, weights=effort[cheapest, np.arange(n)], minlength=m)
        room = np.full(m, (0.6 * n / m * 15 + 0.4 * load.max()) * (0.7 if family == "B" else 1.0))
    else:
        room = 0.8 * effort.sum(axis=1) / m
    return Gap(cost, effort, room.astype(np.int64))


def gap(options):
    for family in options.family:
        problem = drawn_gap(family, options.agents, options.jobs, options.seed)
        watch = Watch()
        found = solve_gap(problem, limit_s=options.limit)
        say(job="gap", family=family, agents=options.agents, jobs=options.jobs, cost=found.cost, bound=found.bound,
            above_bound_percent=None if found.gap is None else round(100 * found.gap, 3), proven=found.proven,
            **watch.read())  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=["batch", "online", "leave", "teams", "gap"])
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--check", action="store_true", help="run the independent check too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--at-once", type=int, default=1, help="counties planned side by side")
    parser.add_argument("--family", default="ABCDE")
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=200)
    options = parser.parse_args()
    {"batch": batch, "online": online, "leave": leave, "teams": teams, "gap": gap}[options.job](options)


if __name__ == "__main__":
    main()
