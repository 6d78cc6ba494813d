"""Guesses: as many as an owner needs, too few to find a secret, and no stranger's tries lock the owner out."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Interval, literal, update
from sqlalchemy.orm import Session

from web.wiring.guesses import GUESS_LIMITS, Guess, Guesser, GuessKind, TooManyGuesses, begin_guess, forget_old_guesses
from web.wiring.network_line import network_of

LIMITS = GUESS_LIMITS[GuessKind.PASSWORD]
HOME = Guesser("10.0.0.1", b"the owner's browser")


def age(session: Session, by: timedelta) -> None:
    session.execute(update(Guess).values(at=Guess.at - literal(by, Interval)))


def wrong(session: Session, guesser: Guesser, what: str = "account 7") -> bool:
    """Whether a wrong try was let through."""
    try:
        begin_guess(session, GuessKind.PASSWORD, what, guesser)
    except TooManyGuesses:
        return False
    return True


def right(session: Session, guesser: Guesser, what: str = "account 7") -> None:
    begin_guess(session, GuessKind.PASSWORD, what, guesser).is_right = True
    session.flush()


def test_one_line_has_a_few_tries_and_then_waits(session: Session) -> None:
    assert [wrong(session, Guesser("10.0.0.9")) for _ in range(12)] == [True] * LIMITS.one + [False] * 2
    assert wrong(session, Guesser("10.0.0.10"))
    assert wrong(session, Guesser("10.0.0.9"), "account 8")
    age(session, LIMITS.within)
    assert wrong(session, Guesser("10.0.0.9"))


def test_many_lines_together_have_no_more_than_a_days_budget(session: Session) -> None:
    tries = [wrong(session, Guesser(f"10.0.{n}.1", str(n).encode())) for n in range(LIMITS.strangers_a_day + 3)]
    assert tries == [True] * LIMITS.strangers_a_day + [False] * 3


def test_strangers_do_not_lock_out_a_familiar_browser(session: Session) -> None:
    right(session, HOME)
    for n in range(LIMITS.strangers_a_day + 3):
        wrong(session, Guesser(f"10.0.{n}.1"))
    for _ in range(LIMITS.one + 3):
        wrong(session, Guesser(HOME.network, b"a neighbour's browser"))
    assert not wrong(session, Guesser("10.9.9.9"))
    assert wrong(session, HOME)
    assert wrong(session, Guesser("somewhere else", HOME.device))


def test_a_familiar_browser_that_was_stolen_does_not_guess_on(session: Session) -> None:
    right(session, HOME)
    assert [wrong(session, HOME) for _ in range(LIMITS.one + 2)] == [True] * LIMITS.one + [False] * 2
    assert wrong(session, Guesser("10.0.0.77")), "it is told apart from the owner's other lines"


def test_a_device_is_familiar_for_what_it_was_right_about_alone(session: Session) -> None:
    right(session, HOME, "account 8")
    for n in range(LIMITS.strangers_a_day):
        wrong(session, Guesser(f"10.0.{n}.1"))
    assert not wrong(session, HOME)


def test_nothing_that_is_typed_is_stored(session: Session) -> None:
    guess = begin_guess(session, GuessKind.TRACK, "G7BYANF2", Guesser("10.0.0.1"))
    assert b"G7BYANF2" not in guess.subject
    assert b"10.0.0.1" not in guess.network
    right(session, HOME)
    age(session, timedelta(days=3))
    assert forget_old_guesses(session) == 1
    age(session, timedelta(days=200))
    assert forget_old_guesses(session) == 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(host=st.integers(0, 2**64 - 1), net=st.integers(0, 2**32 - 1))
def test_every_address_of_a_line_is_one(host: int, net: int) -> None:
    prefix = f"2001:db8:{net >> 16:x}:{net & 0xFFFF:x}"
    low = ":".join(f"{host >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0))
    assert network_of(f"{prefix}:{low}") == network_of(f"{prefix}::1") != network_of("2001:db9::1")


@pytest.mark.parametrize(
    ("address", "network"),
    [("10.1.2.3", "10.1.2.3"), ("::ffff:10.1.2.3", "10.1.2.3"), ("", "unknown"), (None, "unknown"), ("x", "unknown")],
)
def test_a_line_is_an_ipv4_address_or_a_64(address: str | None, network: str) -> None:
    assert network_of(address) == network
