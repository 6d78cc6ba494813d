"""A county for every test of the case: made once, cloned for each."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.orm import Session, sessionmaker

import db
from tests.dispatch.builders import County, make_county, the_county

_numbers = itertools.count()


@pytest.fixture(scope="session")
def county_database(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that holds 武进区; tests clone it."""
    name = f"county_{os.getpid()}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    factory = db.sessions(postgres.rsplit("/", 1)[0] + "/" + name)
    with factory.begin() as session:
        db.allow_clock_changes(session)
        make_county(session, Path(tmp_path_factory.mktemp("county")))
    factory.kw["bind"].dispose()
    return name


@pytest.fixture
def county_url(postgres: str, county_database: str) -> Iterator[str]:
    """The URL of a database of this test's own that holds 武进区."""
    name = f"c{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {county_database} STRATEGY FILE_COPY")
    yield postgres.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def county_sessions(county_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on this test's county, at ten on a Monday."""
    factory = db.sessions(county_url)
    yield factory
    factory.kw["bind"].dispose()


@pytest.fixture
def county(county_sessions: sessionmaker[Session]) -> Iterator[County]:
    """武进区 at ten on a Monday, with three agents and two couriers, in one open transaction."""
    with county_sessions() as session:
        yield the_county(session)
