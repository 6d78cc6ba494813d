"""One day: a stop is offered to every run in which one of its windows is open, and a break to the run that has it."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from routing.day import plan_jobs, planning
from routing.day.courier_stop import CourierStop, StopState
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import PlanState
from routing.day.day_rows import CourierOnShift, half_of, open_stops
from routing.day.hours import HALF_S, Cutoff
from routing.day.order import arrivals
from routing.day.routing_input import break_within
from routing.day.stops import reschedule
from routing.model.check import violations
from routing.travel.places import Point
from tests.routing.day.monday import EARLY, FEW, MONDAY, TRAVEL, a_stop, commit, committed

HOUR = 3600
NOON = EARLY + timedelta(hours=5)


def offered(session: Session, area: int, cutoff: Cutoff) -> set[int]:
    return {stop.id for stop in open_stops(session, area, MONDAY, cutoff)}


def test_the_afternoon_serves_what_the_morning_could_not(sessions: sessionmaker[Session], area: int) -> None:
    """Three times as many stops of the whole day as a morning holds: none stays out while couriers are idle at two."""
    with sessions.begin() as session:
        whole_day = {a_stop(session, area, n, opens=9, closes=17).id for n in range(8, 60)}
        for stop in session.scalars(select(CourierStop).where(CourierStop.id.in_(whole_day))):
            stop.service_s = 1500
        assert not whole_day & offered(session, area, Cutoff.PM), "the morning has them first"
    committed(sessions, area)
    with sessions.begin() as session:
        left = set(session.scalars(select(CourierStop.id).where(CourierStop.state == StopState.OPEN)))
        assert left and left <= whole_day
        assert left == offered(session, area, Cutoff.PM)
        assert left == set(session.scalars(select(CourierStop.id).where(CourierStop.cutoff == Cutoff.PM)))
        plan_id = plan_jobs.queue_plan(
            session, division_id=area, on=MONDAY, cutoff=Cutoff.PM, limit_s=20, by="组长", at=EARLY
        ).id
    state = planning.work_on(sessions, plan_id, travel=TRAVEL, verify=violations, max_iterations=FEW)
    assert state is PlanState.PREVIEW
    assert commit(sessions, plan_id)
    with sessions() as session:
        still = set(session.scalars(select(CourierStop.id).where(CourierStop.state == StopState.OPEN)))
        assert still < left


def test_an_address_is_entered_once_and_the_times_are_those_at_the_door(
    sessions: sessionmaker[Session], area: int
) -> None:
    with sessions.begin() as session:
        stops = [a_stop(session, area, 1) for _ in range(6)]
        ids, door_s, whole_s = [stop.id for stop in stops], stops[0].door_s, stops[0].service_s
        assert (door_s, whole_s) == (180, 300)
    committed(sessions, area)
    with sessions() as session:
        here = session.scalars(
            select(CourierStop).where(CourierStop.id.in_(ids)).order_by(CourierStop.run_id, CourierStop.position)
        ).all()
        assert len({stop.run_id for stop in here}) == 1
        begins = [stop.eta_s or 0 for stop in here]
        assert [later - earlier for earlier, later in pairwise(begins)] == [door_s] * 5
        again = arrivals(here, here=Point(31.60, 119.80), from_s=8 * HOUR, travel=TRAVEL)
        assert [later - earlier for earlier, later in pairwise(again)] == [door_s] * 5
        (way,) = TRAVEL.between([Point(31.60, 119.80)], [Point(here[0].lat, here[0].lon)], hour=8).seconds[0]
        assert again[0] == 8 * HOUR + way + whole_s - door_s


def test_windows_that_overlap_are_one_and_fail_no_plan(sessions: sessionmaker[Session], area: int) -> None:
    with sessions.begin() as session:
        twice, before = a_stop(session, area, 1), a_stop(session, area, 2)
        reschedule(twice, on=MONDAY, windows=[(10 * HOUR, 12 * HOUR), (9 * HOUR, 11 * HOUR), (14 * HOUR, 16 * HOUR)])
        assert twice.windows == [[9 * HOUR, 12 * HOUR], [14 * HOUR, 16 * HOUR]]
        before.windows = [[9 * HOUR, 11 * HOUR], [10 * HOUR, 12 * HOUR]]  # a row of an earlier release
    committed(sessions, area)
    with sessions() as session:
        assert set(session.scalars(select(CourierStop.state))) == {StopState.PLANNED}


@pytest.mark.parametrize(
    ("at", "opens", "closes", "runs"),
    [
        (EARLY, 9, 17, {Cutoff.AM}),  # the morning first
        (NOON, 9, 17, {Cutoff.AM, Cutoff.PM}),  # the morning is over
        (EARLY, 12, 13, {Cutoff.AM, Cutoff.PM}),  # over noon: either may come
        (EARLY, 14, 16, {Cutoff.PM}),
        (NOON, 8, 12, {Cutoff.AM}),
    ],
)
def test_a_stop_is_offered_to_the_runs_in_which_a_window_is_open(
    sessions: sessionmaker[Session], area: int, at: datetime, opens: int, closes: int, runs: set[Cutoff]
) -> None:
    with sessions.begin() as session:
        db.set_clock(session, at)
        stop_id = a_stop(session, area, 9, opens=opens, closes=closes).id
        assert {cutoff for cutoff in Cutoff if stop_id in offered(session, area, cutoff)} == runs


@pytest.mark.parametrize(
    ("opens", "closes", "run"), [(11, 12, Cutoff.AM), (12, 13.5, Cutoff.PM), (12, 13, Cutoff.PM), (14, 15, Cutoff.PM)]
)
def test_a_break_is_in_exactly_one_run_of_the_day(opens: float, closes: float, run: Cutoff) -> None:
    shift = Shift(
        on=MONDAY, starts_s=8 * HOUR, ends_s=18 * HOUR, break_opens_s=int(opens * HOUR),
        break_closes_s=int(closes * HOUR), break_s=1800, late_s=0,
    )  # fmt: skip
    found = {}
    for cutoff in Cutoff:
        hours = half_of(shift, cutoff)
        assert hours is not None
        rest = break_within(CourierOnShift(Courier(id=1), shift, hours), hours.opens_s, hours.closes_s)
        if rest is not None:
            found[cutoff] = rest.window
            assert hours.opens_s <= rest.window.opens_s <= rest.window.closes_s <= hours.closes_s - rest.duration_s
    assert set(found) == {run}
    assert run is Cutoff.AM or found[run].opens_s >= HALF_S
