"""What a courier's next working day holds: the committed run in its order, else how much is expected of the area."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import now
from dispatch.cases.notify import day_of
from dispatch.core.actor import Actor
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import STOP_LABEL, CourierStop, StopState
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.order import window_of

AHEAD = timedelta(days=14)
EXPECTED = (StopState.OPEN, StopState.PLANNED)


@dataclass(frozen=True, slots=True)
class ComingStop:
    """A stop of a day that has not come yet: where and when, and nothing of who or what."""

    position: int | None
    label: str
    address: str
    kind_words: str
    window: tuple[int, int] | None
    pieces: int


@dataclass(frozen=True, slots=True)
class ComingRun:
    """A committed run of that day."""

    starts_s: int
    ends_s: int
    stops: tuple[ComingStop, ...]


@dataclass(frozen=True, slots=True)
class CourierTomorrow:
    """The next working day; ``on`` is None where the roster has none in two weeks.

    ``expected``: stops of the whole area on that day, for ``couriers`` who work then."""

    on: date | None
    hours: tuple[int, int] | None
    runs: tuple[ComingRun, ...]
    expected: int
    couriers: int


def tomorrow(session: Session, viewer: Actor) -> CourierTomorrow:
    """The viewer's next working day after today."""
    today = day_of(now(session))
    shift = session.scalar(
        select(Shift)
        .where(Shift.courier_id == viewer.courier_id, Shift.on > today, Shift.on <= today + AHEAD)
        .order_by(Shift.on)
        .limit(1)
    )
    if shift is None:
        return CourierTomorrow(None, None, (), 0, 0)
    runs = session.scalars(
        select(CourierRun)
        .join(DayPlan, DayPlan.id == CourierRun.plan_id)
        .where(CourierRun.courier_id == viewer.courier_id, CourierRun.on == shift.on)
        .where(DayPlan.state == PlanState.COMMITTED)
        .order_by(CourierRun.starts_s)
    ).all()
    stops = session.scalars(
        select(CourierStop)
        .where(CourierStop.run_id.in_([run.id for run in runs]))
        .order_by(CourierStop.run_id, CourierStop.position)
    ).all()
    area = select(Courier.division_id).where(Courier.id == viewer.courier_id).scalar_subquery()
    waits = select(func.count(CourierStop.id)).where(CourierStop.division_id == area, CourierStop.on == shift.on)
    work = (
        select(func.count(Shift.id))
        .join(Courier, Courier.id == Shift.courier_id)
        .where(Shift.on == shift.on, Courier.division_id == area, Courier.active)
    )
    return CourierTomorrow(
        shift.on,
        (shift.starts_s, shift.ends_s),
        tuple(
            ComingRun(run.starts_s, run.ends_s, tuple(_stop(stop) for stop in stops if stop.run_id == run.id))
            for run in runs
        ),
        session.scalar(waits.where(CourierStop.state.in_(EXPECTED))) or 0,
        session.scalar(work) or 0,
    )


def shift_ends(session: Session, viewer: Actor) -> int | None:
    """When today's shift ends, in seconds of the day; None without one."""
    today = day_of(now(session))
    return session.scalar(select(Shift.ends_s).where(Shift.courier_id == viewer.courier_id, Shift.on == today))


def _stop(stop: CourierStop) -> ComingStop:
    return ComingStop(
        stop.position, stop.label, stop.address, STOP_LABEL[stop.kind], window_of(stop), stop.pieces
    )  # fmt: skip
