"""Where it is: an address is confirmed once and stays there for good; what nobody confirmed waits for a lead."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

import db
from agents.network import Division
from dispatch.acts.act import perform
from dispatch.acts.booking import BookPickup
from dispatch.acts.courier_desk import Decision, SettleCourierReport, TellDispatcher, Topic
from dispatch.acts.stop_points import PlaceStop
from dispatch.cases.courier_report import CourierReport
from dispatch.cases.project import Project
from dispatch.core.errors import NotFound, Refused
from dispatch.core.ids import CaseNo, CourierReportId, StopId
from dispatch.views.unplaced_stops import unplaced_count, unplaced_stops
from routing.day.courier_stop import CourierStop, StopKind, StopState
from routing.day.day_rows import open_stops
from routing.day.known_points import KnownPoint, folded, place_hash
from routing.day.stops import Address, request_stop
from tests.dispatch.builders import TEN, a_prescreened_case
from tests.dispatch.road import TUESDAY, on_the_road
from web.wiring import database_schema

database_schema.load_rooms()  # the line that an act leaves names an account of web's

OFFICE = "武进区　延政中路7号A座"
SAME, OTHER = "武进区延政中路７号 a座", "武进区延政中路8号A座"
WINDOW = [(9 * 3600, 11 * 3600)]
HERE, THERE = (119.9701, 31.7301), (119.9802, 31.7402)


@pytest.fixture
def out(county):
    return on_the_road(county)


def a_stop(out, written=OFFICE, label="七星公司", *, is_placed=True, on=TUESDAY, division=None):
    address = Address(119.96, 31.72, written, "钱会计", "13812345670", label, is_placed=is_placed)
    return request_stop(
        out.session, division_id=(division or out.county.division).id, on=on, kind=StopKind.DELIVERY, address=address,
        windows=WINDOW, at=TEN,
    )  # fmt: skip


def place(out, stop, point=HERE, who=None):
    return perform(out.session, PlaceStop(stop=StopId(stop.id), lon=point[0], lat=point[1]), who or out.lead)


def point(stop):
    return stop.lon, stop.lat


def offered(out):
    division, cutoff = out.county.division.id, a_stop(out, label="随便").cutoff
    return [stop.id for stop in open_stops(out.session, division, TUESDAY, cutoff)]


def test_a_stop_without_a_point_of_its_own_is_in_no_plan_until_a_lead_has_placed_it(out):
    stop = a_stop(out, is_placed=False)
    assert stop.id not in offered(out)
    assert [line.id for line in unplaced_stops(out.session, out.lead)] == [stop.id]
    place(out, stop)
    assert (point(stop), stop.is_placed, unplaced_count(out.session, out.lead)) == (HERE, True, 0)
    assert stop.id in offered(out)


def test_what_is_confirmed_counts_for_all_stops_there_in_any_spelling_and_for_no_other(out):
    first, waiting, elsewhere = (a_stop(out, written, is_placed=False) for written in (OFFICE, SAME, OTHER))
    neighbour = a_stop(out, OFFICE, "另一家公司")
    assert place(out, first).stops == 2
    later = a_stop(out, SAME, on=TUESDAY + timedelta(days=30), is_placed=False)
    assert [point(s) for s in (first, waiting, later)] == [HERE] * 3
    assert (elsewhere.is_placed, point(neighbour), later.is_placed) == (False, (119.96, 31.72), True)


def test_a_stop_that_is_over_keeps_the_point_it_was_driven_to(out):
    first, over = a_stop(out), a_stop(out)
    over.state = StopState.DONE
    out.session.flush()
    place(out, first)
    assert point(over) == (119.96, 31.72)


def test_the_last_word_counts(out):
    stop = a_stop(out)
    place(out, stop)
    place(out, stop, THERE)
    assert (point(stop), point(a_stop(out))) == (THERE, THERE)
    assert len(out.session.scalars(select(KnownPoint)).all()) == 1


def test_an_entrance_that_a_lead_takes_moves_stop_site_and_every_later_leg(out):
    stop = out.stops[0]
    place_of_site = out.session.scalars(select(Project).join(Project.enterprise).order_by(Project.id)).first()
    place_of_site.site_address = stop.address
    lon, lat = stop.lon + 0.001, stop.lat + 0.001
    said = TellDispatcher(event_id=uuid.uuid4(), topic=Topic.ENTRANCE, stop=stop.id, lon=lon, lat=lat)
    perform(out.session, said, out.one)
    out.session.flush()
    report = out.session.scalars(select(CourierReport).where(CourierReport.event_id == said.event_id)).one()
    take = SettleCourierReport(report=CourierReportId(report.id), decision=Decision.TAKE)
    perform(out.session, take, out.lead)
    there = (round(lon, 6), round(lat, 6))
    assert (point(stop), stop.proposed_lon) == (there, None)
    assert point(a_stop(out, stop.address, stop.label)) == there
    assert (place_of_site.site_lon, place_of_site.site_lat) == there


@pytest.mark.parametrize(
    ("written", "is_placed"), [(None, True), ("site", True), ("site东门二楼", True), ("南京市鼓楼区中央路1号", False)]
)
def test_a_leg_to_another_address_is_not_driven_to_the_site(out, written, is_placed):
    db.set_clock(out.session, TEN)
    case, viewer = a_prescreened_case(out.county)
    project = out.session.get_one(Project, case.project_id)
    address = (written or "").replace("site", project.site_address or "")
    booked = BookPickup(case=CaseNo(case.case_no), on=TUESDAY, opens_s=14 * 3600, closes_s=16 * 3600, address=address)
    leg = perform(out.session, booked, replace(viewer, account_id=None))
    stop = out.session.get_one(CourierStop, leg.stop_id)
    assert stop.is_placed is is_placed


def test_another_address_with_its_own_pin_is_driven_to(out):
    db.set_clock(out.session, TEN)
    case, viewer = a_prescreened_case(out.county)
    when = {"on": TUESDAY, "opens_s": 14 * 3600, "closes_s": 16 * 3600, "address": "武进区延政中路7号"}
    booked = BookPickup(case=CaseNo(case.case_no), lon=HERE[0], lat=HERE[1], **when)
    stop = out.session.get_one(CourierStop, perform(out.session, booked, replace(viewer, account_id=None)).stop_id)
    assert (stop.is_placed, point(stop), stop.address) == (True, HERE, "武进区延政中路7号")


def test_only_a_lead_of_the_place_confirms_it_and_within_the_province(out):
    stop = a_stop(out)
    with pytest.raises(Refused):
        place(out, stop, (116.4, 39.9))
    with pytest.raises((Refused, NotFound)):
        place(out, stop, who=out.one)


def test_spellings_that_are_one_address():
    assert folded(OFFICE) == folded(SAME) == "武进区延政中路7号a座"
    assert place_hash("", OFFICE, 1) != place_hash("", OFFICE, 2)
    assert place_hash("七星公司", OFFICE, 1) == place_hash(" 七星公司", SAME, 2)


def test_the_middle_of_a_division_is_no_place_to_send_anybody(out):
    db.set_clock(out.session, TEN)
    case, viewer = a_prescreened_case(out.county)
    project = out.session.get_one(Project, case.project_id)
    middle = out.session.get_one(Division, project.division_id)
    project.site_lon, project.site_lat = middle.lon, middle.lat
    out.session.flush()
    booked = BookPickup(case=CaseNo(case.case_no), on=TUESDAY, opens_s=14 * 3600, closes_s=16 * 3600)
    stop = out.session.get_one(CourierStop, perform(out.session, booked, replace(viewer, account_id=None)).stop_id)
    assert not stop.is_placed
    assert place(out, stop).sites == 1
    assert (project.site_lon, project.site_lat) == HERE
