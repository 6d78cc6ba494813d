"""Rules of a stop on its run: its order, its undoing, its states; and jobs whose answer cannot be used."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from routing.day import planning, what_if, what_if_jobs
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopAct, StopEvent, StopState, WrongStop
from routing.day.couriers import Shift, VehicleKind
from routing.day.day_plan import DayPlan, PlanState
from routing.day.order import reorder
from routing.day.stop_events import ReportedEvent, record
from routing.day.stops import release, reschedule
from tests.routing.day.monday import (
    EARLY,
    FEW,
    HALF_PAST_NINE,
    MONDAY,
    TRAVEL,
    committed,
    drive,
    holders,
    planned,
    queued,
)

NINE_S = 9 * 3600


def a_run(session: Session) -> CourierRun:
    """The run with most stops, which are at least two."""
    run = max(session.scalars(select(CourierRun)), key=lambda run: len(run.stops))
    assert len(run.stops) > 1
    return run


def said(session: Session, stop: CourierStop, act: StopAct, *, minutes: int = 0, note: str | None = None) -> StopEvent:
    at = HALF_PAST_NINE + timedelta(minutes=minutes)
    return record(session, stop, ReportedEvent(uuid.uuid4(), act, note=note), courier_id=None, at=at)


def test_a_stop_is_driven_to_first_only_while_it_is_to_do_and_a_window_that_breaks_is_told(
    sessions: sessionmaker[Session], area: int
) -> None:
    committed(sessions, area)
    with sessions.begin() as session:
        run = a_run(session)
        first, *_, last = sorted(run.stops, key=lambda stop: stop.position or 0)
        for stop in run.stops:
            stop.announced_opens_s = stop.announced_closes_s = None  # the whole morning suits
        session.flush()
        assert reorder(session, run, [last.id], at_s=NINE_S, travel=TRAVEL) == []
        assert (last.position or 0) < (first.position or 0)
        for twice in ([last.id, last.id], [last.id, 10**9]):
            with pytest.raises(WrongStop, match="not all still to do"):
                reorder(session, run, twice, at_s=NINE_S, travel=TRAVEL)
        last.announced_opens_s, last.announced_closes_s = NINE_S, last.eta_s
        session.flush()
        before = [(stop.id, stop.position) for stop in run.stops]
        broken = reorder(session, run, [first.id], at_s=NINE_S, travel=TRAVEL)
        assert [each.stop_id for each in broken] == [last.id]
        assert [(stop.id, stop.position) for stop in run.stops] == before
        assert reorder(session, run, [first.id], at_s=NINE_S, travel=TRAVEL, anyway=True) == broken
        assert (first.position or 0) < (last.position or 0)


def test_what_was_ticked_off_is_undone_the_same_day_and_later_only_with_a_reason(
    sessions: sessionmaker[Session], area: int
) -> None:
    committed(sessions, area)
    with sessions.begin() as session:
        stop = a_run(session).stops[0]
        with pytest.raises(WrongStop, match="nothing to undo"):
            said(session, stop, StopAct.UNDONE)
        assert said(session, stop, StopAct.ARRIVED).id != said(session, stop, StopAct.ARRIVED, minutes=1).id
        done = said(session, stop, StopAct.COLLECTED, minutes=2)
        with pytest.raises(WrongStop, match="may not follow"):
            said(session, stop, StopAct.ARRIVED, minutes=3)
        with pytest.raises(WrongStop, match="another day"):
            said(session, stop, StopAct.UNDONE, minutes=24 * 60, note="点错")
        with pytest.raises(WrongStop, match="needs its reason"):
            said(session, stop, StopAct.UNDONE, minutes=120, note=" ")
        undone = said(session, stop, StopAct.UNDONE, minutes=120, note="点错")
        assert (undone.undoes_id, stop.state, stop.done_at) == (done.id, StopState.PLANNED, None)


def test_a_stop_of_a_run_keeps_its_day_and_one_that_is_let_go_stays_so(
    sessions: sessionmaker[Session], area: int
) -> None:
    committed(sessions, area)
    with sessions.begin() as session:
        stop = a_run(session).stops[0]
        with pytest.raises(WrongStop, match="is planned"):
            reschedule(stop, on=MONDAY + timedelta(days=1), windows=[(NINE_S, NINE_S + 3600)])
        assert stop.on == MONDAY
        release(stop)
        version = stop.version
        release(stop)
        assert (stop.state, stop.version) == (StopState.RELEASED, version)


def test_where_a_courier_stands_at_the_door_no_other_is_sent(sessions: sessionmaker[Session], area: int) -> None:
    first = committed(sessions, area)
    drive(sessions, first, until=EARLY.replace(hour=8, minute=45))
    with sessions.begin() as session:
        here = next(stop for stop in a_run(session).stops if stop.state is StopState.PLANNED)
        record(session, here, ReportedEvent(uuid.uuid4(), StopAct.ARRIVED), courier_id=None, at=here.created_at)
        stop_id = here.id
    before = holders(sessions)[stop_id]
    committed(sessions, area, replaces=first)
    assert holders(sessions)[stop_id] == before


def test_an_answer_that_its_check_objects_to_is_no_plan(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = queued(sessions, area)
    state = planning.work_on(
        sessions, plan_id, travel=TRAVEL, verify=lambda *_: ["a stop is visited twice"], max_iterations=FEW
    )
    assert state is PlanState.FAILED
    with sessions() as session:
        assert "visited twice" in str(session.get_one(DayPlan, plan_id).failure)


def test_one_courier_more_is_answered_once_and_nobody_is_added_to_nobody(
    sessions: sessionmaker[Session], area: int
) -> None:
    def answer(plan_id: int) -> str | None:
        return what_if.answer_what_if(sessions, plan_id, travel=TRAVEL, max_iterations=FEW)

    plan_id = planned(sessions, area)
    assert (answer(10**9), answer(plan_id)) == (None, None), "nobody has asked"
    with sessions.begin() as session:
        what_if_jobs.ask_what_if(session, session.get_one(DayPlan, plan_id), vehicle=VehicleKind.EBIKE)
    assert (answer(plan_id), answer(plan_id)) == ("answered", None)
    with sessions.begin() as session:
        for shift in session.scalars(select(Shift)):
            session.delete(shift)
        what_if_jobs.ask_what_if(session, session.get_one(DayPlan, plan_id), vehicle=VehicleKind.EBIKE)
    assert answer(plan_id) == "failed"
