"""One person's data on request: exported, erased, and every look at them on record, for an operator alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.core.actor import Role
from notifications import heartbeat, people, tasks
from notifications.message import Message, State
from notifications.people import PersonRequest
from tests.notifications.builders import say
from tests.web.conftest import signed_in_client
from web.wiring.accounts import Account

NUMBER = "13812341234"


@pytest.fixture
def operator(sign_in_as: Callable[..., FlaskClient], sessions: sessionmaker[Session]) -> FlaskClient:
    """An operator's browser; one person has got a message with a query code in it."""
    with sessions.begin() as session:
        say(session)
    return sign_in_as(Role.OPERATOR)


def asked_for(browser: FlaskClient, act: str, **more: str):
    form = {"phone": NUMBER, "reason": "本人书面请求", "known": "yes", "step": act} | more
    return browser.post("/team/privacy", data=form, follow_redirects=True)


def test_an_export_is_a_file_masked_and_covered_and_on_record(operator: FlaskClient) -> None:
    file = asked_for(operator, "export")
    assert file.headers["Content-Disposition"].startswith("attachment; filename=messages-")
    assert file.headers["Cache-Control"] == "no-store"
    text = file.get_data(as_text=True)
    assert "138****1234" in text
    assert "已受理代办申请" in text
    assert NUMBER not in text
    assert "K7M2XW9P" not in text
    page = operator.get("/team/privacy").text
    assert "查阅导出" in page
    assert "138****1234" in page
    assert "本人书面请求" in page
    assert NUMBER not in page


def test_an_erasure_forgets_number_and_words_and_is_on_record(
    operator: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    page = asked_for(operator, "erase").text
    assert "已清除 1 条短信" in page
    assert NUMBER not in page
    with sessions() as session:
        row = session.scalars(select(Message)).one()
        assert (row.to_phone, row.to_hash, row.values, row.state) == (None, None, {}, State.SUPPRESSED)
    assert "清除" in operator.get("/team/privacy").text


@pytest.mark.parametrize(
    "form",
    [{"reason": ""}, {"known": ""}, {"act": "look"}, {"phone": "nobody"}],
    ids=["no reason", "not identified", "another act", "no number"],
)
def test_what_is_not_a_proper_request_changes_nothing(
    operator: FlaskClient, sessions: sessionmaker[Session], form: dict[str, str]
) -> None:
    page = asked_for(operator, form.get("act", "erase"), **{k: v for k, v in form.items() if k != "act"})
    assert 'class="notice bad"' in page.text
    with sessions() as session:
        assert session.scalars(select(PersonRequest)).all() == []
        assert session.scalars(select(Message)).one().to_phone


def test_every_look_at_a_whole_number_is_listed_with_who_and_why(
    operator: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions() as session:
        message_id = session.scalars(select(Message.id)).one()
    operator.post(f"/team/outbox/{message_id}/number", data={"reason": "回拨核实"}, follow_redirects=True)
    page = operator.get("/team/privacy").text
    assert "查看完整号码" in page
    assert "回拨核实" in page
    assert "张三" in page
    assert NUMBER not in page


def test_the_log_has_pages(operator: FlaskClient, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        row = session.scalars(select(Message)).one()
        for n in range(60):
            people.unmask(session, row, account_id=1, reason=f"第{n}次")
    first = operator.get("/team/privacy").text
    assert "第59次" in first
    assert "第9次" not in first
    assert "cursor=50" in first
    second = operator.get("/team/privacy?cursor=50").text
    assert "第9次" in second
    assert "第59次" not in second


def test_the_page_says_when_the_retention_job_ran_and_what_it_forgot(
    operator: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    assert "尚未运行" in operator.get("/team/privacy").text
    with sessions.begin() as session:
        heartbeat.beat(session, "retention", 12)
    page = operator.get("/team/privacy").text
    assert "尚未运行" not in page
    assert "12 条" in page
    assert "90 天" in page


def test_the_retention_job_tells_how_many_it_forgot(operator: FlaskClient, sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        row = session.scalars(select(Message)).one()
        row.created_at = row.created_at.replace(year=2020)
        row.state = State.DELIVERED
    tasks.retention()
    with sessions() as session:
        beat = heartbeat.last_beat(session, "retention")
        assert beat is not None
        assert beat.found == 1


def test_the_tile_says_when_a_message_is_due_and_nobody_sends(
    operator: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    assert "无人发送" not in operator.get("/team/outbox").text
    with sessions.begin() as session:
        row = session.scalars(select(Message)).one()
        row.not_before = db.now(session) - timedelta(hours=1)
        row.due_since = db.real_now(session) - timedelta(minutes=10)
    page = operator.get("/team/outbox").text
    assert "无人发送" in page
    assert "有短信到点未发" in page


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.SUPERVISOR, Role.COURIER])
def test_nobody_else_may_look(sign_in_as: Callable[..., FlaskClient], a_division: int, role: Role) -> None:
    more = {} if role in {Role.COURIER} else {"division_id": a_division}
    browser = sign_in_as(role, **more)
    assert browser.get("/team/privacy").status_code == 404
    assert asked_for(browser, "erase").status_code == 404


def test_an_erasure_closes_the_persons_account_and_leaves_no_name(
    operator: FlaskClient, app: Flask, account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person = account(Role.ENTERPRISE, phone=f"+86{NUMBER}", login="wang")
    browser = signed_in_client(app, person)
    assert "企业 张三" in asked_for(operator, "export").get_data(as_text=True)
    assert "另清除：登录账号" in asked_for(operator, "erase").text
    assert browser.get("/my").status_code == 302
    with sessions() as session:
        left = session.get_one(Account, person.id)
        assert (left.name, left.phone, left.phone_hash, left.login, left.password_hash) == ("已清除", *[None] * 4)


def test_who_works_here_is_erased_after_leaving(
    operator: FlaskClient, account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person = account(Role.COURIER, phone=f"+86{NUMBER}")
    assert "依法暂留：登录账号" in asked_for(operator, "erase").text
    with sessions() as session:
        assert session.get_one(Account, person.id).phone == f"+86{NUMBER}"
