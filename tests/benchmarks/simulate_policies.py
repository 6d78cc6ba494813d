"""Three rules of assignment over a month or a year of a county or a city on the real network, with intervals.

python tests/benchmarks/simulate_policies.py [--area 320412000000] [--days 250] [--warm-up 100] [--replays 5]
    [--a-year 1100] [--agents 60] [--capacity 6]"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from datetime import date
from pathlib import Path as File
from time import perf_counter

sys.path.insert(0, str(File(__file__).parents[2]))

from agents.matching.batch import match
from agents.matching.model import MatchingAgent, NetworkPlace, Weights
from dispatch.catalogue.matter_rows import matter_from
from dispatch.forecast.beliefs import read_priors
from dispatch.forecast.durations import Durations
from dispatch.forecast.path_sampling import prepare_path_samples
from dispatch.forecast.promise import outlook
from dispatch.path.applicability import matters_for
from dispatch.path.build_path import build_path
from dispatch.path.facts import facts_of
from dispatch.simulation.comparison import compare
from dispatch.simulation.demand import County, demand
from dispatch.simulation.policies import ByMatching, HallRule, NearestFree, Seats
from tests.dispatch.calendars import shipped_calendar

ROOT = File(__file__).parents[2]


def rows(path: str) -> list[dict[str, str]]:
    with (ROOT / path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--area", default="320412000000", help="a county's code, or a city's for all its counties")
    ask.add_argument("--days", type=int, default=250)
    ask.add_argument("--warm-up", type=int, default=100)
    ask.add_argument("--replays", type=int, default=5)
    ask.add_argument("--a-year", type=float, default=1_100, help="projects a county has in a year")
    ask.add_argument("--agents", type=int, default=60, help="agents at each county's town stations")
    ask.add_argument("--capacity", type=int, default=6)
    ask.add_argument(
        "--skills", type=int, default=0, help="kinds of project; an agent is at home in two, a project asks one"
    )
    given = ask.parse_args()
    kinds = [f"skill {n}" for n in range(given.skills)]
    network = {
        r["code"]: NetworkPlace(r["parent_code"] or None, int(r["level"]), float(r["lon"]), float(r["lat"]))
        for r in rows("agents/data/network.csv")
    }
    calendar = shipped_calendar()
    matters = tuple(map(matter_from, rows("dispatch/data/catalog_industrial_permit.csv")))
    path = build_path(matters_for(matters, facts_of({"special_fire": True})))
    view = outlook(prepare_path_samples(path, Durations.before_any_case(read_priors())))
    area = given.area
    codes = [area] if network[area].level == 3 else [c for c, p in network.items() if p.parent == area]
    rng = random.Random(7)
    counties, agents = [], []
    for code in codes:
        towns = [c for c, p in network.items() if p.parent == code]
        counties.append(County(code, given.a_year / 250, tuple((t, network[t].lon, network[t].lat) for t in towns)))
        for i in range(given.agents):
            seat = rng.choice(towns)
            able = frozenset(rng.sample(kinds, min(2, len(kinds))))
            agents.append(seated(f"{code}-{i}", seat, given.capacity, network, able))
    city = network[codes[0]].parent
    agents += [seated(f"{city}-{i}", city, 8, network, frozenset(kinds)) for i in range(4 * len(codes))]
    agents += [seated(f"province-{i}", network[city].parent, 4, network, frozenset(kinds)) for i in range(2)]
    begun = perf_counter()
    asked = [frozenset({kind}) for kind in kinds] or [frozenset()]
    draws = [
        demand(counties, view, calendar, date(2025, 3, 3), given.warm_up + given.days, seed=seed, skills=asked)
        for seed in range(given.replays)
    ]
    print(
        f"{len(codes)} counties, {len(agents)} agents, {len(draws[0])} projects in {given.warm_up} + {given.days} days"
    )
    print(f"a project lasts {view.mean_wd:.0f} working days; demand drawn in {perf_counter() - begun:.1f} s")
    seats = Seats(agents, network)
    for policy in (HallRule(seats), NearestFree(seats), ByMatching(match, Weights())):
        begun = perf_counter()
        header, row = compare([policy], draws, agents, network, warm_up=given.warm_up).table()
        print(f"\n{row[0]}  ({perf_counter() - begun:.1f} s)")
        for title, value in zip(header[1:], row[1:], strict=True):
            print(f"  {title}: {value}")


def seated(
    name: str, node: str, capacity: int, network: dict[str, NetworkPlace], skills: frozenset[str]
) -> MatchingAgent:
    place = network[node]
    return MatchingAgent(name, node, place.level, capacity, 0, place.lon, place.lat, skills)


if __name__ == "__main__":
    main()
