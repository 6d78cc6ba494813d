"""Copying: many rows into one table by COPY, through the types that the mapped classes declare."""

import enum
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count

from sqlalchemy import Dialect, func, inspect, select, text
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from db import Base

Row = dict[str, object]
"""Values by attribute name; the rows of one table have the same names."""


def copy_rows(session: Session, noun: type[Base], rows: Iterable[Mapping[str, object]]) -> int:
    """Write ``rows`` and return how many. Ids are given by the caller."""
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return 0
    columns = [inspect(noun).column_attrs[name].columns[0] for name in first]
    dialect = session.connection().dialect
    writers = [(name, _writer(column.type, dialect)) for name, column in zip(first, columns, strict=True)]
    names = ", ".join(f'"{column.name}"' for column in columns)
    number = 0
    cursor = session.connection().connection.cursor()
    with cursor.copy(f'COPY "{noun.__tablename__}" ({names}) FROM STDIN') as stream:
        for row in chain([first], waiting):
            stream.write_row([write(row[name]) for name, write in writers])
            number += 1
    return number


def _writer(kind: TypeEngine[object], dialect: Dialect) -> Callable[[object], object]:
    """As the database takes a value of this type: by the type's own word where it is one of ours."""
    bound = kind.bind_processor(dialect) if isinstance(kind, TypeDecorator) else None
    return _plain if bound is None else lambda value: _plain(bound(value))


def _plain(value: object) -> object:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value


class NextIds:
    """The ids that are free in each table, one after the other."""

    def __init__(self, session: Session, nouns: Iterable[type[Base]]) -> None:
        self._numbers: dict[type[Base], Iterator[int]] = {noun: count(_first_free(session, noun)) for noun in nouns}

    def next(self, noun: type[Base]) -> int:
        """An id that no row of this table has."""
        return next(self._numbers[noun])


def _first_free(session: Session, noun: type[Base]) -> int:
    return int(session.scalar(select(func.coalesce(func.max(noun.__table__.columns["id"]), 0))) or 0) + 1


def settle_ids(session: Session, nouns: Sequence[type[Base]]) -> None:
    """Tell each table's sequence which ids were used, and the planner how large the table is."""
    for noun in nouns:
        name = noun.__tablename__
        session.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('\"{name}\"', 'id'),"  # noqa: S608 - our own tables' names
                f' (SELECT coalesce(max(id), 1) FROM "{name}"))'
            )
        )
        session.execute(text(f'ANALYZE "{name}"'))
