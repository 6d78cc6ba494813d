"""When a door's papers are at the centre: the staff say it, a scan ends the wait, and nobody waits for what left."""

from datetime import time, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from dispatch.acts.act import perform
from dispatch.acts.awaited_papers import ExpectPapers
from dispatch.acts.scanning import ScanParcel
from dispatch.cases import lookups
from dispatch.cases.case import CaseEvent
from dispatch.core.errors import NotFound, Refused, Stale
from dispatch.core.ids import StopId, Waybill
from dispatch.core.shanghai_time import utc
from dispatch.custody.handover import Holder
from dispatch.custody.parcel import Leg, Parcel
from dispatch.views.courier_day import my_stop
from routing.day.courier_stop import CourierStop, StopState, WrongStop
from tests.dispatch import steps
from tests.dispatch.builders import TEN, County, a_prescreened_case, an_appointment
from tests.dispatch.road import NOON, TUESDAY, on_the_road
from web.wiring import database_schema

database_schema.load_rooms()  # the line that an act leaves names an account of web's

AT_THREE = utc(TUESDAY, time(15))


@pytest.fixture
def out(county: County) -> SimpleNamespace:
    return on_the_road(county)


@pytest.fixture
def home(out: SimpleNamespace) -> CourierStop:
    """A delivery that nobody carries yet."""
    case, _ = a_prescreened_case(out.county)
    agent = out.county.agent_viewer()
    steps.hand_in(out.session, case, by=agent, at=TEN, scan_id="counter-2")
    receipts = {review.id: f"SN{review.id}" for review in lookups.reviews_of(out.session, case)}
    steps.submit(out.session, case, receipts=receipts, by=agent, at=TEN)
    parcel = steps.book_delivery(out.session, case, appointment=an_appointment(), by=agent, at=TEN)
    return out.session.get_one(CourierStop, parcel.stop_id)


def expect(out: SimpleNamespace, stop: CourierStop, **given: object):
    return perform(out.session, ExpectPapers(stop=StopId(stop.id), **given), out.lead)


def test_the_phone_and_the_case_say_when_the_papers_come(out: SimpleNamespace, home: CourierStop) -> None:
    told = expect(out, home, on=TUESDAY, second=15 * 3600)
    assert (told.papers_at, home.papers_at, told.leaves_before) == (AT_THREE, AT_THREE, False)
    home.move_to(StopState.PLANNED)
    assert my_stop(out.session, out.one, home).release_s == 15 * 3600
    kinds = out.session.scalars(select(CaseEvent.kind)).all()
    assert "papers_expected" in kinds
    expect(out, home)
    assert home.papers_at is None


def test_a_moment_that_is_over_means_that_they_are_there(out: SimpleNamespace, home: CourierStop) -> None:
    expect(out, home, on=TUESDAY, second=15 * 3600)
    assert AT_THREE - timedelta(hours=4) < NOON
    assert expect(out, home, on=TUESDAY, second=11 * 3600).papers_at is None


def test_the_run_that_leaves_before_is_named(out: SimpleNamespace, home: CourierStop) -> None:
    home.run_id = out.stops[0].run_id
    assert expect(out, home, on=TUESDAY, second=15 * 3600).leaves_before


def test_half_a_moment_an_old_page_and_another_county_change_nothing(out: SimpleNamespace, home: CourierStop) -> None:
    with pytest.raises(Refused):
        expect(out, home, on=TUESDAY)
    with pytest.raises(Stale):
        expect(out, home, version=home.version + 1)
    with pytest.raises(NotFound):
        perform(out.session, ExpectPapers(stop=StopId(home.id)), out.one)
    assert home.papers_at is None


def test_nobody_waits_for_what_a_courier_has_or_fetches(out: SimpleNamespace) -> None:
    pickup, carried = out.stops
    with pytest.raises(Refused):
        expect(out, carried, on=TUESDAY, second=15 * 3600)
    with pytest.raises(WrongStop):
        expect(out, pickup, on=TUESDAY, second=15 * 3600)


def test_a_scan_at_the_centre_ends_the_wait(out: SimpleNamespace, home: CourierStop) -> None:
    there = select(Parcel).where(Parcel.stop_id == home.id, Parcel.leg == Leg.DELIVERY).order_by(Parcel.id)
    first, second = out.session.scalars(there).all()
    expect(out, home, on=TUESDAY, second=15 * 3600)
    for parcel in (first, second):
        parcel.hand_over(
            to=Holder.TRUNK, ref="trunk:SC002", scan_id=parcel.waybill, at=TEN, by="test", action="transfer"
        )
    for parcel, papers_at in ((first, AT_THREE), (second, None)):
        perform(out.session, ScanParcel(waybill=Waybill(parcel.waybill), to=Holder.CENTRE), out.lead)
        assert home.papers_at == papers_at, "the last of them is waited for"
