"""The sheet that was checked and waits for its sender's word: its rows, kept encrypted for the account."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

import db
from web.wiring.sheet_rows import Fault, Sheet

KEPT_FOR = timedelta(days=1)


class SheetDraft(db.Base):
    """The rows of a sheet (待提交的表格) as they were read, with the faults of those that were not."""

    __tablename__ = "sheet_draft"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    name: Mapped[str]
    rows: Mapped[str] = mapped_column(db.EncryptedText)
    made_at: Mapped[datetime]


def keep(session: Session, account_id: int, name: str, sheet: Sheet) -> None:
    """Keep this sheet in place of the account's earlier one."""
    discard(session, account_id)
    text = json.dumps(asdict(sheet), ensure_ascii=False)
    session.add(SheetDraft(account_id=account_id, name=name, rows=text, made_at=db.real_now(session)))
    session.flush()


def kept(session: Session, account_id: int) -> tuple[str, Sheet] | None:
    """The account's checked sheet with its name; None when there is none."""
    row = session.get(SheetDraft, account_id, with_for_update=True)
    if row is None:
        return None
    read = json.loads(row.rows)
    rows = [(number, cells) for number, cells in read["rows"]]
    return row.name, Sheet(rows, [Fault(**fault) for fault in read["faults"]])


def discard(session: Session, account_id: int) -> None:
    """The sheet is filed, or another one comes in its place."""
    if (row := session.get(SheetDraft, account_id)) is not None:
        session.delete(row)
        session.flush()


def forget_old_sheets(session: Session) -> int:
    """Delete what nobody filed within a day: it holds names and numbers; how many."""
    old = delete(SheetDraft).where(SheetDraft.made_at < db.real_now(session) - KEPT_FOR)
    return len(session.scalars(old.returning(SheetDraft.account_id)).all())
