"""The public generalised assignment problems, answered and put beside the best known costs.

``python tests/benchmarks/gap_files.py FOLDER``: it holds the files a05100 to e801600 of the OR-Library and of Yagiura,
Ibaraki and Glover, at any depth. Each is answered by ``python -m dispatch match FILE --format gap``, 10 s up to 400
jobs and 30 s beyond; a line each, then a table by family. No file is part of this project. The best known costs are
those of the published tables: proven optimal but for some of family D and c801600.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).parents[2]
SMALL_JOBS, SMALL_S, LARGE_S = 400, 10, 30
BEST_KNOWN = {
    "a05100": 1698, "a10100": 1360, "a20100": 1158, "a05200": 3235, "a10200": 2623, "a20200": 2339, "b05100": 1843,
    "b10100": 1407, "b20100": 1166, "b05200": 3552, "b10200": 2827, "b20200": 2339, "c05100": 1931, "c10100": 1402,
    "c20100": 1243, "c05200": 3456, "c10200": 2806, "c20200": 2391, "c10400": 5597, "c20400": 4782, "c40400": 4244,
    "c15900": 11340, "c30900": 9982, "c60900": 9326, "c201600": 18802, "c401600": 17145, "c801600": 16285,
    "d05100": 6353, "d10100": 6347, "d20100": 6185, "d05200": 12742, "d10200": 12430, "d20200": 12238,
    "d10400": 24961, "d20400": 24567, "d40400": 24356, "d15900": 55404, "d30900": 54838, "d60900": 54554,
    "d201600": 97825, "d401600": 97105, "d801600": 97034, "e05100": 12681, "e10100": 11577, "e20100": 8436,
    "e05200": 24930, "e10200": 23307, "e20200": 22379, "e10400": 45746, "e20400": 44877, "e40400": 44561,
    "e15900": 102421, "e30900": 100427, "e60900": 100149, "e201600": 180645, "e401600": 178293, "e801600": 176820,
}  # fmt: skip


def measure(file: Path, limit_s: float | None) -> dict[str, object]:
    """One file answered by the command line, and how far above the best known cost the answer is."""
    jobs = int(file.name[3:])
    limit = limit_s or (SMALL_S if jobs <= SMALL_JOBS else LARGE_S)
    began = perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "dispatch", "match", file, "--format", "gap", "--limit", str(limit)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer = json.loads(ran.stdout)
    best = BEST_KNOWN[file.name]
    return {
        "file": file.name, "cost": answer["cost"], "best_known": best,
        "above_best_percent": round(100 * (answer["cost"] - best) / best, 3), "bound": answer["bound"],
        "above_bound_percent": round(100 * answer["gap"], 3), "proven": answer["proven"],
        "solver_s": answer["seconds"], "command_s": round(perf_counter() - began, 1),
    }  # fmt: skip


def main() -> None:
    """A line for each file, then mean and worst of each family, small and large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="beginnings of names, separated by commas")
    parser.add_argument("--sizes", choices=["small", "large", "all"], default="all")
    parser.add_argument("--limit", type=float, help="seconds for every file")
    asked = parser.parse_args()
    wanted = tuple(asked.only.split(","))
    groups: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for file in sorted(f for f in asked.folder.rglob("*") if f.name in BEST_KNOWN and f.name.startswith(wanted)):
        large = int(file.name[3:]) > SMALL_JOBS
        if asked.sizes != "all" and large != (asked.sizes == "large"):
            continue
        found = measure(file, asked.limit)
        print(json.dumps(found), flush=True)
        groups[file.name[0].upper(), large].append(float(str(found["above_best_percent"])))
    for (family, large), above in sorted(groups.items()):
        print(json.dumps({"family": family, "jobs": "900-1600" if large else "100-400", "files": len(above),
                          "mean_percent": round(sum(above) / len(above), 3), "worst_percent": max(above)}))  # fmt: skip


if __name__ == "__main__":
    main()
