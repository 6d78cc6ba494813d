"""What every test stands on. Databases, brokers and browsers are loaded when the first test needs them."""

from pathlib import Path

import hypothesis
import pytest

from tests.gates.import_closure import is_quick, needs_servers

FIXTURES = (
    "tests.fixtures.databases",
    "tests.fixtures.county",
    "tests.fixtures.brokers",
    "tests.fixtures.program",
    "tests.fixtures.browsers",
    "tests.notifications.scanner",
)

# How long an example takes says something about the machine, nothing about the program.
hypothesis.settings.register_profile("daiban", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
hypothesis.settings.load_profile("daiban")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--quick``: only the tests that bring no database, broker, browser or web, and take no long search."""
    parser.addoption("--quick", action="store_true", help="only what needs no database, broker, browser or web")


def pytest_configure(config: pytest.Config) -> None:
    """The quick tier looks at fewer examples. Who shares tests out collects none, and sums up the scanners' finds."""
    if config.getoption("quick"):
        hypothesis.settings.load_profile("quick")
    shares_out = config.getoption("numprocesses", None) and not hasattr(config, "workerinput")
    if shares_out and not config.getoption("quick"):
        config.pluginmanager.import_plugin("tests.notifications.scanner")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The quick tier leaves out every file that brings more, and every folder whose conftest does."""
    read = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    skipped = config.getoption("quick") and read.suffix == ".py" and read.exists() and not is_quick(read)
    return True if skipped else None


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Before a file that brings more is read, what its tests may ask for is there. A file beside it is only listed."""
    if isinstance(collector, pytest.Module) and needs_servers(collector.path):
        for name in FIXTURES:
            collector.config.pluginmanager.import_plugin(name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The quick tier leaves out what searches long."""
    if config.getoption("quick"):
        long = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
