"""Mutants: each small change to a rule runs against that rule's tests, and one of them must fail.

``python -m tests.gates.mutants`` tries every mutant of the modules in mutants.toml, or of those named; ``--short``
tries as many as ``sample`` says, of the modules that changed, else of all. Each mutant is a fork of a process in which
every foreign package is loaded already, so that it costs its tests and little more. Limits are numbers of mutants and
seconds of processor time: a slow or busy machine finds the same ones.

No tool off the shelf: those known to us copy the tree, mutate functions only, and leave decorated ones out; here the
limits stand in tables, dataclasses and properties.
"""

import argparse
import ast
import importlib
import os
import random
import resource
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType

import hypothesis
import pytest

from tests.gates.mutations import Mutation, mutations_of, parse

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())
OWN = {"web", "dispatch", "agents", "routing", "notifications", "db", "servers", "wsgi", "prepare", "tests", "conftest"}
SERVERS = {"postgres", "valkey", "browser"}
QUIETLY = [
    "-x",
    "-q",
    "-p",
    "no:randomly",
    "-p",
    "no:xdist",
    "-p",
    "no:cacheprovider",
    "--hypothesis-profile=mutants",
    "--assert=plain",
]


class PureOnly:
    """Leaves out the tests that need a server: a thousand databases take too long."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if not SERVERS & set(getattr(item, "fixturenames", ()))]


class MutantLoader(SourceFileLoader):
    """Loads a changed tree in place of a module's file."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self.tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, self.path, "exec")

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None


def main() -> int:
    """The command line: a line a module, a line a survivor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="only a fixed number, of what changed")
    parser.add_argument("modules", nargs="*", help="only these modules")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    hypothesis.settings.register_profile("mutants", derandomize=True, deadline=None, database=None)
    modules = modules_with_tests()
    if unknown := set(options.modules) - set(modules):
        parser.error(f"not in mutants.toml: {', '.join(sorted(unknown))}")
    chosen = list(options.modules or (changed(modules) if options.short else ()) or modules)
    trees = {file: parse(ROOT, file) for file in chosen}
    known = {(each["file"], each["function"], each["change"]) for each in SETTINGS.get("equivalent", ())}
    mutants = [each for file in chosen for each in mutations_of(file, trees[file]) if each.key not in known]
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


def changed(modules: Iterable[str]) -> list[str]:
    """The modules that differ from where this work left the main branch; none when that cannot be told."""
    for base in ("origin/main", "main", "HEAD"):
        asked = subprocess.run(["git", "diff", "--name-only", f"{base}..."], cwd=ROOT, capture_output=True, text=True)
        dirty = subprocess.run(["git", "diff", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True)
        names = {*asked.stdout.split(), *dirty.stdout.split()}
        if asked.returncode == 0 and (found := [name for name in modules if name in names]):
            return found
    return []


# ---------------------------------------------------------------- a fork a mutant


def surviving(
    mutants: Sequence[Mutation], trees: dict[str, ast.Module], modules: dict[str, list[str]], jobs: int
) -> Iterator[Mutation]:
    """The mutants that no test noticed."""
    limits: dict[tuple[str, ...], int] = {}
    running: dict[int, Mutation] = {}
    for file in dict.fromkeys(mutant.file for mutant in mutants):
        tests = tuple(modules[file])
        if tests not in limits:
            warm(tests)
            limits[tests] = 20 + 10 * seconds_without_mutant(tests)
        for mutant in (each for each in mutants if each.file == file):
            if len(running) >= jobs:
                yield from _ended(running)
            running[_fork(mutant, trees[file], tests, limits[tests])] = mutant
    while running:
        yield from _ended(running)


def _ended(running: dict[int, Mutation]) -> Iterator[Mutation]:
    process, status = os.wait()
    mutant = running.pop(process)
    if status == 0:
        yield mutant


def _fork(mutant: Mutation | None, tree: ast.Module | None, tests: Sequence[str], limit_s: int) -> int:
    process = os.fork()
    if process:
        return process
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        if mutant and tree:
            mutant.apply()
            name = mutant.file.removesuffix(".py").replace("/", ".")
            sys.meta_path.insert(0, MutantLoader(name, str(ROOT / mutant.file), tree))
        os._exit(int(pytest.main([*QUIETLY, *tests], plugins=[PureOnly()])))
    except BaseException:  # noqa: BLE001 - whatever a mutant does, this fork ends here and counts as noticed
        os._exit(3)


def seconds_without_mutant(tests: Sequence[str]) -> int:
    """The processor time of the tests on the code as it is, on which they must pass."""
    _, status, used = os.wait4(_fork(None, None, tests, 600), 0)
    if status:
        raise SystemExit(f"without any mutant these tests do not pass, or there are none: {' '.join(tests)}")
    return int(used.ru_utime + used.ru_stime) + 1


def warm(tests: Sequence[str]) -> None:
    """Load every foreign package that the tests load; the project's own modules are loaded anew in each fork."""
    reader, writer = os.pipe()
    if not (collecting := os.fork()):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        pytest.main([*QUIETLY, "--collect-only", *tests], plugins=[PureOnly()])
        names = [name for name in sys.modules if name.split(".")[0] not in OWN and not name.startswith("_")]
        os.write(writer, "\n".join(names)[: 1 << 16].encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        names = stream.read().split("\n")
    os.waitpid(collecting, 0)
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)


# ---------------------------------------------------------------- what comes of it


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
