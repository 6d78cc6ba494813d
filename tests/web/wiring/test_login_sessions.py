"""Sessions, tokens, passwords: what ends, ends everywhere; what may only read, only reads; somebody is always left."""

from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from sqlalchemy import Interval, literal, select, update
from sqlalchemy.orm import Session, sessionmaker

from dispatch.core.actor import Role
from dispatch.views.set_up_page import set_up_facts
from tests.web.conftest import PASSWORD, signed_in_client
from web.wiring.accounts import Account, AccountState, LastOperator, NotOneself, WeakPassword, change_number, unbind
from web.wiring.entry_links import LASTS_S, SALT, entry_key
from web.wiring.login_sessions import KEPT, LIMITS, STAFF_LIMITS, LoginSession, forget_old_sessions
from web.wiring.staff_accounts import (
    NotWaiting,
    approve_operator,
    leads_by_division,
    make_operator_at_console,
    make_staff,
)
from web.wiring.tokens import MOST_TOKENS, TokenScope, TooManyTokens, issue_token, tokens_of

SignIn = Callable[..., FlaskClient]
NEW = "ein neues Kennwort 7"


def a_copy(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser with a copy of the other's cookie."""
    copy = app.test_client()
    with client.session_transaction() as cookie, copy.session_transaction() as copied:
        copied.update(cookie)
    return copy


def path_of(output: str) -> str:
    """The path of the link that a command has printed."""
    return urlsplit(output.split()[-1]).path


def age(sessions: sessionmaker[Session], **by: timedelta) -> None:
    with sessions.begin() as session:
        for column, span in by.items():
            moment = getattr(LoginSession, column)
            session.execute(update(LoginSession).values({column: moment - literal(span, Interval)}))


def test_signing_out_ends_every_copy_of_the_cookie(app: Flask, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.LEAD)
    copy = a_copy(app, browser)
    assert copy.get("/team").status_code == 200
    browser.post("/logout")
    assert copy.get("/team").status_code == 302
    assert copy.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("role", [Role.LEAD, Role.OPERATOR, Role.COURIER, Role.ENTERPRISE])
def test_a_session_ends_when_it_rests_and_at_the_end_of_its_day(
    sign_in_as: SignIn, sessions: sessionmaker[Session], role: Role
) -> None:
    limits = LIMITS.get(role, STAFF_LIMITS)
    browser = sign_in_as(role)
    age(sessions, seen_at=limits.idle - timedelta(minutes=1))
    assert browser.get("/api/v1/me").status_code == 200
    age(sessions, seen_at=limits.idle - timedelta(minutes=1))
    assert browser.get("/api/v1/me").status_code == 200, "it was used in between"
    age(sessions, expires_at=limits.altogether)
    assert browser.get("/api/v1/me").status_code == 401, "however often it is used"
    browser = sign_in_as(role, login="second")
    age(sessions, seen_at=limits.idle + timedelta(seconds=5))
    assert browser.get("/api/v1/me").status_code == 401
    assert limits.altogether <= timedelta(hours=12) or role is Role.ENTERPRISE


def test_a_lost_number_ends_sessions_and_tokens(
    app: Flask, account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person, operator = account(Role.LEAD), account(Role.OPERATOR)
    browser = signed_in_client(app, person)
    with sessions.begin() as session:
        me = session.get_one(Account, person.id)
        bearer = {"Authorization": f"Bearer {issue_token(session, me, 'park')}"}
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 200
    with sessions.begin() as session:
        me, by = session.get_one(Account, person.id), session.get_one(Account, operator.id)
        change_number(session, me, "+8613805192244", by=by, reason="手机丢失")
    assert app.test_client().get("/api/v1/me", headers=bearer).status_code == 401
    assert browser.get("/api/v1/me").status_code == 401
    with sessions() as session:
        assert tokens_of(session, session.get_one(Account, person.id)) == []


def test_one_browser_or_all_others_are_signed_out_from_the_page(
    app: Flask, account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person, stranger = account(Role.AGENT), account(Role.LEAD)
    here, there, third, other = (signed_in_client(app, one) for one in (person, person, person, stranger))
    with sessions() as session:
        rows = session.scalars(select(LoginSession.id).order_by(LoginSession.id)).all()
    assert here.get("/account/security").text.count('name="session"') == 3
    assert here.post("/account/security/sessions", data={"session": str(rows[1])}).status_code == 302
    assert here.post("/account/security/sessions", data={"session": str(rows[3])}).status_code == 404
    assert here.post("/account/security/sessions", data={"session": "9" * 5000}).status_code == 404
    assert [one.get("/api/v1/me").status_code for one in (here, there, third, other)] == [200, 401, 200, 200]
    here.post("/account/security/sessions", data={"session": "others"})
    assert [one.get("/api/v1/me").status_code for one in (here, third, other)] == [200, 401, 200]


def test_a_token_reads_or_writes_at_the_api_alone_and_makes_none(app: Flask, sign_in_as: SignIn) -> None:
    browser, program = sign_in_as(Role.AGENT), app.test_client()
    made = {}
    for scope in (["read"], ["read", "write"]):
        answer = browser.post("/api/v1/me/tokens", json={"name": "park", "scopes": scope, "days": 7})
        made[len(scope)] = {"Authorization": f"Bearer {answer.json['token']}"}
    question = {"kind": "question", "words": "何时办结？", "area": "320412000000"}
    assert program.get("/api/v1/me", headers=made[1]).status_code == 200
    refused = program.post("/api/v1/tickets", json=question, headers=made[1])
    assert (refused.status_code, refused.json["type"]) == (403, "/docs/problems#token-scope")
    assert program.post("/api/v1/tickets", json=question, headers=made[2]).status_code != 403
    assert program.get("/team", headers=made[2]).status_code == 302, "no token opens a page"
    more = program.post("/api/v1/me/tokens", json={"name": "more"}, headers=made[2])
    assert more.status_code == 403
    listed = browser.get("/api/v1/me/tokens").json["items"]
    assert [row["scopes"] for row in listed] == [["read"], ["read", "write"]]
    assert listed[0]["used_at"] is not None


def test_an_account_has_no_more_tokens_than_it_may(
    account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person = account(Role.AGENT)
    with sessions.begin() as session:
        me = session.get_one(Account, person.id)
        for _ in range(MOST_TOKENS):
            issue_token(session, me, "park", scopes=[TokenScope.READ])
        with pytest.raises(TooManyTokens):
            issue_token(session, me, "park")


def test_a_password_is_changed_by_who_knows_it_and_ends_the_rest(
    app: Flask, account: Callable[..., Account], client: FlaskClient
) -> None:
    person = account(Role.LEAD)
    here, there = signed_in_client(app, person), signed_in_client(app, person)
    form = {"old": "not this one", "new": NEW, "again": NEW}
    short = {"old": PASSWORD, "new": "short", "again": "short"}
    for wrong in (form, form | {"old": PASSWORD, "again": "another"}, short):
        assert here.post("/account/security/password", data=wrong).status_code == 422
    assert there.get("/api/v1/me").status_code == 200
    assert here.post("/account/security/password", data=form | {"old": PASSWORD}).status_code == 302
    assert [one.get("/api/v1/me").status_code for one in (here, there)] == [200, 401]
    assert client.post("/login", data={"name": "lead", "password": PASSWORD}).status_code == 422
    assert client.post("/login", data={"name": "lead", "password": NEW}).status_code == 302


@pytest.mark.parametrize("weak", ["12345678901", "Password2026", "aaaaaaaaaaaa", "qwertyuiop9", "guanli-2026", "kurz"])
def test_a_guessable_password_is_refused(weak: str) -> None:
    with pytest.raises(WeakPassword):
        Account(role=Role.OPERATOR, name="x", login="guanli").set_password(weak)


def test_the_last_operator_stays_and_nobody_closes_itself(
    account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    first = account(Role.OPERATOR)
    lead = account(Role.LEAD)
    with sessions.begin() as session:
        one, other = session.get_one(Account, first.id), session.get_one(Account, lead.id)
        with pytest.raises(LastOperator):
            unbind(session, one, by=other, reason="误操作")
        with pytest.raises(NotOneself):
            unbind(session, one, by=one, reason="误操作")
        second = Account(role=Role.OPERATOR, name="无法登录")
        session.add(second)
        session.flush()
        with pytest.raises(LastOperator):
            unbind(session, one, by=second, reason="误操作")
        second.set_password(NEW)
        unbind(session, one, by=second, reason="离职")
        assert one.state is AccountState.CLOSED


def test_an_operator_is_made_by_two(account: Callable[..., Account], sessions: sessionmaker[Session]) -> None:
    first = account(Role.OPERATOR)
    with sessions.begin() as session:
        maker = session.get_one(Account, first.id)
        made = make_staff(
            session, maker, role=Role.OPERATOR, name="新管理员", phone="+8613805192255", login="New.One",
            division_id=None, reason="增设",
        )  # fmt: skip
        assert (made.state, made.login) == (AccountState.WAITING, "new.one")
        with pytest.raises(NotOneself):
            approve_operator(session, maker, made, reason="自己复核")
        make_operator_at_console(session, name="第二", login="second", phone=None)
        second = session.scalars(select(Account).where(Account.login == "second")).one()
        approve_operator(session, second, made, reason="已核实")
        assert made.state is AccountState.ACTIVE
        with pytest.raises(NotWaiting):
            approve_operator(session, second, made, reason="再来")


def test_an_operator_makes_a_lead_on_the_page(
    sign_in_as: SignIn, a_division: int, sessions: sessionmaker[Session]
) -> None:
    browser = sign_in_as(Role.OPERATOR)
    form = {"role": "lead", "name": "李组长", "phone": "13805192255", "division": "320412000000", "reason": "新设辖区"}
    for wrong in ({"division": "999999999999"}, {"reason": ""}, {"phone": "1"}, {"role": "agent"}):
        assert browser.post("/operator/accounts/new", data=form | wrong).status_code == 422
    assert browser.post("/operator/accounts/new", data=form).status_code == 302
    with sessions() as session:
        made = session.scalars(select(Account).where(Account.role == Role.LEAD)).one()
        assert (made.division_id, made.state) == (a_division, AccountState.ACTIVE)


def test_who_has_the_machine_lets_an_operator_in_again(
    app: Flask, client: FlaskClient, account: Callable[..., Account], sessions: sessionmaker[Session]
) -> None:
    person = account(Role.OPERATOR, login="guanli")
    browser = signed_in_client(app, person)
    with sessions.begin() as session:
        session.get_one(Account, person.id).state = AccountState.CLOSED
    runner = app.test_cli_runner()
    assert runner.invoke(args=["accounts", "recover", "nobody"]).exit_code == 1
    done = runner.invoke(args=["accounts", "recover", "Guanli"])
    assert done.exit_code == 0, done.output
    assert client.post("/login", data={"name": "guanli", "password": PASSWORD}).status_code == 422
    assert browser.get("/api/v1/me").status_code == 401
    link = path_of(done.output)
    assert client.get(link).status_code == 200
    assert client.post(link, data={"new": NEW, "again": NEW}).headers["Location"].endswith("/operator/setup")
    assert client.get("/operator/setup").status_code == 200
    assert app.test_client().post("/login", data={"name": "guanli", "password": NEW}).status_code == 302
    made = runner.invoke(args=["accounts", "operator", "zweite", "--phone", "13805192266"])
    assert made.exit_code == 0, made.output
    assert runner.invoke(args=["accounts", "operator", "zweite"]).exit_code == 1
    assert "Traceback" not in made.output
    with sessions() as session:
        assert session.scalars(select(Account.login).where(Account.id != person.id)).all() == ["zweite"]


def test_sessions_that_ended_long_ago_are_forgotten(sign_in_as: SignIn, sessions: sessionmaker[Session]) -> None:
    sign_in_as(Role.LEAD)
    with sessions.begin() as session:
        assert forget_old_sessions(session) == 0
    age(sessions, expires_at=KEPT + timedelta(days=1))
    with sessions.begin() as session:
        assert forget_old_sessions(session) == 1


def test_an_entry_link_is_good_once(app: Flask, client: FlaskClient, sessions: sessionmaker[Session]) -> None:
    link = path_of(app.test_cli_runner().invoke(args=["accounts", "operator"]).output)
    for wrong in ({"new": NEW, "again": "something else 9"}, {"new": "kurz", "again": "kurz"}):
        assert client.post(link, data=wrong).status_code == 422
    assert client.get(link + "x").status_code == 404
    assert client.post(link, data={"new": NEW, "again": NEW}).status_code == 302
    other = app.test_client()
    assert other.get(link).status_code == 404
    assert other.post(link, data={"new": NEW + "2", "again": NEW + "2"}).status_code == 404
    with sessions() as session:
        assert session.scalars(select(Account.login)).all() == ["admin"]


def test_an_entry_link_ends_with_its_account(app: Flask, client: FlaskClient, sessions: sessionmaker[Session]) -> None:
    link = path_of(app.test_cli_runner().invoke(args=["accounts", "operator"]).output)
    with sessions.begin() as session:
        session.scalars(select(Account)).one().state = AccountState.CLOSED
    assert client.get(link).status_code == 404


class LongAgo(TimestampSigner):
    """Signs as it was done when the link was made more than a day ago."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - LASTS_S - 5


def test_an_entry_link_ends_with_a_day(app: Flask, client: FlaskClient, account: Callable[..., Account]) -> None:
    person = account(Role.OPERATOR)
    old = URLSafeTimedSerializer(str(app.secret_key), salt=SALT, signer=LongAgo).dumps([person.id, person.epoch])
    assert client.get(f"/account/entry/{old}").status_code == 404
    assert client.get(f"/account/entry/{entry_key(str(app.secret_key), person)}").status_code == 200


def test_the_guide_says_what_is_missing(sign_in_as: SignIn, sessions: sessionmaker[Session], a_division: int) -> None:
    operator = sign_in_as(Role.OPERATOR)
    before = operator.get("/operator/setup").get_data(as_text=True)
    assert "还缺" in before and "下一步" in before and "为每个服务中心开通一位组长" in before
    form = {"role": "lead", "name": "李组长", "phone": "13805192255", "division": "武进区", "reason": "新设"}
    assert operator.post("/operator/accounts/new", data=form).status_code == 302
    person = {"name": "王代办", "phone": "13805192256", "division": "武进区", "capacity": "6", "weekly_hours": "40"}
    person |= {"role": "agent", "vehicle": "ebike"}
    assert operator.post("/team/people/new", data=person).status_code == 302
    with sessions() as session:
        today = date(2026, 11, 24)
        facts = set_up_facts(session, leads_by_division(session), today=today)
    (area,) = facts.areas
    assert (area.name, area.leads, area.agents, area.couriers, area.is_ready) == ("武进区", 1, 1, 0, False)
    after = operator.get("/operator/setup").get_data(as_text=True)
    assert "每个辖区至少一位代办员、一位有排班的揽投员" in after and "武进区" in after


@pytest.mark.parametrize("place", ["", "没有的地方", "999999999999"])
def test_a_place_that_is_not_there_is_said_beside_the_field(sign_in_as: SignIn, a_division: int, place: str) -> None:
    form = {"role": "agent", "name": "王", "phone": "13805192256", "division": place, "vehicle": "ebike"}
    answer = sign_in_as(Role.OPERATOR).post("/team/people/new", data=form)
    assert answer.status_code == 422
    assert 'id="division-error"' in answer.get_data(as_text=True)
