"""Limits of a run: what a shift and a vehicle allow holds in the plan, and what stays out for it says so."""

from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from routing.day.courier_run import CourierRun
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import DayPlan
from routing.day.day_rows import depots
from routing.day.routing_input import longest_run_m
from routing.travel.places import Point
from tests.routing.day.monday import TRAVEL, committed, planned


def driven(session: Session, run: CourierRun) -> int:
    """How far a run goes by the table of travel times alone."""
    ((lon, lat),) = depots(session, [run.courier]).values()
    places = [Point(lat, lon), *(Point(stop.lat, stop.lon) for stop in run.stops), Point(lat, lon)]
    metres = TRAVEL.matrix(places, hour=9).metres
    return sum(int(metres[n, m]) for n, m in pairwise(range(len(places))))


def left_out(session: Session, plan_id: int) -> set[str]:
    result = session.get_one(DayPlan, plan_id).result
    assert result is not None
    return {left["reason"] for left in result["unserved"]}


def test_no_run_has_more_stops_than_its_shift_allows(sessions: sessionmaker[Session], area: int) -> None:
    with sessions.begin() as session:
        for shift in session.scalars(select(Shift)):
            shift.most_stops = 2
    plan_id = committed(sessions, area)
    with sessions() as session:
        runs = session.scalars(select(CourierRun).where(CourierRun.plan_id == plan_id)).all()
        assert runs and {len(run.stops) for run in runs} == {2}
        assert left_out(session, plan_id) == {"stops"}


def test_no_run_goes_farther_than_shift_and_vehicle_allow(sessions: sessionmaker[Session], area: int) -> None:
    free = planned(sessions, area)
    with sessions.begin() as session:
        result = session.get_one(DayPlan, free).result
        assert result is not None
        range_m = max(route["metres"] for route in result["routes"]) // 3
        for courier in session.scalars(select(Courier)):
            courier.range_m = range_m
    plan_id = committed(sessions, area)
    with sessions() as session:
        runs = session.scalars(select(CourierRun).where(CourierRun.plan_id == plan_id)).all()
        assert runs and all(0 < driven(session, run) == run.metres <= range_m for run in runs)
        assert "distance" in left_out(session, plan_id)


@pytest.mark.parametrize(
    ("vehicle_m", "shift_m", "longest_m"), [(None, None, None), (40_000, None, 40_000), (40_000, 30_000, 30_000)]
)
def test_the_lesser_limit_holds(vehicle_m: int | None, shift_m: int | None, longest_m: int | None) -> None:
    assert longest_run_m(Courier(range_m=vehicle_m), Shift(longest_m=shift_m)) == longest_m
