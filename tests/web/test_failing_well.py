"""Failing well: the database away, silent, full or read-only: designed answers at once, reading as long as it goes."""

import errno
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import Interval, literal, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.core.actor import Role
from tests.fixtures.papers import a_pdf
from web.wiring import errors, files
from web.wiring.login_sessions import SEEN_EVERY, LoginSession
from web.wiring.run_home import MEMORY, metrics_place

SignIn = Callable[..., FlaskClient]


@contextmanager
def away(database_url: str) -> Iterator[None]:
    """The database takes no connections and has none."""
    plain, name = database_url.replace("+psycopg", ""), sql.Identifier(database_url.rsplit("/", 1)[1])
    with psycopg.connect(plain.rsplit("/", 1)[0] + "/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [database_url.rsplit("/", 1)[1]],
        )
        yield
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_signed_in_page_says_in_words_that_the_database_is_away(
    app: Flask, sign_in_as: SignIn, a_division: int, database_url: str, language: str
) -> None:
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    browser = sign_in_as(Role.LEAD, division_id=a_division)
    browser.post(f"/language/{language}")
    words = "系统暂时无法使用" if language == "zh" else "not available at the moment"
    with away(database_url):
        page, api = browser.get("/team/inbox"), browser.get("/api/v1/me")
        part = browser.get("/team/inbox", headers={"HX-Request": "true"})
        absent, written = browser.get("/nowhere"), browser.post("/team/claims/1")
        ready = browser.get("/readyz")
    for answer in (page, part, written):
        assert answer.status_code == 503
        assert words.lower() in answer.text.lower()
    assert page.headers["Retry-After"] == api.headers["Retry-After"] == "10"
    assert "frame-ancestors" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert (api.status_code, api.mimetype, api.json["status"]) == (503, "application/problem+json", 503)
    assert absent.status_code in {404, 503}
    assert ready.status_code == 503
    assert browser.get("/team/inbox").status_code == 200


def test_a_silent_database_is_given_up_and_the_next_question_is_answered(database_url: str) -> None:
    sessions = db.sessions(database_url)
    patience = db.PATIENCE_S.set(0.3)
    try:
        began = time.monotonic()
        with pytest.raises(OperationalError, match="does not answer"), sessions() as session:
            session.execute(text("select pg_sleep(20)"))
        assert time.monotonic() - began < 5
        with sessions() as session:
            assert session.scalar(text("select 1")) == 1
    finally:
        db.PATIENCE_S.reset(patience)
        sessions.kw["bind"].dispose()


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"])
def test_nothing_waits_for_ever_at_the_server(sessions: sessionmaker[Session], limit: str) -> None:
    with sessions() as session:
        assert session.scalar(text(f"show {limit}")) != "0"


def test_a_request_has_less_patience_than_a_job(app: Flask, client: FlaskClient) -> None:
    seen = []
    app.before_request(lambda: seen.append(db.PATIENCE_S.get()))
    client.get("/healthz")
    assert seen[0] < 60 <= db.PATIENCE_S.get()


def test_what_has_no_room_or_no_connection_is_unavailable_and_not_our_fault(app: Flask) -> None:
    with app.test_request_context("/"):
        for error in (OSError(errno.ENOSPC, "full"), OSError(errno.EDQUOT, "full"), PoolTimeout()):
            told = errors.of(error)
            assert (told.status, told.headers) == (503, {"Retry-After": "10"})
        assert errors.of(OSError(errno.EACCES, "no")).status == 500


def test_reading_goes_on_where_nothing_can_be_written(
    app: Flask, sign_in_as: SignIn, a_division: int, database_url: str, sessions: sessionmaker[Session]
) -> None:
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    browser = sign_in_as(Role.LEAD, division_id=a_division)
    with sessions.begin() as session:
        session.execute(update(LoginSession).values(seen_at=LoginSession.seen_at - literal(2 * SEEN_EVERY, Interval)))
    name = sql.Identifier(database_url.rsplit("/", 1)[1])
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    app.extensions["daiban.sessions"].kw["bind"].dispose()
    for page in ("/team", "/team/inbox", "/team/projects", "/api/v1/me"):
        assert browser.get(page).status_code == 200, page
    refused = browser.post("/account/security/tokens", data={"name": "park", "days": "7"})
    assert refused.status_code == 503
    assert "暂时只能查询" in refused.text


def test_a_file_that_could_not_be_kept_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    pdf = a_pdf(mark="0" * 10_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="large"):
            files.keep_bytes(pdf)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in files.folder().rglob("*") if path.is_file()] == []


def test_counts_do_not_lie_on_the_disk_of_the_data(tmp_path: Path) -> None:
    place = Path(metrics_place(tmp_path)["PROMETHEUS_MULTIPROC_DIR"])
    try:
        assert MEMORY in place.parents
        assert place.stat().st_mode & 0o777 == 0o700
        (place / "old.db").touch()
        assert metrics_place(tmp_path) == {"PROMETHEUS_MULTIPROC_DIR": str(place)}
        assert os.listdir(place) == []
    finally:
        place.rmdir()


def test_readiness_tells_of_the_disk(client: FlaskClient) -> None:
    assert client.get("/readyz").json["disk"] == "ok" or "low" in client.get("/readyz").json["disk"]


def test_readiness_names_a_disk_that_is_not_there_and_serves_all_the_same(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path / "unmounted"))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["database"], answer.json["disk"]) == (200, "ok", "FileNotFoundError")
