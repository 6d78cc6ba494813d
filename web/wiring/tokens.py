"""Tokens: what a program signs in with instead of a person, made once, known only by its digest."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from web.wiring.accounts import Account, AccountState

TOKEN_LIFE = timedelta(days=365)


class Token(db.Base):
    """A bearer token of a program; only its SHA-256 is kept."""

    __tablename__ = "token"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


def issue_token(session: Session, account: Account, name: str) -> str:
    """A new bearer token for ``account``; the plain text is returned once and stored nowhere."""
    plain = "daiban_" + secrets.token_urlsafe(32)
    session.add(
        Token(
            account_id=account.id,
            name=name,
            digest=hashlib.sha256(plain.encode()).digest(),
            expires_at=db.real_now(session) + TOKEN_LIFE,
        )
    )
    session.flush()
    return plain


def account_of_token(session: Session, plain: str) -> Account | None:
    """The active account whose living token this is."""
    return session.scalar(
        select(Account)
        .join(Token, Token.account_id == Account.id)
        .where(
            Token.digest == hashlib.sha256(plain.encode()).digest(),
            Token.revoked_at.is_(None),
            Token.expires_at > func.clock_timestamp(),
            Account.state == AccountState.ACTIVE,
        )
    )


def revoke_token(session: Session, account: Account, token_id: int) -> bool:
    """Stop one of the account's own tokens; False when there is no such living token."""
    token = session.scalar(
        select(Token).where(Token.id == token_id, Token.account_id == account.id, Token.revoked_at.is_(None))
    )
    if token is None:
        return False
    token.revoked_at = db.real_now(session)
    return True
