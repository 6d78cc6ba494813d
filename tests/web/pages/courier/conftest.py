"""A courier's Tuesday: made once, cloned for each test, and a real server that can go away."""

import itertools
import os
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

import db
from notifications import task_publisher
from tests.web.conftest import signed_in_client
from tests.web.live_server import LiveServer
from tests.web.pages.courier.tuesday import TEN_ON_TUESDAY, Day, fill

_numbers = itertools.count()


@pytest.fixture(scope="session")
def tuesday(postgres: str, county_database: str) -> tuple[str, Day]:
    """The name of a database that holds the day, and what is in it."""
    name = f"tuesday_{os.getpid()}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {county_database} STRATEGY FILE_COPY")
    factory = db.sessions(postgres.rsplit("/", 1)[0] + "/" + name)
    day = fill(factory)
    factory.kw["bind"].dispose()
    return name, day


@pytest.fixture
def database_url(postgres: str, tuesday: tuple[str, Day]) -> Iterator[str]:
    """The URL of a database of this test's own that holds the day."""
    name = f"tu{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {tuesday[0]} STRATEGY FILE_COPY")
    url = postgres.rsplit("/", 1)[0] + "/" + name
    clone = db.sessions(url)
    with clone.begin() as session:
        db.set_clock(session, TEN_ON_TUESDAY)  # the day's own clock has gone on since it was made
    clone.kw["bind"].dispose()
    yield url
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def day(tuesday: tuple[str, Day]) -> Day:
    """What the day's database holds."""
    return tuesday[1]


@pytest.fixture
def courier(app: Flask, day: Day) -> FlaskClient:
    """The courier's browser, without scripts."""
    return signed_in_client(app, day.courier)


@pytest.fixture
def desk_lead(app: Flask, day: Day) -> FlaskClient:
    """The lead's browser."""
    return signed_in_client(app, day.lead)


@pytest.fixture
def server(app: Flask) -> Iterator[LiveServer]:
    """The application behind a real port; forms need their token, as always."""
    app.config["WTF_CSRF_ENABLED"] = True
    task_publisher.use(None)  # nobody waits here for a broker that is not there
    running = LiveServer(app)
    yield running
    running.close()
