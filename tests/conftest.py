"""What every test may ask for: a real PostgreSQL database of its own, a real broker, a program's clock."""

import importlib
import itertools
import os
import pkgutil
from collections.abc import Iterator

import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

import db
from servers import Postgres, Valkey

_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def keys() -> None:
    """Tests encrypt with keys of their own and never touch a home folder's."""
    db.use_keys(db.Keyring.generate())


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a running server."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield db.psycopg_url(url)
        return
    server = Postgres().start()
    yield server.url
    server.stop()


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


@pytest.fixture(scope="session")
def template_database(postgres: str) -> str:
    """The schema, made once; every test clones it (tens of milliseconds)."""
    name = f"template_{os.getpid()}"
    with psycopg.connect(_plain(postgres), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    for room in ("dispatch", "agents", "routing", "notifications", "web"):
        package = importlib.import_module(room)
        for module in pkgutil.iter_modules(package.__path__, f"{room}."):
            if not module.name.endswith("__main__") and "migrations" not in module.name:
                importlib.import_module(module.name)
    engine = create_engine(postgres.rsplit("/", 1)[0] + "/" + name)
    with engine.begin() as connection:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS ltree"))
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS btree_gist"))
        db.Base.metadata.create_all(connection)
    engine.dispose()
    return name


@pytest.fixture
def database_url(postgres: str, template_database: str) -> Iterator[str]:
    """The URL of an empty, migrated database that belongs to this test alone."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(_plain(postgres), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    yield postgres.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(_plain(postgres), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sessions(database_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on this test's database, whose clock may be moved."""
    factory = db.sessions(database_url)
    with factory.begin() as session:
        db.allow_clock_changes(session)
    yield factory
    factory.kw["bind"].dispose()


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One open transaction; what the test does not commit is rolled back."""
    with sessions() as session:
        yield session


@pytest.fixture(scope="session")
def valkey() -> Iterator[str]:
    """The URL of a running broker."""
    if url := os.environ.get("TEST_BROKER_URL"):
        yield url
        return
    server = Valkey().start()
    yield server.url
    server.stop()


@pytest.fixture
def broker_url(valkey: str) -> str:
    """The broker, emptied for this test."""
    with redis.Redis.from_url(valkey) as client:
        client.flushdb()
    return valkey
