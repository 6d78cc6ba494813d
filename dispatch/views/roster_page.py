"""The roster's pages: couriers in a calendar, whose shifts end soon, and whether each day's couriers suffice."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from agents.network import Division
from dispatch.acts.rostering import workday_test
from dispatch.cases.access_control import visible_couriers, visible_stops
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import Actor
from dispatch.core.errors import NotFound
from dispatch.core.ids import CourierId
from routing.day.courier_stop import CourierStop, StopState
from routing.day.couriers import VEHICLE_LABEL, Courier, Shift, VehicleKind
from routing.day.day_rows import half_of
from routing.day.hours import Cutoff
from routing.day.roster import Hours, ShiftRule, hours_of, rules_of

DAYS_SHOWN = 14
ENDS_SOON = timedelta(days=10)
WEEKS_OF_EXPECTATION = 4
A_STOP_S = 900  # of a shift for one stop on the road, where too few were driven to say
ENOUGH_STOPS = 100
LONG_AGO = date(1, 1, 1)
COUNTS = (StopState.OPEN, StopState.PLANNED, StopState.ARRIVED, StopState.DONE, StopState.FAILED)


@dataclass(frozen=True, slots=True)
class RosterDay:
    """One column of the calendar."""

    on: date
    is_workday: bool


@dataclass(frozen=True, slots=True)
class CourierRow:
    """One courier's days: the hours of each, None where he is off; ``last_on`` is his last shift."""

    id: int
    courier_no: str
    name: str
    area: str
    vehicle: str
    pieces: int
    kilograms: int
    range_km: int | None
    hours: tuple[Hours | None, ...]
    last_on: date | None
    ends_soon: bool


@dataclass(frozen=True, slots=True)
class CoverageDay:
    """What an area's day asks for, and how many stops the couriers on shift can make.

    ``expected``: the mean of the same weekday in the last four weeks, or what is booked already where that is more."""

    booked: int
    expected: int
    can_make: int
    couriers: int

    @property
    def is_short(self) -> bool:
        """Whether the couriers on shift do not suffice."""
        return self.expected > self.can_make


@dataclass(frozen=True, slots=True)
class Coverage:
    """One area's days."""

    area: str
    days: tuple[CoverageDay, ...]


@dataclass(frozen=True, slots=True)
class RosterPage:
    """The roster of everything that the viewer may see."""

    first: date
    days: tuple[RosterDay, ...]
    couriers: tuple[CourierRow, ...]
    coverage: tuple[Coverage, ...]
    ending: int
    a_stop_s: int


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule of a courier's roster."""

    id: int
    weekdays: tuple[int, ...]
    first_on: date
    last_on: date | None
    hours: Hours | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class CourierRoster:
    """One courier's rules and the days ahead."""

    row: CourierRow
    vehicle: VehicleKind
    active: bool
    days: tuple[RosterDay, ...]
    rules: tuple[RuleLine, ...]


def roster_page(session: Session, viewer: Actor, first: date, *, today: date) -> RosterPage:
    """Two weeks from ``first`` on."""
    days = _days(session, first)
    couriers = list(session.scalars(_couriers(viewer).limit(300)))
    rows = _rows(session, couriers, days, today)
    a_stop_s = _seconds_a_stop(session, viewer, today)
    coverage = _coverage(session, viewer, couriers, rows, days, today, a_stop_s)
    return RosterPage(first, days, rows, coverage, sum(row.ends_soon for row in rows), a_stop_s)


def courier_roster(session: Session, viewer: Actor, courier_id: CourierId, *, today: date) -> CourierRoster:
    """One courier's roster from today on. Raises NotFound."""
    courier = session.scalar(select(Courier).where(Courier.id == courier_id, visible_couriers(viewer)))
    if courier is None:
        raise NotFound(f"no courier {courier_id}")
    days = _days(session, today)
    rules = tuple(_line(rule, today) for rule in reversed(rules_of(session, [courier.id]).get(courier.id, [])))
    (row,) = _rows(session, [courier], days, today)
    return CourierRoster(row, courier.vehicle, courier.active, days, rules)


def _line(rule: ShiftRule, today: date) -> RuleLine:
    is_over = rule.last_on is not None and rule.last_on < today
    return RuleLine(rule.id, tuple(rule.weekdays), rule.first_on, rule.last_on, rule.hours, is_over)


def _days(session: Session, first: date) -> tuple[RosterDay, ...]:
    is_workday = workday_test(calendar_of(session))
    days = [first + timedelta(days=n) for n in range(DAYS_SHOWN)]
    return tuple(RosterDay(on, is_workday(on)) for on in days)


def _couriers(viewer: Actor) -> Select[Courier]:
    return select(Courier).where(Courier.active, visible_couriers(viewer)).order_by(Courier.division_id, Courier.id)


def _last_shifts() -> Select[int, date]:
    return select(Shift.courier_id, func.max(Shift.on).label("last_on")).group_by(Shift.courier_id)


def _rows(
    session: Session, couriers: list[Courier], days: tuple[RosterDay, ...], today: date
) -> tuple[CourierRow, ...]:
    ids = [courier.id for courier in couriers]
    reach = dict(session.execute(_last_shifts().where(Shift.courier_id.in_(ids))).all())
    shifts = {
        (shift.courier_id, shift.on): hours_of(shift)
        for shift in session.scalars(
            select(Shift).where(Shift.courier_id.in_(ids), Shift.on.between(days[0].on, days[-1].on))
        )
    }
    areas = _areas(session, {courier.division_id for courier in couriers})
    return tuple(
        CourierRow(
            courier.id, courier.courier_no, courier.name, areas[courier.division_id], VEHICLE_LABEL[courier.vehicle],
            courier.pieces_capacity, courier.grams_capacity // 1000, _kilometres(courier.range_m),
            tuple(shifts.get((courier.id, day.on)) for day in days), reach.get(courier.id),
            courier.active and reach.get(courier.id, LONG_AGO) < today + ENDS_SOON,
        )
        for courier in couriers
    )  # fmt: skip


def _kilometres(metres: int | None) -> int | None:
    return None if metres is None else metres // 1000


def _stops_over(hours: Hours, own_s: int, a_stop_s: int) -> int:
    """How many of the stops that a shift's time suffices for are more than its runs may have."""
    if hours.most_stops is None:
        return 0
    runs = sum(half_of(hours, cutoff) is not None for cutoff in Cutoff)
    return max(0, own_s // a_stop_s - hours.most_stops * runs)


def _areas(session: Session, ids: set[int]) -> dict[int, str]:
    return dict(session.execute(select(Division.id, Division.name).where(Division.id.in_(ids))).all())


def _seconds_a_stop(session: Session, viewer: Actor, today: date) -> int:
    """How much of a shift one stop took in the last four weeks."""
    done = (
        select(func.count(CourierStop.id))
        .where(
            visible_stops(viewer), CourierStop.state == StopState.DONE,
            CourierStop.on.between(today - timedelta(weeks=WEEKS_OF_EXPECTATION), today - timedelta(days=1)),
        )
    )  # fmt: skip
    stops = session.scalar(done) or 0
    if stops < ENOUGH_STOPS:
        return A_STOP_S
    seconds = session.scalar(
        select(func.sum(Shift.ends_s - Shift.starts_s - Shift.break_s))
        .join(Courier, Courier.id == Shift.courier_id)
        .where(
            visible_couriers(viewer),
            Shift.on.between(today - timedelta(weeks=WEEKS_OF_EXPECTATION), today - timedelta(days=1)),
        )
    )  # fmt: skip
    return max(60, int(seconds or 0) // stops)


def _coverage(
    session: Session, viewer: Actor, couriers: list[Courier], rows: tuple[CourierRow, ...],
    days: tuple[RosterDay, ...], today: date, a_stop_s: int,
) -> tuple[Coverage, ...]:  # fmt: skip
    since = today - timedelta(weeks=WEEKS_OF_EXPECTATION)
    counted = session.execute(
        select(CourierStop.division_id, CourierStop.on, func.count())
        .where(visible_stops(viewer), CourierStop.state.in_(COUNTS), CourierStop.on.between(since, days[-1].on))
        .group_by(CourierStop.division_id, CourierStop.on)
    ).all()
    stops = {(area, on): n for area, on, n in counted}
    seconds: Counter[tuple[int, date]] = Counter()
    working: Counter[tuple[int, date]] = Counter()
    capped: Counter[tuple[int, date]] = Counter()
    for courier, row in zip(couriers, rows, strict=True):
        for day, hours in zip(days, row.hours, strict=True):
            if hours is not None:
                own_s = hours.ends_s - hours.starts_s - hours.break_s
                capped[courier.division_id, day.on] += _stops_over(hours, own_s, a_stop_s)
                seconds[courier.division_id, day.on] += own_s
                working[courier.division_id, day.on] += 1
    ids = {area for area, _ in stops} | {courier.division_id for courier in couriers}
    names = _areas(session, ids)
    past = {on for _, on in stops if on < today}

    def day_of_area(area: int, day: RosterDay) -> CoverageDay:
        like = [on for on in past if on.isoweekday() == day.on.isoweekday()]
        usual = round(fmean(stops.get((area, on), 0) for on in like)) if like and day.is_workday else 0
        booked = stops.get((area, day.on), 0)
        can_make = max(0, seconds[area, day.on] // a_stop_s - capped[area, day.on])
        return CoverageDay(booked, max(booked, usual), can_make, working[area, day.on])

    return tuple(Coverage(names[area], tuple(day_of_area(area, day) for day in days)) for area in sorted(ids))
