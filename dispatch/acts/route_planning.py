"""Plans: what a committed plan of a courier day means for the cases whose papers it carries."""

from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch.acts.announcing import announce, unplan
from dispatch.acts.roadside import arrange_meetings
from dispatch.cases.case import Case
from dispatch.core.actor import Actor
from dispatch.custody.parcel import Parcel
from routing.day import plan_commit, plan_jobs
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.day_plan import DayPlan, PlanConflict, PlanState
from routing.day.hours import Cutoff


def ask_for_plan(
    session: Session, *, division_id: int, on: date, cutoff: Cutoff, limit_s: int, by: Actor, at: datetime,
    seed: int = 0,
) -> DayPlan:  # fmt: skip
    """A planning job for an area's batch, one at a time: one that waits or runs is joined, a preview is given up.

    Where a plan of the batch is committed, the new one replaces it.
    """
    batch = f"plan:{division_id}:{on.isoformat()}:{cutoff.value}"
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:batch))"), {"batch": batch})
    same = (DayPlan.division_id == division_id, DayPlan.on == on, DayPlan.cutoff == cutoff)
    busy = select(DayPlan).where(*same, DayPlan.state.in_((PlanState.QUEUED, PlanState.RUNNING)))
    if (found := session.scalar(busy.order_by(DayPlan.id).limit(1))) is not None:
        return found
    previews = select(DayPlan).where(*same, DayPlan.state == PlanState.PREVIEW).order_by(DayPlan.id).with_for_update()
    for preview in session.scalars(previews):
        plan_jobs.cancel(session, preview)
    standing = session.scalar(select(DayPlan).where(*same, DayPlan.state == PlanState.COMMITTED))
    plan = plan_jobs.queue_plan(
        session, division_id=division_id, on=on, cutoff=cutoff, limit_s=limit_s, by=by.label, at=at, replaces=standing
    )
    plan.seed = seed
    return plan


def ask_to_replan(session: Session, standing: DayPlan, *, limit_s: int, by: Actor, at: datetime) -> DayPlan:
    """A job that plans the rest of a committed day anew. Raises routing's PlanConflict when nothing is committed."""
    if standing.state is not PlanState.COMMITTED:
        raise PlanConflict(f"plan {standing.id} is {standing.state}", user_message="只有已下发的路线可以重排")
    return ask_for_plan(
        session, division_id=standing.division_id, on=standing.on, cutoff=standing.cutoff, limit_s=limit_s, by=by,
        at=at,
    )  # fmt: skip


def commit_plan(session: Session, plan: DayPlan, *, by: Actor, at: datetime) -> list[plan_commit.WindowNotice]:
    """The preview becomes the day's runs; whoever waits at a stop is told the window. Raises routing's PlanConflict."""
    _lock_papers(session, plan)
    before = _planned(session, plan)
    told = plan_commit.commit(session, plan, by=by.label, at=at)
    for word in told:
        stop = session.get_one(CourierStop, word.stop_id)
        announce(
            session, stop, courier_name=word.courier_name, opens_s=word.opens_s, closes_s=word.closes_s, by=by, at=at
        )
        plan_commit.settle_announcement(stop, word)
    for stop_id in sorted(before):
        stop = session.get_one(CourierStop, stop_id)
        if stop.state is StopState.OPEN:
            unplan(session, stop, by=by, at=at)
    arrange_meetings(session, plan)
    return told


def _lock_papers(session: Session, plan: DayPlan) -> None:
    """Cases and parcels are locked before the stops that the plan holds: whoever acts at a door takes them so."""
    carried = select(Parcel.case_id).where(Parcel.stop_id.in_([int(stop_id) for stop_id in plan.stop_versions]))
    for query in (
        select(Case).where(Case.id.in_(carried)).order_by(Case.id),
        select(Parcel).where(Parcel.case_id.in_(carried)).order_by(Parcel.id),
    ):
        session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()


def _planned(session: Session, plan: DayPlan) -> set[int]:
    """The stops that the plan to be replaced holds."""
    if plan.replaces_id is None:
        return set()
    held = (
        select(CourierStop.id)
        .join(CourierRun, CourierRun.id == CourierStop.run_id)
        .where(CourierRun.plan_id == plan.replaces_id, CourierStop.state == StopState.PLANNED)
    )
    return set(session.scalars(held))
