"""When couriers said they come: as the card of a stop, its enterprise and the dispatcher read it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db import now
from dispatch.cases.access_control import visible_visit_words
from dispatch.cases.notify import day_of
from dispatch.cases.visit_word import CHANGE_LABEL, COMING_LABEL, VisitWord, needs_call
from dispatch.core.actor import Actor
from routing.day.courier_stop import CourierStop
from routing.day.couriers import Courier

PAGE = 100
CALLED, OVERTAKEN, TO_CALL, BY_SMS = "called", "overtaken", "to_call", "sms"
HEARD_LABEL = {CALLED: "已打电话", OVERTAKEN: "已有更新的告知", TO_CALL: "待打电话", BY_SMS: "短信"}
"""By which way a word was told."""


@dataclass(frozen=True, slots=True)
class ComingWord:
    """The newest word on a visit that a courier gave: expected when, why, said when."""

    window: tuple[int, int]
    why: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class ComingLine:
    """One word as the dispatcher reads it; ``heard``: by which way it was told."""

    courier: str
    label: str
    change: str
    window: tuple[int, int]
    why: str
    said_at: datetime
    heard: str
    to_call: bool


def coming_at(session: Session, stop_ids: Collection[int]) -> dict[int, ComingWord]:
    """What couriers said of these stops and nothing later overtook."""
    if not stop_ids:
        return {}
    words = session.scalars(
        select(VisitWord)
        .where(VisitWord.stop_id.in_(stop_ids), VisitWord.why.is_not(None), VisitWord.superseded_at.is_(None))
        .order_by(VisitWord.id)
    )
    return {word.stop_id: coming_word(word) for word in words}


def coming_word(word: VisitWord) -> ComingWord:
    """What was said, in words."""
    return ComingWord((word.opens_s, word.closes_s), "" if word.why is None else COMING_LABEL[word.why], word.said_at)


def newest_word(stop_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """The id of what a courier said last of a stop and nothing later overtook."""
    word = aliased(VisitWord)
    said = select(func.max(word.id)).where(word.stop_id == stop_id, word.why.is_not(None))
    return said.where(word.superseded_at.is_(None)).scalar_subquery()


def said_today(session: Session, viewer: Actor) -> list[ComingLine]:
    """What couriers said today within the viewer's reach, the newest first, and who has yet to be called."""
    rows = session.execute(
        select(VisitWord, CourierStop, Courier.name, needs_call())
        .join(CourierStop, CourierStop.id == VisitWord.stop_id)
        .join(Courier, Courier.id == VisitWord.said_by_id)
        .where(visible_visit_words(viewer), VisitWord.on == day_of(now(session)))
        .order_by(VisitWord.said_at.desc(), VisitWord.id.desc())
        .limit(PAGE)
    )
    return [
        ComingLine(
            name, stop.label or stop.address, CHANGE_LABEL[word.change], (word.opens_s, word.closes_s),
            "" if word.why is None else COMING_LABEL[word.why], word.said_at,
            HEARD_LABEL[_heard(word, waits=waits)], _heard(word, waits=waits) == TO_CALL,
        )
        for word, stop, name, waits in rows
    ]  # fmt: skip


def _heard(word: VisitWord, *, waits: bool) -> str:
    if word.called_at is not None:
        return CALLED
    if word.superseded_at is not None:
        return OVERTAKEN
    return TO_CALL if waits else BY_SMS
