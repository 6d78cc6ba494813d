"""Keys: a new one is put in front, and every encrypted column is written again with it."""

import fcntl
import os
from collections.abc import Iterator

from sqlalchemy import Table, bindparam, select, type_coerce, update
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.types import LargeBinary

import db

BATCH = 1000


def add_key() -> str | None:
    """Put a new key in front of the home folder's keyring; its id.

    None when the keys come from DAIBAN_KEYS: then whoever sets it has put the new one in front already.
    """
    if os.environ.get("DAIBAN_KEYS"):
        return None
    path = db.home() / "keys"
    with open(path, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        rotated = db.Keyring.parse(file.read()).rotated()
        fresh = path.with_name("keys.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as new:
            new.write(rotated.line())
            new.flush()
            os.fsync(new.fileno())
        fresh.replace(path)
    db.use_keys(rotated)
    return rotated.current


def reencrypt(sessions: sessionmaker[Session]) -> Iterator[tuple[str, str, int]]:
    """Write every encrypted value that an older key made again; batch by batch, so that nobody waits."""
    front = db.keyring().current.encode() + b"\0"
    for table in db.Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, db.EncryptedText) and len(table.primary_key.columns) == 1:
                yield table.name, column.name, _reencrypt_column(sessions, table, column.name, front)


def _reencrypt_column(sessions: sessionmaker[Session], table: Table, name: str, front: bytes) -> int:
    key, column = next(iter(table.primary_key.columns)), table.columns[name]
    stored = type_coerce(column, LargeBinary)
    last, count = None, 0
    while True:
        with sessions.begin() as session:
            rows = select(key, stored).where(column.is_not(None)).order_by(key).limit(BATCH).with_for_update()
            if last is not None:
                rows = rows.where(key > last)
            found = session.execute(rows).all()
            old = [(row[0], bytes(row[1])) for row in found if not bytes(row[1]).startswith(front)]
            if old:
                write = update(table).where(key == bindparam("row")).values({name: bindparam("value")})
                session.connection().execute(
                    write, [{"row": number, "value": db.keyring().decrypt(value)} for number, value in old]
                )
                count += len(old)
        if len(found) < BATCH:
            return count
        last = found[-1][0]
