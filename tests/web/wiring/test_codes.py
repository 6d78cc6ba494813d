"""One-time codes: their budget, their life, their tries."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Interval, literal, update
from sqlalchemy.orm import Session

from web.wiring.codes import (
    FAMILIAR,
    LIFE,
    STRANGERS,
    LoginCode,
    Purpose,
    TooSoon,
    forget_old_codes,
    make_code,
    use_code,
)

PHONE = "+8613805192233"
MINE, ANOTHERS = b"my browser", b"another's browser"


def age(session: Session, by: timedelta) -> None:
    """Let time pass for every code."""
    session.execute(update(LoginCode).values(made_at=LoginCode.made_at - literal(by, Interval)))


def test_a_code_works_once_and_for_its_purpose_only(session: Session) -> None:
    made = make_code(session, PHONE, Purpose.LOGIN, device=MINE)
    assert not use_code(session, PHONE, Purpose.REGISTER, made.digits, device=MINE)
    assert not use_code(session, "+8613805192234", Purpose.LOGIN, made.digits, device=MINE)
    assert use_code(session, PHONE, Purpose.LOGIN, made.digits, device=MINE)
    assert not use_code(session, PHONE, Purpose.LOGIN, made.digits, device=MINE)


def test_after_five_wrong_tries_the_right_code_is_too_late(session: Session) -> None:
    made = make_code(session, PHONE, Purpose.LOGIN, device=MINE)
    wrong = "000000" if made.digits != "000000" else "111111"
    assert not any(use_code(session, PHONE, Purpose.LOGIN, wrong, device=MINE) for _ in range(5))
    assert not use_code(session, PHONE, Purpose.LOGIN, made.digits, device=MINE)


def test_a_code_is_for_the_browser_that_asked_and_a_strangers_tries_count_nothing(session: Session) -> None:
    made = make_code(session, PHONE, Purpose.LOGIN, device=MINE)
    assert not any(use_code(session, PHONE, Purpose.LOGIN, "000000", device=ANOTHERS) for _ in range(9))
    assert not use_code(session, PHONE, Purpose.LOGIN, made.digits, device=ANOTHERS)
    assert not use_code(session, PHONE, Purpose.LOGIN, made.digits, device=None)
    age(session, timedelta(seconds=61))
    make_code(session, PHONE, Purpose.LOGIN, device=ANOTHERS)
    assert use_code(session, PHONE, Purpose.LOGIN, made.digits, device=MINE), "another's request replaces nothing"


def test_strangers_leave_the_owners_codes_alone(session: Session) -> None:
    def codes(*, is_familiar: bool, purpose: Purpose = Purpose.LOGIN) -> int:
        made = 0
        for _ in range(30):
            age(session, timedelta(minutes=25))
            try:
                make_code(session, PHONE, purpose, device=MINE if is_familiar else ANOTHERS, is_familiar=is_familiar)
                made += 1
            except TooSoon:
                continue
        return made

    assert codes(is_familiar=False) == STRANGERS[-1][1]
    assert codes(is_familiar=False, purpose=Purpose.REGISTER) == STRANGERS[-1][1]
    assert codes(is_familiar=True) == FAMILIAR[-1][1]
    assert STRANGERS[-1][1] + FAMILIAR[-1][1] <= 10, "a carrier delivers ten a day"


def test_a_code_dies_after_ten_minutes_and_with_the_next_one(session: Session) -> None:
    first = make_code(session, PHONE, Purpose.LOGIN, device=MINE)
    age(session, timedelta(seconds=61))
    second = make_code(session, PHONE, Purpose.LOGIN, device=MINE)
    if first.digits != second.digits:
        assert not use_code(session, PHONE, Purpose.LOGIN, first.digits, device=MINE)
    age(session, LIFE)
    assert not use_code(session, PHONE, Purpose.LOGIN, second.digits, device=MINE)


def test_digits_are_never_stored(session: Session) -> None:
    made = make_code(session, PHONE, Purpose.LOGIN, device=MINE)
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
            make_code(session, PHONE, Purpose.LOGIN, device=MINE)
        except TooSoon as refused:
            waited.append(refused.wait_s)
        else:
            made.append(clock)
    assert all(0 < wait_s <= 86400 for wait_s in waited)
    for span, most in STRANGERS:
        for begin in made:
            # A second of slack: real time passes while the test runs.
            inside = [at for at in made if begin <= at < begin + span.total_seconds() - 1]
            assert len(inside) <= most


def test_the_wait_is_told(session: Session) -> None:
    make_code(session, PHONE, Purpose.LOGIN, device=MINE)
    with pytest.raises(TooSoon) as refused:
        make_code(session, PHONE, Purpose.LOGIN, device=MINE)
    assert 1 <= refused.value.wait_s <= 60
    assert "频繁" in refused.value.user_message
