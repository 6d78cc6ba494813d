"""Order: a courier goes to the stops in another order; only a window that breaks is worth a warning."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState, WrongStop
from routing.travel.places import Point, TravelTimes

LEFT = (StopState.PLANNED, StopState.ARRIVED)


@dataclass(frozen=True, slots=True)
class BrokenWindow:
    """A stop whose announced window would close before the courier is there, and had not before."""

    stop_id: int
    label: str
    eta_s: int
    closes_s: int


def window_of(stop: CourierStop) -> tuple[int, int] | None:
    """The announced window, else from the first wanted window to the last; seconds from 00:00 in Shanghai."""
    if stop.announced_opens_s is not None and stop.announced_closes_s is not None:
        return stop.announced_opens_s, stop.announced_closes_s
    return (int(stop.windows[0][0]), int(stop.windows[-1][1])) if stop.windows else None


def arrivals(stops: Sequence[CourierStop], *, here: Point | None, from_s: int, travel: TravelTimes) -> list[int]:
    """When the courier begins at each stop in this order, waiting for windows to open. There is at least one stop."""
    points = [*([here] if here is not None else []), *(Point(stop.lat, stop.lon) for stop in stops)]
    seconds = travel.matrix(points, hour=from_s // 3600 % 24).seconds
    at_s, previous, begun = from_s, 0 if here is not None else None, []
    for index, stop in enumerate(stops, start=len(points) - len(stops)):
        if previous is not None:
            leg_s = int(seconds[previous][index])
            at_s += leg_s + (stop.setup_s if leg_s else 0)
        window = window_of(stop)
        at_s = max(at_s, window[0]) if window is not None else at_s
        begun.append(at_s)
        at_s += stop.door_s
        previous = index
    return begun


def reorder(
    session: Session, run: CourierRun, first: Sequence[int], *, at_s: int, travel: TravelTimes, anyway: bool = False
) -> list[BrokenWindow]:
    """Visit the stops ``first`` names before the others. The run is locked here.

    With windows that would break and not ``anyway``, they are answered and nothing is changed. Raises WrongStop."""
    run = session.get_one(CourierRun, run.id, with_for_update=True, populate_existing=True)
    stops = list(
        session.scalars(
            select(CourierStop)
            .where(CourierStop.run_id == run.id)
            .order_by(CourierStop.position, CourierStop.id)
            .with_for_update()
        )
    )
    gone = [stop for stop in stops if stop.state not in LEFT]
    left = [stop for stop in stops if stop.state in LEFT]
    by_id = {stop.id: stop for stop in left}
    if not set(first) <= set(by_id) or len(set(first)) != len(first):
        raise WrongStop(
            f"run {run.id}: {list(first)} are not all still to do", user_message="这一站已办完或不在本线路，请刷新"
        )
    wanted = [by_id[n] for n in first] + [stop for stop in left if stop.id not in set(first)]
    last = max((s for s in gone if s.done_at is not None), key=lambda s: (s.done_at, s.id), default=None)
    here = None if last is None else Point(last.lat, last.lon)
    before = dict(zip((s.id for s in left), arrivals(left, here=here, from_s=at_s, travel=travel), strict=True))
    after = dict(zip((s.id for s in wanted), arrivals(wanted, here=here, from_s=at_s, travel=travel), strict=True))
    broken = []
    for stop in wanted:
        window = window_of(stop)
        if window is not None and before[stop.id] <= window[1] < after[stop.id]:
            broken.append(BrokenWindow(stop.id, stop.label, after[stop.id], window[1]))
    if broken and not anyway:
        return broken
    # Numbers already given to stops that are done stay; the rest take the free numbers in the new order.
    for position, stop in zip(sorted(s.position or 0 for s in left), wanted, strict=True):
        stop.position, stop.eta_s = position, after[stop.id]
        stop.version += 1
    run.version += 1
    session.flush()
    return broken
