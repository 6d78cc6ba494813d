"""Accounts: who may sign in and as what, and how people are bound, unbound, renumbered."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ForeignKey, Index, LargeBinary, Select, UniqueConstraint, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from agents.network import Division
from agents.roster import Agent
from dispatch.cases.project import Contact
from dispatch.core.actor import Role
from routing.day.couriers import Courier
from web.wiring.security_log import SecurityKind, record

HASHER = PasswordHasher()
NOBODYS_HASH = HASHER.hash("nobody has this password")
LEAST_PASSWORD = 10
COMMON = (
    "password",
    "qwerty",
    "1234567",
    "abc123",
    "111111",
    "iloveyou",
    "admin123",
    "woaini",
    "a123456",
    "daiban-demo",
)
"""What is in the passwords that every list of leaked ones has on top, and that of the demo."""


class AccountState(enum.StrEnum):
    """WAITING until the claim to an enterprise is approved (claims.py); CLOSED when refused, unbound or left."""

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


class WeakPassword(AccountError):
    """Too short, or all one kind of thing."""

    user_message = f"密码至少{LEAST_PASSWORD}位，不能全是数字，也不能是常见的或含工号的密码"


class LastOperator(AccountError):
    """Somebody must be left who can let others in."""

    user_message = "这是最后一个系统管理员账号，不能关闭；请先开通另一位系统管理员"


class NotOneself(AccountError):
    """What one may do to others' accounts, and not to one's own."""

    user_message = "不能对自己的账号这样操作，请由另一位系统管理员办理"


class WrongPassword(AccountError):
    """The password that is to be changed is another."""

    user_message = "当前密码不对"


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
    confirmed_at: Mapped[datetime | None]
    """When a claim to the enterprise was approved; until then an enterprise's person sees what it filed itself."""
    is_owner: Mapped[bool] = mapped_column(default=False)
    """Who speaks for the enterprise: removes colleagues, and is removed by none of them."""
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
        plain = password.casefold()
        guessable = password.isdigit() or len(set(password)) < 5 or any(word in plain for word in COMMON)
        if len(password) < LEAST_PASSWORD or guessable or (self.login and self.login.casefold() in plain):
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
    document: Mapped[str | None]
    """The paper on which it rests, for example a business licence and a letter shown at the window."""
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


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """Where an account's sight begins: its division, an agent's own station; nothing where it has none."""

    division_id: int | None
    path: str | None


def at_its_place(accounts: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """A statement about accounts with each one's division beside it."""
    own = func.coalesce(Account.division_id, Agent.division_id)
    return accounts.outerjoin(Agent, Agent.id == Account.agent_id).outerjoin(Division, Division.id == own)


def place_of(session: Session, account: Account) -> AccountPlace:
    """Where the account's sight begins."""
    asked = at_its_place(select(Division.id, Division.path).select_from(Account))
    division_id, path = session.execute(asked.where(Account.id == account.id)).one()
    return AccountPlace(division_id, path)


def account_of_phone(session: Session, phone: str) -> Account | None:
    """The open account of this number (E.164), if there is one."""
    return session.scalar(
        select(Account).where(Account.phone_hash == db.keyed_hash(phone), Account.state != AccountState.CLOSED)
    )


def account_named(session: Session, name: str, phone: str | None) -> Account | None:
    """The open account with this login name or number, whichever way it was typed."""
    wanted = [Account.login == name.strip().lower()]
    if phone is not None:
        wanted.append(Account.phone_hash == db.keyed_hash(phone))
    return session.scalar(select(Account).where(or_(*wanted), Account.state != AccountState.CLOSED).limit(1))


def account_with_password(session: Session, name: str, phone: str | None, password: str) -> Account | None:
    """The open account with this login name or number and password; None does not say which of them was wrong."""
    found = account_named(session, name, phone)
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


def unbind(session: Session, account: Account, *, by: Account, reason: str) -> None:
    """Close an account and end its sessions; what it did keeps its name. Raises LastOperator and NotOneself."""
    if account.id == by.id:
        raise NotOneself("nobody closes the own account")
    if account.role is Role.OPERATOR and not _other_operators(session, account):
        raise LastOperator("the last operator stays")
    account.state, account.is_owner = AccountState.CLOSED, False
    account.sign_out_everywhere()
    leave_contacts(session, account)
    note(session, account, kind="unbound", reason=reason, by_id=by.id)


def _other_operators(session: Session, account: Account) -> bool:
    """Whether another operator can sign in. The rows are locked: two who close each other wait for one another."""
    operators = select(Account).where(Account.role == Role.OPERATOR, Account.state == AccountState.ACTIVE)
    open_ones = session.scalars(operators.order_by(Account.id).with_for_update()).all()
    return any(one.id != account.id and (one.password_hash or one.phone_hash) for one in open_ones)


def change_password(session: Session, account: Account, new: str, *, old: str | None) -> None:
    """Set another password: every other sign-in and token ends. Raises WrongPassword and WeakPassword.

    ``old``: the password until now; None where the person has just shown that the number is theirs."""
    if old is not None and account.password_hash is not None:
        try:
            HASHER.verify(account.password_hash, old)
        except (VerificationError, InvalidHashError):
            raise WrongPassword("not the password until now") from None
    account.set_password(new)
    account.sign_out_everywhere()
    note(session, account, kind="password_changed", reason="", by_id=account.id)


def bind(session: Session, account: Account, *, enterprise_id: int, by: Account, reason: str) -> None:
    """Make an account a confirmed person of this enterprise, active at once."""
    if account.enterprise_id != enterprise_id:
        leave_contacts(session, account)
        account.enterprise_id, account.is_owner = enterprise_id, False
    account.state, account.confirmed_at = AccountState.ACTIVE, db.now(session)
    account.sign_out_everywhere()
    note(session, account, kind="bound", reason=reason, by_id=by.id)


def change_number(session: Session, account: Account, phone: str, *, by: Account, reason: str) -> None:
    """A lost number is replaced and every session ends. Raises NumberTaken."""
    other = account_of_phone(session, phone)
    if other is not None and other.id != account.id:
        raise NumberTaken("the number has an account", user_message="该手机号已被其他账号使用")
    account.set_phone(phone)
    if account.agent_id is not None:  # one person, one number
        session.get_one(Agent, account.agent_id).phone = phone
    if account.courier_id is not None:
        courier = session.get_one(Courier, account.courier_id)
        courier.phone, courier.phone_hash = phone, db.keyed_hash(phone)
    account.sign_out_everywhere()
    note(session, account, kind="number_changed", reason=reason, by_id=by.id)


def leave_contacts(session: Session, account: Account) -> None:
    """Who leaves an enterprise is offered there no more as a person to tell; what runs already keeps its contact."""
    entries = update(Contact).where(Contact.account_id == account.id, Contact.left_at.is_(None))
    session.execute(entries.values(left_at=db.now(session)))


def note(
    session: Session, account: Account, *, kind: str, reason: str, by_id: int | None, document: str | None = None
) -> None:
    """Keep who did what to an account, why, and on which paper."""
    event = AccountEvent(
        account_id=account.id, kind=kind, reason=reason, by_id=by_id, document=document, at=db.now(session)
    )
    session.add(event)
    session.flush()
    record(session, SecurityKind.ACCOUNT_CHANGED, account_id=by_id, subject=f"account:{account.id}", what=kind)
