"""The command line in a county at work: what waits, what was altered by hand, what an import moves, a day's plan."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from openpyxl import Workbook
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.roster import AgentSkill
from dispatch.cases.lookups import reviews_of
from dispatch.cases.review import Review
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Shift
from routing.travel.geodesic import Geodesic
from tests.dispatch import steps
from tests.dispatch.builders import (
    MONDAY,
    PROVINCE_ROWS,
    TEN,
    a_prescreened_case,
    a_request,
    an_appointment,
    an_assigned_case,
    the_county,
)
from tests.dispatch.calendars import CALENDAR_FILE
from web.commands.working_days import as_text
from web.wiring import database_schema

WUJIN = "320412000000"


@pytest.fixture
def database_url(county_url: str) -> str:
    """武进区 is there already."""
    return county_url


@pytest.fixture
def sessions(county_sessions: sessionmaker[Session]) -> Iterator[sessionmaker[Session]]:
    """武进区 at ten on a Monday."""
    return county_sessions


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def test_what_waits_is_named_with_its_reason_and_a_team_that_could_take_it(
    runner: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        county = the_county(session)
        number = a_request(county, matters=("IND-101", "IND-201"))[0].project.project_no
        for agent, kept in zip(county.agents, ("filing", "planning", ""), strict=True):
            session.execute(delete(AgentSkill).where(AgentSkill.agent_id == agent.id, AgentSkill.category != kept))
        first, second = county.agents[0].name, county.agents[1].name
    shown = runner.invoke(args=["assign", "--dry-run", "--area", WUJIN]).output
    assert f"  {number} lead waits: " in shown
    assert "0 moves, 1 waiting" in shown
    teams = runner.invoke(args=["staffing", "teams", "--area", "320412"]).output
    assert f"needs filing planning: {first} (filing), {second} (planning)" in teams
    assert "1 projects need a team, 0 find none" in teams
    with sessions.begin() as session:
        session.execute(delete(AgentSkill))
    teams = runner.invoke(args=["staffing", "teams"]).output
    assert "no team (filing: nobody, planning: nobody)" in teams


def test_what_is_kept_otherwise_than_its_events_say_is_named(
    runner: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        case, _ = an_assigned_case(the_county(session))
        number = case.case_no
    assert runner.invoke(args=["check", "derived"]).output == "everything that is kept is what its events say\n"
    with sessions.begin() as session:
        session.execute(text("UPDATE review SET decided_at = now()"))
    told = runner.invoke(args=["check", "derived"])
    assert told.exit_code == 1
    assert number in told.output
    assert "values are kept otherwise than their events say" in told.output


def test_a_log_of_handovers_that_was_altered_does_not_verify(
    runner: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        county = the_county(session)
        case, _ = a_prescreened_case(county)
        steps.hand_in(session, case, by=county.agent_viewer(), at=TEN, scan_id="counter")
    assert runner.invoke(args=["custody", "verify"]).output == "every chain verifies\n"
    with sessions.begin() as session:
        entry = (
            "INSERT INTO custody_leaf (position, handover_id, leaf_hash) SELECT 0, min(id), sha256('x') FROM handover"
        )
        session.execute(text(entry))
    told = runner.invoke(args=["custody", "verify"])
    assert told.exit_code == 1
    assert "the log of handovers does not verify" in told.output


def test_the_keys_are_shown_by_the_beginning_of_their_check_value(runner: FlaskCliRunner) -> None:
    ring = db.keyring()
    lines = runner.invoke(args=["keys", "show"]).output.splitlines()
    assert [line.split()[0] for line in lines] == list(ring.fingerprints())
    assert [line.split()[0] for line in lines if line.endswith("  encrypts")] == [ring.current]
    assert not any(value in "".join(lines) for value in ring.fingerprints().values())


def test_a_calendar_comes_from_a_workbook_and_moves_the_limits_that_it_counts(
    runner: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with sessions.begin() as session:
        county = the_county(session)
        case, agent = a_prescreened_case(county, matters=("IND-107", "IND-201"))[0], county.agent_viewer()
        steps.submit(session, case, receipts={}, by=agent, at=TEN)
        for review in reviews_of(session, case):
            steps.accept(session, review, notice_no=f"受{review.id}", by=agent, at=TEN)
    with sessions() as session:
        before = {review.id: review.committed_due_at for review in session.scalars(select(Review))}
    off = {str(MONDAY + timedelta(days=n)) for n in range(1, 4)}
    book, out = Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    head, *days = CALENDAR_FILE.read_text(encoding="utf-8").splitlines()
    for line in (head, *(day for day in days if day.startswith("2026"))):
        day, is_workday, kind, *rest = line.split(",")
        sheet.append([day, "0", "holiday", *rest] if day in off else [day, is_workday, kind, *rest])
    book.save(out)
    file = tmp_path / "calendar.xlsx"
    file.write_bytes(out.getvalue())
    done = runner.invoke(args=["calendar", "import", str(file)])
    assert done.exit_code == 0, done.output
    with sessions() as session:
        after = {review.id: review.committed_due_at for review in session.scalars(select(Review))}
    moved = [one for one, due in before.items() if after[one] != due]
    assert moved, "days off lie between the acceptance and the limit"
    assert f"limits moved: {len(moved)}\n" in done.output
    assert done.output.count(" becomes ") == len(moved)


def test_a_workbook_of_several_years_is_read_to_its_end_and_a_fault_is_named_by_its_row(tmp_path: Path) -> None:
    head, *days = CALENDAR_FILE.read_text(encoding="utf-8").splitlines()
    assert len(days) > 1000, "three years, a row a day"
    book, file = Workbook(), tmp_path / "calendar.xlsx"
    book.worksheets[0].title = "说明"
    sheet = book.create_sheet("日历")
    for line in (head, "", *days):
        sheet.append(line.split(",") if line else [])
    book.save(file)
    with as_text(file) as table:
        rows = table.read_text(encoding="utf-8").splitlines()
    assert (rows[0], len(rows), rows[-1]) == (head, len(days) + 2, days[-1])
    assert not rows[1].strip(',"')


def test_of_a_file_with_many_bad_rows_the_first_are_named_and_the_rest_counted(
    runner: FlaskCliRunner, tmp_path: Path
) -> None:
    file = tmp_path / "network.csv"
    head, first, *_ = PROVINCE_ROWS.splitlines()
    file.write_text("\n".join([head, *[first] * 70]), encoding="utf-8")
    refused = runner.invoke(args=["network", "import", str(file)])
    assert refused.exit_code == 1
    assert refused.output.count("  row ") == 50
    assert "  and 19 more" in refused.output


def test_a_place_that_left_the_file_is_named_as_retired(runner: FlaskCliRunner, tmp_path: Path) -> None:
    file = tmp_path / "network.csv"
    head, *rows = PROVINCE_ROWS.splitlines()
    file.write_text("\n".join([head, *[row for row in rows if "320412100000" not in row]]), encoding="utf-8")
    done = runner.invoke(args=["network", "import", str(file)])
    assert "320412100000" in done.output
    assert ": retired" in done.output


def test_a_day_is_planned_and_who_is_left_out_is_named(
    runner: FlaskCliRunner, app: Flask, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        county = the_county(session)
        for _ in range(2):
            case, agent = a_prescreened_case(county)
            steps.book_pickup(session, case, appointment=an_appointment(), by=agent, at=TEN)
    words = ["runs", "plan", "--area", WUJIN, "--on", str(MONDAY + timedelta(days=1)), "--limit", "1"]
    done = runner.invoke(args=words)
    assert done.exit_code == 0, done.output
    assert " is preview: cost " in done.output
    with sessions.begin() as session:
        session.execute(delete(Shift))
        left = session.scalars(select(CourierStop.id)).all()
    done = runner.invoke(args=words)
    assert all(f"  stop {one} is not served: " in done.output for one in left), done.output

    class NoRoads(Geodesic):
        """Travel times that nobody answers."""

        def matrix(self, places: object, *, hour: object) -> object:
            raise OSError("no answer")

    app.extensions["daiban.travel"] = NoRoads()
    done = runner.invoke(args=words)
    assert done.exit_code == 1
    assert " failed: " in done.output


def test_tables_are_taken_back_unasked_by_who_says_yes_and_brought_up_again(
    runner: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    down = runner.invoke(args=["db", "downgrade", "--yes", "--", "-1"])
    assert down.output == "the tables are at -1\n"
    assert runner.invoke(args=["db", "upgrade"]).output == f"the tables are at {database_schema.head()}\n"
    with sessions() as session:
        assert the_county(session).agents, "what the older tables hold too is kept"
