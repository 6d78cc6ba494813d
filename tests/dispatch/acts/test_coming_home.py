"""Papers of an ended case come home to a point on the map, or wait at the centre: nobody is sent to nowhere."""

import pytest
from sqlalchemy import select

from dispatch.cases.case import CaseEvent
from dispatch.cases.project import Project
from routing.day.courier_stop import CourierStop
from routing.day.stops import Address
from tests.dispatch import steps
from tests.dispatch.builders import TEN, County, a_prescreened_case


@pytest.mark.parametrize("has_pin", [True, False])
def test_papers_from_the_counter_go_to_the_site_or_stay_where_a_person_sees_them(county: County, *, has_pin: bool):
    session, viewer = county.session, county.agent_viewer()
    case, _ = a_prescreened_case(county)
    project = session.get_one(Project, case.project_id)
    project.site_lon, project.site_lat = (119.96, 31.72) if has_pin else (None, None)
    parcel = steps.hand_in(session, case, by=viewer, at=TEN, scan_id="counter")
    steps.withdraw(session, case, reason="计划变更", by=viewer, at=TEN)
    session.flush()
    stops = session.scalars(select(CourierStop).where(CourierStop.id == parcel.stop_id)).all()
    told = set(session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == case.id)))
    assert [(stop.lon, stop.lat) for stop in stops] == ([(119.96, 31.72)] if has_pin else [])
    assert ("coming_home" in told, "no_way_home" in told) == (has_pin, not has_pin)


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 0.0), (31.7, 119.9), (2.35, 48.85), (float("nan"), 31.7)])
def test_no_address_is_where_no_courier_drives(lon: float, lat: float):
    with pytest.raises(ValueError, match="not a point"):
        Address(lon, lat, "人民东路1号", "王经理", "+8613812345678")
