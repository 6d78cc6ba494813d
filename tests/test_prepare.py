"""Preparing: what is compiled at set-up, once, and again only after a change."""

import importlib
import shutil
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import prepare

# Stands where a search would; it notes that it was compiled.
SEARCH = """
from pathlib import Path
def {call}():
    with Path("compiled").open("a") as notes:
        notes.write("{module} ")
"""


@pytest.fixture
def clone(tmp_path: Path) -> ModuleType:
    """``prepare`` of a clone with an environment, in which every search is one line."""
    shutil.copy(prepare.__file__, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for core in prepare.CORES.values():
        path = search_of(tmp_path, core)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SEARCH.format(call=core.call, module=core.module))
    spec = spec_from_file_location("prepare_of_a_clone", tmp_path / "prepare.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def search_of(root: Path, core: prepare.CompiledSearch) -> Path:
    return (root / core.module.replace(".", "/")).with_suffix(".py")


def prepared(clone: ModuleType) -> list[str]:
    """Prepare once more; which searches were compiled."""
    notes = clone.ROOT / "compiled"
    notes.write_text("")
    with clone.compiled_cores():
        pass
    return sorted(notes.read_text().split())


@pytest.mark.slow  # it loads the compiler
def test_what_is_compiled_at_set_up_is_there():
    for core in prepare.CORES.values():
        assert search_of(prepare.ROOT, core) in core.sources
        assert callable(getattr(importlib.import_module(core.module), core.call))


def test_each_search_is_compiled_once_and_again_after_a_change_of_its_own(clone: ModuleType):
    core, matching = prepare.CORES["core"], prepare.CORES["matching"]
    assert prepared(clone) == sorted([core.module, matching.module])
    assert prepared(clone) == []
    changed = search_of(clone.ROOT, matching)
    changed.write_text(changed.read_text() + "\n")
    assert prepared(clone) == [matching.module]
    assert prepared(clone) == []


def test_a_search_that_cannot_be_compiled_is_named_and_tried_again(clone: ModuleType):
    matching = prepare.CORES["matching"]
    broken = search_of(clone.ROOT, matching)
    sound = broken.read_text()
    broken.write_text("raise ImportError('no compiler here')\n")
    with pytest.raises(clone.NotPrepared, match=rf"cannot compile {matching.title}: .*no compiler here"):
        prepared(clone)
    broken.write_text(sound)
    assert prepared(clone) == [matching.module]
