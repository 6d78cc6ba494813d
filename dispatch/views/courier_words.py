"""Words to couriers as both sides read them: what was said, by whom, and whether it was read."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import now
from dispatch.cases.access_control import visible_courier_words, visible_couriers
from dispatch.cases.courier_word import CourierWord
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor
from routing.day.couriers import Courier, Shift

KEPT = timedelta(days=2)
PAGE = 50


@dataclass(frozen=True, slots=True)
class WordLine:
    """One word to a courier."""

    id: int
    courier: str
    words: str
    said_at: datetime
    said_by: str
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class WhoWorks:
    """A courier whom a word can be said to today."""

    id: int
    name: str


def courier_words(session: Session, viewer: Actor) -> list[WordLine]:
    """The words of the last two days within the viewer's reach, the newest first; to a courier those to itself."""
    rows = session.execute(
        select(CourierWord, Courier.name)
        .join(Courier, Courier.id == CourierWord.courier_id)
        .where(visible_courier_words(viewer), CourierWord.said_at >= now(session) - KEPT)
        .order_by(CourierWord.said_at.desc(), CourierWord.id.desc())
        .limit(PAGE)
    )
    return [
        WordLine(word.id, name, word.words, word.said_at, word.said_by, word.read_at) for word, name in rows
    ]  # fmt: skip


def who_works(session: Session, viewer: Actor) -> list[WhoWorks]:
    """The couriers within the viewer's reach who work today."""
    rows = session.execute(
        select(Courier.id, Courier.name)
        .join(Shift, Shift.courier_id == Courier.id)
        .where(Shift.on == day_of(now(session)), Courier.active, visible_couriers(viewer))
        .order_by(Courier.name, Courier.id)
    )
    return [WhoWorks(courier_id, name) for courier_id, name in rows]
