"""Keys: a new one is handed out first, encrypts then, and every encrypted column is written again with it."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

from sqlalchemy import Table, bindparam, func, literal, select, type_coerce, update
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.types import LargeBinary

import db

BATCH = 1000


class KeysGivenFromOutside(ValueError):
    """The keys come from DAIBAN_KEYS: whoever sets it changes it there, and starts every process again."""


class KeyInUse(ValueError):
    """A key that still reads stored values, or that encrypts, cannot be taken away."""


def add_key() -> str:
    """A new key at the end of the key file: every process can read it, none encrypts with it yet. Its id.

    Raises KeysGivenFromOutside."""

    def with_new_key(ring: db.Keyring) -> db.Keyring:
        fresh = f"k{_number(_newest(ring)) + 1}"
        return replace(ring, keys={**ring.keys, fresh: secrets.token_bytes(db.KEY_BYTES)})

    return _newest(_rewrite(with_new_key))


def promote_key() -> str:
    """From now on the newest key encrypts; its id. Processes that follow late still write with the one before.

    Raises KeysGivenFromOutside."""
    return _rewrite(lambda ring: replace(ring, current=_newest(ring))).current


def renew_session_key() -> None:
    """Another key for session cookies: everybody signs in anew. Raises KeysGivenFromOutside."""
    _rewrite(lambda ring: replace(ring, session=secrets.token_bytes(db.KEY_BYTES)))


def retire_key(sessions: sessionmaker[Session], key_id: str) -> None:
    """Take an old key out of the file. Raises KeyInUse while it encrypts or a stored value needs it, UnknownKey."""
    ring = db.keyring()
    if key_id not in ring.keys:
        raise db.UnknownKey(f"no key {key_id} in the keyring")
    if key_id == ring.current:
        raise KeyInUse(f"key {key_id} encrypts")
    for table, name in encrypted_columns():
        stored = type_coerce(table.columns[name], LargeBinary)
        front = func.substring(stored, 1, len(key_id) + 1)
        with sessions() as session:
            if session.scalar(select(literal(1)).where(front == key_id.encode() + b"\0").limit(1)):
                raise KeyInUse(f"values of {table.name}.{name} need key {key_id}: run `keys reencrypt` first")
    _rewrite(lambda held: replace(held, keys={name: key for name, key in held.keys.items() if name != key_id}))


def _number(key_id: str) -> int:
    return int(key_id[1:]) if key_id[1:].isdigit() else 0


def _newest(ring: db.Keyring) -> str:
    return max(ring.keys, key=_number)


def _rewrite(change: Callable[[db.Keyring], db.Keyring]) -> db.Keyring:
    """Change the key file whole or not at all; other processes follow by themselves."""
    if os.environ.get("DAIBAN_KEYS"):
        raise KeysGivenFromOutside(
            "the keys come from DAIBAN_KEYS: change them there, start every process again, then run `keys reencrypt`"
        )
    path = db.home() / "keys"
    with open(path, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ring = change(db.Keyring.parse(file.read()))
        fresh = path.with_name("keys.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as new:
            new.write(ring.line())
            new.flush()
            os.fsync(new.fileno())
        fresh.replace(path)
    db.use_keys(ring)
    return ring


def encrypted_columns() -> Iterator[tuple[Table, str]]:
    """Every column whose values lie encrypted."""
    for table in db.Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, db.EncryptedText) and len(table.primary_key.columns) == 1:
                yield table, column.name


def reencrypt(sessions: sessionmaker[Session]) -> Iterator[tuple[str, str, int]]:
    """Write every encrypted value that an older key made again; batch by batch, so that nobody waits."""
    front = db.keyring().current.encode() + b"\0"
    for table, name in encrypted_columns():
        yield table.name, name, _reencrypt_column(sessions, table, name, front)


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
                    write, [{"row": number, "value": db.decrypt(value)} for number, value in old]
                )
                count += len(old)
        if len(found) < BATCH:
            return count
        last = found[-1][0]
