"""The dispatcher's call list: visits that no SMS told of, whom to call, and who was called today."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.network import Division
from db import now
from dispatch.cases.access_control import visible_visit_words
from dispatch.cases.notify import day_of
from dispatch.cases.visit_word import CHANGE_LABEL, VisitWord, needs_call
from dispatch.core.actor import Actor
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import STOP_LABEL, CourierStop
from routing.day.couriers import Courier

PAGE = 100


@dataclass(frozen=True, slots=True)
class CallLine:
    """One visit to tell by telephone, or that was told; the window is in seconds from 00:00 in Shanghai of ``on``."""

    id: int
    name: str
    label: str
    phone: str
    change: str
    what: str
    area: str
    on: date
    window: tuple[int, int]
    courier: str
    had_sms: bool
    called_at: datetime | None
    called_by: str
    note: str


@dataclass(frozen=True, slots=True)
class CallList:
    """Whom to call, the earliest visit first, how many in all; and who was called today."""

    open: list[CallLine]
    total: int
    called: list[CallLine]


def call_list(session: Session, viewer: Actor) -> CallList:
    """What is to be told by telephone within the viewer's reach. A visit whose day is over needs no call."""
    today = day_of(now(session))
    waits = (needs_call(), VisitWord.on >= today)
    order = (VisitWord.on, VisitWord.opens_s, VisitWord.id)
    counted = select(func.count(VisitWord.id)).where(visible_visit_words(viewer), *waits)
    called = _lines(session, viewer, VisitWord.called_at.is_not(None), VisitWord.on >= today, order=order)
    return CallList(_lines(session, viewer, *waits, order=order), session.scalar(counted) or 0, called)


def _lines(session: Session, viewer: Actor, *conditions: object, order: tuple[object, ...]) -> list[CallLine]:
    rows = session.execute(
        select(VisitWord, CourierStop, Division.name, Courier.name)
        .join(CourierStop, CourierStop.id == VisitWord.stop_id)
        .join(Division, Division.id == VisitWord.division_id)
        .outerjoin(CourierRun, CourierRun.id == CourierStop.run_id)
        .outerjoin(Courier, Courier.id == CourierRun.courier_id)
        .where(visible_visit_words(viewer), *conditions)  # type: ignore[arg-type]
        .order_by(*order)  # type: ignore[arg-type]
        .limit(PAGE)
    )
    return [
        CallLine(
            word.id, stop.contact_name, stop.label or stop.address, stop.contact_phone, CHANGE_LABEL[word.change],
            STOP_LABEL[stop.kind], area, word.on, (word.opens_s, word.closes_s), courier or "",
            word.message_id is not None, word.called_at, word.called_by, word.call_note or "",
        )
        for word, stop, area, courier in rows
    ]  # fmt: skip
