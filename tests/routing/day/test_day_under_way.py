"""A day under way on real rows: planned anew around what couriers did, and tried with one courier more."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from routing.day import plan_jobs, what_if, what_if_jobs
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopKind, StopState
from routing.day.couriers import Shift, VehicleKind
from routing.day.day_plan import DayPlan, PlanConflict, PlanState
from routing.day.hours import seconds_of_day
from routing.day.stop_events import ReportedEvent, record
from tests.routing.day.monday import (
    EARLY,
    FEW,
    HALF_PAST_NINE,
    TRAVEL,
    a_stop,
    commit,
    committed,
    drive,
    holders,
    planned,
)


def test_the_rest_of_a_day_is_planned_anew_and_the_driven_part_stays(
    sessions: sessionmaker[Session], area: int
) -> None:
    first = committed(sessions, area)
    before = holders(sessions)
    done = drive(sessions, first, until=HALF_PAST_NINE)
    assert done
    with sessions.begin() as session:
        fresh = a_stop(session, area, 10).id
    second = planned(sessions, area, replaces=first)
    told = commit(sessions, second)
    after = holders(sessions)
    assert {n: after[n] for n in done} == {n: before[n] for n in done}
    assert fresh in after
    assert fresh in {word.stop_id for word in told}
    with sessions() as session:
        assert session.get_one(DayPlan, first).state is PlanState.SUPERSEDED
        now_s = seconds_of_day(HALF_PAST_NINE)
        for stop in session.scalars(select(CourierStop).where(CourierStop.state == StopState.PLANNED)):
            assert stop.eta_s is not None
            assert stop.eta_s >= now_s, "nobody is sent back in time"


def test_a_day_that_has_not_begun_is_planned_anew_from_its_beginning(
    sessions: sessionmaker[Session], area: int
) -> None:
    with sessions.begin() as session:
        db.set_clock(session, HALF_PAST_NINE.replace(hour=19) - timedelta(days=1))
    first = committed(sessions, area)
    second = planned(sessions, area, replaces=first)
    with sessions() as session:
        result = session.get_one(DayPlan, second).result
        assert result is not None and result["unserved"] == [], "the evening before is no late morning"


def test_one_courier_more_is_tried_on_the_rest_of_a_day_under_way(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = committed(sessions, area)
    done = drive(sessions, plan_id, until=HALF_PAST_NINE)
    with sessions.begin() as session:
        a_stop(session, area, 3, van=True)
        what_if_jobs.ask_what_if(session, session.get_one(DayPlan, plan_id), vehicle=VehicleKind.VAN)
    assert what_if.answer_what_if(sessions, plan_id, travel=TRAVEL, max_iterations=FEW) == "answered"
    with sessions() as session:
        plan = session.get_one(DayPlan, plan_id)
        assert plan.result is not None
        told = plan.result["what_if"]
        assert (told["served"], told["left"]) == (1, 0), "a van comes from now on, for what only a van can take"
        assert 1 <= told["stops"] <= told["of"] - len(done)
        assert plan.state is PlanState.COMMITTED


def test_a_question_that_nobody_answers_is_taken_over_after_a_minute(
    sessions: sessionmaker[Session], area: int
) -> None:
    plan_id = planned(sessions, area)
    with sessions.begin() as session:
        what_if_jobs.ask_what_if(session, session.get_one(DayPlan, plan_id), vehicle=VehicleKind.EBIKE)
    with sessions.begin() as session:
        assert what_if_jobs.claim_what_if(session, plan_id) is not None  # its worker dies here
    with sessions.begin() as session:
        assert what_if_jobs.claim_what_if(session, plan_id) is None and what_if_jobs.silent_what_ifs(session) == []
        plan = session.get_one(DayPlan, plan_id)
        assert plan.result is not None
        old = (db.real_now(session) - timedelta(seconds=plan_jobs.SILENT_S + 1)).isoformat()
        plan.result = {**plan.result, "what_if": {**plan.result["what_if"], "since": old}}
    with sessions.begin() as session:
        assert what_if_jobs.silent_what_ifs(session) == [plan_id]
        assert what_if_jobs.claim_what_if(session, plan_id) is not None
        plan_jobs.cancel(session, session.get_one(DayPlan, plan_id))
    with sessions.begin() as session:
        assert what_if_jobs.silent_what_ifs(session) == []
        with pytest.raises(PlanConflict):
            what_if_jobs.ask_what_if(session, session.get_one(DayPlan, plan_id), vehicle=VehicleKind.EBIKE)


def test_what_couriers_do_as_planned_does_not_spoil_a_preview(sessions: sessionmaker[Session], area: int) -> None:
    first = committed(sessions, area)
    drive(sessions, first, until=HALF_PAST_NINE.replace(hour=8, minute=30))
    with sessions.begin() as session:
        a_stop(session, area, 11)
    second = planned(sessions, area, replaces=first)
    with sessions.begin() as session:
        plan = session.get_one(DayPlan, second)
        assert plan.result is not None
        route = next(r for r in plan.result["routes"] if any(not v["frozen"] for v in r["visits"]))
        kept = next(
            stop
            for v in route["visits"]
            if (stop := session.get_one(CourierStop, v["stop_id"])).state is StopState.PLANNED
            and stop.run_id is not None
            and session.get_one(CourierRun, stop.run_id).courier_id == route["courier_id"]
        )
        act = StopAct.COLLECTED if kept.kind is StopKind.PICKUP else StopAct.DELIVERED
        record(session, kept, ReportedEvent(uuid.uuid4(), act), courier_id=route["courier_id"], at=db.now(session))
        ticked = kept.id
    commit(sessions, second)
    with sessions() as session:
        assert session.get_one(CourierStop, ticked).state is StopState.DONE


def test_a_courier_who_drops_out_gets_nothing_more(sessions: sessionmaker[Session], area: int) -> None:
    first = committed(sessions, area)
    drive(sessions, first, until=HALF_PAST_NINE.replace(hour=8, minute=45))
    with sessions.begin() as session:
        out = session.scalars(select(CourierRun).where(CourierRun.plan_id == first).order_by(CourierRun.id)).first()
        assert out is not None
        courier_id = out.courier_id
        shift = session.scalars(select(Shift).where(Shift.courier_id == courier_id)).one()
        shift.out_from_s = seconds_of_day(db.now(session))
    second = planned(sessions, area, replaces=first)
    with sessions() as session:
        plan = session.get_one(DayPlan, second)
        assert plan.result is not None
        mine = [v for r in plan.result["routes"] if r["courier_id"] == courier_id for v in r["visits"]]
        assert all(v["frozen"] for v in mine)
        for left in plan.result["unserved"]:
            stop = session.get_one(CourierStop, left["stop_id"])
            assert stop.kind is StopKind.DELIVERY, "only what lies on his bike has to be fetched from him"
            assert left["candidates"] in ([], [f"courier:{courier_id}"])


def test_what_a_missing_courier_has_on_board_is_taken_over_by_another(
    sessions: sessionmaker[Session], area: int
) -> None:
    first = committed(sessions, area)
    drive(sessions, first, until=HALF_PAST_NINE.replace(hour=8, minute=20))
    with sessions.begin() as session:
        runs = session.scalars(select(CourierRun).where(CourierRun.plan_id == first).order_by(CourierRun.id)).all()
        aboard = {
            run: [s for s in run.stops if s.state is StopState.PLANNED and s.kind is StopKind.DELIVERY] for run in runs
        }
        out = max(runs, key=lambda run: len(aboard[run]))
        carried, courier_id, name = [stop.id for stop in aboard[out]], out.courier_id, out.courier.name
        assert carried
        shift = session.scalars(select(Shift).where(Shift.courier_id == courier_id)).one()
        shift.out_from_s = seconds_of_day(db.now(session))
    second = planned(sessions, area, replaces=first)
    commit(sessions, second)
    with sessions() as session:
        plan = session.get_one(DayPlan, second)
        assert plan.result is not None
        assert plan.result["unserved"] == []
        taker = next(r for r in plan.result["routes"] if r["courier_id"] != courier_id)
        assert sorted(h["stop_id"] for h in taker["handovers"]) == sorted(carried)
        assert {h["from_courier"] for h in taker["handovers"]} == {name}
        visited = [v["stop_id"] for r in plan.result["routes"] for v in r["visits"]]
        assert len(visited) == len(set(visited)), "a stop stands once in a plan, its handover beside it"
        handed_s = {h["stop_id"]: h["departure_s"] for h in taker["handovers"]}
        for stop in session.scalars(select(CourierStop).where(CourierStop.id.in_(carried))):
            assert stop.state is StopState.PLANNED and stop.run_id is not None
            assert session.get_one(CourierRun, stop.run_id).courier_id == taker["courier_id"]
            assert stop.eta_s is not None and stop.eta_s >= handed_s[stop.id]
            assert stop.position is not None
        run = session.scalars(
            select(CourierRun).where(CourierRun.plan_id == second, CourierRun.courier_id == taker["courier_id"])
        ).one()
        assert f"先向{name}当面交接 {len(carried)} 件" in (run.changed_words or "")
        positions = [stop.position for stop in run.stops]
        assert len(positions) == len(set(positions))
    third = planned(sessions, area, replaces=second)  # before the two have met
    with sessions() as session:
        plan = session.get_one(DayPlan, third)
        assert plan.result is not None and plan.result["unserved"] == []
        again = [h for r in plan.result["routes"] for h in r["handovers"]]
        assert sorted(h["stop_id"] for h in again) == sorted(carried)


def test_a_courier_who_is_late_before_the_start_leaves_late(sessions: sessionmaker[Session], area: int) -> None:
    with sessions.begin() as session:
        for shift in session.scalars(select(Shift)):
            shift.late_s = 5400
    plan_id = planned(sessions, area)
    with sessions() as session:
        plan = session.get_one(DayPlan, plan_id)
        assert plan.result is not None
        starts = [r["start_s"] for r in plan.result["routes"] if r["visits"]]
    assert min(starts) >= 8 * 3600 + 5400


def test_what_cannot_be_served_waits_with_its_reason(sessions: sessionmaker[Session], area: int) -> None:
    with sessions.begin() as session:
        heavy = a_stop(session, area, 12, van=True).id
    committed(sessions, area)
    with sessions() as session:
        stop = session.get_one(CourierStop, heavy)
        assert stop.state is StopState.OPEN
        assert stop.unserved_reason == {"reason": "skill", "candidates": stop.unserved_reason["candidates"]}  # type: ignore[index]


def test_a_failed_attempt_is_behind_the_courier(sessions: sessionmaker[Session], area: int) -> None:
    first = committed(sessions, area)
    with sessions.begin() as session:
        run = session.scalars(select(CourierRun).where(CourierRun.plan_id == first).order_by(CourierRun.id)).first()
        assert run is not None
        stop = run.stops[0]
        at = EARLY.replace(hour=0, minute=0) + timedelta(seconds=(stop.eta_s or 0) + 60)
        report = ReportedEvent(uuid.uuid4(), StopAct.FAILED, reason=FailReason.NOBODY_IN)
        record(session, stop, report, courier_id=run.courier_id, at=at)
        db.set_clock(session, at + timedelta(minutes=5))
        failed, courier_id = stop.id, run.courier_id
    second = planned(sessions, area, replaces=first)
    with sessions() as session:
        plan = session.get_one(DayPlan, second)
        assert plan.result is not None
        route = next(r for r in plan.result["routes"] if r["courier_id"] == courier_id)
        assert route["visits"][0]["stop_id"] == failed
        assert route["visits"][0]["frozen"]


def test_an_area_without_couriers_has_a_plan_that_says_so(sessions: sessionmaker[Session], area: int) -> None:
    with sessions.begin() as session:
        for shift in session.scalars(select(Shift)):
            session.delete(shift)
    plan_id = planned(sessions, area)
    with sessions() as session:
        plan = session.get_one(DayPlan, plan_id)
        assert plan.result is not None
        assert {left["reason"] for left in plan.result["unserved"]} == {"no vehicle"}
