"""Door facts: a phone's act is taken into the record, or lies on the dispatcher's desk with its proofs; never lost."""

import json
import uuid
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import ActContext, act
from dispatch.acts.door_report import DoorReport, FactTime, fact_time
from dispatch.acts.stop_report import MissingProof, NotAtThisStop, NotOnBoard, RetiredCodeGiven, WrongCode, report_stop
from dispatch.cases.access_control import reported_stop
from dispatch.cases.courier_report import HELD_LABEL, CourierReport, ReportKind, ReportState, WhyHeld
from dispatch.core.actor import Role
from dispatch.core.errors import DispatchError, NotFound, Refused
from dispatch.custody.parcel import Parcel
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopAct
from routing.day.couriers import Courier
from routing.day.day_plan import DayPlan, PlanState
from routing.day.errors import RunError
from routing.day.stop_events import event_with

WHY: tuple[tuple[type[Exception], WhyHeld], ...] = (
    (RetiredCodeGiven, WhyHeld.RETIRED_CODE),
    (WrongCode, WhyHeld.WRONG_CODE),
    (NotOnBoard, WhyHeld.NOT_ON_BOARD),
    (NotAtThisStop, WhyHeld.UNKNOWN_WAYBILL),
    (MissingProof, WhyHeld.MISSING_PROOF),
)
PROVES = {StopAct.COLLECTED, StopAct.DELIVERED}
"""What papers, code and signature show to have happened: it stands although the plan moved on."""


@dataclass(frozen=True, slots=True)
class FactResult:
    """Where a phone's act is now: in the record (``taken``), or on the dispatcher's desk, and why; never refused."""

    event_id: uuid.UUID
    taken: bool
    at: datetime
    why: WhyHeld | None = None
    words: str = ""


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact(DoorReport):
    """What a courier recorded, with signal or without: judged by the run of its own time, kept whatever the plan says.

    ``stop`` is what the phone showed when it happened. A stop that was never this courier's changes nothing and tells
    nothing: the words go to the courier's own dispatcher."""

    stop: int

    def perform(self, context: ActContext) -> FactResult:
        session, courier = context.session, _courier(context)
        if (earlier := _earlier(session, self.event_id, courier.id)) is not None:
            return earlier
        when = fact_time(self.device_at, self.sent_at, at=context.at, real=context.real_at())
        known = reported_stop(session, courier.id, self.stop, when.at)
        if known is None:
            return _hold(context, courier, None, self, WhyHeld.UNKNOWN_STOP, when)
        stop, still_here = known
        if not still_here and self.act not in PROVES:
            return _hold(context, courier, stop, self, WhyHeld.STOP_MOVED, when)
        try:
            with session.begin_nested():
                event = report_stop(session, stop, self, by=context.actor, at=context.at, when=when)
                if not still_here:
                    _yield_plan(session, stop, courier, context.at)
        except (DispatchError, RunError) as error:
            session.refresh(stop)
            if isinstance(error, WrongCode):
                error.count(session)
            why = next((why for kind, why in WHY if isinstance(error, kind)), None)
            why = why or (WhyHeld.RULE if still_here else WhyHeld.STOP_MOVED)
            return _hold(context, courier, stop, self, why, when, words=error.user_message)
        _overtake(session, courier.id, stop.id, self.act, context)
        return FactResult(event.event_id, True, event.at)


def _courier(context: ActContext) -> Courier:
    courier = context.session.get(Courier, context.actor.courier_id)
    if courier is None:
        raise NotFound("an account without a courier")
    return courier


def _earlier(session: Session, event_id: uuid.UUID, courier_id: int) -> FactResult | None:
    """What became of this act when it came before. Raises Refused for another courier's."""
    event = event_with(session, event_id)
    report = session.scalar(select(CourierReport).where(CourierReport.event_id == event_id))
    if any(row is not None and row.courier_id != courier_id for row in (event, report)):
        raise Refused(f"event {event_id} is another courier's", user_message="重复的操作编号")
    if event is not None:
        return FactResult(event_id, True, event.at)
    if report is not None:
        return FactResult(event_id, report.state is ReportState.TAKEN, report.happened_at, report.hold_reason)
    return None


def _hold(
    context: ActContext, courier: Courier, stop: CourierStop | None, report: RecordFact, why: WhyHeld, when: FactTime,
    *, words: str = "",
) -> FactResult:  # fmt: skip
    """Onto the dispatcher's desk: everything but the code, which nobody may read."""
    _overtake(context.session, courier.id, None if stop is None else stop.id, report.act, context)
    context.session.add(
        CourierReport(
            event_id=report.event_id, kind=ReportKind.FACT, hold_reason=why, act=report.act, courier_id=courier.id,
            division_id=courier.division_id if stop is None else stop.division_id,
            stop_id=None if stop is None else stop.id, said=as_said(report), note=report.note,
            waybills=_concerned(context.session, stop, report), proofs=sorted(report.proofs), happened_at=when.at,
            recorded_at=when.recorded_at, drift_s=when.drift_s,
        )
    )  # fmt: skip
    return FactResult(report.event_id, False, when.at, why, words or HELD_LABEL[why])


def _concerned(session: Session, stop: CourierStop | None, report: DoorReport) -> list[str]:
    named = [*report.waybills, *report.exceptions, *report.found]
    if named or stop is None:
        return list(dict.fromkeys(named))
    return list(session.scalars(select(Parcel.waybill).where(Parcel.stop_id == stop.id).order_by(Parcel.id)))


def _overtake(session: Session, courier_id: int, stop_id: int | None, act_: StopAct, context: ActContext) -> None:
    """A later act of the same kind at the same stop closes what waited: nobody has to settle it any more."""
    if stop_id is None:
        return
    waiting = session.scalars(
        select(CourierReport)
        .where(CourierReport.courier_id == courier_id, CourierReport.stop_id == stop_id)
        .where(CourierReport.kind == ReportKind.FACT, CourierReport.act == act_)
        .where(CourierReport.state == ReportState.OPEN)
        .order_by(CourierReport.id)
        .with_for_update()
    )
    for report in waiting:
        report.settle(ReportState.OVERTAKEN, answer=None, by=context.actor.label, at=context.at)


def _yield_plan(session: Session, stop: CourierStop, courier: Courier, at: datetime) -> None:
    """The plan yields to what happened: the stop is on the run of who did it, and who was to go there is told."""
    losing = session.get(CourierRun, stop.run_id) if stop.run_id is not None else None
    mine = session.scalar(
        select(CourierRun)
        .join(DayPlan, DayPlan.id == CourierRun.plan_id)
        .where(CourierRun.courier_id == courier.id, CourierRun.on == stop.on, DayPlan.state == PlanState.COMMITTED)
        .order_by(CourierRun.starts_s)
        .limit(1)
    )
    if losing is not None:
        losing.changed_words = f"{stop.label or stop.address}已由{courier.name}办结，不必再去"
        losing.version += 1
    if mine is not None:
        last = session.scalars(select(CourierStop.position).where(CourierStop.run_id == mine.id)).all()
        stop.run_id, stop.position = mine.id, max((n for n in last if n is not None), default=0) + 1
        mine.version += 1


# ---------------------------------------------------------------- a report as it is kept


def as_said(report: DoorReport) -> str:
    """The report as JSON, without its code."""
    kept = {field.name: getattr(report, field.name) for field in fields(DoorReport) if field.name != "code"}
    return json.dumps(_PLAIN.dump_python(kept, mode="json"), ensure_ascii=False)


def from_said(text: str) -> DoorReport:
    """The report that ``as_said`` kept."""
    return _REPORT.validate_json(text)


_PLAIN: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_REPORT: TypeAdapter[DoorReport] = TypeAdapter(DoorReport)
