"""Key check: whether the keys at hand are those that the database was written with."""

from datetime import datetime

from sqlalchemy import String, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column, sessionmaker

import db
from web.wiring.accounts import Account


class WrongKeys(db.BadKeys):
    """These keys did not write this database: what it holds could not be read, and nobody be found."""


class KeyFingerprint(db.Base):
    """The check value of a key that data rest on. It tells whether a key is the same, and not what it is."""

    __tablename__ = "key_fingerprint"

    key_id: Mapped[str] = mapped_column(String(20), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


def check_keys(session: Session) -> None:
    """Raises WrongKeys when a key is another than the one that the database knows by this id, or is not there."""
    held = db.keyring().fingerprints()
    known = dict(session.execute(select(KeyFingerprint.key_id, KeyFingerprint.fingerprint)).all())
    for key_id, fingerprint in known.items():
        if key_id not in held and db.reload_keys():
            held = db.keyring().fingerprints()
        if held.get(key_id) != fingerprint:
            how = "is not the one that this database was written with" if key_id in held else "is missing"
            raise WrongKeys(f"key {key_id} {how}: put back the copy of the key file, or of DAIBAN_KEYS")


def know_keys(session: Session) -> None:
    """Check the keys, and note the check values of those that the database does not know yet. Raises WrongKeys.

    A database of before these values is asked whether the keys read it."""
    check_keys(session)
    if session.scalar(select(func.count()).select_from(KeyFingerprint)) == 0:
        _check_reading(session)
    rows = [{"key_id": key_id, "fingerprint": value} for key_id, value in db.keyring().fingerprints().items()]
    session.execute(insert(KeyFingerprint).values(rows).on_conflict_do_nothing(index_elements=["key_id"]))


def _check_reading(session: Session) -> None:
    somebody = select(Account.phone, Account.phone_hash).where(Account.phone.is_not(None)).limit(1)
    try:
        row = session.execute(somebody).first()
    except (db.UnknownKey, db.Unreadable):
        raise WrongKeys("the keys do not read this database: put back the copy of the key file") from None
    if row is not None and row.phone_hash != db.keyed_hash(row.phone):
        raise WrongKeys("key index is not the one that this database was written with: put back its copy")


def know_keys_at_start(sessions: sessionmaker[Session]) -> None:
    """The check of every start. A database that does not answer, or has no tables yet, is left to /readyz."""
    try:
        with sessions.begin() as session:
            know_keys(session)
    except SQLAlchemyError:
        return


def forget_key(session: Session, key_id: str) -> None:
    """A key was retired: nothing rests on it any more."""
    row = session.get(KeyFingerprint, key_id)
    if row is not None:
        session.delete(row)
