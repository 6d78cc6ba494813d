"""Courier day: today's stops of the demo county, the morning's plan, and what is done of it by ten."""

import uuid
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from agents.network import division_with
from dispatch.acts.act import perform
from dispatch.acts.courier_run import LoadRun, SignHandoverList
from dispatch.acts.handover_lists import outgoing
from dispatch.acts.plan_steps import CommitPlan
from dispatch.acts.stop_report import ReportStop
from dispatch.cases.lookups import parcels_at
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.ids import ListNo, PlanId, RunId, StopId
from dispatch.core.shanghai_time import utc
from routing.day import plan_jobs, planning
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopKind
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from routing.day.stops import Address, StopNeeds, request_stop
from routing.search.child import ortools_objections
from routing.travel.geodesic import Geodesic
from web.demo.context import COUNTY, NOW, TODAY, DemoContext

STOPS = 300
BUSY_TOWNS = frozenset({"湖塘镇", "高新区", "武进经济开发区"})
PLAN_ITERATIONS = 40_000
LAST_DONE_S = 10 * 3600 - 300
"""What the plan says is done by five to ten is done."""
FIRST_FAILURE_S = 9 * 3600


def add_other_stops(context: DemoContext) -> None:
    """What EMS carries for the other counters today: results and invoices, about three hundred stops in all."""
    fake, session = context.fake, context.session
    booked = len(session.scalars(select(CourierStop.id).where(CourierStop.on == TODAY)).all())
    weights = [3.0 if town.name in BUSY_TOWNS else 1.0 for town in context.towns]
    for number in range(STOPS - booked):
        town = fake.random.choices(context.towns, weights)[0]
        lon, lat = fake.near(town.lon, town.lat, 2600)
        pickup = number % 5 == 0
        morning = number % 9 < 5
        start = fake.random.choice((8, 9, 9, 10)) if morning else fake.random.choice((13, 14, 14, 15))
        length = fake.random.choice((2, 3, 3, 4))
        end = min(start + length, 12 if morning else 18)
        brand = fake.random.choice(fake.brands)
        request_stop(
            session,
            division_id=context.county.id,
            on=TODAY,
            kind=StopKind.PICKUP if pickup else StopKind.DELIVERY,
            address=Address(lon, lat, fake.address(town.name), fake.person(), fake.phone(), f"常州{brand}有限公司"),
            windows=[(start * 3600, end * 3600)],
            at=NOW - timedelta(hours=18),
            needs=StopNeeds(
                pieces=fake.random.choice((1, 1, 1, 2)),
                grams=fake.random.choice((150, 200, 400, 900)),
                service_s=fake.random.choice((180, 240, 300)),
            ),
        )


def plan_morning(sessions: sessionmaker[Session], *, seed: int) -> None:
    """The morning's plan, committed before eight, and driven until ten."""
    early = utc(TODAY, time(7, 40))
    with sessions.begin() as session:
        county = division_with(session, COUNTY)
        plan = plan_jobs.queue_plan(
            session, division_id=county.id, on=TODAY, cutoff=Cutoff.AM, limit_s=20, by="代办组长", at=early
        )
        plan.seed, plan_id = seed, plan.id
    state = planning.work_on(
        sessions, plan_id, travel=Geodesic(), record=ortools_objections, max_iterations=PLAN_ITERATIONS
    )
    if state is not PlanState.PREVIEW:
        raise RuntimeError(f"the demo's morning could not be planned: {state}")
    with sessions.begin() as session:
        plan = session.get_one(DayPlan, plan_id)
        plan.requested_at = plan.finished_at = early
        perform(session, CommitPlan(plan=PlanId(plan.id)), SYSTEM, at=early)
    with sessions.begin() as session:
        _drive_until_ten(session)


def _drive_until_ten(session: Session) -> None:
    """Tick off what the plan says was done by ten; the first pickup of papers after nine fails."""
    has_failed = False
    runs = session.scalars(select(CourierRun).where(CourierRun.on == TODAY).order_by(CourierRun.id)).all()
    for run in runs:
        driver = Actor(Role.COURIER, name=run.courier.name, courier_id=run.courier_id)
        _load(session, run, driver)
        for stop in sorted(run.stops, key=lambda s: s.position or 0):
            done_s = (stop.eta_s or 0) + stop.door_s
            if done_s > LAST_DONE_S:
                break
            papers = parcels_at(session, stop.id)
            fails = not has_failed and done_s > FIRST_FAILURE_S and stop.kind is StopKind.PICKUP and bool(papers)
            has_failed = has_failed or fails
            at = utc(TODAY, time(0)) + timedelta(seconds=done_s)
            report = _report(stop, code=papers[0].code if papers else None, at=at, fails=fails)
            perform(session, report, driver, at=at)


def _load(session: Session, run: CourierRun, driver: Actor) -> None:
    """At the centre in the morning: everything scanned, and the list signed by both."""
    at = utc(TODAY, time(7, 55))
    loaded = tuple(parcel.waybill for parcel in outgoing(session, run))
    if not loaded:
        return
    taken = perform(session, LoadRun(run_id=RunId(run.id), taken=loaded), driver, at=at)
    if taken.list_no is not None:
        perform(session, SignHandoverList(list=ListNo(taken.list_no)), SYSTEM, at=at)


def _report(stop: CourierStop, *, code: str | None, at: datetime, fails: bool) -> ReportStop:
    event_id = uuid.UUID(int=(1 << 64) + stop.id)
    if fails:
        return ReportStop(
            stop=StopId(stop.id),
            event_id=event_id,
            act=StopAct.FAILED,
            reason=FailReason.PAPERS_NOT_READY,
            device_at=at,
        )
    act = StopAct.DELIVERED if stop.kind is StopKind.DELIVERY else StopAct.COLLECTED
    return ReportStop(
        stop=StopId(stop.id), event_id=event_id, act=act, device_at=at, code=code, identity_checked=True, inspected=True
    )
