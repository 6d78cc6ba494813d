"""Forks of the mutation run: a fork a mutant, which runs just the tests that reach the changed statement.

One process collects the tests. For each mutant it forks, puts the changed code into the functions that are loaded, and
runs the tests that come to the statement, the shortest first, until one fails. What runs while files are read (tables,
classes, defaults) is changed in a fork that has not read them yet, and every test is asked.
"""

import ast
import gc
import importlib
import os
import pickle
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType
from typing import NoReturn, TypeVar

import coverage
import hypothesis
import pytest

from tests.gates.mutations import Mutation

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
OWN = {"web", "dispatch", "agents", "routing", "notifications", "db", "servers", "wsgi", "prepare", "tests", "conftest"}
SERVERS = {"postgres", "valkey", "browser"}
QUIETLY = [
    "-xqs",
    *(f"-pno:{plugin}" for plugin in ("randomly", "xdist", "cacheprovider")),
    "--hypothesis-profile=mutants",
    "--assert=plain",
]
NO_SERVERS = [f"-pno:tests.{plugin}" for plugin in ("fixtures.county", "fixtures.brokers", "fixtures.program")]
NO_SERVERS += ["-pno:tests.fixtures.browsers", "-pno:tests.notifications.scanner"]
"""What no pure test asks for takes seconds to read."""

WHILE_READ, IN_FIXTURES = "", "fixtures"
"""Where lines run that belong to no single test."""

ALIVE, NOTICED, READ_ANEW = 0, 1, 77
"""How a fork ends; the last when the changed code fits no function that is loaded."""

hypothesis.settings.register_profile(
    "mutants",
    max_examples=25,  # a limit that so few do not find deserves an example of its own
    derandomize=True,
    deadline=None,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # that it fails is enough, however large the example
)


@dataclass(frozen=True)
class Trial:
    """A mutant and the tests that come to its statement, the shortest first. ``is_read``: files are read with it."""

    mutant: Mutation
    tree: ast.Module
    tests: Sequence[str]
    is_read: bool
    limit_s: int


@dataclass(frozen=True)
class Unchanged:
    """What the tests do on the code as it is: the seconds of each, and the tests that reach each line of a module."""

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]]
    _spans: dict[str, dict[int, range]] = field(default_factory=dict)

    def trial(self, mutant: Mutation, tree: ast.Module) -> Trial:
        """How to try one mutant."""
        if mutant.file not in self._spans:
            self._spans[mutant.file] = statements_by_line(tree)
        lines = self.lines.get(mutant.file, {})
        statement = self._spans[mutant.file].get(mutant.line, (mutant.line,))
        reaching = {test for line in statement for test in lines.get(line, ())}
        is_asked = self.seconds if IN_FIXTURES in reaching else reaching
        tests = [test for test in self.by_length if test in is_asked]
        limit_s = 10 + 10 * round(sum(self.seconds.values()))
        return Trial(mutant, tree, tests, WHILE_READ in reaching, limit_s)

    @property
    def by_length(self) -> list[str]:
        """Every test, the shortest first."""
        return sorted(self.seconds, key=self.seconds.__getitem__)


def statements_by_line(tree: ast.Module) -> dict[int, range]:
    """For each line the lines of its innermost statement; of what has a body, those of its head."""
    found: dict[int, range] = {}
    for node in ast.walk(tree):  # from the outside in, so that the innermost is written last
        match node:
            case ast.ExceptHandler(body=body) | ast.match_case(body=body):
                begins = node.lineno if isinstance(node, ast.ExceptHandler) else node.pattern.lineno
            case ast.stmt():
                begins, body = node.lineno, getattr(node, "body", None)
            case _:
                continue
        ends = body[0].lineno - 1 if body else (getattr(node, "end_lineno", None) or begins)
        span = range(begins, max(begins, ends) + 1)
        found |= dict.fromkeys(span, span)
    return found


def surviving(
    mutants: Sequence[Mutation], trees: dict[str, ast.Module], modules: dict[str, list[str]], jobs: int
) -> Iterator[Mutation]:
    """The mutants that no test noticed."""
    groups: dict[tuple[str, ...], list[Mutation]] = {}
    for mutant in mutants:
        groups.setdefault(tuple(modules[mutant.file]), []).append(mutant)
    for tests, group in groups.items():
        yield from _surviving_of(tests, group, trees, jobs)


def _surviving_of(
    tests: Sequence[str], mutants: Sequence[Mutation], trees: dict[str, ast.Module], jobs: int
) -> Iterator[Mutation]:
    warm(tests)
    unchanged = without_mutant(tests, {mutant.file for mutant in mutants})
    trials = [unchanged.trial(mutant, trees[mutant.file]) for mutant in mutants]
    loaded = {number: trial for number, trial in enumerate(trials) if trial.tests}
    ends = dict.fromkeys(range(len(trials)), ALIVE) | _in_fork(lambda: _collected_once(tests, loaded, jobs))
    anew = {
        number: trial
        for number, trial in enumerate(trials)
        if ends[number] == READ_ANEW or (ends[number] == ALIVE and trial.is_read)
    }
    ends |= _ends_of(anew, jobs, lambda trial: _read_anew(trial, tests, unchanged.by_length))
    yield from (trials[number].mutant for number, end in ends.items() if end == ALIVE)


# ---------------------------------------------------------------- what runs in forks


def without_mutant(tests: Sequence[str], modules: Iterable[str]) -> Unchanged:
    """The tests on the code as it is, on which they must pass."""

    def run() -> Unchanged | None:
        seen = Reached(modules)
        seen.coverage.start()
        failed = pytest.main([*QUIETLY, *tests], plugins=[PureOnly(), seen])
        seen.coverage.stop()
        return None if failed else Unchanged(seen.seconds, seen.lines())

    if not (unchanged := _in_fork(run)):
        raise SystemExit(f"without any mutant these tests do not pass, or there are none: {' '.join(tests)}")
    return unchanged


def warm(tests: Sequence[str]) -> None:
    """Load every foreign package that the tests load; the project's own modules are loaded anew in each fork."""

    def run() -> list[str]:
        pytest.main([*QUIETLY, "--collect-only", *tests], plugins=[PureOnly()])
        return [name for name in sys.modules if name.split(".")[0] not in OWN and not name.startswith("_")]

    for name in _in_fork(run):
        with suppress(Exception):
            importlib.import_module(name)


def _collected_once(tests: Sequence[str], trials: Mapping[int, Trial], jobs: int) -> dict[int, int]:
    forking = Forking(trials, jobs)
    pytest.main([*QUIETLY, *tests], plugins=[PureOnly(), forking])
    return forking.ends


def _read_anew(trial: Trial, tests: Sequence[str], by_length: Sequence[str]) -> NoReturn:
    trial.mutant.apply()
    sys.meta_path.insert(0, MutantLoader(trial.mutant.module, str(ROOT / trial.mutant.file), trial.tree))
    os._exit(int(pytest.main([*QUIETLY, *NO_SERVERS, *tests], plugins=[KnownOnly(by_length)])))


def _in_fork(run: Callable[[], T]) -> T:
    """What a function gives, called in a fork that says nothing."""
    reader, writer = os.pipe()
    if not (process := os.fork()):
        os.close(reader)
        _hush()
        try:
            told = pickle.dumps(run())
            with os.fdopen(writer, "wb") as stream:
                stream.write(told)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    os.waitpid(process, 0)
    found: T = pickle.loads(told)
    return found


def _ends_of(trials: Mapping[int, Trial], jobs: int, run: Callable[[Trial], NoReturn]) -> dict[int, int]:
    """How the fork of each trial ends, ``jobs`` at a time."""
    running: dict[int, int] = {}
    ends: dict[int, int] = {}
    waiting = list(trials.items())
    while waiting or running:
        while waiting and len(running) < jobs:
            number, trial = waiting.pop(0)
            running[_fork(trial, run)] = number
        process, status = os.wait()
        ends[running.pop(process)] = os.waitstatus_to_exitcode(status)
    return ends


def _fork(trial: Trial, run: Callable[[Trial], NoReturn]) -> int:
    if process := os.fork():
        return process
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (trial.limit_s, trial.limit_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _hush()
        run(trial)
    except BaseException:  # noqa: BLE001 - whatever a mutant does, this fork ends here and counts as noticed
        os._exit(NOTICED)


def _hush() -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)


# ---------------------------------------------------------------- what pytest is told


class PureOnly:
    """Leaves out the tests that need a server: a thousand databases take too long."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if not SERVERS & set(getattr(item, "fixturenames", ()))]


class KnownOnly:
    """The tests that ran before, in their order; first the cases of theirs to which the change gave another name."""

    def __init__(self, names: Sequence[str]) -> None:
        self.place = {name: place for place, name in enumerate(names)}
        self.functions = {name.partition("[")[0] for name in names}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        known = [item for item in items if item.nodeid.partition("[")[0] in self.functions]
        items[:] = sorted(known, key=lambda item: self.place.get(item.nodeid, -1))


class Reached:
    """Notes for each test how long it takes and which lines of the modules it reaches."""

    def __init__(self, modules: Iterable[str]) -> None:
        files = [str(ROOT / module) for module in modules]
        self.coverage = coverage.Coverage(data_file=None, config_file=False, include=files)
        self.seconds: dict[str, float] = {}

    def pytest_runtest_setup(self) -> None:
        self.coverage.switch_context(IN_FIXTURES)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self.coverage.switch_context(IN_FIXTURES)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration

    def lines(self) -> dict[str, dict[int, list[str]]]:
        """Tests by line, by module."""
        data = self.coverage.get_data()
        return {str(Path(file).relative_to(ROOT)): data.contexts_by_lineno(file) for file in data.measured_files()}


class Forking:
    """In place of running what was collected: a fork a trial, which runs its own part of it."""

    def __init__(self, trials: Mapping[int, Trial], jobs: int) -> None:
        self.trials, self.jobs = trials, jobs
        self.ends: dict[int, int] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}

        def run(trial: Trial) -> NoReturn:
            if not change_loaded(trial.mutant, trial.tree):
                os._exit(READ_ANEW)
            chosen = [items[test] for test in trial.tests]
            for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    os._exit(NOTICED)
            os._exit(ALIVE)

        gc.freeze()
        self.ends = _ends_of(self.trials, self.jobs, run)
        return True


# ---------------------------------------------------------------- how code is changed


class MutantLoader(SourceFileLoader):
    """Loads a changed tree in place of a module's file."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self.tree = tree

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.tree, self.path, "exec")

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return spec_from_file_location(fullname, self.path, loader=self) if fullname == self.name else None


def change_loaded(mutant: Mutation, tree: ast.Module) -> bool:
    """Put a mutant's code into the functions of its module that are loaded; whether some function changed."""
    path = str(ROOT / mutant.file)
    before = _codes(compile(tree, path, "exec"))
    mutant.apply()
    after = _codes(compile(tree, path, "exec"))
    changed = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    is_changed = False
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__module__ == mutant.module and _key(each.__code__) in changed:
            try:
                each.__code__ = after[_key(each.__code__)]
            except ValueError:  # the change gave it other names of the function around it
                return False
            is_changed = True
    return is_changed


def _codes(code: CodeType) -> dict[tuple[str, int], CodeType]:
    found = {}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found[_key(constant)] = constant
            found |= _codes(constant)
    return found


def _key(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno
