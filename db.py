"""The ground floor: mapped base, UTC instants, the program's clock, encrypted columns, sessions."""

import enum
import fcntl
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from select import POLLIN, poll
from typing import Any, ClassVar, LiteralString, cast
from zoneinfo import ZoneInfo

import psycopg
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
    inspect,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.types import TypeDecorator, UserDefinedType

from key_ring import KEY_BYTES as KEY_BYTES
from key_ring import BadKeys as BadKeys
from key_ring import Keyring as Keyring
from key_ring import UnknownKey as UnknownKey
from key_ring import Unreadable as Unreadable

SHANGHAI = ZoneInfo("Asia/Shanghai")


# ---------------------------------------------------------------- where things live


def home() -> Path:
    """The folder for keys, files and the embedded servers' data: DAIBAN_HOME, else ``instance/`` beside this file."""
    return Path(os.environ.get("DAIBAN_HOME") or Path(__file__).parent / "instance").absolute()


# ---------------------------------------------------------------- keys and encrypted columns


RELOAD_S = 20.0  # so often a process looks whether the key file changed; at an unknown key it looks at once


@dataclass
class _KeysInUse:
    """What this process encrypts with; ``stamp`` and ``seen_at`` of the key file, where it came from there."""

    ring: Keyring
    stamp: tuple[int, int] | None = None
    seen_at: float = 0.0


_in_use: _KeysInUse | None = None


def use_keys(keyring: Keyring) -> None:
    """From now on this process encrypts and decrypts with ``keyring``."""
    global _in_use
    _in_use = _KeysInUse(keyring)


def keyring() -> Keyring:
    """DAIBAN_KEYS, else ``keys`` in the home folder, made once with mode 0600 and read again when it changes.

    Raises BadKeys."""
    global _in_use
    if _in_use is None:
        given = os.environ.get("DAIBAN_KEYS")
        _in_use = _KeysInUse(Keyring.parse(given)) if given else _keys_on_disk()
    elif _in_use.stamp is not None and time.monotonic() - _in_use.seen_at > RELOAD_S:
        reload_keys()
    return _in_use.ring


def reload_keys() -> bool:
    """Read the key file again when it is another than before; whether it was. A bad one changes nothing."""
    held = _in_use
    if held is None or held.stamp is None:
        return False
    held.seen_at = time.monotonic()
    try:
        stamp = _stamp_of(os.stat(home() / "keys"))
        if stamp == held.stamp:
            return False
        held.ring, held.stamp = Keyring.parse((home() / "keys").read_text()), stamp
    except (OSError, BadKeys):  # the start and /readyz say so; who has the keys goes on meanwhile
        return False
    return True


def _stamp_of(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_mtime_ns, stat.st_ino


def _keys_on_disk() -> _KeysInUse:
    path = home() / "keys"
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # of several processes that start together, one writes and the others read
        line = file.read()
        ring = Keyring.generate() if is_new and not line else Keyring.parse(line)
        if not ring.session:
            ring = replace(ring, session=secrets.token_bytes(KEY_BYTES))
        if ring.line() != line.strip():
            file.seek(0)
            file.write(ring.line())
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        stamp = _stamp_of(os.fstat(file.fileno()))
    return _KeysInUse(ring, stamp, time.monotonic())


def decrypt(stored: bytes) -> str:
    """The plain text of a stored value; at a key that is not known yet the key file is read again.

    Raises UnknownKey or Unreadable."""
    try:
        return keyring().decrypt(stored)
    except UnknownKey:
        if not reload_keys():
            raise
        return keyring().decrypt(stored)


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
        return None if value is None else decrypt(value)


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


PATIENCE_S: ContextVar[float] = ContextVar("PATIENCE_S", default=600.0)
"""How long an answer of the database is waited for here: a page's request is shorter of patience than a job."""
CONNECT_S, POOL_S = 5, 10
LIMITS = {
    "timezone": "UTC",
    "lock_timeout": "30s",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "30min",
    "client_connection_check_interval": "10s",  # who has given up is not worked for any longer
}


class PatientConnection(psycopg.Connection[Any]):
    """A connection that is given up when the server is silent: stopped, cut off, or at a statement that never ends."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """What the server answers. Raises OperationalError after PATIENCE_S; the connection is closed then."""
        try:
            return super().wait(gen, interval=interval, timeout=PATIENCE_S.get() if timeout is None else timeout)
        except psycopg.errors._WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError("the database does not answer") from error


def sessions(url: str, *, pool_size: int = 10, max_overflow: int = 20) -> sessionmaker[Session]:
    """A factory of sessions on ``url``; ``with factory.begin() as session`` is one transaction.

    A connection that was lost while it rested in the pool is replaced before anybody gets it. Nothing waits for ever:
    not for a connection, a lock, a statement, nor for who forgot a transaction."""
    engine = create_engine(
        psycopg_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_S,
        hide_parameters=True,  # an error message never carries a person's data into a log
        connect_args={
            "connect_timeout": CONNECT_S,
            "options": " ".join(f"-c {name}={value}" for name, value in LIMITS.items()),
        },
    )
    event.listen(engine, "do_connect", _connect_patiently)
    event.listen(engine, "checkin", _on_checkin)
    event.listen(engine, "checkout", partial(_check_alive_on_checkout, engine.dialect))
    return sessionmaker(engine, expire_on_commit=False)


REFERENCE_VERSION = "reference version"
"""Under this key a session's ``info`` names the version of what it may take from its process instead of from rows."""

ACTING = "acting"
"""Under this key a session's ``info`` names who acts in it."""


@event.listens_for(Session, "before_flush")
def _name_who_changes(session: Session, _context: object, _instances: object) -> None:
    """A row that gets another version says whose it is: whoever comes too late is told by whom it was changed."""
    for row in (*session.new, *session.dirty):
        if "changed_by" not in row.__mapper__.columns:
            continue
        state = inspect(row)
        has_changed = row in session.new or state.attrs.version.history.has_changes()
        if has_changed and not state.attrs.changed_by.history.has_changes():
            row.changed_by = session.info.get(ACTING, "")


def _connect_patiently(_dialect: Dialect, _record: object, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
    return PatientConnection.connect(*args, **given)


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
