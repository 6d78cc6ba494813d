"""Tokens: what a program signs in with instead of a person, made once, known only by its digest."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, and_, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from agents.network import Division
from web.wiring.accounts import Account, AccountError, AccountPlace, AccountState, at_its_place
from web.wiring.security_log import SecurityKind, record
from web.wiring.transactions import RequestFacts

TOKEN_DAYS, MOST_DAYS = 90, 365
MOST_TOKENS = 20
USED_EVERY = timedelta(minutes=10)  # so often a row is written for being used


class TokenScope(StrEnum):
    """What a token is for: to READ, or to WRITE besides."""

    READ = "read"
    WRITE = "write"


class TooManyTokens(AccountError):
    """An account has as many living tokens as it may."""

    user_message = f"令牌最多{MOST_TOKENS}个，请先停用不用的令牌"


class Token(db.Base):
    """A bearer token of a program; only its SHA-256 is kept."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(default=lambda: list(TokenScope))
    epoch: Mapped[int] = mapped_column(default=1)
    """The account's epoch when it was made: a person who is signed out everywhere takes the programs along."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def is_use_due(self, at: datetime) -> bool:
        """Whether it is time to note that it is used: not at each request."""
        return self.used_at is None or at - self.used_at > USED_EVERY


_LIVES = and_(Token.revoked_at.is_(None), Token.expires_at > func.clock_timestamp(), Token.epoch == Account.epoch)


def issue_token(
    session: Session, account: Account, name: str, *, scopes: Sequence[TokenScope] = tuple(TokenScope),
    days: int = TOKEN_DAYS,
) -> str:  # fmt: skip
    """A new bearer token for ``account``; the plain text is returned once and stored nowhere. Raises TooManyTokens."""
    if len(tokens_of(session, account)) >= MOST_TOKENS:
        raise TooManyTokens("too many tokens")
    plain = "daiban_" + secrets.token_urlsafe(32)
    session.add(
        Token(
            account_id=account.id,
            name=name,
            digest=hashlib.sha256(plain.encode()).digest(),
            scopes=[TokenScope(scope) for scope in scopes],
            epoch=account.epoch,
            expires_at=db.real_now(session) + timedelta(days=days),
        )
    )
    session.flush()
    record(session, SecurityKind.TOKEN_MADE, account_id=account.id, scopes=" ".join(sorted(scopes)), days=days)
    return plain


def tokens_of(session: Session, account: Account) -> list[Token]:
    """The account's living tokens."""
    living = select(Token).join(Account, Account.id == Token.account_id).where(Token.account_id == account.id, _LIVES)
    return list(session.scalars(living.order_by(Token.id)))


@dataclass(frozen=True, slots=True)
class LivingToken:
    """A living token, its active account, and what every request needs besides: all by one statement."""

    account: Account
    row: Token
    place: AccountPlace
    facts: RequestFacts
    read_at: datetime


def account_of_token(session: Session, plain: str) -> LivingToken | None:
    """The active account whose living token this is."""
    asked = (
        select(Account, Token, func.clock_timestamp(), Division.id, Division.path, *RequestFacts.columns())
        .join(Token, Token.account_id == Account.id)
        .where(Token.digest == hashlib.sha256(plain.encode()).digest(), _LIVES, Account.state == AccountState.ACTIVE)
    )
    found = session.execute(at_its_place(asked)).first()
    if found is None:
        return None
    account, token, read_at, division_id, path, *facts = found
    return LivingToken(account, token, AccountPlace(division_id, path), RequestFacts.of(*facts), read_at)


def note_token_use(session: Session, token_id: int) -> None:
    """The token is used: its owner sees when it last was."""
    session.execute(update(Token).where(Token.id == token_id).values(used_at=func.clock_timestamp()))


def revoke_token(session: Session, account: Account, token_id: int) -> bool:
    """Stop one of the account's own tokens, once; False when it has no such token."""
    token = session.scalar(select(Token).where(Token.id == token_id, Token.account_id == account.id))
    if token is None:
        return False
    if token.revoked_at is None:
        token.revoked_at = db.real_now(session)
        record(session, SecurityKind.TOKEN_ENDED, account_id=account.id, subject=f"token:{token.id}")
    return True
