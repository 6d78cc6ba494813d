"""The entrance: password, code, registration, colleagues, and that nothing tells who is known."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.cases.project import Contact, Enterprise
from dispatch.core.actor import Role
from notifications.message import Message
from web.wiring.accounts import Account, AccountState

THEN = datetime(2026, 3, 12, 2, tzinfo=UTC)
MakeAccount = Callable[..., Account]
PHONE, E164 = "138 0519 2233", "+8613805192233"
CODE = "91320400MA1MT10F2A"


def code_sent(sessions: sessionmaker[Session]) -> str:
    """The digits of the newest code message."""
    with sessions() as session:
        message = session.scalars(select(Message).order_by(Message.id.desc()).limit(1)).one()
        return str(message.values["code"])


def same_but(name: str, page: str) -> str:
    """The page without the name it repeats, its form tokens and its clock, which may turn a minute in between."""
    return re.sub(
        r'(csrf-token" content|csrf_token" value|client_id" value)="[^"]*"|<time.*?</time>', "", page
    ).replace(name, "")


def messages(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return len(list(session.scalars(select(Message.id))))


@pytest.mark.parametrize(
    ("role", "home"),
    [
        (Role.ENTERPRISE, "/my"),
        (Role.AGENT, "/team"),
        (Role.LEAD, "/team"),
        (Role.COURIER, "/run"),
        (Role.SUPERVISOR, "/team"),
        (Role.OPERATOR, "/team"),
    ],
)
def test_each_role_comes_home_after_signing_in(
    client: FlaskClient, account: MakeAccount, role: Role, home: str
) -> None:
    account(role)
    answer = client.post("/login", data={"name": role.value, "password": "an honest password"})
    assert (answer.status_code, answer.location) == (302, home)
    assert client.get(home).status_code == 200
    assert client.get("/").location == home


def test_a_wrong_password_and_an_unknown_name_read_the_same(client: FlaskClient, account: MakeAccount) -> None:
    account(Role.AGENT, login="a001")
    wrong = client.post("/login", data={"name": "a001", "password": "not this one"})
    unknown = client.post("/login", data={"name": "a999", "password": "not this one"})
    assert wrong.status_code == unknown.status_code == 422
    assert same_but("a001", wrong.text) == same_but("a999", unknown.text)


def test_a_code_signs_in_once(client: FlaskClient, account: MakeAccount, sessions: sessionmaker[Session]) -> None:
    account(Role.COURIER, phone=E164)
    assert client.post("/login/code", data={"phone": PHONE}).status_code == 200
    form = {"phone": PHONE, "code": code_sent(sessions)}
    assert client.post("/login?by=code", data=form).location == "/run"
    client.post("/logout")
    assert client.post("/login?by=code", data=form).status_code == 422


def test_an_unknown_number_gets_the_same_answer_and_no_message(
    client: FlaskClient, account: MakeAccount, sessions: sessionmaker[Session]
) -> None:
    account(Role.COURIER, phone=E164)
    known = client.post("/login/code", data={"phone": "13805192233"})
    unknown = client.post("/login/code", data={"phone": "13805192234"})
    assert known.status_code == unknown.status_code == 200
    assert same_but("13805192233", known.text) == same_but("13805192234", unknown.text)
    assert messages(sessions) == 1
    again = [
        client.post("/login/code", data={"phone": number}).status_code for number in ("13805192233", "13805192234")
    ]
    assert again == [429, 429]


def test_the_way_back_after_signing_in_stays_in_the_house(client: FlaskClient, account: MakeAccount) -> None:
    account(Role.LEAD)
    form = {"name": "lead", "password": "an honest password"}
    assert client.post("/login?next=/team?lamp=red", data=form).location == "/team?lamp=red"
    client.post("/logout")
    assert client.post("/login?next=//evil.example/", data=form).location == "/team"


def test_a_page_asks_a_stranger_to_sign_in_and_comes_back(client: FlaskClient) -> None:
    answer = client.get("/team?lamp=red")
    assert answer.status_code == 302
    assert answer.location == "/login?next=/team?lamp%3Dred"


def registration(client: FlaskClient, sessions: sessionmaker[Session], **more: str) -> dict[str, str]:
    form = {"enterprise_name": "常州精密有限公司", "credit_code": CODE, "contact_name": "李四", "phone": PHONE} | more
    assert client.post("/register/code", data=form).status_code == 200
    return form | {"code": code_sent(sessions)}


def test_a_confirmed_person_lets_the_second_one_in(app: Flask, sessions: sessionmaker[Session]) -> None:
    first, second = app.test_client(), app.test_client()
    assert first.post("/register", data=registration(first, sessions)).location == "/my"
    with sessions() as session:
        contact = session.scalars(select(Contact)).one()
        assert (contact.name, contact.phone) == ("李四", E164)
    form = registration(second, sessions, phone="13805192299", contact_name="王五")
    assert second.post("/register", data=form).location == "/account/waiting"
    assert second.get("/my").status_code == 403
    with sessions() as session:
        waiting = session.scalars(select(Account.id).where(Account.state == AccountState.WAITING)).one()
    assert "王五" not in first.get("/account/people").text
    assert first.post(f"/account/people/{waiting}/approval").status_code == 404
    with sessions.begin() as session:
        session.scalars(select(Account).where(Account.id != waiting)).one().confirmed_at = THEN
    assert f"/account/people/{waiting}/approval" in first.get("/account/people").text
    assert first.post(f"/account/people/{waiting}/approval").status_code == 302
    assert second.get("/account/waiting").location == "/my"
    with sessions() as session:
        assert len(list(session.scalars(select(Enterprise)))) == 1


def test_an_enterprise_that_is_not_founded_yet_needs_no_code(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    form = registration(client, sessions, credit_code="", not_founded="y")
    assert client.post("/register", data=form).location == "/my"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("credit_code", "91320400MA1MT10F2B", "统一社会信用代码的校验位不符"),
        ("credit_code", "", "请填写18位"),
        ("phone", "12345", "手机号有误"),
        ("code", "000000x", "验证码是6位数字"),
        ("code", "", "请填写短信验证码"),
        ("password", "12345678901", "密码至少10位"),
        ("enterprise_name", "", "请填写企业名称"),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_is_kept(
    client: FlaskClient, sessions: sessionmaker[Session], field: str, value: str, words: str
) -> None:
    form = registration(client, sessions)
    answer = client.post("/register", data=form | {field: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert "李四" in answer.text
    with sessions() as session:
        assert not list(session.scalars(select(Account)))


def test_a_closed_account_is_signed_out_everywhere(
    sign_in_as: Callable[..., FlaskClient], sessions: sessionmaker[Session]
) -> None:
    browser = sign_in_as(Role.LEAD)
    assert browser.get("/team").status_code == 200
    with sessions.begin() as session:
        person = session.scalars(select(Account)).one()
        person.state = AccountState.CLOSED
    assert browser.get("/team").status_code == 302


def test_who_registers_in_english_is_told_in_english_and_may_choose_otherwise(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    client.post("/language/en")
    assert client.post("/register", data=registration(client, sessions)).location == "/my"

    def language() -> tuple[str, str]:
        with sessions() as session:
            return session.scalars(select(Contact.locale)).one(), session.scalars(select(Account.locale)).one()

    assert language() == ("en", "en")
    assert "Language of messages" in client.get("/account/security").text
    assert client.post("/account/security/language", data={"language": "zh"}).status_code == 302
    assert language() == ("zh", "zh")
    assert client.post("/account/security/language", data={"language": "fr"}).status_code == 422
    assert language() == ("zh", "zh")
