"""The ground floor: mapped base, UTC instants, the program's clock, encrypted columns, sessions."""

import base64
import enum
import fcntl
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from select import POLLIN, poll
from typing import Any, ClassVar, LiteralString, cast
from zoneinfo import ZoneInfo

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg.rows import namedtuple_row
from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    Interval,
    LargeBinary,
    MetaData,
    create_engine,
    event,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.types import TypeDecorator, UserDefinedType

SHANGHAI = ZoneInfo("Asia/Shanghai")


# ---------------------------------------------------------------- where things live


def home() -> Path:
    """The folder for keys, files and the embedded servers' data: DAIBAN_HOME, else ``instance/`` beside this file."""
    return Path(os.environ.get("DAIBAN_HOME") or Path(__file__).parent / "instance").absolute()


# ---------------------------------------------------------------- keys and encrypted columns


class UnknownKey(LookupError):
    """A stored value names a key that the keyring does not hold."""


class Unreadable(ValueError):
    """A stored value is not what its key encrypted: it was damaged or moved."""


@dataclass(frozen=True)
class Keyring:
    """The encryption keys by id, the one in use, and the key for look-up hashes, which is never rotated."""

    keys: Mapping[str, bytes]
    current: str
    index: bytes

    @classmethod
    def parse(cls, line: str) -> "Keyring":
        """Read ``id=base64,…,index=base64``: the first id encrypts, every id decrypts, ``index`` hashes."""
        pairs = dict(part.strip().split("=", 1) for part in line.replace("\n", ",").split(",") if part.strip())
        decoded = {name: base64.urlsafe_b64decode(value) for name, value in pairs.items()}
        index = decoded.pop("index", None)
        if index is None or not decoded:
            raise ValueError("keys need at least one id=base64 pair and an index=base64 pair")
        for name, key in decoded.items():
            if len(key) != 32:
                raise ValueError(f"key {name} has {len(key)} bytes, 32 are needed")
        return cls(keys=decoded, current=next(iter(decoded)), index=index)

    @classmethod
    def generate(cls, key_id: str = "k1") -> "Keyring":
        """A fresh keyring with one key."""
        return cls(keys={key_id: secrets.token_bytes(32)}, current=key_id, index=secrets.token_bytes(32))

    def rotated(self) -> "Keyring":
        """The same keyring with a new key in front: old values stay readable, new ones use the new key."""
        numbers = [int(k[1:]) for k in self.keys if k[1:].isdigit()]
        fresh = f"k{max(numbers, default=0) + 1}"
        return Keyring(keys={fresh: secrets.token_bytes(32), **self.keys}, current=fresh, index=self.index)

    def line(self) -> str:
        """The text form that ``parse`` reads."""
        ordered = {self.current: self.keys[self.current], **self.keys, "index": self.index}
        return ",".join(f"{name}={base64.urlsafe_b64encode(key).decode()}" for name, key in ordered.items())

    def encrypt(self, plain: str) -> bytes:
        """``id NUL nonce ciphertext``: AES-256-GCM with the key's id as associated data."""
        nonce = secrets.token_bytes(12)
        name = self.current.encode()
        return name + b"\0" + nonce + AESGCM(self.keys[self.current]).encrypt(nonce, plain.encode(), name)

    def decrypt(self, stored: bytes) -> str:
        """The plain text. Raises UnknownKey or Unreadable."""
        name, _, rest = bytes(stored).partition(b"\0")
        key = self.keys.get(name.decode(errors="replace"))
        if key is None:
            raise UnknownKey(f"no key {name!r} in the keyring")
        try:
            return AESGCM(key).decrypt(rest[:12], rest[12:], name).decode()
        except InvalidTag as error:
            raise Unreadable("an encrypted value does not match its key") from error


_keyring: Keyring | None = None


def use_keys(keyring: Keyring) -> None:
    """From now on this process encrypts and decrypts with ``keyring``."""
    global _keyring
    _keyring = keyring


def keyring() -> Keyring:
    """DAIBAN_KEYS, else ``keys`` in the home folder, made once with mode 0600."""
    global _keyring
    if _keyring is None:
        _keyring = Keyring.parse(os.environ["DAIBAN_KEYS"]) if os.environ.get("DAIBAN_KEYS") else _keys_on_disk()
    return _keyring


def _keys_on_disk() -> Keyring:
    path = home() / "keys"
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # of several processes that start together, one writes and the others read
        line = file.read()
        if not line.strip():
            line = Keyring.generate().line()
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    return Keyring.parse(line)


def keyed_hash(value: str) -> bytes:
    """HMAC-SHA-256 of a value, to find an encrypted one by equality without storing it plain."""
    return hmac.new(keyring().index, value.encode(), hashlib.sha256).digest()


class EncryptedText(TypeDecorator[str]):
    """Text that lies encrypted in the database; the key's id is in the value."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else keyring().encrypt(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring().decrypt(value)


# ---------------------------------------------------------------- column types


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. A naive datetime is refused at the door; what is read back is UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"an instant needs its offset: {value.isoformat()}")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


class Ltree(UserDefinedType[str]):
    """PostgreSQL's ltree: a path of labels with ancestor operators and an index for them."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "LTREE"


def _values(enumeration: type[enum.Enum]) -> list[str]:
    return [str(member.value) for member in enumeration]


class Base(DeclarativeBase):
    """Every mapped noun: identity keys inside, UTC instants, enums stored by their value as text."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        datetime: UTCDateTime,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: JSONB,
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=False,
            length=32,
            values_callable=_values,
            validate_strings=True,
        ),
    }


# ---------------------------------------------------------------- the program's clock


class ClockOffset(Base):
    """One row: how far the program's clock stands from real time. Only tests and a demo database move it."""

    __tablename__ = "clock_offset"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[timedelta] = mapped_column(Interval)
    is_demo: Mapped[bool] = mapped_column(default=False)


class ClockIsReal(RuntimeError):
    """Somebody tried to move the clock of a database that is neither a demo nor a test."""


def now(session: Session) -> datetime:
    """The business moment: real time plus the offset that every process reads from one row."""
    offset = session.scalar(select(ClockOffset.offset).where(ClockOffset.id == 1))
    return datetime.now(UTC) + (offset or timedelta())


def is_demo(session: Session) -> bool:
    """Whether this database may move its clock."""
    return bool(session.scalar(select(ClockOffset.is_demo).where(ClockOffset.id == 1)))


def allow_clock_changes(session: Session) -> None:
    """Mark this database as a demo or a test: from now on ``set_clock`` works."""
    row = session.get(ClockOffset, 1) or ClockOffset(id=1, offset=timedelta())
    row.is_demo = True
    session.add(row)
    session.flush()


def set_clock(session: Session, moment: datetime) -> None:
    """Make it ``moment`` now, for every process. Raises ClockIsReal unless the database allows it."""
    row = session.get(ClockOffset, 1, with_for_update=True, populate_existing=True)
    if row is None or not row.is_demo:
        raise ClockIsReal("the clock of a real database is never moved")
    row.offset = moment - datetime.now(UTC)
    session.flush()


def real_now(session: Session) -> datetime:
    """The database's own clock: for leases, rate limits and logins, which never follow the business clock."""
    moment: datetime = session.execute(text("select clock_timestamp()")).scalar_one()
    return moment.astimezone(UTC)


# ---------------------------------------------------------------- sessions


def psycopg_url(url: str) -> str:
    """The URL with the driver named, whichever of the usual spellings it came in."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def sessions(url: str, *, pool_size: int = 10, max_overflow: int = 20) -> sessionmaker[Session]:
    """A factory of sessions on ``url``; ``with factory.begin() as session`` is one transaction.

    A connection that was lost while it rested in the pool is replaced before anybody gets it."""
    engine = create_engine(
        psycopg_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        hide_parameters=True,  # an error message never carries a person's data into a log
        connect_args={"options": "-c timezone=UTC"},
    )
    event.listen(engine, "checkin", _on_checkin)
    event.listen(engine, "checkout", partial(_check_alive_on_checkout, engine.dialect))
    return sessionmaker(engine, expire_on_commit=False)


RESTED_S = 30.0  # after so long a server or a router may be gone without a word: it is asked


def _on_checkin(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _check_alive_on_checkout(
    dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Raises InvalidatePoolError when the connection is no more: the pool then makes new ones, and nobody notices.

    A server that ends, falls or is restarted has its connections closed, which the kernel knows: no question goes over
    the wire. Only where it has something to say, or nothing was heard for long, the server is asked."""
    since = record.info.pop("rests_since", None)
    if since is None:  # it was made just now
        return
    try:
        watch = poll()
        watch.register(cast(psycopg.Connection[Any], connection).fileno(), POLLIN)
        if time.monotonic() - since < RESTED_S and not watch.poll(0):
            return
        dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


Step = tuple[LiteralString, Mapping[str, Any]]
"""A statement in psycopg's own words (``%(name)s``) and its values."""


def execute_pipeline(session: Session, *steps: Step) -> list[list[Any]]:
    """Several statements of this transaction in one exchange with the server; the rows of each, with names.

    They run one after the other as if each had been sent alone: the second sees what the first had to wait for. An
    error is the one that SQLAlchemy raises everywhere else."""
    connection = session.connection()
    driver = cast(psycopg.Connection[Any], connection.connection.driver_connection)
    try:
        cursors = [driver.cursor(binary=True, row_factory=namedtuple_row) for _ in steps]
        with driver.pipeline():
            for cursor, (statement, values) in zip(cursors, steps, strict=True):
                cursor.execute(statement, values, prepare=bool(values))  # the same words again and again
        return [cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else [] for cursor in cursors]
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        raise cast(
            DBAPIError,
            DBAPIError.instance(
                steps[0][0], None, error, psycopg.Error, hide_parameters=True, connection_invalidated=driver.closed,
                dialect=connection.dialect,
            ),
        ) from error  # fmt: skip
