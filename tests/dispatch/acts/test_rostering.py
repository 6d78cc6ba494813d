"""The roster: rules make shifts, the narrower rule wins, holidays are off, and a day that is driven stays."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from dispatch.acts.act import perform
from dispatch.acts.rostering import AddShiftRule, DropShiftRule, EditCourier, ImportRoster, MakeShifts, RosterLine
from dispatch.cases.obligations.marking import mark
from dispatch.cases.obligations.obligation import ObligationKind
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import CourierId
from dispatch.views.obligation_lines import ObligationAsker
from dispatch.views.roster_page import courier_roster, roster_page
from routing.day.courier_run import CourierRun
from routing.day.couriers import Courier, Shift, VehicleKind
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from routing.day.roster import MADE_AHEAD, Hours, ShiftRule, WrongRule, hours_of, rule_for
from tests.dispatch.builders import MONDAY, TEN, County
from web.wiring.accounts import Account

DAY, LONG_DAY = Hours(8 * 3600, 18 * 3600), Hours(9 * 3600, 17 * 3600, 11 * 3600, 12 * 3600, 1800)
TUESDAY, SATURDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=5)
NEW_YEAR = date(2027, 1, 1)  # a Friday


@pytest.fixture
def county(county: County) -> County:
    """The county before anybody has a shift."""
    county.session.execute(delete(Shift))
    mark(county.session, couriers=(courier.id for courier in county.couriers))
    return county


@pytest.fixture
def lead(county: County) -> Actor:
    """The county's lead, with an account to act by."""
    account = Account(role=Role.LEAD, name="组长", division_id=county.division.id)
    county.session.add(account)
    county.session.flush()
    return replace(county.lead, account_id=account.id)


def shifts(county: County, courier_id: int) -> dict[date, Hours]:
    found = county.session.scalars(select(Shift).where(Shift.courier_id == courier_id))
    return {shift.on: hours_of(shift) for shift in found}


def work(county: County, **given: object) -> AddShiftRule:
    said = {"first_on": MONDAY, "starts_s": 8 * 3600, "ends_s": 18 * 3600, **given}
    return AddShiftRule(courier=CourierId(county.couriers[0].id), **said)  # type: ignore[arg-type]


def shifts_owed(county: County, at: datetime) -> int:
    """How many couriers need further shifts, as the morning page counts them."""
    return ObligationAsker.of(county.session, county.lead, at=at).counts().of(ObligationKind.SHIFTS)


def test_a_weekly_pattern_makes_five_weeks_of_shifts_without_holidays(county: County, lead: Actor) -> None:
    done = perform(county.session, work(county), lead)
    there = shifts(county, county.couriers[0].id)
    assert done.days_changed == len(there)
    assert set(there.values()) == {DAY} and all(on.isoweekday() < 6 for on in there)
    assert min(there) == MONDAY and max(there) > MONDAY + timedelta(days=MADE_AHEAD - 3)


def test_days_off_win_over_the_pattern_and_come_back_when_they_are_dropped(county: County, lead: Actor) -> None:
    perform(county.session, work(county), lead)
    week = [MONDAY + timedelta(days=n) for n in range(1, 4)]
    off = perform(county.session, work(county, first_on=week[0], last_on=week[-1], starts_s=None, ends_s=None), lead)
    assert not set(week) & set(shifts(county, county.couriers[0].id))
    perform(county.session, work(county, starts_s=9 * 3600, ends_s=19 * 3600), lead)  # a later pattern opens no leave
    assert not set(week) & set(shifts(county, county.couriers[0].id))
    perform(county.session, DropShiftRule(courier=CourierId(county.couriers[0].id), rule_id=off.rule_id), lead)
    assert set(week) <= set(shifts(county, county.couriers[0].id))


def test_a_pattern_limits_each_run_and_a_vehicle_goes_so_far(county: County, lead: Actor) -> None:
    perform(county.session, work(county, most_stops=40, most_km=60), lead)
    there = shifts(county, county.couriers[0].id)
    assert set(there.values()) == {replace(DAY, most_stops=40, longest_m=60_000)}
    perform(county.session, work(county), lead)
    assert set(shifts(county, county.couriers[0].id).values()) == {DAY}, "a later pattern without limits"
    courier = CourierId(county.couriers[0].id)
    vehicle = EditCourier(courier=courier, vehicle=VehicleKind.EBIKE, pieces=80, kilograms=60, range_km=45)
    perform(county.session, vehicle, lead)
    assert county.couriers[0].range_m == 45_000
    page = courier_roster(county.session, lead, courier, today=MONDAY)
    assert page.row.range_km == 45
    with pytest.raises(Refused):
        perform(county.session, work(county, starts_s=None, ends_s=None, most_stops=40), lead)


def test_what_runs_may_hold_counts_in_whether_a_day_is_covered(county: County, lead: Actor) -> None:
    """Ten hours are forty stops of a quarter of an hour each; two runs of six are twelve."""
    perform(county.session, work(county), lead)
    free = roster_page(county.session, lead, MONDAY, today=MONDAY).coverage[0].days[0]
    perform(county.session, work(county, most_stops=6), lead)
    held = roster_page(county.session, lead, MONDAY, today=MONDAY).coverage[0].days[0]
    assert (free.can_make - held.can_make, held.couriers) == (40 - 12, free.couriers)


def test_a_day_that_has_a_run_in_force_stays(county: County, lead: Actor) -> None:
    perform(county.session, work(county), lead)
    courier = county.couriers[0]
    plan = DayPlan(
        division_id=courier.division_id, on=TUESDAY, cutoff=Cutoff.AM, state=PlanState.COMMITTED, limit_s=1,
        requested_by="组长", requested_at=TEN,
    )  # fmt: skip
    county.session.add(plan)
    county.session.flush()
    county.session.add(CourierRun(plan_id=plan.id, courier_id=courier.id, on=TUESDAY, starts_s=28_800, ends_s=64_800))
    county.session.flush()
    perform(county.session, EditCourier(
        courier=CourierId(courier.id), vehicle=VehicleKind.VAN, pieces=200, kilograms=400, out_of_service=True
    ), lead)  # fmt: skip
    assert set(shifts(county, courier.id)) == {TUESDAY}
    assert (courier.grams_capacity, courier.vehicle) == (400_000, VehicleKind.VAN)


def test_the_schedule_extends_the_shifts_and_the_next_look_finds_nothing(county: County, lead: Actor) -> None:
    perform(county.session, work(county), lead)
    courier = county.couriers[0]
    courier.rostered_until = MONDAY
    county.session.execute(delete(Shift).where(Shift.on > TUESDAY))
    assert perform(county.session, MakeShifts(), SYSTEM) > 20
    assert perform(county.session, MakeShifts(), SYSTEM) == 0


def test_a_pattern_that_ends_is_told_beforehand(county: County, lead: Actor) -> None:
    assert shifts_owed(county, TEN) == len(county.couriers)
    perform(county.session, work(county), lead)
    assert shifts_owed(county, TEN) == len(county.couriers) - 1
    perform(county.session, work(county, last_on=MONDAY + timedelta(days=40)), lead)
    assert shifts_owed(county, TEN + timedelta(days=31)) == len(county.couriers)
    page = courier_roster(county.session, lead, CourierId(county.couriers[0].id), today=MONDAY)
    assert page.row.hours[0] == DAY and page.row.hours[5] is None and len(page.rules) == 2


def test_coverage_says_how_many_stops_the_couriers_on_shift_can_make(county: County, lead: Actor) -> None:
    perform(county.session, work(county), lead)
    (area,) = roster_page(county.session, lead, MONDAY, today=MONDAY).coverage
    assert (area.days[0].couriers, area.days[0].can_make) == (1, 40)
    assert (area.days[5].couriers, area.days[5].can_make, area.days[5].is_short) == (0, 0, False)


def test_a_sheet_is_taken_whole_or_not_at_all(county: County, lead: Actor) -> None:
    good = RosterLine(courier=CourierId(county.couriers[0].id), first_on=MONDAY, starts_s=28_800, ends_s=64_800)
    bad = RosterLine(courier=CourierId(county.couriers[0].id), first_on=MONDAY, starts_s=64_800, ends_s=28_800)
    with pytest.raises(WrongRule), county.session.begin_nested():
        perform(county.session, ImportRoster(lines=(good, bad)), lead)
    assert not shifts(county, county.couriers[0].id)
    perform(county.session, ImportRoster(lines=(good,)), lead)
    assert MONDAY in shifts(county, county.couriers[0].id)


def test_half_of_the_hours_a_turned_period_and_the_only_pattern_are_refused(county: County, lead: Actor) -> None:
    first = perform(county.session, work(county, first_on=MONDAY - timedelta(days=9)), lead)
    for wrong in ({"ends_s": None}, {"last_on": MONDAY - timedelta(days=1)}, {"first_on": TUESDAY, "last_on": MONDAY}):
        with pytest.raises(Refused):
            perform(county.session, work(county, **wrong), lead)
    courier = CourierId(county.couriers[0].id)
    with pytest.raises(Refused, match="only one"):
        perform(county.session, DropShiftRule(courier=courier, rule_id=first.rule_id), lead)
    with pytest.raises(NotFound):
        perform(county.session, DropShiftRule(courier=CourierId(county.couriers[1].id), rule_id=first.rule_id), lead)


@pytest.mark.parametrize(
    ("on", "is_workday", "works"),
    [
        (MONDAY, True, True),
        (NEW_YEAR, False, False),  # a public holiday
        (SATURDAY, False, False),
        (SATURDAY, True, True),  # worked instead of a holiday: Friday's hours
    ],
)
def test_the_week_follows_the_calendar(on: date, is_workday: bool, works: bool) -> None:
    week = ShiftRule(id=1, courier_id=1, weekdays=[1, 2, 3, 4, 5], first_on=MONDAY, starts_s=28_800, ends_s=64_800)
    rule = rule_for([week], on, is_workday=is_workday)
    assert (rule is week) == works
    this_day = ShiftRule(id=2, courier_id=1, weekdays=[on.isoweekday()], first_on=on, last_on=on)
    assert rule_for([week, this_day], on, is_workday=is_workday) is this_day


@given(
    starts=st.integers(0, 86_400), ends=st.integers(0, 86_400), opens=st.none() | st.integers(0, 86_400),
    closes=st.none() | st.integers(0, 86_400), length=st.integers(0, 7200),
)  # fmt: skip
def test_hours_are_in_order_and_a_break_lies_whole_inside_the_shift(
    starts: int, ends: int, opens: int | None, closes: int | None, length: int
) -> None:
    try:
        hours = Hours(starts, ends, opens, closes, length)
    except WrongRule:
        return
    assert 0 <= hours.starts_s < hours.ends_s <= 86_400
    if hours.break_opens_s is None:
        assert (hours.break_closes_s, hours.break_s) == (None, 0)
    else:
        assert hours.break_closes_s is not None and hours.break_s > 0
        assert hours.starts_s <= hours.break_opens_s <= hours.break_closes_s
        assert hours.break_closes_s + hours.break_s <= hours.ends_s


def test_a_courier_of_the_table_keeps_what_no_rule_speaks_of(county: County) -> None:
    """Without any rule nothing is touched: the shifts that stand go on."""
    courier = county.session.get_one(Courier, county.couriers[1].id)
    county.session.add(Shift(courier_id=courier.id, on=SATURDAY, starts_s=28_800, ends_s=64_800))
    county.session.flush()
    perform(county.session, MakeShifts(), SYSTEM)
    assert set(shifts(county, courier.id)) == {SATURDAY}
