"""Mutants: each small change to a rule runs against that rule's tests, and one of them must fail.

``python -m tests.gates.mutants`` tries every mutant of the modules in mutants.toml, or of those named; ``--short``
tries as many as ``sample`` says, of the modules that changed, else of all. Each mutant runs in a
fork of its own, with just the tests that reach its statement (``mutant_forks.py``). Limits are numbers of mutants and
seconds of processor time: a slow or busy machine finds the same ones.

No tool off the shelf: those known to us copy the tree, mutate functions only, and leave decorated ones out; here the
limits stand in tables, dataclasses and properties.
"""

import argparse
import os
import random
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from tests.gates.mutant_forks import surviving
from tests.gates.mutations import Mutation, mutations_of, parse

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())


def main() -> int:
    """The command line: a line a module, a line a survivor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="only a fixed number, of what changed")
    parser.add_argument("modules", nargs="*", help="only these modules")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    modules = modules_with_tests()
    if unknown := set(options.modules) - set(modules):
        parser.error(f"not in mutants.toml: {', '.join(sorted(unknown))}")
    chosen = list(options.modules or (changed(modules) if options.short else ()) or modules)
    trees = {file: parse(ROOT, file) for file in chosen}
    known = {(each["file"], each["function"], each["change"]) for each in SETTINGS.get("equivalent", ())}
    mutants = [
        each
        for file in chosen
        for each in mutations_of(file, trees[file])
        if each.key not in known and not (each.is_of_number and is_drawn(file))
    ]
    if options.short and len(mutants) > SETTINGS["sample"]:
        mutants = random.Random(0).sample(mutants, SETTINGS["sample"])
    survivors = set(surviving(mutants, trees, modules, options.jobs))
    return told(mutants, survivors, short=options.short)


def modules_with_tests() -> dict[str, list[str]]:
    """The modules, with the files or folders of tests that must notice a change. The later line of the table wins."""
    found = {}
    for pattern, tests in SETTINGS["modules"].items():
        for path in sorted(ROOT.glob(pattern)):
            if path.name != "__init__.py":
                found[path.relative_to(ROOT).as_posix()] = list(tests)
    return found


def is_drawn(file: str) -> bool:
    """Whether the module's numbers are pixels: one more or one less breaks no promise."""
    return any(fnmatch(file, pattern) for pattern in SETTINGS["drawn"])


def changed(modules: Iterable[str]) -> list[str]:
    """The modules that differ from where this work left the main branch; none when that cannot be told."""
    for base in ("origin/main", "main", "HEAD"):
        asked = subprocess.run(["git", "diff", "--name-only", f"{base}..."], cwd=ROOT, capture_output=True, text=True)
        dirty = subprocess.run(["git", "diff", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True)
        names = {*asked.stdout.split(), *dirty.stdout.split()}
        if asked.returncode == 0 and (found := [name for name in modules if name in names]):
            return found
    return []


def told(mutants: Sequence[Mutation], survivors: set[Mutation], *, short: bool) -> int:
    """Print what was found; 1 when more mutants stay alive than may. A sample is judged as one, and with some slack."""
    wanted = {mutant.file: SETTINGS["still_below"].get(mutant.file, SETTINGS["least"]) for mutant in mutants}
    is_low = False
    for file, least in wanted.items():
        total = sum(mutant.file == file for mutant in mutants)
        alive = sorted((mutant for mutant in survivors if mutant.file == file), key=lambda mutant: mutant.line)
        is_low |= not short and 100 * (total - len(alive)) < least * total
        sys.stdout.write(f"{file}: {total - len(alive)} of {total} noticed, {least} % wanted\n")
        sys.stdout.writelines(f"  {file}:{each.line} {each.function}: {each.change}\n" for each in alive)
    noticed = 100 * (len(mutants) - len(survivors))
    if short:
        is_low = noticed < sum(max(0, wanted[mutant.file] - SETTINGS["slack_of_sample"]) for mutant in mutants)
    sys.stdout.write(f"{noticed // max(1, len(mutants))} % of {len(mutants)} mutants were noticed\n")
    return int(is_low)


if __name__ == "__main__":
    sys.exit(main())
