"""Login sessions: each sign-in is a row that can be listed and ended, and every copy of its cookie ends with it."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, Select, String, and_, case, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from agents.network import Division
from dispatch.core.actor import Role
from web.wiring.accounts import Account, AccountPlace, AccountState, at_its_place
from web.wiring.second_factor import is_in_force
from web.wiring.transactions import RequestFacts

PROVED_FOR = timedelta(minutes=30)  # so long a person counts as there, for what cannot be taken back
SEEN_EVERY = timedelta(minutes=2)  # so often a row is written for being used: not at each page
KEPT = timedelta(days=180)  # 网络安全法 art. 21: six months at least
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without use, and altogether."""

    idle: timedelta
    altogether: timedelta


A_WORKING_DAY = timedelta(hours=12)
LIMITS = {
    Role.ENTERPRISE: SessionLimits(idle=timedelta(hours=12), altogether=LONGEST),
    Role.COURIER: SessionLimits(idle=A_WORKING_DAY, altogether=A_WORKING_DAY),  # without signal a run goes on
}
STAFF_LIMITS = SessionLimits(idle=timedelta(hours=2), altogether=A_WORKING_DAY)


class SignInMeans(StrEnum):
    """With what somebody signed in."""

    PASSWORD = "password"  # noqa: S105
    CODE = "code"
    REGISTRATION = "registration"


class LoginSession(db.Base):
    """A signed-in browser; its secret is known only by the digest, and lies in the cookie alone."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    epoch: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    device: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    """The digest of the browser's own mark, by which it is familiar at the next sign-in."""
    means: Mapped[SignInMeans]
    browser: Mapped[str] = mapped_column(String(120), default="")
    network: Mapped[str] = mapped_column(String(60), default="")
    begun_at: Mapped[datetime]
    proved_at: Mapped[datetime]
    """When the person last showed to be there: at the sign-in, and whenever asked again."""
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


def begin(
    session: Session, account: Account, *, means: SignInMeans, browser: str = "", network: str = "",
    device: bytes | None = None,
) -> str:  # fmt: skip
    """A session of this account; its secret, which goes into the cookie and nowhere else."""
    plain, at = secrets.token_urlsafe(32), db.real_now(session)
    row = LoginSession(
        account_id=account.id, epoch=account.epoch, digest=digest_of(plain), device=device, means=means,
        browser=browser[:120], network=network[:60], begun_at=at, proved_at=at,
        seen_at=at,
        expires_at=at + limits_of(account.role).altogether,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return plain


def limits_of(role: Role) -> SessionLimits:
    """How long a session of this role lasts."""
    return LIMITS.get(role, STAFF_LIMITS)


def digest_of(plain: str) -> bytes:
    return hashlib.sha256(plain.encode()).digest()


_IDLE = case(*((Account.role == role, limits.idle) for role, limits in LIMITS.items()), else_=STAFF_LIMITS.idle)
_LIVES = and_(
    LoginSession.ended_at.is_(None),
    LoginSession.expires_at > func.clock_timestamp(),
    LoginSession.seen_at > func.clock_timestamp() - _IDLE,
    LoginSession.epoch == Account.epoch,
    Account.state != AccountState.CLOSED,
)


def _living(*what: Any) -> Select[Any]:
    return select(*what).join(Account, Account.id == LoginSession.account_id).where(_LIVES)


@dataclass(frozen=True, slots=True)
class LivingSession:
    """A living session, its account, and what every request needs besides: all by one statement."""

    account: Account
    row: LoginSession
    is_due: bool
    """Whether it is time to note that it is used."""
    is_proved: bool
    """Whether the person showed to be there a while ago."""
    has_factor: bool
    place: AccountPlace
    facts: RequestFacts


def account_of_session(session: Session, plain: str) -> LivingSession | None:
    """The account whose living session this is."""
    is_due = LoginSession.seen_at < func.clock_timestamp() - SEEN_EVERY
    is_proved = LoginSession.proved_at > func.clock_timestamp() - PROVED_FOR
    own = (Account, LoginSession, is_due, is_proved, is_in_force())
    asked = _living(*own, Division.id, Division.path, *RequestFacts.columns())
    found = session.execute(at_its_place(asked).where(LoginSession.digest == digest_of(plain))).first()
    if found is None:
        return None
    account, row, due, proved, has_factor, division_id, path, *facts = found
    place = AccountPlace(division_id, path)
    return LivingSession(account, row, bool(due), bool(proved), bool(has_factor), place, RequestFacts.of(*facts))


def note_use(session: Session, session_id: int) -> None:
    """The session is used: its rest begins anew."""
    used = update(LoginSession).where(LoginSession.id == session_id)
    session.execute(used.values(seen_at=func.clock_timestamp()))


def note_proof(session: Session, session_id: int) -> None:
    """The person has just shown to be there."""
    proved = update(LoginSession).where(LoginSession.id == session_id)
    session.execute(proved.values(proved_at=func.clock_timestamp()))


def sessions_of(session: Session, account: Account) -> list[LoginSession]:
    """The account's living sessions, the latest first."""
    own = LoginSession.account_id == account.id
    return list(session.scalars(_living(LoginSession).where(own).order_by(LoginSession.id.desc())))


def end(session: Session, account: Account, session_id: int) -> bool:
    """End one of the account's own sessions; False when there is none such."""
    own = and_(LoginSession.id == session_id, LoginSession.account_id == account.id, LoginSession.ended_at.is_(None))
    ended = update(LoginSession).where(own).values(ended_at=func.clock_timestamp()).returning(LoginSession.id)
    return session.scalar(ended) is not None


def end_others(session: Session, account: Account, session_id: int | None) -> int:
    """End every session of the account but this one; how many."""
    own = and_(LoginSession.account_id == account.id, LoginSession.ended_at.is_(None))
    others = own if session_id is None else and_(own, LoginSession.id != session_id)
    ended = update(LoginSession).where(others).values(ended_at=func.clock_timestamp()).returning(LoginSession.id)
    return len(session.scalars(ended).all())


def is_familiar(session: Session, account: Account, device: bytes | None) -> bool:
    """Whether somebody signed in to the account with this browser before."""
    if device is None:
        return False
    known = and_(LoginSession.account_id == account.id, LoginSession.device == device)
    return session.scalar(select(LoginSession.id).where(known).limit(1)) is not None


def forget_old_sessions(session: Session) -> int:
    """Delete sessions that ended long ago; how many."""
    long_ago = func.clock_timestamp() - KEPT
    old = or_(LoginSession.ended_at < long_ago, LoginSession.expires_at < long_ago)
    return len(session.execute(delete(LoginSession).where(old).returning(LoginSession.id)).all())
