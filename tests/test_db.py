"""The ground floor: what is encrypted stays readable by its key alone; the clock moves only where it may."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import db


def test_a_value_survives_encryption_and_rotation_of_the_key():
    old = db.Keyring.generate()
    stored = old.encrypt("13812345678")
    assert b"13812345678" not in stored
    new = old.rotated()
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
    first = db._keys_on_disk()
    assert db._keys_on_disk() == first
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
