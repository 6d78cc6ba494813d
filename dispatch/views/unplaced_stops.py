"""Stops whose address nobody has confirmed on a map: no plan takes them before a lead has said where they are."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from agents.network import Division
from db import now
from dispatch.cases.access_control import stop_for, within
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor
from routing.day.courier_stop import STOP_LABEL, CourierStop, StopState
from routing.day.known_points import known_point
from routing.day.order import window_of

PAGE = 100


@dataclass(frozen=True, slots=True)
class UnplacedStop:
    """One stop without a confirmed point; ``lon``, ``lat``: the project's site, where a map may begin."""

    id: int
    label: str
    address: str
    kind: str
    area: str
    on: date
    window: tuple[int, int] | None
    lon: float
    lat: float
    is_placed: bool
    confirmed_by: str


def unplaced_stops(session: Session, viewer: Actor) -> list[UnplacedStop]:
    """What waits within the viewer's reach, the earliest day first."""
    rows = session.execute(
        select(CourierStop, Division.name)
        .join(Division, Division.id == CourierStop.division_id)
        .where(*_waits(session, viewer))
        .order_by(CourierStop.on, CourierStop.id)
        .limit(PAGE)
    )
    return [_line(stop, area, "") for stop, area in rows]


def unplaced_count(session: Session, viewer: Actor) -> int:
    """How many wait."""
    return session.scalar(select(func.count(CourierStop.id)).where(*_waits(session, viewer))) or 0


def _waits(session: Session, viewer: Actor) -> tuple[ColumnElement[bool], ...]:
    mine = within(viewer, CourierStop.division_id)  # type: ignore[arg-type]
    ahead = CourierStop.on >= day_of(now(session))
    return mine, ahead, ~CourierStop.is_placed, CourierStop.state == StopState.OPEN


def unplaced_stop(session: Session, viewer: Actor, stop_id: int) -> UnplacedStop:
    """One stop, for the page that places it. Raises NotFound."""
    stop = stop_for(session, viewer, stop_id)
    known = known_point(session, stop.label, stop.address, stop.division_id)
    by = "" if known is None else known.confirmed_by
    return _line(stop, session.get_one(Division, stop.division_id).name, by)


def _line(stop: CourierStop, area: str, confirmed_by: str) -> UnplacedStop:
    return UnplacedStop(
        stop.id, stop.label, stop.address, STOP_LABEL[stop.kind], area, stop.on, window_of(stop),
        stop.lon, stop.lat, stop.is_placed, confirmed_by,
    )  # fmt: skip
