"""Steps at the door for tests: a stop is planned by hand, and a courier reports what happened there."""

import uuid
from datetime import timedelta

from sqlalchemy import select

from dispatch.acts.announcing import announce
from dispatch.acts.stop_report import ReportStop
from dispatch.core.actor import SYSTEM
from dispatch.core.ids import StopId
from dispatch.custody.handover import Holder
from notifications.message import Message
from routing.day.courier_stop import CourierStop, StopAct
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, on_a_run

TUESDAY = MONDAY + timedelta(days=1)


def texts_sent(session):
    session.flush()
    return [row.text_name for row in session.scalars(select(Message).order_by(Message.id))]


def plan_by_hand(session, county, parcel, *, at=TEN, courier=0):
    """What a committed plan does to one stop, without the solver."""
    stop = session.get_one(CourierStop, parcel.stop_id)
    on_a_run(county, stop, courier=courier)
    announce(
        session,
        stop,
        courier_name=county.couriers[courier].name,
        opens_s=9 * 3600,
        closes_s=11 * 3600,
        by=SYSTEM,
        at=at,
    )
    return stop


def loaded(session, county, parcel, *, at=TEN):
    """The load scan at the centre put the envelope into the courier's hands."""
    parcel.hand_over(
        to=Holder.COURIER, ref=f"courier:{county.couriers[0].id}", scan_id=f"load:{parcel.waybill}", at=at, by="test",
        action="load",
    )  # fmt: skip


def doorstep(act, **more):
    return ReportStop(stop=StopId(0), event_id=uuid.uuid4(), act=act, **more)


def collect(session, county, case, parcel, *, at):
    stop = plan_by_hand(session, county, parcel)
    steps.report_stop(
        session, stop, doorstep(StopAct.COLLECTED, code=parcel.code, inspected=True), by=county.courier_viewer(), at=at
    )
    return stop
