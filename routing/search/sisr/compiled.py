"""Compilation: numba with a cache that belongs to this exact source, or without one where nothing can be written."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def _fingerprint() -> str:
    """Numba looks only at the file of the function itself, so a change in a callee would go unseen: hash them all."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.parent.glob("*/*.py")):
        text = source.read_bytes()
        if b"from routing.search.sisr.compiled import" in text or source.name in ("compiled.py", "layout.py"):
            digest.update(text)
    return digest.hexdigest()[:16]


def _candidates() -> list[Path]:
    home = os.environ.get("NUMBA_CACHE_DIR")
    places = [Path(home)] if home else []
    places.append(Path(__file__).parent / "__pycache__")
    places.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "daiban")
    return places


def _writable(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def cache_folder() -> Path | None:
    """Where compiled code is kept; None where no place can be written."""
    for place in _candidates():
        folder = place / f"sisr-{_fingerprint()}"
        if _writable(folder):
            return folder
    return None


FOLDER = cache_folder()
if FOLDER is not None:
    numba.config.CACHE_DIR = str(FOLDER)
# Loops over a route are short and branch: trying to vectorise them costs minutes of compiling and gains nothing.
numba.config.LOOP_VECTORIZE = 0
numba.config.SLP_VECTORIZE = 0


# Nothing in the core allocates, so arrays need no reference counts there; counting them costs more than the work.
_CORE = {"error_model": "numpy", "_nrt": False, "nogil": True}
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def entry(function: Function) -> Function:
    """Called from Python: compiled without the interpreter's lock, and kept where possible."""
    return numba.njit(cache=FOLDER is not None, **_CORE)(function)  # type: ignore[no-any-return]


def part(function: Function) -> Function:
    """Called from compiled code only."""
    return numba.njit(**_CORE, **_INNER)(function)  # type: ignore[no-any-return]


def woven(function: Function) -> Function:
    """Called from compiled code only, and written into its callers: for what takes the whole core."""
    return numba.njit(inline="always", **_CORE, **_INNER)(function)  # type: ignore[no-any-return]
