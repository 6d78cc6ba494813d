"""Roster (排班): rules say when a courier works; the shifts of the days ahead are made from them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db import Base
from routing.day.courier_run import CourierRun
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.errors import RunError

MADE_AHEAD = 35  # days for which shifts stand in the table: five weeks
MOST_AT_ONCE = 500  # couriers whose shifts one look of the schedule makes
SHORT_DAYS = 31  # a rule for so few days means these very days, holidays among them
FRIDAY, SATURDAY = 5, 6

IsWorkday = Callable[[date], bool]


class WrongRule(RunError):
    """Hours that no shift can have."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A shift's hours in seconds from 00:00 in Shanghai, with its break of ``break_s`` that begins in the given window.

    ``most_stops``, ``longest_m``: what each run of the shift holds at most. Raises WrongRule."""

    starts_s: int
    ends_s: int
    break_opens_s: int | None = None
    break_closes_s: int | None = None
    break_s: int = 0
    most_stops: int | None = None
    longest_m: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.starts_s < self.ends_s <= 86_400:
            raise WrongRule(f"a shift from {self.starts_s} to {self.ends_s}", user_message="下班须晚于上班")
        given = (self.break_opens_s is not None, self.break_closes_s is not None, self.break_s > 0)
        if any(given) and not all(given):
            raise WrongRule(f"half a break: {self}", user_message="休息请填全：最早开始、最晚开始和分钟数，或都不填")
        if self.break_opens_s is not None and self.break_closes_s is not None:
            inside = self.starts_s <= self.break_opens_s <= self.break_closes_s <= self.ends_s - self.break_s
            if not inside:
                raise WrongRule(f"a break outside the shift: {self}", user_message="休息须在上班时间之内")


class ShiftRule(Base):
    """When a courier works, or does not, from one day on: a weekly pattern, days off, or another shift on some days.

    ``weekdays``: 1 is Monday. Without hours these are off. The rule for the fewest days wins, then the last one."""

    __tablename__ = "shift_rule"
    __table_args__ = (
        CheckConstraint("(starts_s IS NULL) = (ends_s IS NULL)", name="hours"),
        CheckConstraint("last_on >= first_on", name="period"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    courier_id: Mapped[int] = mapped_column(ForeignKey("courier.id"), index=True)
    weekdays: Mapped[list[Any]]
    first_on: Mapped[date]
    last_on: Mapped[date | None]
    starts_s: Mapped[int | None]
    ends_s: Mapped[int | None]
    break_opens_s: Mapped[int | None]
    break_closes_s: Mapped[int | None]
    break_s: Mapped[int] = mapped_column(default=0)
    most_stops: Mapped[int | None]
    longest_m: Mapped[int | None]

    @property
    def hours(self) -> Hours | None:
        """The shift that the rule gives; None is a day off."""
        if self.starts_s is None or self.ends_s is None:
            return None
        rest = self.break_opens_s, self.break_closes_s, self.break_s
        return Hours(self.starts_s, self.ends_s, *rest, self.most_stops, self.longest_m)

    @property
    def days(self) -> int:
        """For how many days the rule stands; beyond any count where it has no end."""
        return (self.last_on - self.first_on).days + 1 if self.last_on is not None else 1_000_000

    def covers(self, on: date, *, is_workday: bool) -> bool:
        """Whether the rule speaks of that day.

        A weekly pattern leaves out public holidays, and gives a working Saturday or Sunday (调休) Friday's hours."""
        if on < self.first_on or (self.last_on is not None and on > self.last_on):
            return False
        weekday = on.isoweekday()
        if self.days <= SHORT_DAYS:
            return weekday in self.weekdays
        if weekday < SATURDAY:
            return weekday in self.weekdays and is_workday
        return weekday in self.weekdays or (is_workday and FRIDAY in self.weekdays)


def rule_for(rules: Iterable[ShiftRule], on: date, *, is_workday: bool) -> ShiftRule | None:
    """The rule that decides that day: the one for the fewest days, of these the one that was entered last."""
    covering = [rule for rule in rules if rule.covers(on, is_workday=is_workday)]
    return min(covering, key=lambda rule: (rule.days, -rule.id), default=None)


def rules_of(session: Session, courier_ids: Sequence[int]) -> dict[int, list[ShiftRule]]:
    """Each courier's rules, in the order in which they were entered."""
    found: dict[int, list[ShiftRule]] = {}
    query = select(ShiftRule).where(ShiftRule.courier_id.in_(courier_ids)).order_by(ShiftRule.id)
    for rule in session.scalars(query):
        found.setdefault(rule.courier_id, []).append(rule)
    return found


def make_shifts(session: Session, couriers: Sequence[Courier], *, today: date, is_workday: IsWorkday) -> int:
    """Make the shifts from ``today`` on what the rules say; how many days changed.

    A day that has a run in force stays as it is: there a courier drops out or is late. So does that of a courier
    without rules."""
    last = today + timedelta(days=MADE_AHEAD)
    rules = rules_of(session, [courier.id for courier in couriers])
    ids = list(rules)
    there = {
        (shift.courier_id, shift.on): shift
        for shift in session.scalars(
            select(Shift).where(Shift.courier_id.in_(ids), Shift.on.between(today, last)).with_for_update()
        )
    }
    driven = {
        (courier_id, on)
        for courier_id, on in session.execute(
            select(CourierRun.courier_id, CourierRun.on)
            .join(DayPlan, DayPlan.id == CourierRun.plan_id)
            .where(CourierRun.courier_id.in_(ids), CourierRun.on >= today, DayPlan.state == PlanState.COMMITTED)
        )
    }
    works = {courier.id for courier in couriers if courier.active}
    changed = 0
    days = [today + timedelta(days=n) for n in range((last - today).days + 1)]
    for on in days:
        workday = is_workday(on)
        for courier_id, known in rules.items():
            if (courier_id, on) in driven:
                continue
            rule = rule_for(known, on, is_workday=workday) if courier_id in works else None
            changed += _set(session, there.get((courier_id, on)), courier_id, on, rule.hours if rule else None)
    for courier in couriers:
        if courier.id in rules:
            courier.rostered_until = last
    session.flush()
    return changed


def unmade(session: Session, *, until: date) -> list[Courier]:
    """Couriers with rules whose shifts do not reach ``until`` yet, or are to be made anew."""
    short = or_(Courier.rostered_until.is_(None), Courier.rostered_until < until)
    ruled = Courier.id.in_(select(ShiftRule.courier_id))
    return list(session.scalars(select(Courier).where(ruled, short).order_by(Courier.id).limit(MOST_AT_ONCE)))


def _set(session: Session, shift: Shift | None, courier_id: int, on: date, hours: Hours | None) -> bool:
    """One day's shift as these hours say; whether that changed anything."""
    if hours is None:
        if shift is not None:
            session.delete(shift)
        return shift is not None
    if shift is None:
        shift = Shift(courier_id=courier_id, on=on)
        session.add(shift)
    elif hours_of(shift) == hours:
        return False
    shift.starts_s, shift.ends_s = hours.starts_s, hours.ends_s
    shift.break_opens_s, shift.break_closes_s, shift.break_s = hours.break_opens_s, hours.break_closes_s, hours.break_s
    shift.most_stops, shift.longest_m = hours.most_stops, hours.longest_m
    return True


def hours_of(shift: Shift) -> Hours:
    """The hours of a shift that stands."""
    has_break = shift.break_s > 0 and shift.break_opens_s is not None and shift.break_closes_s is not None
    rest = (shift.break_opens_s, shift.break_closes_s, shift.break_s) if has_break else (None, None, 0)
    return Hours(shift.starts_s, shift.ends_s, *rest, shift.most_stops, shift.longest_m)
