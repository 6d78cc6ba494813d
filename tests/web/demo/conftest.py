"""What a demo stands on: the network around 武进, the catalogue and the calendar, imported as the commands do it."""

import csv
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import db
import dispatch
from agents.network import Level
from agents.network_import import CENTRES_FILE, DIVISIONS_FILE
from dispatch.acts.act import perform
from dispatch.acts.importing import ImportCalendar, ImportCatalogue, ImportNetwork
from dispatch.core.actor import SYSTEM

DATA = Path(dispatch.__file__).parent / "data"
WUJIN = "320412"

_numbers = itertools.count()


@pytest.fixture(scope="session")
def network_database(postgres: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database in which nobody has worked yet. Of the other counties there is the row and no town."""
    name, folder = f"network_{os.getpid()}", tmp_path_factory.mktemp("network")
    divisions = cut(DIVISIONS_FILE, folder / "network.csv", within=WUJIN)
    known = {row["code"] for row in rows_of(divisions)}
    write_rows(folder / "service_centres.csv", [row for row in rows_of(CENTRES_FILE) if row["node_code"] in known])
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database} STRATEGY FILE_COPY")
    factory = db.sessions(postgres.rsplit("/", 1)[0] + "/" + name)
    with factory.begin() as session:
        perform(session, ImportNetwork(divisions), SYSTEM)
        perform(session, ImportCalendar(DATA / "calendar_2025_2027.csv"), SYSTEM)
        perform(session, ImportCatalogue(tuple(sorted(DATA.glob("catalog_*.csv")))), SYSTEM)
    factory.kw["bind"].dispose()
    return name


@pytest.fixture
def database_url(postgres: str, network_database: str) -> Iterator[str]:
    """The URL of a database of this test's own that holds the network, the calendar and the catalogue."""
    name = f"n{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {network_database} STRATEGY FILE_COPY")
    yield postgres.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def cut(file: Path, to: Path, *, within: str) -> Path:
    """The rows of the province, its cities and counties, and everything below one county."""
    write_rows(
        to, [row for row in rows_of(file) if int(row["level"]) <= Level.COUNTY or row["code"].startswith(within)]
    )
    return to


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        return list(csv.DictReader(text))


def write_rows(file: Path, rows: list[dict[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
