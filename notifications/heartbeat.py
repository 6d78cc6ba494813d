"""Heartbeat: whether messages are being sent, by the age of the oldest due one; a living process proves nothing."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column, sessionmaker

import db
from db import Base
from notifications import health
from notifications.message import Message, State
from notifications.settings import NoticeSettings

log = logging.getLogger(__name__)


class NoticeBeat(Base):
    """When each of the regular jobs last ran, in real time."""

    __tablename__ = "notice_beat"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]
    found: Mapped[int]


@dataclass(frozen=True, slots=True)
class Liveness:
    """What the heartbeat tile shows. ``is_silent``: messages are due and nobody sends them."""

    oldest_due_s: float | None
    unclear: int
    last_sweep_s: float | None
    last_heartbeat_s: float | None
    gateways: list[health.GatewayState]
    is_silent: bool


def beat(session: Session, name: str, found: int = 0) -> None:
    """The job ``name`` ran."""
    new = {"at": db.real_now(session), "found": found}
    session.execute(
        insert(NoticeBeat).values(name=name, **new).on_conflict_do_update(index_elements=["name"], set_=new)
    )


def last_beat(session: Session, name: str) -> NoticeBeat | None:
    """When the job ``name`` ran last, and how many it found; None when it never ran."""
    return session.get(NoticeBeat, name)


def liveness(session: Session, settings: NoticeSettings) -> Liveness:
    """How the sending of messages is, right now."""
    now = db.real_now(session)
    age = {row.name: (now - row.at).total_seconds() for row in session.scalars(select(NoticeBeat))}
    oldest = _oldest_due_s(session, now)
    unclear = session.scalar(select(func.count()).select_from(Message).where(Message.state == State.CLAIMED))
    return Liveness(
        oldest_due_s=oldest,
        unclear=unclear or 0,
        last_sweep_s=age.get("sweep"),
        last_heartbeat_s=age.get("heartbeat"),
        gateways=health.states(session, settings, at=now),
        is_silent=oldest is not None and oldest > settings.silent_after_s,
    )


def _oldest_due_s(session: Session, now: datetime) -> float | None:
    """Real seconds for which the oldest due message has been waiting. A clock that was moved makes nobody late."""
    due = select(func.min(func.coalesce(Message.due_since, Message.posted_at))).where(
        Message.state == State.QUEUED,
        Message.not_before <= db.now(session),
        Message.retry_at.is_(None) | (Message.retry_at <= now),
    )
    if db.is_demo(session):
        due = due.where(Message.due_since.is_not(None))
    oldest = session.scalar(due)
    return (now - oldest).total_seconds() if oldest else None


class Watchdog:
    """Asks for a restart of the workers when messages are due and nobody sends them, and then lets them start."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        settings: NoticeSettings,
        restart: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions, self._settings, self._restart, self._clock = sessions, settings, restart, clock
        self._next = 0.0

    def look(self) -> bool:
        """True when the workers were restarted just now."""
        if self._clock() < self._next:
            return False
        with self._sessions() as session:
            found = liveness(session, self._settings)
        if not found.is_silent:
            return False
        log.error("a message has been due for %.0f s: the workers are restarted", found.oldest_due_s)
        self._next = self._clock() + 2 * self._settings.silent_after_s
        self._restart()
        return True
