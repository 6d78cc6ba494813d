"""The next working day on a courier's phone: its committed run, else how much is expected of the area."""

from datetime import time, timedelta

import pytest
from sqlalchemy import delete

import db
from dispatch.core.shanghai_time import utc
from dispatch.views.courier_tomorrow import shift_ends, tomorrow
from routing.day.couriers import Shift
from tests.dispatch.builders import MONDAY
from tests.dispatch.road import TUESDAY, on_the_road

H = 3600


@pytest.fixture
def out(county):
    """Monday evening; courier one works on Monday and on Tuesday, courier two on Tuesday."""
    made = on_the_road(county)
    db.set_clock(made.session, utc(MONDAY, time(18)))
    made.session.execute(delete(Shift))
    for courier, on in ((made.one, MONDAY), (made.one, TUESDAY), (made.two, TUESDAY)):
        made.session.add(Shift(courier_id=courier.courier_id, on=on, starts_s=8 * H, ends_s=17 * H))
    made.session.flush()
    return made


def test_a_committed_run_stands_there_in_its_order_without_names_and_numbers(out):
    day = tomorrow(out.session, out.one)
    assert (day.on, day.hours) == (TUESDAY, (8 * H, 17 * H))
    (run,) = day.runs
    assert [stop.position for stop in run.stops] == [1, 2]
    assert [stop.kind_words for stop in run.stops] == ["揽收", "投递"]
    shown = repr(day)
    for stop in out.stops:
        assert stop.address in shown
        assert stop.contact_phone not in shown
        assert stop.contact_name not in shown


def test_before_that_it_is_told_how_much_is_expected_and_who_works(out):
    day = tomorrow(out.session, out.two)
    assert (day.on, day.runs, day.expected, day.couriers) == (TUESDAY, (), 2, 2)


def test_a_day_off_is_passed_over_and_none_in_two_weeks_is_said(out):
    out.session.execute(delete(Shift).where(Shift.courier_id == out.two.courier_id))
    assert tomorrow(out.session, out.two).on is None
    friday = TUESDAY + timedelta(days=3)
    out.session.add(Shift(courier_id=out.two.courier_id, on=friday, starts_s=9 * H, ends_s=15 * H))
    out.session.flush()
    day = tomorrow(out.session, out.two)
    assert (day.on, day.hours, day.expected, day.couriers) == (friday, (9 * H, 15 * H), 0, 1)


def test_the_page_is_kept_until_two_hours_after_todays_shift(out):
    assert (shift_ends(out.session, out.one), shift_ends(out.session, out.two)) == (17 * H, None)
