"""Run ends: a courier cannot go on; what is on board is listed at once, and the rest of the day is planned anew."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.acts.act import ActContext, act
from dispatch.acts.act_fields import Words
from dispatch.acts.door_report import fact_time
from dispatch.acts.roadside import arrange_leftovers
from dispatch.acts.route_planning import ask_for_plan
from dispatch.cases.courier_report import CourierReport, ReportKind
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import NotFound
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import half_is_ahead, seconds_of_day

REPLAN_S = 4


class EndReason(StrEnum):
    """Why a run ends: VEHICLE 车辆故障, ILL 身体不适, OTHER 其他原因."""

    VEHICLE = "vehicle"
    ILL = "ill"
    OTHER = "other"


END_LABEL = {EndReason.VEHICLE: "车辆故障", EndReason.ILL: "身体不适", EndReason.OTHER: "其他原因"}


@dataclass(frozen=True, slots=True)
class RunEndResult:
    """A run that has ended: how many envelopes are on board, and the jobs that plan the rest of the day anew."""

    event_id: UUID
    carried: int
    plans: tuple[int, ...] = ()


@act(by={Role.COURIER})
@dataclass(frozen=True, slots=True, kw_only=True)
class EndMyRun:
    """My run ends here: the dispatcher reads it, what is on board is listed for its next hands, the rest is replanned.

    The same ``event_id`` twice is one end. One that arrives on a later day is told and changes nothing."""

    event_id: UUID
    why: EndReason
    note: Words = ""
    device_at: datetime | None = None
    sent_at: datetime | None = None

    def perform(self, context: ActContext) -> RunEndResult:
        session = context.session
        courier = session.get(Courier, context.actor.courier_id)
        if courier is None:
            raise NotFound("an account without a courier")
        if session.scalar(select(CourierReport.id).where(CourierReport.event_id == self.event_id)) is not None:
            return RunEndResult(self.event_id, 0)
        when = fact_time(self.device_at, self.sent_at, at=context.at, real=context.real_at())
        on = day_of(when.at)
        session.add(
            CourierReport(
                event_id=self.event_id, kind=ReportKind.RUN, courier_id=courier.id, division_id=courier.division_id,
                note="：".join(filter(None, (f"今天的线路到此为止，{END_LABEL[self.why]}", self.note.strip()))),
                happened_at=when.at, recorded_at=when.recorded_at, drift_s=when.drift_s,
            )
        )  # fmt: skip
        shift = shift_of(session, courier, on)
        if shift is None or shift.out_from_s is not None or on != day_of(context.at):
            return RunEndResult(self.event_id, 0)
        carried = drop_out(session, courier, shift, from_s=seconds_of_day(when.at), at=context.at)
        now_s = seconds_of_day(context.at)
        plans = plan_rest_anew(session, courier, on=on, now_s=now_s, by=context.actor, at=context.at)
        return RunEndResult(self.event_id, carried, plans)


def shift_of(session: Session, courier: Courier, on: date) -> Shift | None:
    """The courier's shift of that day, locked."""
    query = select(Shift).where(Shift.courier_id == courier.id, Shift.on == on)
    return session.scalar(query.with_for_update())


def drop_out(session: Session, courier: Courier, shift: Shift, *, from_s: int, at: datetime) -> int:
    """From ``from_s`` of the shift's day the courier does not drive; how many envelopes are on board then."""
    shift.out_from_s = from_s
    return arrange_leftovers(session, courier, on=shift.on, from_s=from_s, at=at)


def plan_rest_anew(
    session: Session, courier: Courier, *, on: date, now_s: int, by: Actor, at: datetime
) -> tuple[int, ...]:
    """Jobs that plan what is left of the area's day: one for each committed plan whose half day is not over."""
    query = select(DayPlan).where(
        DayPlan.division_id == courier.division_id, DayPlan.on == on, DayPlan.state == PlanState.COMMITTED
    )
    return tuple(
        ask_for_plan(
            session, division_id=plan.division_id, on=plan.on, cutoff=plan.cutoff, limit_s=REPLAN_S, by=by, at=at
        ).id
        for plan in session.scalars(query.order_by(DayPlan.id)).all()
        if half_is_ahead(plan.cutoff, now_s)
    )
