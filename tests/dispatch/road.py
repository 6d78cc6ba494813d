"""On the road: on Tuesday at noon courier one has a pickup to make and a delivery on board; a second one is there."""

from datetime import time, timedelta
from types import SimpleNamespace

import db
from dispatch.acts import announcing
from dispatch.cases import lookups
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.shanghai_time import utc
from dispatch.custody.handover import Holder
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, a_prescreened_case, an_appointment

TUESDAY = MONDAY + timedelta(days=1)
NOON = utc(TUESDAY, time(12))


def on_the_road(county):
    """Courier one is on the road on Tuesday at noon with one pickup and one delivery on board."""
    session = county.session
    first, viewer = a_prescreened_case(county)
    pickup = steps.book_pickup(session, first, appointment=an_appointment(), by=viewer, at=TEN)
    second, viewer = a_prescreened_case(county)
    steps.hand_in(session, second, by=county.agent_viewer(), at=TEN, scan_id="counter")
    receipts = {review.id: f"SL{review.id}" for review in lookups.reviews_of(session, second)}
    steps.submit(session, second, receipts=receipts, by=county.agent_viewer(), at=TEN)
    home = steps.book_delivery(session, second, appointment=an_appointment(), by=county.agent_viewer(), at=TEN)
    stops = [session.get_one(CourierStop, parcel.stop_id) for parcel in (pickup, home)]
    plan = a_plan(session, county, stops, courier=0, at=utc(TUESDAY, time(8)))
    for stop in stops:
        announcing.announce(
            session, stop, courier_name="揽投员1", opens_s=9 * 3600, closes_s=11 * 3600, by=SYSTEM, at=TEN
        )
    home.hand_over(
        to=Holder.COURIER, ref=f"courier:{county.couriers[0].id}", scan_id="load", at=TEN, by="test", action="load"
    )
    db.allow_clock_changes(session)
    db.set_clock(session, NOON)
    session.flush()
    return SimpleNamespace(
        session=session, county=county, pickup=pickup, home=home, stops=stops, plan=plan, one=courier(county, 0),
        two=courier(county, 1), lead=Actor(Role.LEAD, name="李组长", division_path=county.division.path),
    )  # fmt: skip


def courier(county, n):
    return Actor(Role.COURIER, name=county.couriers[n].name, courier_id=county.couriers[n].id)


def a_plan(session, county, stops, *, courier, at, replaces=None):
    """A committed plan that gives these stops to one courier, in its result and in its run."""
    if replaces is not None:
        replaces.state = PlanState.SUPERSEDED
        session.flush()
    driver = county.couriers[courier]
    plan = DayPlan(
        division_id=county.division.id, on=TUESDAY, cutoff=Cutoff.AM, state=PlanState.COMMITTED, requested_at=at,
        committed_at=at, replaces_id=None if replaces is None else replaces.id,
        result={"routes": [{"courier_id": driver.id, "visits": [{"stop_id": s.id} for s in stops]}], "unserved": []},
    )  # fmt: skip
    session.add(plan)
    session.flush()
    run = CourierRun(plan_id=plan.id, courier_id=driver.id, on=TUESDAY, starts_s=8 * 3600, ends_s=18 * 3600)
    session.add(run)
    session.flush()
    for position, stop in enumerate(stops, start=1):
        stop.state, stop.run_id, stop.position, stop.eta_s = StopState.PLANNED, run.id, position, 10 * 3600
    session.flush()
    return plan
