"""Database schema: every room's tables, their migrations up and down, and whether the two still agree."""

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import command, util
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.types import TypeEngine

import db
from dispatch.cases.obligations.obligation import Obligation
from servers.postgres import Postgres
from web.wiring.deriving import derive_obligations

ROOMS = ("agents", "routing", "notifications", "dispatch", "web")
FOLDER = Path(__file__).parent.parent / "migrations"
PEOPLES_TABLES = frozenset(
    {"account", "enterprise", "project", "dispatch_case", "parcel", "handover", "message", "ticket"}
)
LOCK = 0x6461_6962  # one migration at a time, whoever starts it


def load_rooms() -> None:
    """Import every module of every room, so that each table is known."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name and module.name != __name__:
                importlib.import_module(module.name)


METADATA = db.Base.metadata


def include_object(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Everything that is ours; what PostgreSQL's own extensions or Alembic bring is not compared."""
    return not (kind == "table" and name == "alembic_version")


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations name plain types: they must not change when ours do."""
    if kind != "type" or not isinstance(item, TypeEngine):
        return False
    plain = {"UTCDateTime": "sa.DateTime(timezone=True)", "EncryptedText": "sa.LargeBinary()", "Ltree": "db.Ltree()"}
    name = type(item).__name__
    if name in plain:
        return plain[name]
    if name == "Enum":
        return f"sa.String(length={vars(item)['length']})"
    if hasattr(item, "impl") and not isinstance(item.impl, type) and type(item).__module__.split(".")[0] in ROOMS:
        return f"sa.{item.impl!r}"
    return False


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.set_main_option("path_separator", "os")
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


def upgrade(url: str, revision: str = "head") -> str:
    """Bring the database up to ``revision``; two that start together go one after the other. The revision reached."""
    with _locked(url) as connection:
        command.upgrade(config(connection), revision)
        connection.commit()
        reached = MigrationContext.configure(connection).get_current_revision() or "base"
        if reached == head():
            _fill_obligations(url)
        return reached


def _fill_obligations(url: str) -> None:
    """A database of an earlier release knows of cases and of nothing that is owed: it is folded from its facts."""
    factory = db.sessions(url)
    with factory() as session:
        is_filled = session.scalar(select(Obligation.id).limit(1)) is not None
    if not is_filled:
        derive_obligations(factory)
    factory.kw["bind"].dispose()


def downgrade(url: str, revision: str) -> None:
    """Take the database back to ``revision``."""
    with _locked(url) as connection:
        command.downgrade(config(connection), revision)
        connection.commit()


def rows_held(url: str) -> list[tuple[str, int]]:
    """The tables that hold what people entered, with how many rows each; the fullest first. What imports and the
    program itself bring in is not counted."""
    load_rooms()
    asked = [table.name for table in METADATA.sorted_tables if table.name in PEOPLES_TABLES]
    engine = create_engine(db.psycopg_url(url))
    try:
        with engine.connect() as connection:
            there = set(inspect(connection).get_table_names())
            counted = [
                (name, connection.execute(select(func.count()).select_from(METADATA.tables[name])).scalar_one())
                for name in asked
                if name in there
            ]
    finally:
        engine.dispose()
    return sorted(((name, rows) for name, rows in counted if rows), key=lambda one: -one[1])


def drift(url: str) -> list[Any]:
    """What differs between the database and the rooms' tables; nothing, when migrations are complete."""
    load_rooms()
    engine = create_engine(db.psycopg_url(url))
    engine.dialect.ischema_names["ltree"] = db.Ltree  # type: ignore[attr-defined]
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": include_object, "target_metadata": METADATA}
        )
        found = list(compare_metadata(context, METADATA))
    engine.dispose()
    return found


def head() -> str | None:
    """The newest revision that there is."""
    return ScriptDirectory.from_config(config()).get_current_head()


@contextmanager
def _locked(url: str) -> Iterator[Connection]:
    """A connection while nobody else migrates this database."""
    engine = create_engine(db.psycopg_url(url))
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": LOCK})
            connection.commit()
            try:
                yield connection
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": LOCK})
                connection.commit()
    finally:
        engine.dispose()


def write_migration(message: str, *, afresh: bool) -> Path:
    """A new migration from what the rooms' tables are now; ``afresh`` throws the old ones away first.

    A private server is started for it, brought up by the migrations that there are, compared, and ended.
    """
    if afresh:
        for old in (FOLDER / "versions").glob("*.py"):
            old.unlink()
    load_rooms()
    server = Postgres().start()
    try:
        engine = create_engine(server.url)
        with engine.connect() as connection:
            command.upgrade(config(connection), "head")
            connection.commit()
            number = f"{len(list((FOLDER / 'versions').glob('*.py'))) + 1:04d}"
            made = command.revision(config(connection), message=message, autogenerate=True, rev_id=number)
        engine.dispose()
    finally:
        server.stop()
    script = made[0] if isinstance(made, list) else made
    if script is None:
        raise util.CommandError("nothing was written")
    tidy = [sys.executable, "-m", "ruff"]
    subprocess.run([*tidy, "check", "--fix", "--quiet", script.path], check=True)
    subprocess.run([*tidy, "format", "--quiet", script.path], check=True)
    return Path(script.path)


def main() -> int:
    """``python -m web.wiring.database_schema "What changed"`` writes a migration; ``--afresh``: one for all."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("message")
    parser.add_argument("--afresh", action="store_true", help="throw all migrations away and write one")
    arguments = parser.parse_args()
    sys.stdout.write(f"{write_migration(arguments.message, afresh=arguments.afresh)}{os.linesep}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
