"""How fast is a promise? 2,000 samples of a 40-matter path, with and without making it ready; the risk and its actions.

python tests/benchmarks/promise_speed.py [--repeat 200]"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path as File
from time import perf_counter, process_time

import numpy as np

sys.path.insert(0, str(File(__file__).parents[2]))

from dispatch.catalogue.matter_rows import matter_from
from dispatch.forecast.beliefs import read_priors
from dispatch.forecast.durations import Durations
from dispatch.forecast.path_sampling import prepare_path_samples
from dispatch.forecast.promise import outlook
from dispatch.forecast.risk import risk
from dispatch.path.applicability import waiting_under
from dispatch.path.build_path import build_path
from dispatch.path.facts import facts_of
from dispatch.path.matter_node import IntermediaryWork

DATA = File(__file__).parents[2] / "dispatch" / "data"
WORKS = (
    IntermediaryWork("INT-1", "环评报告编制", "IND-107", 15),
    IntermediaryWork("INT-2", "施工图设计", "IND-301", 20),
    IntermediaryWork("INT-3", "方案设计", "IND-201", 20),
    IntermediaryWork("INT-4", "水土保持方案编制", "IND-108", 10),
)


def timed(what: str, act: Callable[[], object], repeat: int) -> None:
    act()
    took = []
    cpu = process_time()
    for _ in range(repeat):
        begun = perf_counter()
        act()
        took.append((perf_counter() - begun) * 1_000)
    cpu_ms = (process_time() - cpu) * 1_000 / repeat
    best, median, p95 = min(took), np.median(took), np.percentile(took, 95)
    print(f"{what:48s} best {best:6.2f} ms   median {median:6.2f} ms   p95 {p95:6.2f} ms   CPU {cpu_ms:6.2f} ms")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--repeat", type=int, default=200)
    given = ask.parse_args()
    with (DATA / "catalog_industrial_permit.csv").open(encoding="utf-8") as file:
        path = build_path(waiting_under(map(matter_from, csv.DictReader(file)), facts_of({})), intermediaries=WORKS)
    durations = Durations.before_any_case(read_priors())
    ready = prepare_path_samples(path, durations)
    print(f"{len(path.steps)} matters, {ready.noise.shape[1]} samples")
    timed("draw the samples and sort the ends", lambda: outlook(ready), given.repeat)
    timed("make the path ready, draw, sort", lambda: outlook(prepare_path_samples(path, durations)), given.repeat)
    late = outlook(ready).wd_for(0.7)
    timed("risk of missing, and the best of all actions", lambda: risk(path, ready, late), max(10, given.repeat // 10))


if __name__ == "__main__":
    main()
