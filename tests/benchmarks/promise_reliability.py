"""Are the promises true? 20,000 closed projects of two invented worlds, one of which breaks the learner's assumptions.

python tests/benchmarks/promise_reliability.py [--projects 10000] [--history 3000] [--seed 1]"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path as File
from time import perf_counter

import numpy as np

sys.path.insert(0, str(File(__file__).parents[2]))

from dispatch.catalogue.matter_rows import matter_from
from dispatch.forecast.beliefs import read_priors
from dispatch.forecast.calibration import (
    CalibrationPoint,
    Closed,
    base_rate,
    brier,
    close,
    pert_ahead,
    recalibration,
    reliability,
)
from dispatch.forecast.durations import Durations
from dispatch.forecast.learning import Observation, learn
from dispatch.forecast.path_sampling import DecidingPlace, PathSoFar, prepare_path_samples
from dispatch.forecast.promise import Outlook, outlook
from dispatch.path.applicability import matters_for
from dispatch.path.approval_graph import Path
from dispatch.path.build_path import build_path
from dispatch.path.facts import facts_of
from dispatch.path.path_step import Counting
from dispatch.path.schedule import Basis, MatterProgress, schedule
from tests.dispatch.calendars import shipped_calendar

DATA = File(__file__).parents[2] / "dispatch" / "data"
START = date(2025, 1, 6)
CITIES = tuple(f"C{n:02d}" for n in range(13))
TARGET_WD = 50
CALENDAR = shipped_calendar()

FACTS = (
    facts_of({}),
    facts_of({"special_fire": True, "energy_tce": 2_000, "minerals_checked": False}),
    facts_of({"relics_survey": True, "in_geohazard_area": True, "large_works": True}),
    facts_of({"land": "none", "special_fire": True}),
    facts_of({"eia": "registration", "low_risk_plant": True}),
    facts_of(
        dict.fromkeys(("in_river_area", "social_risk", "explosion_hazard", "relics_survey", "seismic_listed"), True)
    ),
)


@dataclass(frozen=True)
class World:
    """How things really are: an effect for each city and authority, a law of durations, and what hangs together."""

    name: str
    effects: dict[tuple[str, str], float]
    draw: Callable[[float, np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def lognormal(scale: float, own: np.ndarray, dept: np.ndarray, project: np.ndarray, rng) -> np.ndarray:
    """The learner's own family, with its correlation a little different from the belief."""
    z = math.sqrt(0.55) * own + math.sqrt(0.30) * dept + math.sqrt(0.15) * project
    return scale * np.exp(0.32 * z)


def frailty_gamma(scale: float, own: np.ndarray, dept: np.ndarray, project: np.ndarray, rng) -> np.ndarray:
    """Gamma durations multiplied by a department's frailty, and one matter in twelve stuck for half as long again."""
    shape = 9.0
    body = rng.gamma(shape, 1 / shape, own.shape)
    frail = np.where(dept > 0.8, 1.35, 0.95) * np.exp(0.12 * project)
    stuck = np.where(rng.random(own.shape) < 1 / 12, 1.5, 1.0)
    return scale * body * frail * stuck


def effects(rng: np.random.Generator, codes: list[str], city: float, authority: float) -> dict[tuple[str, str], float]:
    matter = {code: rng.normal(0, 0.2) for code in codes}
    found = {}
    for place in CITIES:
        whole = rng.normal(0, city)
        found.update({(place, code): matter[code] + whole + rng.normal(0, authority) for code in codes})
    return found


def live(world: World, path: Path, city: str, priors, rng) -> tuple[int, dict[str, int], dict[str, int]]:
    """One project as it really went: the working days that counted, each matter's own, and when each ended."""
    steps = path.steps
    departments = {step.matter.authority: rng.normal() for step in steps}
    project = np.full(1, rng.normal())
    finish: dict[str, int] = {}
    took: dict[str, int] = {}
    for step in steps:
        days = 0
        limit = step.matter.committed_days if step.matter.works_against_target else 0
        if limit:
            scale = 0.9 * limit * math.exp(world.effects[city, step.code])
            dept = np.full(1, departments[step.matter.authority])
            days = max(0, round(float(world.draw(scale, rng.normal(size=1), dept, project, rng)[0])))
            took[step.code] = days
        finish[step.code] = max((finish[wait.on] for wait in step.waits), default=0) + days
    return max(finish[code] for code in path.goals), took, finish


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--projects", type=int, default=10_000, help="closed projects judged in each world")
    ask.add_argument("--history", type=int, default=3_000)
    ask.add_argument("--experience", type=int, default=1_500, help="earlier promises that recalibration may learn from")
    ask.add_argument("--midway", type=int, default=2_000, help="projects of each world asked again under way")
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    with (DATA / "catalog_industrial_permit.csv").open(encoding="utf-8") as file:
        catalogue = tuple(map(matter_from, csv.DictReader(file)))
    by_code = {matter.code: matter for matter in catalogue}
    paths = [build_path(matters_for(catalogue, facts)) for facts in FACTS]
    chains = [schedule(path, Basis.COMMITTED).critical_path for path in paths]
    priors = read_priors()
    rng = np.random.default_rng(given.seed)
    worlds = (
        World("log-normal, as assumed", effects(rng, list(by_code), 0.12, 0.15), lognormal),
        World("gamma with frailty and stuck matters", effects(rng, list(by_code), 0.2, 0.25), frailty_gamma),
    )
    every_closed, every_raw, every_midway = [], [], []
    for world in worlds:
        begun = perf_counter()
        durations, ended = history(world, paths, by_code, priors, given.history, rng)
        views: dict[tuple[int, str], Outlook] = {}
        for kind, path in enumerate(paths):
            for city in CITIES:
                who = {step.code: f"{city}/{step.matter.authority}" for step in path.steps}
                ready = prepare_path_samples(path, durations, place=DecidingPlace(city, who), counting=Counting.TARGET)
                views[kind, city] = outlook(ready)
        earlier = [one(world, paths, priors, rng) for _ in range(given.experience)]
        learned = recalibration([close(views[kind, city], took) for kind, city, took in earlier])
        tuned = {key: Outlook(view.finishes, learned) for key, view in views.items()}
        lives = [one(world, paths, priors, rng) for _ in range(given.projects)]
        raw = [close(views[kind, city], took) for kind, city, took in lives]
        closed = [close(tuned[kind, city], took) for kind, city, took in lives]
        every_raw += raw
        every_closed += closed
        rate = base_rate(ended)
        print(f"\n{world.name}: {len(lives)} projects, correlation learned "
              f"{durations.department_correlation:.2f} + {durations.project_correlation:.2f}, "
              f"{perf_counter() - begun:.1f} s")  # fmt: skip
        table(raw, closed)
        truth = [took <= TARGET_WD for _, _, took in lives]
        for name, stated in (
            ("ours", [tuned[kind, city].chance_by_wd(TARGET_WD) for kind, city, _ in lives]),
            ("ours before recalibration", [views[kind, city].chance_by_wd(TARGET_WD) for kind, city, _ in lives]),
            ("PERT-normal", [pert(paths, chains, durations, kind, city) for kind, city, _ in lives]),
            ("base rate", [rate] * len(lives)),
        ):
            said = [CalibrationPoint(p, t) for p, t in zip(stated, truth, strict=True)]
            print(f"Brier, done in {TARGET_WD}: {name:28s}{brier(said):.4f}   "
                  f"stated {np.mean(stated):.3f}, true {np.mean(truth):.3f}")  # fmt: skip
        midway = [one_midway(world, paths, durations, priors, rng) for _ in range(given.midway)]
        every_midway += midway
    print("\nboth worlds together")
    table(every_raw, every_closed)
    print(f"\nasked again on a day chosen beforehand, {len(every_midway)} projects, not recalibrated")
    table(every_midway, every_midway)


CACHE: dict[tuple[int, str, int], float] = {}


def pert(paths, chains, durations: Durations, kind: int, city: str) -> float:
    key = (kind, city, id(durations))
    if key not in CACHE:
        CACHE[key] = pert_ahead(
            prepare_path_samples(
                paths[kind], durations, place=DecidingPlace(city), counting=Counting.TARGET, samples=1
            ),
            chains[kind],
            TARGET_WD,
        )
    return CACHE[key]


def one(world: World, paths: list[Path], priors, rng) -> tuple[int, str, int]:
    kind, city = int(rng.integers(len(paths))), CITIES[int(rng.integers(len(CITIES)))]
    return kind, city, live(world, paths[kind], city, priors, rng)[0]


def one_midway(world: World, paths: list[Path], durations: Durations, priors, rng) -> Closed:
    """A project that is still open on a day chosen beforehand, looked at with all that is known by then."""
    while True:
        kind, city = int(rng.integers(len(paths))), CITIES[int(rng.integers(len(CITIES)))]
        path, now = paths[kind], int(rng.integers(5, 50))
        whole, took, finish = live(world, path, city, priors, rng)
        if whole > now:
            break
    day = [START, *CALENDAR.workdays_after(START, date(2027, 12, 31))]
    progress = {}
    for step in path.steps:
        begun = max((finish[wait.on] for wait in step.waits), default=0)
        if finish[step.code] <= now:
            progress[step.code] = MatterProgress(accepted_on=day[begun], decided_on=day[finish[step.code]])
        elif step.code in took and begun <= now:
            progress[step.code] = MatterProgress(accepted_on=day[begun])
    who = {step.code: f"{city}/{step.matter.authority}" for step in path.steps}
    ready = prepare_path_samples(
        path,
        durations,
        place=DecidingPlace(city, who),
        counting=Counting.TARGET,
        so_far=PathSoFar(CALENDAR, START, day[now], progress),
    )
    return close(outlook(ready), whole)


def history(world: World, paths, by_code, priors, projects: int, rng) -> tuple[Durations, list[bool]]:
    """What the learner gets to see: past matters, one in ten of them still open at the cut-off."""
    seen, ended = [], []
    for number in range(projects):
        kind, city = int(rng.integers(len(paths))), CITIES[int(rng.integers(len(CITIES)))]
        whole, took, _ = live(world, paths[kind], city, priors, rng)
        ended.append(whole <= TARGET_WD)
        for code, days in took.items():
            cut = rng.random() < 0.1
            so_far = min(days, int(rng.integers(0, days + 1))) if cut else days
            closed = not cut or so_far == days
            seen.append(Observation(code, f"{city}/{by_code[code].authority}", city, so_far, closed, f"P{number}"))
    return learn(seen, by_code, priors), ended


def table(raw, closed) -> None:
    print("quantile   observed   error   before recalibration")
    for before, row in zip(reliability(raw), reliability(closed), strict=True):
        print(f"{row.level:8.0%} {row.observed:10.1%} {row.error * 100:+7.1f} {before.error * 100:+12.1f}")
    print(f"largest error {max(abs(r.error) for r in reliability(closed)) * 100:.1f} points")


if __name__ == "__main__":
    main()
