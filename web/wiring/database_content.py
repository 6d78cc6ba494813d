"""Database content: tables, network, calendar and catalogue, which files they are made of, and what is in there."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psycopg

import db
from prepare import digest

ROOT = Path(__file__).resolve().parent.parent.parent


class ContentPart(NamedTuple):
    """Something that the database must hold: brought in again only when a file that it is made of changes."""

    mark: str
    title: str
    command: tuple[str, ...]
    named: tuple[str, ...]
    made_of: tuple[str, ...]

    def state(self, database: str) -> str:
        """One word that changes when a file of it does, or the database is another one."""
        return digest(files(self.made_of), database)

    def command_line(self) -> list[str]:
        """The words of the command that brings it in."""
        return [*self.command, *(str(path.relative_to(ROOT)) for path in files(self.named))]


CALENDARS = ("dispatch/data/calendar_*.csv",)
PARTS = (
    ContentPart("tables", "the tables", ("db", "upgrade"), (), ("web/migrations/**/*.py",)),
    ContentPart(
        "network", "Jiangsu's network", ("network", "import"), ("agents/data/network.csv",), ("agents/data/*.csv",)
    ),
    ContentPart("calendar", "the working-day calendar", ("calendar", "import"), CALENDARS, CALENDARS),
    ContentPart(
        "catalog",
        "the catalogue of matters",
        ("catalog", "import"),
        ("dispatch/data/catalog_*.csv",),
        ("dispatch/data/*.csv",),
    ),
)


def files(patterns: Iterable[str]) -> list[Path]:
    """The project's files of these patterns, in order."""
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())


def identity(database_url: str) -> str:
    """Which database this is: another one, or one restored elsewhere, is prepared anew."""
    with psycopg.connect(_plain(database_url)) as connection:
        row = connection.execute(
            "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database "
            "WHERE datname = current_database()"
        ).fetchone()
    return str(row[0]) if row else ""


def has_projects(database_url: str) -> bool:
    """Whether somebody's work is in there already."""
    with psycopg.connect(_plain(database_url)) as connection:
        row = connection.execute("SELECT to_regclass('project') IS NOT NULL").fetchone()
        if row is None or not row[0]:
            return False
        row = connection.execute("SELECT EXISTS (SELECT FROM project)").fetchone()
    return bool(row and row[0])


def _plain(database_url: str) -> str:
    """The URL as psycopg itself reads it."""
    return db.psycopg_url(database_url).replace("+psycopg", "", 1)
