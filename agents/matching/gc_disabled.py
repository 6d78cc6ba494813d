"""Collector: Python's cycle collector rests while a batch fills the memory with what stays and holds no cycles."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_resting = 0
_was_on = False


@contextmanager
def gc_disabled() -> Iterator[None]:
    """No search for cycles in this process meanwhile; also a decorator. Where several rest, the last one wakes it.

    Each search walks over all young objects, and a batch makes a million of them to keep: a third of its reading went
    into looking for cycles that are not there. What nobody refers to any more is freed at once as ever."""
    global _resting, _was_on
    with _lock:
        if not _resting:
            _was_on = gc.isenabled()
            gc.disable()
        _resting += 1
    try:
        yield
    finally:
        with _lock:
            _resting -= 1
            if not _resting and _was_on:
                gc.enable()
