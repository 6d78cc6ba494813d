"""The cycle collector rests while somebody asks for it, and is as it was when the last one is done."""

import gc
import threading

import pytest

from agents.matching.gc_disabled import gc_disabled


def test_it_rests_until_the_last_one_is_done_also_after_an_error():
    assert gc.isenabled()
    inside, done = threading.Event(), threading.Event()

    def another() -> None:
        with gc_disabled():
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=another)

    @gc_disabled()
    def fail() -> None:
        thread.start()
        assert inside.wait(10)
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not gc.isenabled()
    done.set()
    thread.join()
    assert gc.isenabled()


def test_who_had_it_off_keeps_it_off():
    gc.disable()
    try:
        with gc_disabled():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
