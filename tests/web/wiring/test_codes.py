"""One-time codes: their budget, their life, their tries."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Interval, literal, update
from sqlalchemy.orm import Session

from web.wiring.codes import LIFE, LIMITS, LoginCode, Purpose, TooSoon, forget_old_codes, make_code, use_code

PHONE = "+8613805192233"


def age(session: Session, by: timedelta) -> None:
    """Let time pass for every code."""
    session.execute(update(LoginCode).values(made_at=LoginCode.made_at - literal(by, Interval)))


def test_a_code_works_once_and_for_its_purpose_only(session: Session) -> None:
    made = make_code(session, PHONE, Purpose.LOGIN)
    assert not use_code(session, PHONE, Purpose.REGISTER, made.digits)
    assert not use_code(session, "+8613805192234", Purpose.LOGIN, made.digits)
    assert use_code(session, PHONE, Purpose.LOGIN, made.digits)
    assert not use_code(session, PHONE, Purpose.LOGIN, made.digits)


def test_after_five_wrong_tries_the_right_code_is_too_late(session: Session) -> None:
    made = make_code(session, PHONE, Purpose.LOGIN)
    wrong = "000000" if made.digits != "000000" else "111111"
    assert not any(use_code(session, PHONE, Purpose.LOGIN, wrong) for _ in range(5))
    assert not use_code(session, PHONE, Purpose.LOGIN, made.digits)


def test_a_code_dies_after_ten_minutes_and_with_the_next_one(session: Session) -> None:
    first = make_code(session, PHONE, Purpose.LOGIN)
    age(session, timedelta(seconds=61))
    second = make_code(session, PHONE, Purpose.LOGIN)
    if first.digits != second.digits:
        assert not use_code(session, PHONE, Purpose.LOGIN, first.digits)
    age(session, LIFE)
    assert not use_code(session, PHONE, Purpose.LOGIN, second.digits)


def test_digits_are_never_stored(session: Session) -> None:
    made = make_code(session, PHONE, Purpose.LOGIN)
    row = session.get_one(LoginCode, made.id)
    assert made.digits.encode() not in row.code_hash
    age(session, timedelta(days=3))
    assert forget_old_codes(session) == 1


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(waits=st.lists(st.integers(0, 5400), min_size=12, max_size=30))
def test_no_number_gets_more_than_its_budget(session: Session, waits: list[int]) -> None:
    session.execute(LoginCode.__table__.delete())  # type: ignore[attr-defined]
    clock, made, waited = 0, [], [1]
    for wait in waits:
        age(session, timedelta(seconds=wait))
        clock += wait
        try:
            make_code(session, PHONE, Purpose.LOGIN)
        except TooSoon as refused:
            waited.append(refused.wait_s)
        else:
            made.append(clock)
    assert all(0 < wait_s <= 86400 for wait_s in waited)
    for span, most in LIMITS:
        for begin in made:
            # A second of slack: real time passes while the test runs.
            inside = [at for at in made if begin <= at < begin + span.total_seconds() - 1]
            assert len(inside) <= most


def test_the_wait_is_told(session: Session) -> None:
    make_code(session, PHONE, Purpose.LOGIN)
    with pytest.raises(TooSoon) as refused:
        make_code(session, PHONE, Purpose.LOGIN)
    assert 1 <= refused.value.wait_s <= 60
    assert "频繁" in refused.value.user_message
