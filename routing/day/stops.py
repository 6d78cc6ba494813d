"""Stops: ask for one, give it up, and record what the courier's phone reports."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.day.tables import (
    Courier,
    CourierRun,
    CourierStop,
    Cutoff,
    FailReason,
    RunState,
    StopAct,
    StopEvent,
    StopKind,
    StopState,
    WrongStop,
)
from routing.travel.addresses import far_m

SHANGHAI = ZoneInfo("Asia/Shanghai")
AM_CLOSES = time(11, 30)
PM_CLOSES = time(16, 30)
NOON_S = 12 * 3600
MAX_ATTEMPTS = 2
FARTHEST_M = 5_000  # a corrected entrance farther away than this is a mistake
UNDO_FREE_S = 30  # the phone shows ten; a slow finger and a slow line are forgiven


@dataclass(frozen=True, slots=True)
class Address:
    """Where a courier rings: a WGS-84 point, the address as written, and whom to ask for."""

    lon: float
    lat: float
    written: str
    contact_name: str
    contact_phone: str
    label: str = ""

    def __post_init__(self) -> None:
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise ValueError(f"not a point on earth: {self.lon}, {self.lat}")


def cutoff_of(opens_s: int) -> Cutoff:
    """Which of the two runs of a day serves a window that opens at ``opens_s``: the morning's, or the afternoon's."""
    return Cutoff.AM if opens_s < NOON_S else Cutoff.PM


def ask_for_stop(
    session: Session,
    *,
    division_id: int,
    on: date,
    kind: StopKind,
    address: Address,
    windows: Sequence[tuple[int, int]],
    at: datetime,
    pieces: int = 1,
    grams: int = 200,
    priority: int = 1,
    service_s: int = 300,
    needs_van: bool = False,
) -> CourierStop:
    """A stop that waits to be planned. Windows are seconds from 00:00 in Shanghai on ``on``. Raises WrongStop."""
    if not windows or any(not 0 <= opens < closes <= 86_400 for opens, closes in windows):
        raise WrongStop(f"bad windows {windows}", user_message="上门时段有误：开始须早于结束")
    stop = CourierStop(
        division_id=division_id,
        on=on,
        cutoff=cutoff_of(windows[0][0]),
        kind=kind,
        lon=address.lon,
        lat=address.lat,
        address=address.written,
        contact_name=address.contact_name,
        contact_phone=address.contact_phone,
        label=address.label,
        windows=[list(window) for window in windows],
        service_s=service_s,
        pieces=pieces,
        grams=grams,
        priority=priority,
        needs_van=needs_van,
        created_at=at,
    )
    session.add(stop)
    session.flush()
    return stop


def reschedule(stop: CourierStop, *, on: date, windows: Sequence[tuple[int, int]]) -> None:
    """Another day or window, as long as no run holds the stop. Raises WrongStop."""
    if stop.state is not StopState.OPEN:
        raise WrongStop(f"stop {stop.id} is {stop.state}", user_message="已排入当日路线，改约请联系代办员")
    if not windows or any(not 0 <= opens < closes <= 86_400 for opens, closes in windows):
        raise WrongStop(f"bad windows {windows}", user_message="上门时段有误：开始须早于结束")
    stop.on, stop.windows, stop.cutoff = on, [list(window) for window in windows], cutoff_of(windows[0][0])
    stop.version += 1


def propose_entrance(stop: CourierStop, *, lon: float, lat: float) -> None:
    """Where a courier found the entrance: kept beside the pin until the lead decides. Raises WrongStop when far off."""
    if not (-180 <= lon <= 180 and -90 <= lat <= 90) or far_m(stop.lon, stop.lat, lon, lat) > FARTHEST_M:
        raise WrongStop(
            f"{lon}, {lat} is not near stop {stop.id}", user_message="当前位置离这一站超过5公里，请到门口后再报"
        )
    stop.proposed_lon, stop.proposed_lat = round(lon, 6), round(lat, 6)


def release(stop: CourierStop) -> None:
    """Nobody needs to go there any more. A stop that is done cannot be released."""
    if stop.state in {StopState.RELEASED, StopState.CANCELLED}:
        return
    stop.move_to(StopState.RELEASED)
    stop.run_id = stop.position = None


def stop_with(session: Session, stop_id: int, *, lock: bool = True) -> CourierStop | None:
    """The stop, locked for this transaction."""
    return session.get(CourierStop, stop_id, with_for_update=lock or None, populate_existing=lock)


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """What a phone says happened. ``event_id`` is made by the device: the same report twice is one event."""

    event_id: uuid.UUID
    act: StopAct
    device_at: datetime | None = None
    drift_s: float | None = None
    reason: FailReason | None = None
    note: str | None = None
    waybills: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()


_STATE_AFTER = {
    StopAct.ARRIVED: StopState.ARRIVED,
    StopAct.COLLECTED: StopState.DONE,
    StopAct.DELIVERED: StopState.DONE,
    StopAct.FAILED: StopState.FAILED,
    StopAct.UNDONE: StopState.PLANNED,
}


def event_with(session: Session, event_id: uuid.UUID) -> StopEvent | None:
    """The event that this report became, when it was received before."""
    return session.scalar(select(StopEvent).where(StopEvent.event_id == event_id))


def record(
    session: Session, stop: CourierStop, report: ReportedEvent, *, courier_id: int | None, at: datetime
) -> StopEvent:
    """Tick a stop off, or say why not. Idempotent by the report's id. Raises WrongStop."""
    if earlier := event_with(session, report.event_id):
        if earlier.stop_id != stop.id:
            raise WrongStop(f"event {report.event_id} belongs to stop {earlier.stop_id}", user_message="重复的操作编号")
        return earlier
    if report.act is StopAct.FAILED and report.reason is None:
        raise WrongStop("a failed attempt needs its reason", user_message="请选择未成功的原因")
    undoes = None
    if report.act is StopAct.UNDONE:
        undoes = _latest_outcome(session, stop)
        if undoes.at.astimezone(SHANGHAI).date() != at.astimezone(SHANGHAI).date():
            raise WrongStop(f"stop {stop.id} was done on another day", user_message="只能更正当天的操作")
        waited_s = ((report.device_at or at) - (undoes.device_at or undoes.at)).total_seconds()
        if waited_s > UNDO_FREE_S and not (report.note or "").strip():
            raise WrongStop(f"stop {stop.id}: a late correction needs its reason", user_message="更正请写明原因")
    if report.act is StopAct.ARRIVED and stop.state is StopState.ARRIVED:
        pass
    elif report.act is not StopAct.PROBLEM:
        stop.move_to(_STATE_AFTER[report.act])
    if report.act is StopAct.FAILED:
        stop.attempts += 1
        stop.fail_reason = report.reason
    if report.act in {StopAct.COLLECTED, StopAct.DELIVERED}:
        stop.done_at = at
    if report.act is StopAct.UNDONE:
        stop.done_at = stop.fail_reason = None
    event = StopEvent(
        event_id=report.event_id,
        stop_id=stop.id,
        courier_id=courier_id,
        act=report.act,
        at=at,
        device_at=report.device_at,
        drift_s=report.drift_s,
        reason=report.reason,
        note=report.note,
        waybills=list(report.waybills),
        proofs=list(report.proofs),
        undoes_id=None if undoes is None else undoes.id,
    )
    session.add(event)
    session.flush()
    _advance_run(session, stop)
    return event


def _latest_outcome(session: Session, stop: CourierStop) -> StopEvent:
    outcomes = (StopAct.COLLECTED, StopAct.DELIVERED, StopAct.FAILED)
    undone = select(StopEvent.undoes_id).where(StopEvent.undoes_id.is_not(None), StopEvent.stop_id == stop.id)
    event = session.scalar(
        select(StopEvent)
        .where(StopEvent.stop_id == stop.id, StopEvent.act.in_(outcomes), StopEvent.id.not_in(undone))
        .order_by(StopEvent.id.desc())
        .limit(1)
    )
    if event is None:
        raise WrongStop(f"stop {stop.id} has nothing to undo", user_message="没有可以撤销的操作")
    return event


def _advance_run(session: Session, stop: CourierStop) -> None:
    if stop.run_id is None:
        return
    run = session.get_one(CourierRun, stop.run_id)
    left = session.scalar(
        select(CourierStop.id)
        .where(CourierStop.run_id == run.id, CourierStop.state.in_((StopState.PLANNED, StopState.ARRIVED)))
        .limit(1)
    )
    run.state = RunState.DONE if left is None else RunState.OUT
    run.version += 1


def ask_again(session: Session, stop: CourierStop, *, on: date, at: datetime) -> CourierStop | None:
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
    """The stop that was asked for after this one failed, while it still waits."""
    return session.scalar(
        select(CourierStop).where(CourierStop.retry_of_id == stop.id, CourierStop.state == StopState.OPEN)
    )


def courier_of(session: Session, stop: CourierStop) -> Courier | None:
    """Who drives there, once a run holds the stop."""
    return session.scalar(
        select(Courier).join(CourierRun, CourierRun.courier_id == Courier.id).where(CourierRun.id == stop.run_id)
    )
