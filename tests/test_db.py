"""The ground floor: what is encrypted stays readable by its key alone; the clock moves only where it may."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

import db
from servers.lifetimes import until


def test_a_value_survives_encryption_and_rotation_of_the_key():
    old = db.Keyring.generate()
    stored = old.encrypt("13812345678")
    assert b"13812345678" not in stored
    fresh = db.Keyring.generate().keys["k1"]
    new = replace(old, keys={"k2": fresh, **old.keys}, current="k2")
    assert new.current != old.current
    assert new.decrypt(stored) == "13812345678"
    assert db.Keyring.parse(new.line()) == new


def test_a_damaged_value_is_named_and_not_returned():
    ring = db.Keyring.generate()
    stored = bytearray(ring.encrypt("常州市武进区"))
    stored[-1] ^= 1
    with pytest.raises(db.Unreadable):
        ring.decrypt(bytes(stored))
    with pytest.raises(db.UnknownKey):
        ring.decrypt(b"k9\0" + bytes(stored))


def test_the_keyed_hash_is_stable_and_tells_nothing():
    assert db.keyed_hash("13812345678") == db.keyed_hash("13812345678")
    assert db.keyed_hash("13812345678") != db.keyed_hash("13812345679")


def test_keys_on_disk_are_made_once_and_private(tmp_path, monkeypatch):
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path / "home"))
    first = db._keys_on_disk().ring
    assert db._keys_on_disk().ring == first
    assert (tmp_path / "home" / "keys").stat().st_mode & 0o777 == 0o600


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError, match="offset"):
        db.UTCDateTime().process_bind_param(datetime(2026, 11, 23, 10), None)  # noqa: DTZ001


def test_the_clock_of_a_demo_can_be_moved_and_every_session_sees_it(sessions):
    monday = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    with sessions.begin() as session:
        db.set_clock(session, monday)
    with sessions() as session:
        assert abs(db.now(session) - monday) < timedelta(minutes=1)


def test_the_clock_of_a_real_database_is_never_moved(session: Session):
    session.delete(session.scalars(select(db.ClockOffset)).one())
    session.flush()
    with pytest.raises(db.ClockIsReal):
        db.set_clock(session, datetime(2030, 1, 1, tzinfo=UTC))


def end_backend(url: str, number: int) -> None:
    """As a server that is restarted ends it."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s)", [number])
        there = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"
        assert until(lambda: owner.execute(there, [number]).fetchone() == (0,), 20)


def backend_of(session: Session) -> int:
    return session.execute(text("SELECT pg_backend_pid()")).scalar_one()


def test_a_connection_that_was_lost_while_it_rested_is_replaced_unnoticed(sessions, database_url):
    with sessions.begin() as session:
        number = backend_of(session)
    with sessions.begin() as session:
        assert backend_of(session) == number, "one that lives is used again"
    end_backend(database_url, number)
    with sessions.begin() as session:
        assert backend_of(session) != number


def test_a_connection_that_is_lost_in_an_exchange_is_told_and_not_used_again(sessions, database_url):
    def lose_it():
        with sessions.begin() as session:
            numbers.append(backend_of(session))
            end_backend(database_url, numbers[0])
            db.execute_pipeline(session, ("SELECT 1", {}))

    numbers: list[int] = []
    with pytest.raises(OperationalError) as told:
        lose_it()
    assert told.value.connection_invalidated
    with sessions.begin() as session:
        assert backend_of(session) not in numbers


def test_the_steps_of_an_exchange_run_one_after_the_other_and_a_fault_is_sqlalchemys(session):
    made, found = db.execute_pipeline(
        session,
        ("INSERT INTO counter (key, last) VALUES (%(key)s, 7)", {"key": "a"}),
        ("SELECT key, last FROM counter", {}),
    )
    assert made == []
    assert [(row.key, row.last) for row in found] == [("a", 7)]
    with pytest.raises(IntegrityError, match="pk_counter") as told:
        db.execute_pipeline(session, ("SELECT 1", {}), ("INSERT INTO counter (key, last) VALUES ('a', 8)", {}))
    assert isinstance(told.value, DBAPIError)
