"""Kept uploads: who uploaded which file and for what, so that nobody's act is shown by somebody else's picture."""

from collections.abc import Collection
from datetime import datetime

from flask import has_request_context
from flask_login import current_user
from sqlalchemy import ForeignKey, String, UniqueConstraint, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from dispatch.core.errors import Refused
from web.wiring.transactions import transaction

NOT_THERE = "照片或签名没有上传成功，请重新提交"
OF_CASE = "case:"
UNBOUND = ""
"""For nothing named yet: it becomes the file of the first act that names it, and of no other."""


class KeptUpload(db.Base):
    """One file of one person for one thing: ``stop:7``, ``case:DB…``."""

    __tablename__ = "kept_upload"
    __table_args__ = (UniqueConstraint("sha256", "account_id", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    subject: Mapped[str] = mapped_column(String(80), default=UNBOUND)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def of_stop(stop_id: int) -> str:
    """The subject of what is shown at a stop."""
    return f"stop:{stop_id}"


def of_case(case_no: str) -> str:
    """The subject of a paper of a case."""
    return f"{OF_CASE}{case_no}"


def note_upload(digest: str, subject: str = UNBOUND) -> None:
    """Who is signed in has uploaded this file."""
    if has_request_context() and current_user.is_authenticated:
        with transaction() as session:
            _note(session, digest, current_user.account_id, subject)


def check_uploaded(session: Session, account_id: int | None, digests: Collection[str], subject: str) -> None:
    """Whether each of these was uploaded by this person for this subject; a paper of a case may be a colleague's.

    Raises Refused, in the words for a file that is not there: nobody learns what others uploaded."""
    if not digests:
        return
    theirs = [KeptUpload.subject == subject] if subject.startswith(OF_CASE) else []
    rows = session.execute(
        select(KeptUpload.sha256, KeptUpload.subject)
        .where(KeptUpload.sha256.in_(digests))
        .where(or_(KeptUpload.account_id == account_id, *theirs))
    )
    known = {(digest, whose) for digest, whose in rows}
    for digest in digests:
        if (digest, subject) in known or (subject == UNBOUND and any(digest == mine for mine, _ in known)):
            continue
        if account_id is None or (digest, UNBOUND) not in known:
            raise Refused(f"account {account_id} uploaded nothing such for {subject}", user_message=NOT_THERE)
        _bind(session, digest, account_id, subject)


def _bind(session: Session, digest: str, account_id: int, subject: str) -> None:
    """What was uploaded for nothing yet is of this from now on."""
    _note(session, digest, account_id, subject)
    unbound = (KeptUpload.account_id == account_id, KeptUpload.subject == UNBOUND)
    session.execute(delete(KeptUpload).where(KeptUpload.sha256 == digest, *unbound))


def forget_uploads(session: Session, digests: Collection[str]) -> None:
    """These files are gone."""
    session.execute(delete(KeptUpload).where(KeptUpload.sha256.in_(digests)))


def _note(session: Session, digest: str, account_id: int, subject: str) -> None:
    session.execute(
        insert(KeptUpload).values(sha256=digest, account_id=account_id, subject=subject).on_conflict_do_nothing()
    )
