"""A courier's Tuesday in 武进区: one pickup and one delivery on a committed run, at ten in the morning."""

from dataclasses import dataclass
from datetime import time, timedelta

from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.acts import announcing
from dispatch.cases import lookups
from dispatch.core.actor import SYSTEM, Role
from dispatch.core.shanghai_time import utc
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, TEN, a_prescreened_case, an_appointment, the_county
from web.wiring.accounts import Account

TUESDAY = MONDAY + timedelta(days=1)
TEN_ON_TUESDAY = utc(TUESDAY, time(10))


@dataclass
class Day:
    """What a test needs to know of the day."""

    courier: Account
    other: Account
    lead: Account
    run_id: int
    pickup: int
    pickup_waybill: str
    pickup_code: str
    delivery: int
    delivery_waybill: str
    delivery_code: str


def fill(sessions: sessionmaker[Session]) -> Day:
    """Fill a database that holds 武进区."""
    with sessions.begin() as session:
        db.set_clock(session, TEN)
        county = the_county(session)
        first, viewer = a_prescreened_case(county)
        out = steps.book_pickup(session, first, appointment=an_appointment(), by=viewer, at=TEN)
        second, viewer = a_prescreened_case(county)
        steps.hand_in(session, second, by=county.agent_viewer(), at=TEN, scan_id="counter")
        receipts = {review.id: f"SL{review.id}" for review in lookups.reviews_of(session, second)}
        steps.submit(session, second, receipts=receipts, by=county.agent_viewer(), at=TEN)
        home = steps.book_delivery(session, second, appointment=an_appointment(), by=county.agent_viewer(), at=TEN)
        db.set_clock(session, TEN_ON_TUESDAY)
        plan = DayPlan(
            division_id=county.division.id, on=TUESDAY, cutoff=Cutoff.AM, state=PlanState.COMMITTED, requested_at=TEN
        )
        session.add(plan)
        session.flush()
        run = CourierRun(
            plan_id=plan.id, courier_id=county.couriers[0].id, on=TUESDAY, starts_s=8 * 3600, ends_s=12 * 3600,
            changed_words="李组长重新安排了路线",
        )  # fmt: skip
        session.add(run)
        session.flush()
        for position, parcel in enumerate((out, home), start=1):
            stop = session.get_one(CourierStop, parcel.stop_id)
            stop.state, stop.run_id, stop.position, stop.eta_s = StopState.PLANNED, run.id, position, 10 * 3600
            announcing.announce(
                session, stop, courier_name="揽投员1", opens_s=9 * 3600, closes_s=11 * 3600, by=SYSTEM, at=TEN
            )
            stop.announced_opens_s, stop.announced_closes_s = 9 * 3600, 11 * 3600
        accounts = [
            Account(role=Role.COURIER, name="揽投员1", login="one", courier_id=county.couriers[0].id),
            Account(role=Role.COURIER, name="揽投员2", login="two", courier_id=county.couriers[1].id),
            Account(role=Role.LEAD, name="李组长", login="lead", division_id=county.division.id),
        ]
        session.add_all(accounts)
        session.flush()
        assert out.stop_id and home.stop_id and out.code and home.code
        return Day(
            *accounts, run.id, out.stop_id, out.waybill, out.code, home.stop_id, home.waybill, home.code
        )  # fmt: skip
