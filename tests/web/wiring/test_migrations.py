"""Migrations: from nothing up, no drift from the rooms' tables, and down to nothing again."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import create_engine, inspect

from tests.notifications.chaos import make_tables
from web.wiring import database_schema


@pytest.fixture
def empty_url(postgres: str) -> Iterator[str]:
    """The URL of a database without a table."""
    name, plain = f"empty_{os.getpid()}", postgres.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
    yield postgres.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_the_tables_go_up_without_drift_and_down_to_nothing(empty_url: str) -> None:
    assert database_schema.upgrade(empty_url) == database_schema.head()
    assert database_schema.drift(empty_url) == []
    assert tables(empty_url) >= {"account", "dispatch_case", "message", "stop", "division"}
    assert database_schema.upgrade(empty_url) == database_schema.head()
    database_schema.downgrade(empty_url, "base")
    assert tables(empty_url) == {"alembic_version"}
    assert database_schema.upgrade(empty_url) == database_schema.head()


DRAWN = """
SELECT pg_get_triggerdef(t.oid), regexp_replace(p.prosrc, '\\s+', ' ', 'g')
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = 'draw_calendar_version' ORDER BY 1
"""


def test_tables_made_without_migrations_draw_the_calendars_version_as_they_do(
    empty_url: str, database_url: str
) -> None:
    def drawn(url: str) -> list[tuple[str, str]]:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            return connection.execute(DRAWN).fetchall()

    make_tables(empty_url)
    assert drawn(empty_url) == drawn(database_url)
    assert len(drawn(empty_url)) == 3
