"""The second factor: without its code nobody is signed in, a code counts once, and who owes one does nothing else."""

import base64
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from dispatch.core.actor import Role
from tests.web.conftest import PASSWORD, signed_in_client
from web.wiring.accounts import Account
from web.wiring.guesses import GUESS_LIMITS, GuessKind
from web.wiring.login_sessions import PROVED_FOR, LoginSession
from web.wiring.second_factor import (
    RECOVERY_CODES,
    STEP_S,
    SecondFactor,
    begin_factor,
    confirm_factor,
    factor_of,
    is_right_code,
    totp,
)
from web.wiring.settings import FACTOR_ROLES
from web.wiring.staff_accounts import recover_at_console

MakeAccount = Callable[..., Account]


def step() -> int:
    return int(time.time()) // STEP_S


def with_factor(sessions: sessionmaker[Session], person: Account) -> tuple[str, list[str]]:
    """The secret and recovery codes of a second factor that is in force; codes of this step still count."""
    with sessions.begin() as session:
        secret = begin_factor(session, person).secret
        codes = confirm_factor(session, person, totp(secret, step()))
        assert codes is not None
        session.get_one(SecondFactor, person.id).last_step = 0
    return secret, codes


def log_in(client: FlaskClient, person: Account, query: str = "") -> str:
    """Where the browser is sent after the right password."""
    return client.post(f"/login{query}", data={"name": person.login, "password": PASSWORD}).location


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize(
    ("at_s", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037"), (20000000000, "353130")],
)
def test_the_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    """RFC 6238, appendix B, the last six digits."""
    assert totp(base64.b32encode(b"12345678901234567890").decode(), at_s // STEP_S) == code


def test_the_password_alone_signs_nobody_in(app: Flask, sessions: sessionmaker[Session], account: MakeAccount) -> None:
    person = account(Role.LEAD)
    secret, _ = with_factor(sessions, person)
    client = app.test_client()
    assert log_in(client, person, "?next=/team/inbox").startswith("/login/second")
    assert not is_signed_in(client)
    assert client.post("/login/second", data={"code": "000000"}).status_code == 422
    assert not is_signed_in(client)
    answer = client.post("/login/second?next=/team/inbox", data={"code": totp(secret, step())})
    assert answer.location == "/team/inbox"
    assert is_signed_in(client)


def test_a_code_that_counted_counts_no_more(sessions: sessionmaker[Session], account: MakeAccount) -> None:
    person = account(Role.LEAD)
    secret, codes = with_factor(sessions, person)
    typed = totp(secret, step())
    with sessions.begin() as session:
        assert is_right_code(session, person.id, typed)
        assert not is_right_code(session, person.id, typed)
        assert is_right_code(session, person.id, codes[3].upper())
        assert not is_right_code(session, person.id, codes[3])
        found = factor_of(session, person.id)
        assert found is not None
        assert len(found.recovery) == RECOVERY_CODES - 1


def test_codes_may_be_guessed_at_only_a_few_times(
    app: Flask, sessions: sessionmaker[Session], account: MakeAccount
) -> None:
    person = account(Role.LEAD)
    secret, _ = with_factor(sessions, person)
    client = app.test_client()
    log_in(client, person)
    for _ in range(GUESS_LIMITS[GuessKind.FACTOR].one):
        assert client.post("/login/second", data={"code": "wrong"}).status_code == 422
    assert client.post("/login/second", data={"code": totp(secret, step())}).status_code == 429
    assert not is_signed_in(client)


def test_who_has_shown_no_password_is_asked_for_no_code(app: Flask) -> None:
    assert app.test_client().post("/login/second", data={"code": "123456"}).location.startswith("/login")


def test_a_changed_password_ends_what_was_half_done(
    app: Flask, sessions: sessionmaker[Session], account: MakeAccount
) -> None:
    person = account(Role.LEAD)
    secret, _ = with_factor(sessions, person)
    client = app.test_client()
    log_in(client, person)
    with sessions.begin() as session:
        session.get_one(Account, person.id).sign_out_everywhere()
    client.post("/login/second", data={"code": totp(secret, step())})
    assert not is_signed_in(client)


def test_who_owes_a_second_factor_sets_it_up_before_anything_else(
    app: Flask, sessions: sessionmaker[Session], account: MakeAccount
) -> None:
    app.extensions["daiban.settings"] = replace(app.extensions["daiban.settings"], second_factor=FACTOR_ROLES["staff"])
    person = account(Role.LEAD)
    client = signed_in_client(app, person)
    assert client.get("/team/projects").location == "/account/factor"
    assert client.get("/api/v1/cases").status_code == 403
    page = client.get("/account/factor")
    assert page.status_code == 200
    with sessions() as session:
        secret = session.get_one(SecondFactor, person.id).secret
    assert client.post("/account/factor", data={"code": "000000"}).status_code == 422
    done = client.post("/account/factor", data={"code": totp(secret, step())})
    assert done.status_code == 200
    assert done.text.count("<code>") == RECOVERY_CODES
    assert secret not in client.get("/account/factor").text
    assert client.get("/team/projects").status_code == 200


def test_of_who_is_not_named_by_the_setting_none_is_required(app: Flask, account: MakeAccount) -> None:
    settings = app.extensions["daiban.settings"]
    app.extensions["daiban.settings"] = replace(settings, second_factor=FACTOR_ROLES["operators"])
    assert signed_in_client(app, account(Role.LEAD)).get("/team/projects").status_code == 200


def test_it_is_taken_away_by_a_code_of_it_or_by_another_operator(
    app: Flask, sessions: sessionmaker[Session], account: MakeAccount
) -> None:
    person, operator = account(Role.LEAD), account(Role.OPERATOR)
    secret, _ = with_factor(sessions, person)
    client = signed_in_client(app, person)
    client.post("/account/factor/removal", data={"code": "000000"})
    with sessions() as session:
        assert factor_of(session, person.id) is not None
    client.post("/account/factor/removal", data={"code": totp(secret, step())})
    with sessions() as session:
        assert factor_of(session, person.id) is None
    with_factor(sessions, person)
    with_factor(sessions, operator)
    chair = signed_in_client(app, operator)
    for one in (person, operator):
        chair.post(f"/operator/accounts/{one.id}", data={"act": "factor", "reason": "手机丢失"})
    with sessions() as session:
        assert factor_of(session, person.id) is None
        assert factor_of(session, operator.id) is not None, "nobody takes away the own one so"
    assert not is_signed_in(client), "whoever holds the lost phone is signed out"


def test_who_has_the_machine_takes_it_away_with_the_password(
    sessions: sessionmaker[Session], account: MakeAccount
) -> None:
    operator = account(Role.OPERATOR)
    with_factor(sessions, operator)
    with sessions.begin() as session:
        recover_at_console(session, str(operator.login))
        assert factor_of(session, operator.id) is None


# ---------------------------------------------------------------- showing again to be there


def long_ago(sessions: sessionmaker[Session]) -> None:
    """Every session's person showed to be there too long ago."""
    before = func.clock_timestamp() - (PROVED_FOR + timedelta(seconds=1))
    with sessions.begin() as session:
        session.execute(update(LoginSession).values(proved_at=before))


GUARDED = (
    ("POST", "/operator/accounts/1", {"act": "unbind", "reason": "离职"}),
    ("GET", "/operator/accounts/new", {}),
    ("GET", "/operator/security.csv", {}),
    ("POST", "/account/security/tokens", {"name": "x", "days": "7"}),
)


@pytest.mark.parametrize(("method", "path", "form"), GUARDED, ids=lambda one: str(one)[:40])
def test_what_opens_a_door_asks_again_who_is_there(
    app: Flask, sessions: sessionmaker[Session], account: MakeAccount, method: str, path: str, form: dict[str, str]
) -> None:
    client = signed_in_client(app, account(Role.OPERATOR))
    long_ago(sessions)
    answer = client.open(path, method=method, data=form, headers={"Referer": "http://localhost/operator/accounts"})
    wanted = path if method == "GET" else "/operator/accounts"
    assert answer.status_code == 302
    assert answer.location == f"/account/proof?next={wanted}"
    assert client.post(answer.location, data={"code": "wrong"}).status_code == 422
    assert client.open(path, method=method, data=form).status_code == 302
    assert client.post(answer.location, data={"code": PASSWORD}).location == wanted
    assert "/account/proof" not in (client.open(path, method=method, data=form).location or "")


def test_who_has_a_second_factor_shows_that(app: Flask, sessions: sessionmaker[Session], account: MakeAccount) -> None:
    person = account(Role.OPERATOR)
    secret, _ = with_factor(sessions, person)
    client = signed_in_client(app, person)
    long_ago(sessions)
    assert client.post("/account/proof?next=/team", data={"code": PASSWORD}).status_code == 422
    assert client.post("/account/proof?next=/team", data={"code": totp(secret, step())}).location == "/team"


def test_who_has_neither_signs_in_anew(app: Flask, sessions: sessionmaker[Session], account: MakeAccount) -> None:
    person = account(Role.LEAD, phone="+8613912345678")
    with sessions.begin() as session:
        session.get_one(Account, person.id).password_hash = None
    client = signed_in_client(app, person)
    assert client.get("/account/proof?next=/team").status_code == 200
    assert is_signed_in(client), "looking signs nobody out"
    assert client.post("/account/proof?next=/team").location == "/login?by=code&next=/team"
    assert not is_signed_in(client)
    with sessions() as session:
        assert session.scalar(select(LoginSession.ended_at).where(LoginSession.account_id == person.id)) is not None
