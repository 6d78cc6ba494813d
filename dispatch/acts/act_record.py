"""Act record: the audit line of each step, and the answer that a repeated client id gets again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base
from dispatch.core.actor import Actor
from dispatch.core.errors import Refused


class ActRecord(Base):
    """Who took which step on which rows, and when: ``at`` by the program's clock, ``recorded_at`` by the database's."""

    __tablename__ = "act_record"
    __table_args__ = (
        Index("uq_act_record_client", "account_id", "client_id", unique=True, postgresql_where="client_id IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    act: Mapped[str] = mapped_column(String(60))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    actor: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)
    named: Mapped[list[Any]] = mapped_column(default=list)
    client_id: Mapped[UUID | None]
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    answer: Mapped[dict[str, Any] | None]


def claim(
    session: Session, act: str, actor: Actor, client_id: UUID, fingerprint: bytes
) -> tuple[ActRecord, dict[str, Any] | None]:
    """The record of this client id, and the earlier answer where the step was taken already.

    A second one waits for the first's transaction. Raises Refused when the id was used for another step."""
    made = session.scalar(
        insert(ActRecord)
        .values(act=act, account_id=actor.account_id, client_id=client_id, fingerprint=fingerprint, named=[])
        .on_conflict_do_nothing(
            index_elements=["account_id", "client_id"], index_where=ActRecord.client_id.is_not(None)
        )
        .returning(ActRecord.id)
    )
    if made is not None:
        return session.get_one(ActRecord, made), None
    record = session.scalars(
        select(ActRecord).where(ActRecord.account_id == actor.account_id, ActRecord.client_id == client_id)
    ).one()
    if (record.act, record.fingerprint) != (act, fingerprint):
        raise Refused(f"client id {client_id} was used for another step", user_message="重复的操作编号")
    return record, record.answer or {"result": None}


def earlier_answer(session: Session, actor: Actor, client_id: UUID | None) -> dict[str, Any] | None:
    """What the step answered that the actor took under this id, as ``{"result": …}``; None where none was taken."""
    if client_id is None:
        return None
    return session.scalar(
        select(ActRecord.answer).where(ActRecord.account_id == actor.account_id, ActRecord.client_id == client_id)
    )


def last_actor(session: Session, table: str, row_id: int) -> str | None:
    """Who took the latest step that names this row."""
    named = select(ActRecord.actor).where(ActRecord.named.contains([f"{table}:{row_id}"]))
    return session.scalar(named.order_by(ActRecord.id.desc()).limit(1))
