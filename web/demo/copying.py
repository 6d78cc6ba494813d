"""Copying: many rows into one table by COPY, through the types that the mapped classes declare."""

import enum
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from db import Base, EncryptedText, keyring


def copy_rows(session: Session, noun: type[Base], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write ``rows`` (attribute names as keys, the same in each) and return how many. Ids are given by the caller."""
    table = noun.metadata.tables[noun.__tablename__]
    cursor = session.connection().connection.cursor()
    count = 0
    stream = None
    writers: list[tuple[str, Any]] = []
    for row in rows:
        if stream is None:
            columns = [noun.__mapper__.attrs[name].columns[0] for name in row]
            writers = [(name, _writer(column.type)) for name, column in zip(row, columns, strict=True)]
            names = ", ".join(f'"{column.name}"' for column in columns)
            manager = cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN')
            stream = manager.__enter__()
        stream.write_row([write(row[name]) for name, write in writers])
        count += 1
    if stream is not None:
        manager.__exit__(None, None, None)
    return count


def _writer(kind: Any) -> Any:
    if isinstance(kind, EncryptedText):
        ring = keyring()
        return lambda value: None if value is None else ring.encrypt(value)
    return _plain


def _plain(value: Any) -> Any:
    if isinstance(value, enum.IntEnum):
        return int(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value


def next_id(session: Session, noun: type[Base]) -> int:
    """The first id that is free in a table."""
    return int(session.scalar(select(func.coalesce(func.max(noun.id), 0))) or 0) + 1  # type: ignore[attr-defined]


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
