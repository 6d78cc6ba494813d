"""Guesses: how often a secret may be tried, by whom it is tried and from where; a stranger locks no owner out.

What is tried is known by a keyed hash of its one canonical form. A try is written down as wrong before it is looked at,
so that many at once are no way round it. A browser that was right before has a budget of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Index, LargeBinary, and_, delete, exists, false, func, not_, select, text
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

import db

FAMILIAR_FOR = timedelta(days=180)
COUNTED_FOR = timedelta(days=2)


class GuessKind(StrEnum):
    """What is guessed at: a password, the digits beside a query code, or a code of a second factor."""

    PASSWORD = "password"  # noqa: S105
    TRACK = "track"
    FACTOR = "factor"


@dataclass(frozen=True, slots=True)
class GuessLimits:
    """Wrong tries at one thing: by one line or one familiar browser in a while, and by all strangers in a day."""

    one: int
    within: timedelta
    strangers_a_day: int


GUESS_LIMITS = {
    GuessKind.PASSWORD: GuessLimits(one=10, within=timedelta(minutes=15), strangers_a_day=50),
    GuessKind.FACTOR: GuessLimits(one=5, within=timedelta(minutes=15), strangers_a_day=20),
    GuessKind.TRACK: GuessLimits(one=10, within=timedelta(hours=1), strangers_a_day=20),
}


class Guess(db.Base):
    """One try at a secret: at what, from which line and browser, and whether it was right."""

    __tablename__ = "guess"
    __table_args__ = (Index("ix_guess_subject_at", "subject", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[bytes] = mapped_column(LargeBinary)
    network: Mapped[bytes] = mapped_column(LargeBinary)
    device: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_right: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Guesser:
    """Where a try comes from: an address or the /64 of one, and the browser's own mark where it has one."""

    network: str
    device: bytes | None = None


class TooManyGuesses(Exception):
    """There were too many wrong tries; ``wait_s`` says when the next one may be."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many wrong tries, next one in {wait_s} s")
        self.wait_s = wait_s


def begin_guess(session: Session, kind: GuessKind, canonical: str, guesser: Guesser) -> Guess:
    """Write a try down as wrong, within its budget. The caller commits, looks, and marks it where it was right.

    Raises TooManyGuesses."""
    subject, network = db.keyed_hash(f"guess:{kind}:{canonical}"), db.keyed_hash(f"network:{guesser.network}")
    session.execute(text("select pg_advisory_xact_lock(:n)"), {"n": int.from_bytes(subject[:7], "big")})
    limits, at = GUESS_LIMITS[kind], db.real_now(session)
    wrong = and_(Guess.subject == subject, Guess.is_right.is_(False))
    if is_familiar(session, subject, guesser.device, at):
        rules = [(Guess.device == guesser.device, limits.one, limits.within)]
    else:
        strangers = not_(_device_is_familiar(subject, at))
        rules = [
            (Guess.network == network, limits.one, limits.within),
            (strangers, limits.strangers_a_day, timedelta(days=1)),
        ]
    waits = [_wait(session, and_(wrong, whose), most, within, at) for whose, most, within in rules]
    if max(waits) > 0:
        raise TooManyGuesses(max(waits))
    guess = Guess(subject=subject, network=network, device=guesser.device, at=at)
    session.add(guess)
    session.flush()
    return guess


def is_familiar(session: Session, subject: bytes, device: bytes | None, at: datetime) -> bool:
    """Whether this browser was right about this before."""
    if device is None:
        return False
    right = and_(Guess.subject == subject, Guess.device == device, Guess.is_right, Guess.at > at - FAMILIAR_FOR)
    return session.scalar(select(Guess.id).where(right).limit(1)) is not None


def _device_is_familiar(subject: bytes, at: datetime) -> ColumnElement[bool]:
    """Whether the browser of a row was right about the same before."""
    other = aliased(Guess)
    right = and_(other.subject == subject, other.device == Guess.device, other.is_right, other.at > at - FAMILIAR_FOR)
    return func.coalesce(exists().where(right), false())


def _wait(session: Session, which: ColumnElement[bool], most: int, within: timedelta, at: datetime) -> int:
    """Seconds until there are fewer than ``most`` such tries within the while; 0 when there are."""
    newest = select(Guess.at).where(which, Guess.at > at - within).order_by(Guess.at.desc())
    oldest_that_counts = session.scalar(newest.offset(most - 1).limit(1))
    return 0 if oldest_that_counts is None else max(1, round((oldest_that_counts + within - at).total_seconds()))


def forget_old_guesses(session: Session) -> int:
    """Delete tries that count for nothing any more; how many."""
    at = func.clock_timestamp()
    old = (Guess.at < at - COUNTED_FOR) & Guess.is_right.is_(False) | (Guess.at < at - FAMILIAR_FOR)
    return len(session.execute(delete(Guess).where(old).returning(Guess.id)).all())
