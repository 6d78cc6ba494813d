"""Coverage by room: the share of branches that the last run with coverage took, for each room of the program.

``python -m tests.gates.coverage_by_room [LEAST]`` prints a line a room; with LEAST it fails where a room has less, but
for ``web/wiring``, most of which runs in processes of its own.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parents[2]
FREE = {"web/wiring"}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("least", nargs="?", type=float, default=0.0, help="fail below this share, in per cent")
    least = parser.parse_args().least
    low = False
    for room, (taken, all_of_them) in sorted(branches_by_room().items()):
        share = 100 * taken / all_of_them
        low |= share < least and room not in FREE
        sys.stdout.write(f"{room:<24} {share:5.1f} % of {all_of_them} branches\n")
    return int(low)


def branches_by_room() -> dict[str, tuple[int, int]]:
    """Branches taken and branches there are, by room: a folder of a folder, or a folder whose files lie in it."""
    measured = coverage.Coverage()
    measured.load()
    with tempfile.TemporaryDirectory() as folder:
        measured.json_report(outfile=str(Path(folder) / "report.json"))
        files = json.loads((Path(folder) / "report.json").read_text())["files"]
    taken: dict[str, int] = defaultdict(int)
    there: dict[str, int] = defaultdict(int)
    for name, file in files.items():
        room = "/".join(Path(name).parts[:-1][:2]) or "ground"
        taken[room] += file["summary"]["covered_branches"]
        there[room] += file["summary"]["num_branches"]
    return {room: (taken[room], there[room]) for room in there if there[room]}


if __name__ == "__main__":
    sys.exit(main())
