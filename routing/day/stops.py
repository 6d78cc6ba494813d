"""Stops: request one, move it to another window, release it, and try again after a failed attempt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.day.courier_stop import CourierStop, StopKind, StopState, WrongStop
from routing.day.hours import DAY_S, cutoff_of, merged, seconds_into
from routing.day.known_points import known_point
from routing.travel.geocoding import MAINLAND, far_m

MAX_ATTEMPTS = 2
FARTHEST_M = 5_000  # a corrected entrance farther away than this is a mistake


@dataclass(frozen=True, slots=True)
class Address:
    """Where a courier goes: a WGS-84 point, the address as written, and the contact there. Raises ValueError.

    ``is_placed``: the point is this address's own, and not only one nearby."""

    lon: float
    lat: float
    written: str
    contact_name: str
    contact_phone: str
    label: str = ""
    is_placed: bool = True

    def __post_init__(self) -> None:
        west, east, south, north = MAINLAND
        if not (west <= self.lon <= east and south <= self.lat <= north):
            raise ValueError(f"not a point that a courier can drive to: {self.lon}, {self.lat}")


@dataclass(frozen=True, slots=True)
class StopNeeds:
    """What a stop needs: room for pieces and grams, its place before other stops, seconds at the door, and a van."""

    pieces: int = 1
    grams: int = 200
    priority: int = 1
    service_s: int = 300
    needs_van: bool = False


def request_stop(
    session: Session,
    *,
    division_id: int,
    on: date,
    kind: StopKind,
    address: Address,
    windows: Sequence[tuple[int, int]],
    at: datetime,
    needs: StopNeeds = StopNeeds(),
) -> CourierStop:
    """A stop that waits to be planned. Windows are seconds from 00:00 in Shanghai on ``on``. Raises WrongStop.

    Where a person has confirmed the point of this address before, that one stands."""
    windows = _apart(windows)
    known = known_point(session, address.label, address.written, division_id)
    stop = CourierStop(
        division_id=division_id,
        on=on,
        cutoff=cutoff_of(windows[0][0]),
        kind=kind,
        lon=address.lon if known is None else known.lon,
        lat=address.lat if known is None else known.lat,
        is_placed=address.is_placed or known is not None,
        address=address.written,
        contact_name=address.contact_name,
        contact_phone=address.contact_phone,
        label=address.label,
        windows=[list(window) for window in windows],
        service_s=needs.service_s,
        pieces=needs.pieces,
        grams=needs.grams,
        priority=needs.priority,
        needs_van=needs.needs_van,
        created_at=at,
    )
    session.add(stop)
    session.flush()
    return stop


def _apart(windows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The windows by their opening, those that overlap or touch made one. Raises WrongStop."""
    if not windows or any(not 0 <= opens < closes <= DAY_S for opens, closes in windows):
        raise WrongStop(f"bad windows {windows}", user_message="上门时段有误：开始须早于结束")
    return merged(windows)


def reschedule(stop: CourierStop, *, on: date, windows: Sequence[tuple[int, int]]) -> None:
    """Another day or window, as long as no run holds the stop. Raises WrongStop."""
    if stop.state is not StopState.OPEN:
        raise WrongStop(f"stop {stop.id} is {stop.state}", user_message="已排入当日路线，改约请联系代办员")
    windows = _apart(windows)
    if stop.papers_at is not None and seconds_into(on, stop.papers_at) >= windows[-1][1]:
        raise WrongStop(
            f"stop {stop.id}: its papers come at {stop.papers_at}", user_message="这个时段之前文件还没有到中心，请另选"
        )
    stop.on, stop.windows, stop.cutoff = on, [list(window) for window in windows], cutoff_of(windows[0][0])
    stop.version += 1


def expect_papers(stop: CourierStop, papers_at: datetime | None) -> None:
    """When the papers for a door are at the centre; None: they are there. A preview made before is out of date.

    Raises WrongStop."""
    if stop.kind is StopKind.PICKUP:
        raise WrongStop(f"stop {stop.id} brings nothing", user_message="这一站只收件，没有要等的文件")
    if stop.state not in {StopState.OPEN, StopState.PLANNED}:
        raise WrongStop(f"stop {stop.id} is {stop.state}", user_message="这一站已在办理或已结束")
    if stop.papers_at != papers_at:
        stop.papers_at = papers_at
        stop.version += 1


def propose_entrance(stop: CourierStop, *, lon: float, lat: float) -> None:
    """Where a courier found the entrance: kept beside the pin until the lead decides. Raises WrongStop when far off."""
    if not (-180 <= lon <= 180 and -90 <= lat <= 90) or far_m(stop.lon, stop.lat, lon, lat) > FARTHEST_M:
        raise WrongStop(
            f"{lon}, {lat} is not near stop {stop.id}", user_message="当前位置离这一站超过5公里，请到门口后再报"
        )
    stop.proposed_lon, stop.proposed_lat = round(lon, 6), round(lat, 6)


def release(stop: CourierStop) -> None:
    """The stop is not needed any more. Raises WrongStop where it is done."""
    if stop.state in {StopState.RELEASED, StopState.CANCELLED}:
        return
    stop.move_to(StopState.RELEASED)
    stop.run_id = stop.position = None


def stop_with(session: Session, stop_id: int) -> CourierStop | None:
    """The stop, locked for this transaction."""
    return session.get(CourierStop, stop_id, with_for_update=True, populate_existing=True)


def request_retry(session: Session, stop: CourierStop, *, on: date, at: datetime) -> CourierStop | None:
    """After a failed attempt: a new stop on ``on`` with the same windows, or None when two attempts were made."""
    if stop.attempts >= MAX_ATTEMPTS:
        return None
    again = CourierStop(
        division_id=stop.division_id,
        on=on,
        cutoff=stop.cutoff,
        kind=stop.kind,
        lon=stop.lon,
        lat=stop.lat,
        is_placed=stop.is_placed,
        address=stop.address,
        contact_name=stop.contact_name,
        contact_phone=stop.contact_phone,
        label=stop.label,
        windows=stop.windows,
        service_s=stop.service_s,
        pieces=stop.pieces,
        grams=stop.grams,
        priority=stop.priority + 1,
        needs_van=stop.needs_van,
        attempts=stop.attempts,
        retry_of_id=stop.id,
        created_at=at,
    )
    session.add(again)
    session.flush()
    return again


def retry_of(session: Session, stop: CourierStop) -> CourierStop | None:
    """The stop that was requested after this one failed, while it still waits."""
    return session.scalar(
        select(CourierStop).where(CourierStop.retry_of_id == stop.id, CourierStop.state == StopState.OPEN)
    )
