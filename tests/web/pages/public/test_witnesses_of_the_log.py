"""The log's witnesses: two programs with keys of their own sign what is published, and refuse a rewritten history."""

import itertools
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from dispatch.core.actor import Actor, Role
from dispatch.custody import transparency_log
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Parcel
from dispatch.custody.signed_note import key_line
from dispatch.custody.witness_program import main
from dispatch.views.custody_receipt import parcel_receipt
from tests.dispatch import steps
from tests.dispatch.builders import TEN, a_prescreened_case, the_county
from tests.dispatch.custody.receipt_verifier import check_receipt, read_note, witnessed
from tests.web.live_server import served
from tests.web.world import app_over

NAMES = ("centre.example/custody", "ems.example/custody")
_NUMBERS = itertools.count()
OPERATOR = Actor(Role.OPERATOR)


@pytest.fixture
def app(postgres: str, county_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application over a county with an envelope in the log."""
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    made = app_over(postgres, county_database, f"witnesses_{os.getpid()}_{next(_NUMBERS)}", tmp_path)
    with sessions_of(made).begin() as session:
        case, _ = a_prescreened_case(the_county(session))
        agent = the_county(session).agent_viewer()
        parcel = steps.hand_in(session, case, by=agent, at=TEN, scan_id="w-0")
        transparency_log.publish(session, at=TEN + timedelta(hours=1))
        made.extensions["waybill"] = parcel.waybill
    yield made
    sessions_of(made).kw["bind"].dispose()


def sessions_of(app: Flask) -> sessionmaker[Session]:
    made: sessionmaker[Session] = app.extensions["daiban.sessions"]
    return made


def scan_once_more(app: Flask, to: Holder, ref: str, hour: int) -> None:
    with sessions_of(app).begin() as session:
        agent = the_county(session).agent_viewer()
        parcel = session.scalars(select(Parcel).where(Parcel.waybill == app.extensions["waybill"])).one()
        steps.scan(session, parcel, to=to, ref=ref, scan_id=f"w-{hour}", by=agent, at=TEN + timedelta(hours=hour))
        transparency_log.publish(session, at=TEN + timedelta(hours=hour, minutes=1))


def two_witnesses(app: Flask, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[Path], list[str]]:
    """Their key files and public keys; the log's owner trusts both."""
    files = [folder / f"witness-{n}.json" for n in range(2)]
    for file, name in zip(files, NAMES, strict=True):
        assert main(["new", str(file), name, key_line()]) == 0
        assert file.stat().st_mode & 0o777 == 0o600
    keys = capsys.readouterr().out.split()
    for key in keys:
        assert app.test_cli_runner().invoke(args=["custody", "trust", key]).exit_code == 0
    return files, keys


def test_both_sign_what_goes_on_and_a_receipt_carries_it(
    app: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, keys = two_witnesses(app, tmp_path, capsys)
    with served(app) as address:
        assert [main(["sign", str(file), address]) for file in files] == [0, 0]
        assert main(["sign", str(files[0]), address]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == "nothing is new"
        scan_once_more(app, Holder.AUTHORITY, "authority", 2)
        assert [main(["sign", str(file), address]) for file in files] == [0, 0]
        scan_once_more(app, Holder.CENTRE, "", 3)  # no witness came by since
    stranger = app.test_client()
    shown = stranger.get("/custody").text
    assert all(key in shown for key in keys)
    assert witnessed(stranger.get("/custody/checkpoint").text, keys, least=0) == []
    with sessions_of(app)() as session:
        receipt = parcel_receipt(session, OPERATOR, app.extensions["waybill"])
    assert list(receipt.witnesses) == sorted(keys)
    assert witnessed(receipt.checkpoint, keys, least=0) == []  # the last handover is in none that they signed
    with served(app) as address:
        assert [main(["sign", str(file), address]) for file in files] == [0, 0]
    with sessions_of(app)() as session:
        receipt = parcel_receipt(session, OPERATOR, app.extensions["waybill"])
    assert witnessed(receipt.checkpoint, keys, least=2) == list(NAMES)
    told = {
        "waybill": receipt.waybill, "checkpoint": receipt.checkpoint,
        "handovers": [{"line": h.line, "position": h.position, "proof": h.proof, "logged_after": h.logged_after}
                      for h in receipt.handovers],
    }  # fmt: skip
    assert check_receipt(told, key_line()).size == 3
    assert app.test_cli_runner().invoke(args=["custody", "verify"]).exit_code == 0


def test_a_rewritten_history_is_not_signed(app: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, keys = two_witnesses(app, tmp_path, capsys)
    with served(app) as address:
        assert main(["sign", str(files[0]), address]) == 0
        with sessions_of(app).begin() as session:
            for table in ("custody_leaf", "custody_checkpoint", "custody_cosignature"):
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            session.execute(text("DELETE FROM custody_cosignature"))
            session.execute(text("DELETE FROM custody_checkpoint"))
            session.execute(text("UPDATE custody_leaf SET leaf_hash = sha256('another')"))
        scan_once_more(app, Holder.AUTHORITY, "authority", 2)
        assert main(["sign", str(files[0]), address]) == 2
        assert "NOT SIGNED" in capsys.readouterr().err
        assert main(["sign", str(files[0]), address]) == 2  # and not the next time either
        note = app.test_client().get("/custody/checkpoint").text
    assert read_note(note, key_line()).size == 2
    assert witnessed(note, keys, least=0) == []


def test_only_a_trusted_witness_signs_and_only_what_is_there(
    app: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, keys = two_witnesses(app, tmp_path, capsys)
    runner, stranger = app.test_cli_runner(), app.test_client()
    assert runner.invoke(args=["custody", "distrust", NAMES[1]]).exit_code == 0
    assert runner.invoke(args=["custody", "distrust", NAMES[1]]).exit_code == 1
    assert runner.invoke(args=["custody", "trust", keys[1]]).exit_code == 1  # an ended key stays ended
    assert runner.invoke(args=["custody", "trust", key_line()]).exit_code == 1  # the log is no witness of itself
    with served(app) as address:
        assert main(["sign", str(files[0]), address]) == 0
        assert main(["sign", str(files[1]), address]) == 1
    line = stranger.get("/custody/checkpoint").text.splitlines()[-1]
    assert stranger.post("/custody/cosignatures?size=1", data=line.encode()).status_code == 204  # handed in again
    assert stranger.post("/custody/cosignatures?size=9", data=line.encode()).status_code == 404
    assert stranger.post("/custody/cosignatures?size=1", data=(line[:-9] + "AAAAAAAA=").encode()).status_code == 422
    for wrong in ("size=0", "size=x", "", f"size={2**70}"):
        assert stranger.post(f"/custody/cosignatures?{wrong}", data=line.encode()).status_code == 400
    assert stranger.post("/custody/cosignatures?size=1", data=b"x" * 400).status_code == 400
    with pytest.raises(DBAPIError, match="append-only"), sessions_of(app).begin() as session:
        session.execute(text("UPDATE custody_cosignature SET line = ''"))


def test_a_log_that_cannot_be_reached_is_told_from_one_that_was_rewritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "witness.json"
    assert main(["new", str(file), NAMES[0], key_line()]) == 0
    assert main(["new", str(file), NAMES[0], key_line()]) == 1  # a key is never written over
    assert main(["sign", str(file), "http://127.0.0.1:1"]) == 1
    assert main(["new", str(tmp_path / "other.json"), "two words", key_line()]) == 2
    assert not (tmp_path / "other.json").exists()
