"""One-time codes by SMS: made within a budget, stored hashed, checked once, telling nobody which numbers are known."""

import enum
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, delete, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

import db

LIFE = timedelta(minutes=10)
TRIES = 5
STRANGERS = ((timedelta(minutes=1), 1), (timedelta(hours=1), 3), (timedelta(days=1), 5))
FAMILIAR = ((timedelta(minutes=1), 1), (timedelta(hours=1), 4), (timedelta(days=1), 5))
"""Codes for one number: those that unknown browsers ask for, for each purpose, and those of a browser with which the
number's owner signed in before. A carrier delivers ten a day: what strangers ask for leaves the owner's half alone."""


class Purpose(enum.StrEnum):
    """What a code opens; one made for one thing opens nothing else."""

    LOGIN = "login"
    REGISTER = "register"


class LoginCode(db.Base):
    """A six-digit code for a number, known only by its keyed hash."""

    __tablename__ = "login_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    purpose: Mapped[Purpose]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    device: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The digest of the mark of the browser that asked: nobody else's tries are looked at."""
    is_familiar: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A fresh code: its row and its plain digits, which go into the SMS and nowhere else."""

    id: int
    digits: str
    at: datetime


class TooSoon(Exception):
    """This number has had its codes for now; ``wait_s`` says for how long."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many codes, next one in {wait_s} s")
        self.wait_s = wait_s

    @property
    def user_message(self) -> str:
        minutes, seconds = divmod(self.wait_s, 60)
        wait = f"{minutes}分钟" if minutes else f"{seconds}秒"
        return f"操作过于频繁，请{wait}后再试"


def make_code(
    session: Session, phone: str, purpose: Purpose, *, device: bytes, is_familiar: bool = False
) -> IssuedCode:
    """A code for this number that the asking browser alone can use, within the number's budget. Raises TooSoon."""
    number = db.keyed_hash(phone)
    # Two requests for one number at the same moment queue here, so the budget holds.
    session.execute(text("select pg_advisory_xact_lock(:n)"), {"n": int.from_bytes(number[:7], "big")})
    moment, limits = db.real_now(session), FAMILIAR if is_familiar else STRANGERS
    same_budget = LoginCode.is_familiar if is_familiar else ~LoginCode.is_familiar & (LoginCode.purpose == purpose)
    made = list(
        session.scalars(
            select(LoginCode.made_at)
            .where(LoginCode.phone_hash == number, LoginCode.made_at > moment - limits[-1][0], same_budget)
            .order_by(LoginCode.made_at.desc())
        )
    )
    waits = [
        made[most - 1] + span - moment for span, most in limits if len(made) >= most and made[most - 1] > moment - span
    ]
    if waits:
        raise TooSoon(max(1, round(max(waits).total_seconds())))
    digits = f"{secrets.randbelow(1_000_000):06d}"
    row = LoginCode(
        phone_hash=number, purpose=purpose, code_hash=_hash(number, digits), made_at=moment, device=device,
        is_familiar=is_familiar,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return IssuedCode(id=row.id, digits=digits, at=moment)


def use_code(session: Session, phone: str, purpose: Purpose, digits: str, *, device: bytes | None) -> bool:
    """Whether this is the newest living code that this browser asked for. A try is counted: the caller commits either
    way. A browser that asked for none counts nothing: it can neither guess nor use up another's tries."""
    number = db.keyed_hash(phone)
    row = session.scalar(
        select(LoginCode)
        .where(LoginCode.phone_hash == number, LoginCode.purpose == purpose, LoginCode.device == device)
        .order_by(LoginCode.made_at.desc(), LoginCode.id.desc())
        .limit(1)
        .with_for_update()
    )
    moment = db.real_now(session)
    if device is None or row is None or row.used_at is not None or row.tries >= TRIES or moment > row.made_at + LIFE:
        return False
    row.tries = row.tries + 1
    if not secrets.compare_digest(row.code_hash, _hash(number, digits.strip())):
        return False
    row.used_at = moment
    return True


def forget_old_codes(session: Session) -> int:
    """Delete codes that count for nothing any more; how many."""
    old = LoginCode.made_at < func.clock_timestamp() - timedelta(days=2)
    return len(session.execute(delete(LoginCode).where(old).returning(LoginCode.id)).all())


def _hash(number: bytes, digits: str) -> bytes:
    return db.keyed_hash(f"{number.hex()}:{digits}")
