"""The security log: what an auditor asks for is written, nothing personal is, and nobody changes it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Interval, delete, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.core.actor import Role
from tests.fixtures.papers import a_pdf
from tests.web.conftest import PASSWORD
from web.wiring import files
from web.wiring.accounts import Account
from web.wiring.security_alarms import ALARM_FROM, ALARM_WORDS, alarms, sound_alarms
from web.wiring.security_log import KEPT, SecurityEvent, SecurityKind, forget_old_events, record
from web.wiring.security_words import SECURITY_LABEL

PHONE = "13805192233"


def kinds(sessions: sessionmaker[Session]) -> list[SecurityKind]:
    with sessions() as session:
        return list(session.scalars(select(SecurityEvent.kind).order_by(SecurityEvent.id)))


def test_coming_and_going_is_written(
    client: FlaskClient, account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person = account(Role.LEAD, phone=f"+86{PHONE}")
    client.post("/login", data={"name": "lead", "password": "my secret, typed wrongly"})
    client.post("/login", data={"name": "my secret in the wrong field", "password": "x"})
    client.post("/login/code", data={"phone": PHONE})
    client.post("/login", data={"name": "lead", "password": PASSWORD})
    client.post("/account/security/tokens", data={"name": "park", "days": "7"})
    client.get("/operator/accounts")
    client.get("/operator/accounts")
    client.post("/logout")
    assert kinds(sessions) == [
        SecurityKind.SIGN_IN_FAILED, SecurityKind.SIGN_IN_FAILED, SecurityKind.CODE_ASKED, SecurityKind.SIGNED_IN,
        SecurityKind.TOKEN_MADE, SecurityKind.ACCESS_REFUSED, SecurityKind.SIGNED_OUT,
    ]  # fmt: skip
    with sessions() as session:
        rows = session.scalars(select(SecurityEvent).order_by(SecurityEvent.id)).all()
        assert [row.subject for row in rows[:3]] == [f"account:{person.id}", "nobody", f"account:{person.id}"]
        assert {row.account_id for row in rows[3:]} == {person.id}
        written = " ".join(f"{row.subject} {row.detail} {row.network}" for row in rows)
    for personal in ("my secret", PHONE, "张三", PASSWORD):
        assert personal not in written


def test_what_changes_access_is_written_with_it_or_not_at_all(
    account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person = account(Role.LEAD)
    with sessions.begin() as session:
        session.get_one(Account, person.id).sign_out_everywhere()
        record(session, SecurityKind.CONFIGURED, account_id=person.id)
        session.rollback()
    assert kinds(sessions) == []


def test_nobody_changes_or_deletes_a_line_before_its_time(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        record(session, SecurityKind.EXPORTED, account_id=None, subject="report.csv")
    for statement in (
        update(SecurityEvent).values(subject="nothing"), delete(SecurityEvent), text("TRUNCATE security_event"),
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match="append-only"), sessions.begin() as session:
            session.execute(statement)
    with sessions.begin() as session:
        assert forget_old_events(session) == 0
        session.execute(text("ALTER TABLE security_event DISABLE TRIGGER security_event_append_only"))
        session.execute(update(SecurityEvent).values(at=SecurityEvent.at - literal(KEPT + timedelta(days=1), Interval)))
        session.execute(text("ALTER TABLE security_event ENABLE TRIGGER security_event_append_only"))
        assert forget_old_events(session) == 1
    assert timedelta(days=180) <= KEPT


def test_an_operator_reads_and_takes_the_lines_along(
    sign_in_as: Callable[..., FlaskClient], sessions: sessionmaker[Session]
) -> None:
    operator = sign_in_as(Role.OPERATOR)
    with sessions.begin() as session:
        for n in range(105):
            record(session, SecurityKind.FILE_SENT, account_id=None, subject=f"file:{n:03d}")
        record(session, SecurityKind.EXPORTED, account_id=None, subject="report.csv")
    page = operator.get("/operator/security").text
    assert "文件 104" in page
    assert "文件 003" not in page
    assert "月报 csv" in page
    assert "月报 csv" not in operator.get("/operator/security?kind=file_sent").text
    file = operator.get("/operator/security.csv?kind=file_sent")
    assert file.text.count("file:") == 105
    assert kinds(sessions)[-1] is SecurityKind.EXPORTED


def test_every_kind_has_words() -> None:
    assert set(SECURITY_LABEL) == set(SecurityKind)
    assert set(ALARM_WORDS) == set(ALARM_FROM)


def test_what_a_line_tells_is_told_in_words(
    sign_in_as: Callable[..., FlaskClient], account: Callable[..., Account]
) -> None:
    person = account(Role.LEAD, phone="+8613912345678")
    operator = sign_in_as(Role.OPERATOR)
    operator.post("/login", data={"name": str(person.login), "password": "wrong"})
    operator.post(f"/operator/accounts/{person.id}", data={"act": "unbind", "reason": "离职"})
    page, english = operator.get("/operator/security"), operator.get("/operator/security.csv")
    assert "方式：密码" in page.text
    assert "变更：解绑关闭" in page.text
    assert f"账号 {person.id}" in page.text
    for developers in ("means", "unbound", "password"):
        assert developers not in english.text
        assert f"{developers}=" not in page.text


def test_what_happens_too_often_is_an_alarm_by_person_or_subject(
    sign_in_as: Callable[..., FlaskClient], account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    operator, person = sign_in_as(Role.OPERATOR), account(Role.LEAD)
    least = ALARM_FROM[SecurityKind.SIGN_IN_FAILED]
    with sessions.begin() as session:
        for n in range(least - 1):
            record(session, SecurityKind.SIGN_IN_FAILED, account_id=None, subject=f"account:{person.id}")
            record(session, SecurityKind.SIGN_IN_FAILED, account_id=None, subject=f"account:{1000 + n}")
        assert sound_alarms(session) == 0
        assert "告警" not in operator.get("/operator/security").text
        record(session, SecurityKind.SIGN_IN_FAILED, account_id=None, subject=f"account:{person.id}")
        for _ in range(ALARM_FROM[SecurityKind.EXPORTED]):
            record(session, SecurityKind.EXPORTED, account_id=person.id, subject="report.csv")
    with sessions() as session:
        assert [(a.kind, a.account_id, a.subject, a.count) for a in alarms(session)] == [
            (SecurityKind.EXPORTED, person.id, "", 10),
            (SecurityKind.SIGN_IN_FAILED, None, f"account:{person.id}", least),
        ]
    assert ALARM_WORDS[SecurityKind.EXPORTED] in operator.get("/operator/security").text


def test_lines_stand_on_the_clock_of_the_program(
    sign_in_as: Callable[..., FlaskClient], sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        db.allow_clock_changes(session)
        db.set_clock(session, datetime(2031, 3, 4, 9, 30, tzinfo=UTC))
    page = sign_in_as(Role.OPERATOR).get("/operator/security.csv").text
    assert "2031-03-04 17:3" in page


def test_a_file_that_is_sent_is_a_line(app: Flask, sessions: sessionmaker[Session]) -> None:
    digest = files.keep_bytes(a_pdf())
    with app.test_request_context():
        response = files.send(digest, "a.pdf")
        response.close()
    with sessions() as session:
        row = session.scalars(select(SecurityEvent)).one()
        assert (row.kind, row.subject) == (SecurityKind.FILE_SENT, f"file:{digest[:16]}")
