"""A Monday morning in one county: its stops, and the steps from a queued plan to driven runs."""

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from routing.day import plan_commit, plan_jobs, planning
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopAct, StopKind, StopState
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from routing.day.stop_events import ReportedEvent, record
from routing.day.stops import Address, StopNeeds, request_stop
from routing.model.check import violations
from routing.travel.geodesic import Geodesic

MONDAY = date(2026, 11, 23)
EARLY = datetime(2026, 11, 23, 7, 30, tzinfo=db.SHANGHAI)
HALF_PAST_NINE = datetime(2026, 11, 23, 9, 30, tzinfo=db.SHANGHAI)
TRAVEL = Geodesic()
FEW = 300  # iterations: a plan is found, whatever the machine's speed


def a_stop(session: Session, area: int, n: int, *, opens: int = 8, closes: int = 12, van: bool = False) -> CourierStop:
    return request_stop(
        session,
        division_id=area,
        on=MONDAY,
        kind=StopKind.DELIVERY if n % 2 else StopKind.PICKUP,
        address=Address(119.90 + 0.012 * n, 31.68 + 0.006 * (n % 3), f"路{n}号", "王", "+8613800000000", f"企业{n}"),
        windows=[(opens * 3600, closes * 3600)],
        at=EARLY,
        needs=StopNeeds(needs_van=van),
    )


def queued(sessions: sessionmaker[Session], area: int, *, replaces: int | None = None) -> int:
    with sessions.begin() as session:
        standing = None if replaces is None else session.get_one(DayPlan, replaces)
        return plan_jobs.queue_plan(
            session, division_id=area, on=MONDAY, cutoff=Cutoff.AM, limit_s=20, by="组长", at=db.now(session),
            replaces=standing,
        ).id  # fmt: skip


def planned(sessions: sessionmaker[Session], area: int, *, replaces: int | None = None) -> int:
    """A preview."""
    plan_id = queued(sessions, area, replaces=replaces)
    state = planning.work_on(sessions, plan_id, travel=TRAVEL, verify=violations, max_iterations=FEW)
    assert state is PlanState.PREVIEW
    return plan_id


def committed(sessions: sessionmaker[Session], area: int, *, replaces: int | None = None) -> int:
    plan_id = planned(sessions, area, replaces=replaces)
    commit(sessions, plan_id)
    return plan_id


def commit(sessions: sessionmaker[Session], plan_id: int) -> list[plan_commit.WindowNotice]:
    with sessions.begin() as session:
        told = plan_commit.commit(session, session.get_one(DayPlan, plan_id), by="组长", at=db.now(session))
        for word in told:
            plan_commit.settle_announcement(session.get_one(CourierStop, word.stop_id), word)
        return told


def drive(sessions: sessionmaker[Session], plan_id: int, *, until: datetime) -> list[int]:
    """Tick off what the plan says is done by then; the stops' ids."""
    done = []
    with sessions.begin() as session:
        for run in session.scalars(select(CourierRun).where(CourierRun.plan_id == plan_id).order_by(CourierRun.id)):
            for stop in run.stops:
                at = until.replace(hour=0, minute=0) + timedelta(seconds=(stop.eta_s or 0) + stop.service_s)
                if at <= until and stop.state is StopState.PLANNED:
                    act = StopAct.COLLECTED if stop.kind is StopKind.PICKUP else StopAct.DELIVERED
                    record(session, stop, ReportedEvent(uuid.uuid4(), act), courier_id=run.courier_id, at=at)
                    done.append(stop.id)
        db.set_clock(session, until)
    return done


def holders(sessions: sessionmaker[Session]) -> dict[int, int]:
    """Which courier has which stop."""
    with sessions() as session:
        rows = session.execute(
            select(CourierStop.id, CourierRun.courier_id).join(CourierRun, CourierRun.id == CourierStop.run_id)
        )
        return dict(rows.all())
