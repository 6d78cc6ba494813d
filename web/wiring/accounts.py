"""Accounts: who may sign in and as what, and how people are approved, bound, unbound, renumbered."""

import enum
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

import db
from dispatch.core.actor import Role

HASHER = PasswordHasher()
NOBODYS_HASH = HASHER.hash("nobody has this password")
LEAST_PASSWORD = 10


class AccountState(enum.StrEnum):
    """WAITING until somebody of the same enterprise approves; CLOSED when unbound or left."""

    WAITING = "waiting"
    ACTIVE = "active"
    CLOSED = "closed"


class AccountError(ValueError):
    """A rule of the accounts was broken; ``user_message`` is for the person in front of the screen."""

    user_message = "账号操作未完成"

    def __init__(self, message: str, *, user_message: str | None = None) -> None:
        super().__init__(message)
        self.user_message = user_message or self.user_message


class NumberTaken(AccountError):
    """The number already belongs to an open account."""

    user_message = "该手机号已有账号，请直接登录"


class WrongCreditCode(AccountError):
    """Not a unified social credit code (统一社会信用代码): wrong length, letter or check digit."""

    user_message = "统一社会信用代码有误，请核对18位代码"


class WeakPassword(AccountError):
    """Too short, or all one kind of thing."""

    user_message = f"密码至少{LEAST_PASSWORD}位，不能全是数字"


class Account(db.Base):
    """A person's account (账号): one role, one number, and what the role refers to."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[Role]
    state: Mapped[AccountState] = mapped_column(default=AccountState.ACTIVE)
    name: Mapped[str]
    login: Mapped[str | None] = mapped_column(unique=True)
    phone: Mapped[str | None] = mapped_column(db.EncryptedText)
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    password_hash: Mapped[str | None]
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agent.id"), index=True)
    courier_id: Mapped[int | None] = mapped_column(ForeignKey("courier.id"), index=True)
    division_id: Mapped[int | None] = mapped_column(ForeignKey("division.id"), index=True)
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    locale: Mapped[str] = mapped_column(default="zh")
    epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index("uq_account_open_phone", "phone_hash", unique=True, postgresql_where="state <> 'closed'"),)

    def set_phone(self, phone: str) -> None:
        """Store the number encrypted, and its keyed hash for look-up."""
        self.phone = phone
        self.phone_hash = db.keyed_hash(phone)

    def set_password(self, password: str) -> None:
        """Keep the argon2 hash. Raises WeakPassword."""
        if len(password) < LEAST_PASSWORD or password.isdigit():
            raise WeakPassword("the password is too weak")
        self.password_hash = HASHER.hash(password)

    def sign_out_everywhere(self) -> None:
        """Every session cookie made so far stops working."""
        self.epoch = self.epoch + 1


class AccountEvent(db.Base):
    """What was done to an account, by whom and why: bind, unbind, change of number, approval."""

    __tablename__ = "account_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class IdempotencyKey(db.Base):
    """The answer that a repeated write gets: one a key and account, for the same body only."""

    __tablename__ = "idempotency_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    key: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None]
    body: Mapped[str | None] = mapped_column(db.EncryptedText)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)

    __table_args__ = (UniqueConstraint("account_id", "key"),)


# ---------------------------------------------------------------- finding and signing in


def account_of_phone(session: Session, phone: str) -> Account | None:
    """The open account of this number (E.164), if there is one."""
    return session.scalar(
        select(Account).where(Account.phone_hash == db.keyed_hash(phone), Account.state != AccountState.CLOSED)
    )


def account_with_password(session: Session, name: str, phone: str | None, password: str) -> Account | None:
    """The open account with this login name or number and password; None does not say which of them was wrong."""
    wanted = [Account.login == name.strip().lower()]
    if phone is not None:
        wanted.append(Account.phone_hash == db.keyed_hash(phone))
    found = session.scalar(select(Account).where(or_(*wanted), Account.state != AccountState.CLOSED).limit(1))
    # A hash is checked for unknown names too: the time taken tells nothing.
    stored = (found.password_hash if found else None) or NOBODYS_HASH
    try:
        HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return None
    if found is None or found.password_hash is None:
        return None
    if HASHER.check_needs_rehash(stored):
        found.password_hash = HASHER.hash(password)
    return found


# ---------------------------------------------------------------- joining, leaving, a lost number


def credit_code(text: str) -> str:
    """The 18 characters of a unified social credit code, checked. Raises WrongCreditCode."""
    try:
        return str(uscc.validate(text.strip().upper().replace(" ", "")))
    except ValidationError as error:
        raise WrongCreditCode("not a valid credit code") from error


def colleagues(session: Session, account: Account) -> list[Account]:
    """Everybody of the same enterprise, waiting first."""
    return list(
        session.scalars(
            select(Account)
            .where(Account.enterprise_id == account.enterprise_id, Account.state != AccountState.CLOSED)
            .order_by(Account.state.desc(), Account.id)
        )
    )


def approve(session: Session, by: Account, account_id: int) -> Account | None:
    """``by`` lets a waiting colleague in; None when there is no such colleague."""
    waiting = session.scalar(
        select(Account).where(
            Account.id == account_id,
            Account.enterprise_id == by.enterprise_id,
            Account.enterprise_id.is_not(None),
            Account.state == AccountState.WAITING,
        )
    )
    if waiting is not None:
        waiting.state = AccountState.ACTIVE
        waiting.approved_by_id = by.id
        note(session, waiting, kind="approved", reason="", by_id=by.id)
    return waiting


def unbind(session: Session, account: Account, *, by: Account, reason: str) -> None:
    """Close an account and end its sessions; what it did keeps its name."""
    account.state = AccountState.CLOSED
    account.sign_out_everywhere()
    note(session, account, kind="unbound", reason=reason, by_id=by.id)


def bind(session: Session, account: Account, *, enterprise_id: int, by: Account, reason: str) -> None:
    """Make an account a person of this enterprise, active at once."""
    account.enterprise_id = enterprise_id
    account.state = AccountState.ACTIVE
    account.sign_out_everywhere()
    note(session, account, kind="bound", reason=reason, by_id=by.id)


def change_number(session: Session, account: Account, phone: str, *, by: Account, reason: str) -> None:
    """A lost number is replaced and every session ends. Raises NumberTaken."""
    other = account_of_phone(session, phone)
    if other is not None and other.id != account.id:
        raise NumberTaken("the number has an account", user_message="该手机号已被其他账号使用")
    account.set_phone(phone)
    account.sign_out_everywhere()
    note(session, account, kind="number_changed", reason=reason, by_id=by.id)


def note(session: Session, account: Account, *, kind: str, reason: str, by_id: int | None) -> None:
    """Keep who did what to an account, and why."""
    session.add(AccountEvent(account_id=account.id, kind=kind, reason=reason, by_id=by_id, at=db.now(session)))
    session.flush()
