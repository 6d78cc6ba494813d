"""Merging: a table is made to hold just the rows of a file, and what that changes is reported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql
from sqlalchemy import (
    Column,
    ColumnElement,
    MetaData,
    Table,
    and_,
    case,
    delete,
    exists,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many rows an import added, changed and retired; ``lines`` names the changed and the retired ones."""

    added: int = 0
    changed: int = 0
    retired: int = 0
    lines: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.retired)

    def __add__(self, other: "ImportReport") -> "ImportReport":
        return ImportReport(
            self.added + other.added,
            self.changed + other.changed,
            self.retired + other.retired,
            self.lines + other.lines,
        )

    def __str__(self) -> str:
        return f"{self.added} added, {self.changed} changed, {self.retired} retired"


def merge(
    session: Session,
    table: Table,
    key: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    columns: Sequence[str] = (),
    retire_on: date | None = None,
    among: ColumnElement[bool] | None = None,
) -> ImportReport:
    """Make ``table`` hold just ``rows``, which all have the same ``columns`` and are already checked.

    One COPY into a temporary table, then one statement each to update, insert and retire. Rows of the table that are
    not among ``rows`` are retired on ``retire_on``, or deleted where the table keeps no retired rows; ``among`` says
    which rows may be touched so at all.
    """
    names = list(columns or rows[0])
    watched = [name for name in names if name not in key]
    keeps_retired = "retired_on" in table.c
    incoming = _copied(session, table, names, rows)
    same = and_(*(_equal(table.c[name], incoming.c[name]) for name in key))
    in_table = exists(select(1).select_from(table).where(same))
    in_file = exists(select(1).select_from(incoming).where(same))
    label = [table.c[name] for name in (*key, "name") if name in table.c]

    differing = {name: table.c[name].is_distinct_from(incoming.c[name]) for name in watched}
    if keeps_retired:
        differing["retired_on"] = table.c.retired_on.is_not(None)
    changed: Sequence[Any] = []
    if differing:
        differs = or_(*differing.values())
        marks = array([case((condition, name), else_="") for name, condition in differing.items()])
        changed = session.execute(select(*label, marks).where(same, differs)).all()
        values: dict[str, Any] = {name: incoming.c[name] for name in watched}
        if keeps_retired:
            values["retired_on"] = None
        session.execute(update(table).values(values).where(same, differs))
    fresh = select(*incoming.c).where(~in_table)
    added = session.execute(insert(table).from_select(names, fresh).returning(table.c[key[0]])).all()
    missing = and_(~in_file, *([] if among is None else [among]))
    if keeps_retired:
        retiring = update(table).values(retired_on=retire_on).where(missing, table.c.retired_on.is_(None))
        retired = session.execute(retiring.returning(*label)).all()
    else:
        retired = session.execute(delete(table).where(missing).returning(*label)).all()
    incoming.drop(session.connection())
    session.expire_all()
    lines = [f"{_words(row[:-1])}: {', '.join(mark for mark in row[-1] if mark)}" for row in changed]
    lines += [f"{_words(row)}: retired" for row in retired]
    return ImportReport(len(added), len(changed), len(retired), tuple(lines))


def _equal(stored: Column[Any], given: Column[Any]) -> ColumnElement[bool]:
    # Two rows that both lack a value are the same row; the plain comparison is the one that a join can hash.
    return stored.is_not_distinct_from(given) if stored.nullable else stored == given


def _words(row: Iterable[Any]) -> str:
    return " ".join(str(value) for value in row if value is not None)


def _copied(session: Session, table: Table, names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Table:
    """A temporary table with the rows, written by COPY."""
    session.flush()
    columns = (Column(name, table.c[name].type) for name in names)
    incoming = Table(f"incoming_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])
    incoming.create(session.connection())
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(incoming.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    cursor: Any = session.connection().connection.cursor()
    with cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])
    session.execute(text(f"ANALYZE {incoming.name}"))
    return incoming
