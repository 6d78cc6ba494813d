"""Plans: what a committed plan of a courier day means for the cases whose papers it carries."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.case import Case
from dispatch.custody import Parcel
from dispatch.flow.legs import announce, unplan
from dispatch.scope import Viewer
from routing import day
from routing.runs import Plan, Run, Stop, StopState


def commit_plan(session: Session, plan: Plan, *, by: Viewer, at: datetime) -> list[day.Told]:
    """The preview becomes the day's runs; whoever waits at a stop is told the window. Raises routing's PlanConflict."""
    _lock_papers(session, plan)
    before = _planned(session, plan)
    told = day.commit(session, plan, by=by.label, at=at)
    for word in told:
        stop = session.get_one(Stop, word.stop_id)
        announce(
            session, stop, courier_name=word.courier_name, opens_s=word.opens_s, closes_s=word.closes_s, by=by, at=at
        )
        day.settle_announcement(stop, word)
    for stop_id in sorted(before):
        stop = session.get_one(Stop, stop_id)
        if stop.state is StopState.OPEN:
            unplan(session, stop, by=by, at=at)
    return told


def _lock_papers(session: Session, plan: Plan) -> None:
    """Cases and parcels are locked before the stops that the plan holds: whoever acts at a door takes them so."""
    carried = select(Parcel.case_id).where(Parcel.stop_id.in_([int(stop_id) for stop_id in plan.stop_versions]))
    for query in (
        select(Case).where(Case.id.in_(carried)).order_by(Case.id),
        select(Parcel).where(Parcel.case_id.in_(carried)).order_by(Parcel.id),
    ):
        session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()


def _planned(session: Session, plan: Plan) -> set[int]:
    """The stops that the plan to be replaced holds."""
    if plan.replaces_id is None:
        return set()
    held = (
        select(Stop.id)
        .join(Run, Run.id == Stop.run_id)
        .where(Run.plan_id == plan.replaces_id, Stop.state == StopState.PLANNED)
    )
    return set(session.scalars(held))


def papers_at(session: Session, stop: Stop) -> list[Parcel]:
    """The parcels that a stop is about."""
    return list(session.scalars(select(Parcel).where(Parcel.stop_id == stop.id).order_by(Parcel.id)))
