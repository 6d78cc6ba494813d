"""Keys: rotated while everything runs, and a wrong, missing, cut or empty key is noticed before it does harm."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.core.actor import Role
from web.app import app_from_environment
from web.wiring import key_rotation
from web.wiring.accounts import Account
from web.wiring.key_check import KeyFingerprint, WrongKeys, check_keys, forget_key, know_keys
from web.wiring.settings import BadSetting, Settings, secret_from_keys

PHONE = "+8613805192233"


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A key file of this test, read by this process; the other tests' keys come back afterwards."""
    before = db.keyring()
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    monkeypatch.delenv("DAIBAN_KEYS", raising=False)
    (tmp_path / "keys").write_text(before.line())
    monkeypatch.setattr(db, "_in_use", None)
    db.keyring()
    yield tmp_path / "keys"
    db.use_keys(before)


def a_ring(key_id: str) -> db.Keyring:
    """Other keys, the one that encrypts under this id."""
    ring = db.Keyring.generate()
    return replace(ring, keys={key_id: ring.keys[ring.current]}, current=key_id)


def another_process(step: Callable[[], object]) -> None:
    """What another process does to the key file: this one keeps what it had read."""
    held = db._in_use
    step()
    db._in_use = held


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 200), more=st.text(alphabet="k1=,\n \x00é", max_size=3))
def test_a_cut_or_spoilt_key_file_is_refused_or_is_the_same_keys(cut: int, more: str) -> None:
    ring = db.Keyring.generate()
    found = parsed_or_told(ring.line()[:cut] + more)
    if isinstance(found, str):
        assert "\n" not in found
        assert not any(len(word) > 40 for word in found.split()), "a key is not printed"
    else:
        assert (found.keys, found.index) == (ring.keys, ring.index)
        assert found.session in {b"", ring.session}


def parsed_or_told(line: str) -> db.Keyring | str:
    """The keyring, or what is said of a bad one."""
    try:
        return db.Keyring.parse(line)
    except db.BadKeys as error:
        return str(error)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: "",
        lambda line: "\n",
        lambda line: line[: len(line) // 2],
        lambda line: line.replace("index=", "indes="),
        lambda line: line.partition(",session=")[0].rpartition("=")[0][:-40] + "=",
        lambda line: "k1=,index=,session=",
        lambda line: "k1=AAAA,index=AAAA",
    ],
    ids=["empty", "blank", "half", "no index", "short index", "all empty", "three bytes"],
)
def test_a_bad_key_file_stops_the_start_with_one_line(
    key_file: Path, settings_environment: dict[str, str], spoil: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = spoil(key_file.read_text())
    key_file.write_text(spoilt)
    monkeypatch.setattr(db, "_in_use", None)
    with pytest.raises(BadSetting) as told:
        Settings.from_environment(settings_environment)
    assert str(key_file) in str(told.value)
    assert "\n" not in str(told.value)
    assert key_file.read_text() == spoilt, "nothing new is written over it"


@pytest.fixture
def settings_environment(database_url: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "BROKER_URL": "redis://127.0.0.1:1/0"}


def test_a_running_process_reads_what_a_new_key_wrote(key_file: Path, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        account = Account(role=Role.OPERATOR, name="操作员")
        account.set_phone(PHONE)
        session.add(account)

    def rotate() -> None:
        key_rotation.add_key()
        key_rotation.promote_key()
        assert ("account", "phone", 1) in list(key_rotation.reencrypt(sessions))

    old = db.keyring().current
    another_process(rotate)
    assert db.keyring().current == old
    with sessions() as session:
        assert session.scalars(select(Account.phone)).one() == PHONE
    assert db.keyring().current != old


def test_a_key_that_was_only_handed_out_encrypts_nothing_yet(key_file: Path) -> None:
    old = db.keyring().current
    fresh = key_rotation.add_key()
    assert (db.keyring().current, set(db.keyring().keys)) == (old, {old, fresh})
    assert key_rotation.promote_key() == key_rotation.promote_key() == fresh
    assert db.Keyring.parse(key_file.read_text()) == db.keyring()


def test_an_old_key_is_taken_away_only_when_nothing_needs_it(key_file: Path, sessions: sessionmaker[Session]) -> None:
    old = db.keyring().current
    with sessions.begin() as session:
        account = Account(role=Role.OPERATOR, name="操作员")
        account.set_phone(PHONE)
        session.add(account)
        know_keys(session)
    with pytest.raises(key_rotation.KeyInUse):
        key_rotation.retire_key(sessions, old)
    key_rotation.add_key()
    key_rotation.promote_key()
    with pytest.raises(key_rotation.KeyInUse):
        key_rotation.retire_key(sessions, old)
    list(key_rotation.reencrypt(sessions))
    key_rotation.retire_key(sessions, old)
    with sessions.begin() as session:
        with pytest.raises(WrongKeys):
            check_keys(session)
        forget_key(session, old)
        session.flush()
        check_keys(session)
        assert session.scalars(select(Account.phone)).one() == PHONE


def test_other_keys_are_noticed_by_their_check_values(sessions: sessionmaker[Session], key_file: Path) -> None:
    ring = db.keyring()
    with sessions.begin() as session:
        know_keys(session)
    other = a_ring(ring.current)
    for wrong in (
        other,
        replace(ring, index=other.index),
        replace(other, keys={"k9": other.keys[other.current]}, current="k9"),
    ):
        db.use_keys(wrong)
        with sessions() as session, pytest.raises(WrongKeys):
            know_keys(session)
    db.use_keys(ring)
    with sessions() as session:
        know_keys(session)
        assert {row.key_id for row in session.scalars(select(KeyFingerprint))} == {*ring.keys, "index"}
        assert not any(
            key.hex() in row.fingerprint
            for row in session.scalars(select(KeyFingerprint))
            for key in ring.keys.values()
        )


def test_a_database_of_before_check_values_is_asked_whether_the_keys_read_it(
    sessions: sessionmaker[Session], key_file: Path
) -> None:
    ring = db.keyring()
    with sessions.begin() as session:
        account = Account(role=Role.OPERATOR, name="操作员")
        account.set_phone(PHONE)
        session.add(account)
        session.execute(delete(KeyFingerprint))
    other = a_ring(ring.current)
    for wrong in (other, replace(ring, index=other.index), a_ring("k7")):
        db.use_keys(wrong)
        with sessions() as session, pytest.raises(WrongKeys):
            know_keys(session)
    db.use_keys(ring)
    with sessions() as session:
        know_keys(session)


def test_wrong_keys_stop_the_start_and_readiness(
    client: FlaskClient, sessions: sessionmaker[Session], key_file: Path, monkeypatch: pytest.MonkeyPatch,
    settings_environment: dict[str, str],
) -> None:  # fmt: skip
    with sessions.begin() as session:
        know_keys(session)
    assert client.get("/readyz").status_code == 200
    key_file.unlink()
    monkeypatch.setattr(db, "_in_use", None)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "WrongKeys")
    for name, value in settings_environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        app_from_environment()
    assert "put back the copy" in str(ended.value)
    assert "\n" not in str(ended.value)


def test_the_session_key_is_its_own(key_file: Path) -> None:
    before, found = secret_from_keys(), db.keyed_hash(PHONE)
    key_rotation.renew_session_key()
    assert secret_from_keys() != before
    assert db.keyed_hash(PHONE) == found
    db.use_keys(replace(db.keyring(), session=b""))
    with pytest.raises(BadSetting):
        secret_from_keys()


def test_a_key_file_of_before_gets_a_session_key_once(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file.write_text(replace(db.keyring(), session=b"").line())
    monkeypatch.setattr(db, "_in_use", None)
    made = db.keyring().session
    monkeypatch.setattr(db, "_in_use", None)
    assert db.keyring().session == made != b""


def test_keys_from_outside_are_changed_outside(key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAIBAN_KEYS", db.keyring().line())
    with pytest.raises(key_rotation.KeysGivenFromOutside):
        key_rotation.add_key()
