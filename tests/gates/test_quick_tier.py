"""The quick tier stays quick: not one of its files loads a server's driver, a browser or a compiled search."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gates.import_closure import ROOT, SEARCHES, SERVED, is_quick, needs_servers

COLLECT = f"""
import sys, pytest
ended = pytest.main("--quick --collect-only -qq -p no:cacheprovider -p no:xdist".split())
loaded = {{name.split(".")[0] for name in sys.modules}}
print("loaded:", sorted(loaded & {set(SERVED | SEARCHES)!r}), int(ended))
"""


@pytest.mark.slow  # it collects the whole tier once more
def test_the_quick_tier_loads_no_server_no_browser_and_no_search():
    done = subprocess.run([sys.executable, "-c", COLLECT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: [] 0", done.stdout + done.stderr


def test_what_comes_through_other_files_counts(tmp_path: Path):
    direct, through, pure = (tmp_path / name for name in ("direct.py", "through.py", "pure.py"))
    direct.write_text("import sqlalchemy\n")
    through.write_text("from dispatch.cases.case import Case\n")
    pure.write_text("from typing import TYPE_CHECKING\nimport dispatch.core.clock\nif TYPE_CHECKING:\n    import db\n")
    assert [needs_servers(path) for path in (direct, through, pure)] == [True, True, False]
    assert is_quick(pure)


def test_an_import_that_is_tried_counts_too(tmp_path: Path):
    tried = tmp_path / "tried.py"
    tried.write_text("try:\n    import numba\nexcept ImportError:\n    numba = None\n")
    assert not is_quick(tried)
    assert not needs_servers(tried)
