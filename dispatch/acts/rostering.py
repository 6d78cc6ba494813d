"""Rostering (排班): couriers' weekly patterns, days off and vehicles are entered, and shifts are made from them."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen
from sqlalchemy import select

from dispatch.acts.act import LEADS, ActContext, act
from dispatch.acts.act_fields import CalendarDate, SecondOfDay, Wanted
from dispatch.cases.notify import day_of
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import CourierId, ShiftRuleId
from dispatch.core.working_days import Calendar
from routing.day.couriers import Courier, VehicleKind
from routing.day.roster import MADE_AHEAD, Hours, IsWorkday, ShiftRule, make_shifts, unmade

MOST_LINES = 200
WEEKEND = 6
PIECES_WORDS = "载件数请填 1 至 2000"
WEIGHT_WORDS = "载重请填 1 至 3000 公斤"
MOST_STOPS, MOST_KM = 500, 1000
STOPS_WORDS = "每趟最多站数请填 1 至 500"
KM_WORDS = "每趟最长公里数请填 1 至 1000"

Weekday = Annotated[int, Ge(1), Le(7)]
"""1 is Monday."""


@dataclass(frozen=True, slots=True)
class RosterResult:
    """What became of a courier's roster: the rule that was entered, and how many days ahead changed."""

    rule_id: int | None
    days_changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """When a courier works from ``first_on`` on, on these weekdays; without hours they are off.

    A break of ``break_min`` begins between ``break_opens_s`` and ``break_closes_s``. Each run of these days has at most
    ``most_stops`` stops and is at most ``most_km`` long, where these are given."""

    courier: CourierId
    first_on: CalendarDate
    last_on: CalendarDate | None = None
    weekdays: Annotated[tuple[Weekday, ...], MinLen(1), MaxLen(7), Wanted("请至少勾选一个星期几")] = (1, 2, 3, 4, 5)
    starts_s: SecondOfDay | None = None
    ends_s: SecondOfDay | None = None
    break_opens_s: SecondOfDay | None = None
    break_closes_s: SecondOfDay | None = None
    break_min: Annotated[int, Ge(0), Le(240)] = 0
    most_stops: Annotated[int, Ge(1), Le(MOST_STOPS), Wanted(STOPS_WORDS)] | None = None
    most_km: Annotated[int, Ge(1), Le(MOST_KM), Wanted(KM_WORDS)] | None = None

    def hours(self) -> Hours | None:
        """The hours that the line gives; None is off. Raises Refused and WrongRule."""
        if self.starts_s is None and self.ends_s is None:
            if self.most_stops is not None or self.most_km is not None:
                raise Refused("limits of a day off", user_message="休息日没有站数或公里上限，请补上下班时间或去掉上限")
            return None
        if self.starts_s is None or self.ends_s is None:
            raise Refused("half of the hours", user_message="上班和下班请都填，或都不填（休息）")
        return Hours(
            self.starts_s, self.ends_s, self.break_opens_s, self.break_closes_s, self.break_min * 60,
            self.most_stops, metres_of(self.most_km),
        )  # fmt: skip

    def enter(self, context: ActContext) -> ShiftRule:
        """The line as a rule of the roster."""
        if self.last_on is not None and self.last_on < self.first_on:
            raise Refused("ends before it starts", user_message="结束日期早于开始日期")
        if self.last_on is not None and self.last_on < day_of(context.at):
            raise Refused("a rule of the past", user_message="截止日期已过，排班只能改今天及以后")
        hours = self.hours()
        rule = ShiftRule(
            courier_id=context.row(Courier, self.courier).id, weekdays=sorted(set(self.weekdays)),
            first_on=self.first_on, last_on=self.last_on, starts_s=hours and hours.starts_s,
            ends_s=hours and hours.ends_s, break_opens_s=hours and hours.break_opens_s,
            break_closes_s=hours and hours.break_closes_s, break_s=hours.break_s if hours else 0,
            most_stops=hours and hours.most_stops, longest_m=hours and hours.longest_m,
        )  # fmt: skip
        context.session.add(rule)
        context.session.flush()
        return rule


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class AddShiftRule(RosterLine):
    """A weekly pattern, days off, or another shift on some days: the shifts ahead follow it at once."""

    def perform(self, context: ActContext) -> RosterResult:
        rule = self.enter(context)
        return RosterResult(rule.id, _follow(context, [context.row(Courier, self.courier)]))


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class DropShiftRule:
    """A rule is taken back: what the others say stands again."""

    courier: CourierId
    rule_id: ShiftRuleId

    def perform(self, context: ActContext) -> RosterResult:
        courier = context.row(Courier, self.courier)
        rule = context.row(ShiftRule, self.rule_id)
        if rule.courier_id != courier.id:
            raise NotFound(f"courier {courier.id} has no rule {self.rule_id}")
        if rule.first_on < day_of(context.at) and rule.hours is not None and rule.last_on is None:
            others = select(ShiftRule.id).where(ShiftRule.courier_id == courier.id, ShiftRule.id != rule.id)
            if context.session.scalar(others.limit(1)) is None:
                raise Refused(
                    f"rule {rule.id} is the courier's only one",
                    user_message="这是唯一的排班，请先录入新的排班；不再出班的，请停用该揽投员",
                )
        context.session.delete(rule)
        context.session.flush()
        return RosterResult(None, _follow(context, [courier]))


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRoster:
    """Many lines at once, as a sheet brings them: all of them, or none."""

    lines: Annotated[tuple[RosterLine, ...], MinLen(1), MaxLen(MOST_LINES)]

    def perform(self, context: ActContext) -> RosterResult:
        for line in self.lines:
            line.enter(context)
        couriers = {line.courier: context.row(Courier, line.courier) for line in self.lines}
        return RosterResult(None, _follow(context, list(couriers.values())))


@act(by=LEADS)
@dataclass(frozen=True, slots=True, kw_only=True)
class EditCourier:
    """What a courier drives and carries, and how far the vehicle goes a run; who is out of service is sent nowhere."""

    courier: CourierId
    vehicle: VehicleKind
    pieces: Annotated[int, Ge(1), Le(2000), Wanted(PIECES_WORDS)]
    kilograms: Annotated[int, Ge(1), Le(3000), Wanted(WEIGHT_WORDS)]
    range_km: Annotated[int, Ge(1), Le(MOST_KM), Wanted(KM_WORDS)] | None = None
    out_of_service: bool = False

    def perform(self, context: ActContext) -> RosterResult:
        courier = context.row(Courier, self.courier)
        courier.vehicle, courier.active = self.vehicle, not self.out_of_service
        courier.pieces_capacity, courier.grams_capacity = self.pieces, self.kilograms * 1000
        courier.range_m = metres_of(self.range_km)
        return RosterResult(None, _follow(context, [courier]))


@act(is_routine=True)
@dataclass(frozen=True, slots=True)
class MakeShifts:
    """The shifts of the five weeks ahead are what the roster says."""

    def perform(self, context: ActContext) -> int:
        return _follow(context, unmade(context.session, until=day_of(context.at) + timedelta(days=MADE_AHEAD)))


def metres_of(kilometres: int | None) -> int | None:
    """Kilometres as the roster's tables keep them."""
    return None if kilometres is None else kilometres * 1000


def _follow(context: ActContext, couriers: list[Courier]) -> int:
    """The shifts ahead of these couriers follow their rules; how many days changed."""
    return make_shifts(
        context.session, couriers, today=day_of(context.at), is_workday=workday_test(calendar_of(context.session))
    )


def workday_test(calendar: Calendar) -> IsWorkday:
    """Whether a day is a working day; of a year whose calendar is not imported yet, as the week goes."""

    def is_workday(on: date) -> bool:
        return calendar.is_workday(on) if on.year in calendar.years else on.isoweekday() < WEEKEND

    return is_workday
