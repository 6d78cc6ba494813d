"""Awaited papers: no run leaves before what it brings is at the centre; what is on the road waits for nothing."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopKind, StopState, WrongStop
from routing.day.day_plan import DayPlan
from routing.day.day_rows import open_stops
from routing.day.hours import Cutoff
from routing.day.stops import expect_papers, reschedule
from tests.routing.day.monday import EARLY, MONDAY, a_stop, committed, drive, planned

HOUR = 3600
AT_TEN = EARLY.replace(hour=10, minute=0)


def wait_for(sessions: sessionmaker[Session], papers_at: datetime | None, *stop_ids: int) -> None:
    with sessions.begin() as session:
        for stop_id in stop_ids:
            expect_papers(session.get_one(CourierStop, stop_id), papers_at)


def deliveries(sessions: sessionmaker[Session]) -> list[int]:
    with sessions() as session:
        query = select(CourierStop.id).where(CourierStop.kind == StopKind.DELIVERY).order_by(CourierStop.id)
        return list(session.scalars(query))


def test_a_run_leaves_when_its_papers_are_there(sessions: sessionmaker[Session], area: int) -> None:
    awaited, *_ = deliveries(sessions)
    wait_for(sessions, AT_TEN, awaited)
    committed(sessions, area)
    with sessions() as session:
        stop = session.get_one(CourierStop, awaited)
        assert stop.state is StopState.PLANNED and (stop.eta_s or 0) > 10 * HOUR
        assert session.get_one(CourierRun, stop.run_id).starts_s >= 10 * HOUR


@pytest.mark.parametrize(("later", "cutoff"), [(timedelta(hours=3), Cutoff.AM), (timedelta(days=1), Cutoff.AM)])
def test_papers_that_come_too_late_keep_the_stop_out_by_name(
    sessions: sessionmaker[Session], area: int, later: timedelta, cutoff: Cutoff
) -> None:
    """A window until noon, and papers at one in the afternoon, or tomorrow."""
    awaited, *_ = deliveries(sessions)
    wait_for(sessions, AT_TEN + later, awaited)
    plan_id = planned(sessions, area)
    with sessions() as session:
        result = session.get_one(DayPlan, plan_id).result
        assert result is not None
        assert {left["stop_id"]: left["reason"] for left in result["unserved"]}[awaited] == "release"


def test_the_afternoon_brings_what_came_over_noon(sessions: sessionmaker[Session], area: int) -> None:
    with sessions.begin() as session:
        all_day = a_stop(session, area, 9, opens=9, closes=17).id
    wait_for(sessions, AT_TEN + timedelta(hours=3), all_day)
    committed(sessions, area)
    with sessions() as session:
        assert session.get_one(CourierStop, all_day).state is StopState.OPEN
        assert all_day in {stop.id for stop in open_stops(session, area, MONDAY, Cutoff.PM)}


def test_what_a_courier_has_on_board_waits_for_nothing(sessions: sessionmaker[Session], area: int) -> None:
    first = committed(sessions, area)
    drive(sessions, first, until=EARLY.replace(hour=8, minute=25))
    with sessions.begin() as session:
        held = session.scalars(
            select(CourierStop).where(CourierStop.state == StopState.PLANNED, CourierStop.kind == StopKind.DELIVERY)
        ).all()
        assert held
        for stop in held:
            stop.papers_at = AT_TEN + timedelta(hours=3)  # said of a row before it was loaded
    second = planned(sessions, area, replaces=first)
    with sessions() as session:
        result = session.get_one(DayPlan, second).result
        assert result is not None and "release" not in {left["reason"] for left in result["unserved"]}


def test_a_window_before_the_papers_is_refused_and_pickups_wait_for_none(
    sessions: sessionmaker[Session], area: int
) -> None:
    with sessions.begin() as session:
        db.set_clock(session, EARLY)
        brings, fetches = a_stop(session, area, 9), a_stop(session, area, 8)
        before = brings.version
        expect_papers(brings, AT_TEN)
        assert brings.version == before + 1, "a preview that did not know it is out of date"
        with pytest.raises(WrongStop):
            reschedule(brings, on=MONDAY, windows=[(8 * HOUR, 10 * HOUR)])
        reschedule(brings, on=MONDAY, windows=[(10 * HOUR, 12 * HOUR)])
        reschedule(brings, on=MONDAY + timedelta(days=1), windows=[(8 * HOUR, 10 * HOUR)])
        assert brings.release_s == 0, "the next day has them from the morning"
        with pytest.raises(WrongStop):
            expect_papers(fetches, AT_TEN)
