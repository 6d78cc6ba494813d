"""The county of the courier day's tests."""

import pytest
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import Division, Level, Precision, ServiceCentre
from routing.day.couriers import Courier, Shift, VehicleKind
from tests.routing.day.monday import (
    EARLY,
    MONDAY,
    a_stop,
)


@pytest.fixture
def area(sessions: sessionmaker[Session]) -> int:
    """A county with a depot, two couriers on shift and eight stops of the morning, at half past seven."""
    with sessions.begin() as session:
        db.set_clock(session, EARLY)
        division = Division(
            code="320412000000", name="武进区", pinyin="wujinqu", level=Level.COUNTY, kind="county", parent_code=None,
            path="320412000000", lon=119.94, lat=31.70, precision=Precision.CENTROID,
        )  # fmt: skip
        session.add(division)
        session.flush()
        centre = ServiceCentre(
            centre_no="SC040", division_id=division.id, name="武进区政务服务中心", pinyin="", level="county",
            lon=119.94, lat=31.70, precision=Precision.EXACT,
        )  # fmt: skip
        session.add(centre)
        session.flush()
        for n in range(2):
            courier = Courier(
                courier_no=f"EMS{n}", name=f"揽投员{n}", phone=f"+861390000000{n}", phone_hash=bytes([n]),
                division_id=division.id, centre_id=centre.id, vehicle=VehicleKind.EBIKE,
            )  # fmt: skip
            session.add(courier)
            session.flush()
            session.add(Shift(courier_id=courier.id, on=MONDAY, starts_s=8 * 3600, ends_s=18 * 3600))
        for n in range(8):
            a_stop(session, division.id, n)
        return division.id
