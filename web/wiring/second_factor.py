"""The second factor (双因素): codes of an authenticator app (TOTP, RFC 6238) beside the password, and recovery codes.

A code counts once. The secret lies encrypted; recovery codes are known by their keyed hashes.
"""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import ColumnElement, ForeignKey, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from web.wiring.accounts import Account, note

STEP_S, DIGITS, SECRET_BYTES = 30, 6, 20
SLACK = 1  # steps that a phone's clock may be off, either way
RECOVERY_CODES, RECOVERY_LETTERS = 10, 10
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # without what is taken for something else
ISSUER = "Daiban"


class SecondFactor(db.Base):
    """An account's authenticator: set up, and in force once a first code was right."""

    __tablename__ = "second_factor"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    secret: Mapped[str] = mapped_column(db.EncryptedText)
    """Base32, as an app takes it."""
    begun_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)
    """The step of the last code that counted: it and those before count no more."""
    recovery: Mapped[list[str]] = mapped_column(default=list)


def totp(secret: str, step: int) -> str:
    """The code of one step of 30 s since 1970 (RFC 4226, dynamic truncation of HMAC-SHA-1)."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}d}"


def is_in_force() -> ColumnElement[bool]:
    """Whether the account of a statement has a second factor."""
    return exists().where(SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None))


def factor_of(session: Session, account_id: int, *, lock: bool = False) -> SecondFactor | None:
    """The account's authenticator, in force or not yet."""
    found = select(SecondFactor).where(SecondFactor.account_id == account_id)
    return session.scalar(found.with_for_update() if lock else found)


def has_factor(session: Session, account_id: int) -> bool:
    """Whether signing in takes a code besides."""
    found = factor_of(session, account_id)
    return found is not None and found.confirmed_at is not None


def begin_factor(session: Session, account: Account) -> SecondFactor:
    """The secret to be scanned: the one that waits for its first code already, else a new one."""
    found = factor_of(session, account.id, lock=True)
    if found is None:
        secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
        found = SecondFactor(account_id=account.id, secret=secret, begun_at=db.real_now(session))
        session.add(found)
        session.flush()
    return found


def address_of(factor: SecondFactor, account: Account) -> str:
    """The ``otpauth:`` address that an app scans. Without the person's number: the picture may be seen."""
    label = quote(f"{ISSUER}:{account.login or account.name}")
    return f"otpauth://totp/{label}?secret={factor.secret}&issuer={ISSUER}&digits={DIGITS}&period={STEP_S}"


def confirm_factor(session: Session, account: Account, typed: str) -> list[str] | None:
    """The first right code puts it in force; the recovery codes, shown this once. None for a wrong code."""
    found = factor_of(session, account.id, lock=True)
    if found is None or found.confirmed_at is not None or not _counts(session, found, typed):
        return None
    found.confirmed_at = db.real_now(session)
    note(session, account, kind="second_factor_set", reason="", by_id=account.id)
    return _new_recovery_codes(found)


def is_right_code(session: Session, account_id: int, typed: str) -> bool:
    """Whether this is a code of the app or one of recovery, either of which counts once."""
    found = factor_of(session, account_id, lock=True)
    if found is None or found.confirmed_at is None:
        return False
    if _counts(session, found, typed):
        return True
    digest = _digest_of(typed)
    if digest not in found.recovery:
        return False
    found.recovery = [other for other in found.recovery if other != digest]
    return True


def remove_factor(session: Session, account: Account, *, by_id: int | None, reason: str) -> None:
    """From now on the account has none; nothing happens where it had none."""
    found = factor_of(session, account.id, lock=True)
    if found is not None:
        session.delete(found)
        note(session, account, kind="second_factor_removed", reason=reason, by_id=by_id)


def _counts(session: Session, factor: SecondFactor, typed: str) -> bool:
    typed = "".join(typed.split())
    now = int(db.real_now(session).timestamp()) // STEP_S
    for step in range(max(factor.last_step + 1, now - SLACK), now + SLACK + 1):
        if hmac.compare_digest(totp(factor.secret, step).encode(), typed.encode()):
            factor.last_step = step
            return True
    return False


def _new_recovery_codes(factor: SecondFactor) -> list[str]:
    plain = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LETTERS)) for _ in range(RECOVERY_CODES)]
    factor.recovery = [_digest_of(one) for one in plain]
    return [f"{one[:5]}-{one[5:]}" for one in plain]


def _digest_of(typed: str) -> str:
    plain = "".join(letter for letter in typed.lower() if letter in ALPHABET)
    return db.keyed_hash(f"recovery code:{plain}").hex()
