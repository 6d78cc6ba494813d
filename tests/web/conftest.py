"""What the tests of the shell may ask for: the application on a database of its own, and people to sign in as."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import Division, Level, Precision
from dispatch.cases.project import Enterprise
from dispatch.core.actor import Role
from notifications import task_publisher
from web.app import create_app
from web.wiring.accounts import HASHER, Account
from web.wiring.login_sessions import SignInMeans, begin
from web.wiring.settings import Settings

PASSWORD = "an honest password"
PASSWORD_HASH = HASHER.hash(PASSWORD)


@pytest.fixture
def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a laptop: no broker answers, nothing is limited."""
    monkeypatch.setenv("DAIBAN_HOME", str(tmp_path))
    return Settings(
        database_url=database_url,
        broker_url="redis://127.0.0.1:1/0",
        home=tmp_path,
        secret_key="k" * 64,
        limit_requests=False,
    )


@pytest.fixture
def app(settings: Settings, sessions: sessionmaker[Session]) -> Iterator[Flask]:
    """The whole application; forms need no token here (tests of forgery ask for it themselves)."""
    made = create_app(settings)
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield made
    task_publisher.use(None)
    made.extensions["daiban.sessions"].kw["bind"].dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def a_division(sessions: sessionmaker[Session]) -> int:
    """Wujin District's id, with its city and province above it."""
    with sessions.begin() as session:
        return add_wujin(session).id


def add_wujin(session: Session) -> Division:
    """江苏省 → 常州市 → 武进区."""
    path, made = "", None
    parent = None
    for code, name, level in (
        ("320000000000", "江苏省", Level.PROVINCE),
        ("320400000000", "常州市", Level.CITY),
        ("320412000000", "武进区", Level.COUNTY),
    ):
        path = f"{path}.{code}".lstrip(".")
        made = Division(
            code=code, name=name, pinyin="", level=level, kind="county", parent_code=parent, path=path,
            lon=119.94, lat=31.70, precision=Precision.CENTROID,
        )  # fmt: skip
        session.add(made)
        session.flush()
        parent = code
    assert made is not None
    return made


@pytest.fixture
def account(sessions: sessionmaker[Session]) -> Callable[..., Account]:
    """Makes an account with a role; the password is the same for all."""

    def make(role: Role, *, login: str | None = None, phone: str | None = None, **more: object) -> Account:
        with sessions.begin() as session:
            if role is Role.ENTERPRISE and "enterprise_id" not in more:
                enterprise = Enterprise(name="常州某某公司", credit_code=None, created_at=db.now(session))
                session.add(enterprise)
                session.flush()
                more["enterprise_id"] = enterprise.id
            if role is Role.ENTERPRISE:
                more = {"confirmed_at": db.now(session), "is_owner": True} | more
            made = Account(role=role, name="张三", login=login or role.value, password_hash=PASSWORD_HASH, **more)
            if phone:
                made.set_phone(phone)
            session.add(made)
        return made

    return make


@pytest.fixture
def sign_in_as(app: Flask, account: Callable[..., Account]) -> Callable[..., FlaskClient]:
    """A browser in which a person of this role has signed in."""

    def sign_in(role: Role, **more: object) -> FlaskClient:
        return signed_in_client(app, account(role, **more))

    return sign_in


def signed_in_client(app: Flask, person: Account) -> FlaskClient:
    """A browser with this account's session cookie."""
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie.update(_signed_in(app, person))
    return client


def _signed_in(app: Flask, person: Account) -> dict[str, object]:
    """A cookie's content for a session of this account that begins now."""
    with app.extensions["daiban.sessions"].begin() as session:
        secret = begin(session, session.get_one(Account, person.id), means=SignInMeans.PASSWORD)
    return {"_user_id": secret, "_fresh": True}


def cookie_of(app: Flask, person: Account) -> str:
    """The session cookie that a real browser needs to be this person."""
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    assert serializer is not None
    return str(serializer.dumps(_signed_in(app, person)))
