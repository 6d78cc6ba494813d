"""The command line: each command does its room's work, and what is wrong is one line and code 1."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

import agents
import db
import dispatch
from agents.network import Division
from dispatch.cases.project import Project
from dispatch.catalogue.calendar_tables import CalendarDay, OpeningHours
from dispatch.catalogue.matter import Matter, Requirement
from dispatch.custody.parcel import Parcel
from notifications import outbox
from notifications.message import Message, State
from tests.dispatch import steps
from tests.dispatch.builders import (
    CENTRE_ROWS,
    PROVINCE_ROWS,
    TEN,
    a_prescreened_case,
    a_request,
    make_county,
    the_county,
)
from tests.web.conftest import add_wujin
from web.wiring import database_schema, key_rotation
from web.wiring.accounts import Account

AGENTS = Path(agents.__file__).parent / "data"
DISPATCH = Path(dispatch.__file__).parent / "data"


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def test_the_network_the_catalogue_and_the_calendar_come_in_by_three_commands(
    runner: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    network = tmp_path / "network.csv"
    network.write_text(PROVINCE_ROWS, encoding="utf-8")
    (tmp_path / "service_centres.csv").write_text(CENTRE_ROWS, encoding="utf-8")
    assert "added 9" in runner.invoke(args=["network", "import", str(network)]).output
    assert "added 0, changed 0, retired 0" in runner.invoke(args=["network", "import", str(network)]).output
    matters = sorted(str(path) for path in DISPATCH.glob("catalog_*.csv"))
    assert (came := runner.invoke(args=["catalog", "import", *matters])).exit_code == 0, came.output
    calendar = str(DISPATCH / "calendar_2025_2027.csv")
    assert (came := runner.invoke(args=["calendar", "import", calendar])).exit_code == 0, came.output
    with sessions() as session:
        for noun, least in ((Division, 6), (Matter, 49), (Requirement, 49), (OpeningHours, 1), (CalendarDay, 700)):
            assert session.scalar(select(func.count()).select_from(noun)) >= least, noun


def test_a_bad_file_is_refused_with_row_numbers(runner: FlaskCliRunner, tmp_path: Path) -> None:
    file = tmp_path / "network.csv"
    lines = (AGENTS / "network.csv").read_text(encoding="utf-8-sig").splitlines()[:3]
    file.write_text("\n".join([*lines, lines[-1]]), encoding="utf-8")
    refused = runner.invoke(args=["network", "import", str(file)])
    assert refused.exit_code == 1
    assert "is refused, nothing was changed" in refused.output
    assert "row " in refused.output


def test_the_commands_answer_on_an_empty_program(runner: FlaskCliRunner) -> None:
    for words in (["assign", "--dry-run"], ["assign"], ["custody", "verify"], ["messages", "sweep"]):
        done = runner.invoke(args=words)
        assert done.exit_code == 0, (words, done.output)


def test_a_waybill_that_nobody_knows_is_named_and_does_not_pass_for_sound(
    runner: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        make_county(session, tmp_path)
    with sessions.begin() as session:
        county = the_county(session)
        case, _ = a_prescreened_case(county)
        known = steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="counter").waybill
    assert runner.invoke(args=["custody", "verify", known]).output == "every chain verifies\n"
    for asked in (["NOPE"], [known, "NOPE", "NOPE"]):
        done = runner.invoke(args=["custody", "verify", *asked])
        assert (done.exit_code, done.output) == (1, "Error: no parcel has the waybill NOPE\n")
    with sessions.begin() as session:
        session.scalars(select(Parcel)).one().chain_head = b"\1" * 32
    done = runner.invoke(args=["custody", "verify", known, "NOPE"])
    assert done.exit_code == 1
    assert f"  {known} link" in done.output
    assert "Error: 1 chains do not verify; no parcel has the waybill NOPE\n" in done.output


def test_staffing_prints_teams_and_the_week_and_changes_nothing(
    runner: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        make_county(session, tmp_path)
    with sessions.begin() as session:
        number = a_request(the_county(session))[0].project.project_no
    assert "0 projects need a team, 0 find none" in runner.invoke(args=["staffing", "teams"]).output
    shown = runner.invoke(args=["staffing", "week", "--area", "320412"]).output
    assert f"  {number} " in shown
    assert "nobody -> 代办员" in shown
    assert "1 projects, 0 wait for hours" in shown
    assert runner.invoke(args=["staffing", "week", "--area", "nowhere"]).exit_code != 0
    with sessions() as session:
        assert {project.lead for project in session.scalars(select(Project))} == {None}


def test_a_dry_run_shows_what_assign_then_does(
    runner: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        make_county(session, tmp_path)
    with sessions.begin() as session:
        numbers = {a_request(the_county(session))[0].project.project_no for _ in range(2)}
    shown = runner.invoke(args=["assign", "--dry-run"]).output
    assert all(f"  {number} lead  agent - -> " in shown for number in numbers)
    assert "2 moves, 0 waiting" in shown
    assert "(proven best)" in shown
    assert "applied" not in shown
    with sessions() as session:
        assert {project.lead for project in session.scalars(select(Project))} == {None}
    done = runner.invoke(args=["assign"]).output
    assert done == shown + "applied 2, changed meanwhile 0, full 0\n"
    with sessions() as session:
        for project in session.scalars(select(Project)):
            assert project.lead is not None
            assert f"{project.project_no} lead  agent - -> {project.lead.agent_id}" in shown
    assert "0 moves, 0 waiting" in runner.invoke(args=["assign", "--dry-run"]).output


@pytest.mark.parametrize(
    "words",
    [
        ["runs", "plan", "--area", "999999999999", "--on", "2026-03-12"],
        ["runs", "plan", "--area", "320412000000", "--on", "yesterday"],
        ["network", "import", "/nowhere.csv"],
        ["assign", "--area", "999999999999"],
    ],
)
def test_a_wrong_word_is_one_line_and_not_a_trace(runner: FlaskCliRunner, words: list[str]) -> None:
    done = runner.invoke(args=words)
    assert done.exit_code in {1, 2}
    assert "Traceback" not in done.output
    assert done.output.strip()


def test_the_tables_are_checked_and_brought_up_to_date(runner: FlaskCliRunner) -> None:
    newest = runner.invoke(args=["db", "upgrade"])
    assert newest.exit_code == 0
    assert newest.output == f"the tables are at {database_schema.head()}\n"
    assert runner.invoke(args=["db", "check"]).output == "no differences\n"


def test_a_table_that_was_altered_by_hand_is_told(runner: FlaskCliRunner, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE ticket ADD COLUMN by_hand integer"))
    told = runner.invoke(args=["db", "check"])
    assert told.exit_code == 1
    assert "by_hand" in told.output
    assert "Error: 1 differences" in told.output


def test_tables_that_hold_rows_are_not_taken_back_unasked(
    runner: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        make_county(session, tmp_path)
    with sessions.begin() as session:
        a_prescreened_case(the_county(session))
    asked = runner.invoke(args=["db", "downgrade", "base"], input="n\n")
    assert asked.exit_code == 1
    assert "rows would be lost or cut (" in asked.output
    assert runner.invoke(args=["db", "check"]).output == "no differences\n"


def test_a_database_in_use_is_not_filled_with_a_demo(
    runner: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        make_county(session, tmp_path)
    done = runner.invoke(args=["demo", "load"])
    assert (done.exit_code, done.output) == (0, "this database is in use: no demo was loaded\n")


def test_a_sweep_sends_what_is_due(runner: FlaskCliRunner, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        outbox.queue_message(
            session,
            outbox.NewMessage(
                event_key="k", text="login_code", to="13805192233", values={"code": "123456"}, at=db.now(session)
            ),
        )
    assert "1 messages were tried" in runner.invoke(args=["messages", "sweep"]).output
    with sessions() as session:
        assert session.scalars(select(Message)).one().state in {State.SENT, State.DELIVERED}


@pytest.fixture
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[db.Keyring]:
    """Keys of this test in its home folder; the other tests' keys come back afterwards."""
    before = db.keyring()
    monkeypatch.delenv("DAIBAN_KEYS", raising=False)
    (tmp_path / "keys").write_text(before.line())
    yield before
    db.use_keys(before)


def test_keys_are_rotated_and_every_row_is_written_again(
    runner: FlaskCliRunner, sessions: sessionmaker[Session], own_keys: db.Keyring, tmp_path: Path
) -> None:
    with sessions.begin() as session:
        account = Account(role="operator", name="操作员")
        account.set_phone("+8613805192233")
        session.add(account)
    done = runner.invoke(args=["keys", "rotate"])
    assert done.exit_code == 0, done.output
    assert "account.phone: 1" in done.output
    rotated = db.Keyring.parse((tmp_path / "keys").read_text())
    assert rotated.current != own_keys.current
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    db.use_keys(replace(rotated, keys={rotated.current: rotated.keys[rotated.current]}))
    with sessions() as session:
        assert session.scalars(select(Account.phone)).one() == "+8613805192233"
    assert not [row for row in key_rotation.reencrypt(sessions) if row[2]]


def test_a_replay_without_agents_says_so(runner: FlaskCliRunner, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        add_wujin(session)
    done = runner.invoke(args=["simulate", "--area", "320412000000"])
    assert done.exit_code == 1
    assert "nothing can be replayed" in done.output


def test_three_rules_are_replayed_in_a_county(runner: FlaskCliRunner, app: Flask, tmp_path: Path) -> None:
    with app.extensions["daiban.sessions"].begin() as session:
        make_county(session, tmp_path)
    words = ["simulate", "--area", "320412000000", "--days", "5", "--warm-up", "2", "--replays", "2"]
    kept = tmp_path / "replay.html"
    done = runner.invoke(args=[*words, "--out", str(kept)])
    assert done.exit_code == 0, done.output
    *table, last = [line for line in done.output.splitlines() if not line.startswith("  ")]
    assert len(table) == 3 and last.endswith(str(kept))
    assert all(f'<th scope="row">{rule}</th>' in kept.read_text(encoding="utf-8") for rule in table)
    year = ["simulate", "--area", "320412000000", "--days", "250", "--replays", "1", "--a-year", "10"]
    assert runner.invoke(args=year).exit_code == 0, "where the published calendars end sooner, it begins earlier"
    for wrong in (["--seed", "-1"], ["--out", str(tmp_path / "nowhere" / "x")]):
        refused = runner.invoke(args=[*words[:3], "--days", "1", "--warm-up", "0", "--replays", "1", *wrong])
        assert refused.exit_code in (1, 2) and "Traceback" not in refused.output, refused.output
