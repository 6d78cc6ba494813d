"""Events at a stop: record once what a courier's phone reports, and undo it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.day.courier_run import CourierRun, RunState
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopEvent, StopState, WrongStop
from routing.day.hours import SHANGHAI

UNDO_FREE_S = 30  # the phone shows ten; a slow finger and a slow line are forgiven


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
    left_behind: tuple[str, ...] = ()
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
    session: Session, stop: CourierStop, report: ReportedEvent, *, courier_id: int | None, at: datetime,
    recorded_at: datetime | None = None,
) -> StopEvent:  # fmt: skip
    """Tick a stop off, or say why not; ``at`` is when it happened. Nobody has said it before. Raises WrongStop."""
    if report.act is StopAct.FAILED and report.reason is None:
        raise WrongStop("a failed attempt needs its reason", user_message="请选择未成功的原因")
    undoes = None
    if report.act is StopAct.UNDONE:
        undoes = _latest_outcome(session, stop)
        if undoes.at.astimezone(SHANGHAI).date() != at.astimezone(SHANGHAI).date():
            raise WrongStop(f"stop {stop.id} was done on another day", user_message="只能更正当天的操作")
        waited_s = (at - undoes.at).total_seconds()
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
        recorded_at=recorded_at or at,
        device_at=report.device_at,
        drift_s=report.drift_s,
        reason=report.reason,
        note=report.note,
        waybills=list(report.waybills),
        left_behind=list(report.left_behind),
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
