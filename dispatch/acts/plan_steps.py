"""Plan steps: a day's plan is asked for, committed, planned again, given up; a courier drops out, is late, is back."""

from dataclasses import dataclass
from datetime import date as day_type
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le
from sqlalchemy import func, select

from agents.network import Division
from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, Wanted
from dispatch.acts.roadside import call_off
from dispatch.acts.route_planning import ask_for_plan, ask_to_replan, commit_plan
from dispatch.acts.run_ends import drop_out, plan_rest_anew, shift_of
from dispatch.cases.notify import day_of
from dispatch.cases.visit_word import VisitWord, needs_call
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import AreaCode, CourierId, PlanId
from routing.day import plan_jobs, what_if_jobs
from routing.day.couriers import Courier, VehicleKind
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff, seconds_of_day

REPLAN_S = 4
LEAST_LATE_MIN, MOST_LATE_MIN = 5, 240
LATE_WORDS = "晚到时间请填写5至240分钟"


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan after a step; ``told``: how many stops have a new window; ``to_call``: how many words wait for a call."""

    id: int
    state: PlanState
    told: int | None = None
    to_call: int | None = None


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AskForPlan:
    """A planning job for an area's batch of a day; ``limit`` in seconds. One that waits or runs is joined."""

    area: AreaCode
    date: CalendarDate
    cutoff: Cutoff = Cutoff.AM
    limit: Annotated[int, Ge(1), Le(3600)] = 15
    seed: Annotated[int, Ge(0), Le(2**31 - 1)] = 0

    def perform(self, context: ActContext) -> PlanResult:
        plan = ask_for_plan(
            context.session, division_id=context.row(Division, self.area).id, on=self.date, cutoff=self.cutoff,
            limit_s=self.limit, seed=self.seed, by=context.actor, at=context.at,
        )  # fmt: skip
        return PlanResult(plan.id, plan.state)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CommitPlan:
    """The preview becomes the day's runs; whoever waits at a stop is told the window."""

    plan: PlanId
    version: int | None = None

    def perform(self, context: ActContext) -> PlanResult:
        plan = context.row(DayPlan, self.plan)
        told = commit_plan(context.session, plan, by=context.actor, at=context.at)
        said = select(func.count(VisitWord.id)).where(VisitWord.division_id == plan.division_id)
        to_call = context.session.scalar(said.where(VisitWord.said_at == context.at, needs_call()))
        return PlanResult(plan.id, plan.state, len(told), to_call)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPlan:
    """A job or a preview is given up: stops stay as they are, nobody is told anything."""

    plan: PlanId
    version: int | None = None

    def perform(self, context: ActContext) -> PlanResult:
        plan = context.row(DayPlan, self.plan)
        plan_jobs.cancel(context.session, plan)
        return PlanResult(plan.id, plan.state)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReplanDay:
    """The rest of a committed day is planned anew: driven parts stay, announced windows are kept where it pays."""

    plan: PlanId
    version: int | None = None
    limit: Annotated[int, Ge(1), Le(120)] = REPLAN_S

    def perform(self, context: ActContext) -> PlanResult:
        standing = context.row(DayPlan, self.plan)
        fresh = ask_to_replan(context.session, standing, limit_s=self.limit, by=context.actor, at=context.at)
        return PlanResult(fresh.id, fresh.state)


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AskWhatIf:
    """What would one courier more bring? A worker solves it; the plan stays as it is."""

    plan: PlanId
    version: int | None = None
    vehicle: VehicleKind = VehicleKind.EBIKE

    def perform(self, context: ActContext) -> PlanResult:
        plan = context.row(DayPlan, self.plan)
        what_if_jobs.ask_what_if(context.session, plan, vehicle=self.vehicle)
        return PlanResult(plan.id, plan.state)


class ShiftChange(StrEnum):
    """What becomes of a courier's shift: drops out, comes later, is back as planned."""

    OUT = "out"
    LATE = "late"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class ShiftResult:
    """A shift after its change, and the jobs that plan the rest of the day anew."""

    courier: str
    what: ShiftChange
    late_min: int
    plans: tuple[int, ...]


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportShift:
    """A courier drops out, is late by ``minutes``, or is back; what is left of the day is planned anew."""

    courier: CourierId
    what: ShiftChange
    on: CalendarDate | None = None
    minutes: Annotated[int | None, Wanted(LATE_WORDS)] = None

    def perform(self, context: ActContext) -> ShiftResult:
        courier, today = context.row(Courier, self.courier), day_of(context.at)
        on: day_type = self.on or today
        now_s = seconds_of_day(context.at) if on == today else 0
        shift = shift_of(context.session, courier, on)
        if shift is None:
            raise NotFound(f"courier {courier.id} does not work on {on}")
        if self.what is ShiftChange.OUT:
            drop_out(context.session, courier, shift, from_s=now_s if on == today else shift.starts_s, at=context.at)
        elif self.what is ShiftChange.BACK:
            shift.out_from_s, shift.late_s = None, 0
            call_off(context.session, courier, on=on, by=context.actor, at=context.at)
        else:
            if self.minutes is None or not LEAST_LATE_MIN <= self.minutes <= MOST_LATE_MIN:
                raise Refused(f"late by {self.minutes}", user_message=LATE_WORDS)
            shift.late_s = self.minutes * 60
        plans = plan_rest_anew(context.session, courier, on=on, now_s=now_s, by=context.actor, at=context.at)
        return ShiftResult(courier.name, self.what, shift.late_s // 60, plans)
