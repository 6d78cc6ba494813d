"""A courier day on real rows: queued, planned, previewed, committed, planned anew; nobody's work is done twice."""

import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from agents.network import Division, Level, Precision, ServiceCentre
from routing.day import plan_commit, plan_jobs, planning, what_if, what_if_jobs
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, FailReason, StopAct, StopKind, StopState
from routing.day.couriers import Courier, Shift, VehicleKind
from routing.day.day_plan import DayPlan, PlanConflict, PlanState
from routing.day.hours import Cutoff, seconds_of_day
from routing.day.stop_events import ReportedEvent, record
from routing.day.stops import Address, StopNeeds, request_stop
from routing.model.check import violations
from routing.search.child import OrToolsUnavailable, ortools_objections
from routing.travel.geodesic import Geodesic

MONDAY = date(2026, 11, 23)
EARLY = datetime(2026, 11, 23, 7, 30, tzinfo=db.SHANGHAI)
HALF_PAST_NINE = datetime(2026, 11, 23, 9, 30, tzinfo=db.SHANGHAI)
TRAVEL = Geodesic()
FEW = 300  # iterations: a plan is found, whatever the machine's speed


@pytest.fixture
def area(sessions: sessionmaker[Session]) -> int:
    """A county with a depot, two couriers on shift and eight stops of the morning, at half past seven."""
    with sessions.begin() as session:
        db.set_clock(session, EARLY)
        division = Division(
            code="320412000000", name="武进区", pinyin="wujinqu", level=Level.COUNTY, kind="county", parent_code=None,
            path="320412000000", lon=119.94, lat=31.70, precision=Precision.CENTROID,
        )  # fmt: skip
        session.add(division)
        session.flush()
        centre = ServiceCentre(
            centre_no="SC040", division_id=division.id, name="武进区政务服务中心", pinyin="", level="county",
            lon=119.94, lat=31.70, precision=Precision.EXACT,
        )  # fmt: skip
        session.add(centre)
        session.flush()
        for n in range(2):
            courier = Courier(
                courier_no=f"EMS{n}", name=f"揽投员{n}", phone=f"+861390000000{n}", phone_hash=bytes([n]),
                division_id=division.id, centre_id=centre.id, vehicle=VehicleKind.EBIKE,
            )  # fmt: skip
            session.add(courier)
            session.flush()
            session.add(Shift(courier_id=courier.id, on=MONDAY, starts_s=8 * 3600, ends_s=18 * 3600))
        for n in range(8):
            a_stop(session, division.id, n)
        return division.id


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


def test_a_day_is_queued_planned_committed_and_told(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = planned(sessions, area)
    with sessions() as session:
        plan = session.get_one(DayPlan, plan_id)
        assert plan.progress == 1.0
        assert plan.fingerprint
        assert len(plan.stop_versions) == 8
        assert {stop.state for stop in session.scalars(select(CourierStop))} == {StopState.OPEN}, (
            "a preview changes nothing"
        )
    told = commit(sessions, plan_id)
    assert len(told) == 8
    with sessions() as session:
        stops = list(session.scalars(select(CourierStop)))
        assert {stop.state for stop in stops} == {StopState.PLANNED}
        for stop in stops:
            assert stop.announced_opens_s <= stop.eta_s <= stop.announced_closes_s  # type: ignore[operator]
        for run in session.scalars(select(CourierRun)):
            assert [stop.position for stop in run.stops] == list(range(1, len(run.stops) + 1))


def test_a_job_is_worked_on_once(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = planned(sessions, area)
    assert planning.work_on(sessions, plan_id, travel=TRAVEL, max_iterations=FEW) is None
    assert planning.work_on(sessions, plan_id + 1, travel=TRAVEL) is None, "nor is one that is not there"


def test_a_cancelled_job_stays_cancelled(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = queued(sessions, area)
    with sessions.begin() as session:
        plan_jobs.cancel(session, session.get_one(DayPlan, plan_id))
    assert planning.work_on(sessions, plan_id, travel=TRAVEL, max_iterations=FEW) is None
    with sessions() as session:
        assert session.get_one(DayPlan, plan_id).state is PlanState.CANCELLED


class CancelsOnTheWay(Geodesic):
    """Travel times during whose reading something else happens to the plan."""

    def __init__(self, happens) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.happens = happens

    def matrix(self, places, *, hour):  # type: ignore[no-untyped-def]
        self.happens()
        return super().matrix(places, hour=hour)


def test_a_job_that_fails_for_any_reason_says_so_and_is_not_tried_for_ever(
    sessions: sessionmaker[Session], area: int
) -> None:
    faulty = CancelsOnTheWay({}.__getitem__)  # a fault of its own: TypeError
    plan_id = queued(sessions, area)
    assert planning.work_on(sessions, plan_id, travel=faulty) is PlanState.FAILED
    with sessions() as session:
        assert "TypeError" in (session.get_one(DayPlan, plan_id).why_failed or "")
        assert plan_jobs.silent_plans(session) == []
    good = planned(sessions, area)
    with sessions.begin() as session:
        what_if_jobs.ask_what_if(session, session.get_one(DayPlan, good), vehicle=VehicleKind.EBIKE)
    assert what_if.answer_what_if(sessions, good, travel=faulty, max_iterations=1) == "failed"
    with sessions() as session:
        assert session.get_one(DayPlan, good).state is PlanState.PREVIEW


def test_a_job_cancelled_under_way_leaves_no_preview(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = queued(sessions, area)

    def cancel() -> None:
        with sessions.begin() as session:
            plan_jobs.cancel(session, session.get_one(DayPlan, plan_id))

    state = planning.work_on(sessions, plan_id, travel=CancelsOnTheWay(cancel), max_iterations=FEW)
    assert state is PlanState.CANCELLED
    with sessions() as session:
        assert session.get_one(DayPlan, plan_id).result is None


def test_a_dead_workers_plan_is_taken_over_after_a_minute(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = queued(sessions, area)
    with sessions.begin() as session:
        assert plan_jobs.claim_plan(session, plan_id) is not None  # its worker dies here
    with sessions.begin() as session:
        assert plan_jobs.claim_plan(session, plan_id) is None, "its heartbeat is fresh"
        assert plan_id not in plan_jobs.silent_plans(session)
    with sessions.begin() as session:
        session.get_one(DayPlan, plan_id).heartbeat_at = db.real_now(session) - timedelta(
            seconds=plan_jobs.SILENT_S + 1
        )
    with sessions() as session:
        assert plan_id in plan_jobs.silent_plans(session)
    assert planning.work_on(sessions, plan_id, travel=TRAVEL, max_iterations=FEW) is PlanState.PREVIEW


def test_a_worker_that_comes_back_from_the_dead_leaves_nothing(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = queued(sessions, area)

    def sleeps_and_is_replaced() -> None:
        with sessions.begin() as session:
            session.get_one(DayPlan, plan_id).heartbeat_at = db.real_now(session) - timedelta(
                seconds=plan_jobs.SILENT_S + 1
            )
        with sessions.begin() as session:
            assert plan_jobs.claim_plan(session, plan_id) is not None

    state = planning.work_on(sessions, plan_id, travel=CancelsOnTheWay(sleeps_and_is_replaced), max_iterations=FEW)
    assert state is PlanState.RUNNING, "the job is the other worker's"
    with sessions() as session:
        assert session.get_one(DayPlan, plan_id).result is None


def test_a_preview_whose_stops_changed_answers_with_the_difference(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = planned(sessions, area)
    with sessions.begin() as session:
        gone = session.scalars(select(CourierStop).order_by(CourierStop.id)).first()
        assert gone is not None
        gone.move_to(StopState.RELEASED)
        fresh = a_stop(session, area, 9)
        expected = {"changed": [gone.id], "new": [fresh.id]}
    with pytest.raises(PlanConflict) as conflict:
        commit(sessions, plan_id)
    assert conflict.value.difference == expected
    with sessions() as session:
        assert session.get_one(DayPlan, plan_id).state is PlanState.PREVIEW, "nothing was changed"
        assert session.scalars(select(CourierRun)).all() == []


def test_two_plans_of_one_area_cannot_be_committed_over_each_other(sessions: sessionmaker[Session], area: int) -> None:
    first, second = planned(sessions, area), planned(sessions, area)
    commit(sessions, first)
    with pytest.raises(PlanConflict):
        commit(sessions, second)
    with pytest.raises(PlanConflict):
        commit(sessions, first)
    with sessions() as session:
        assert [p.id for p in session.scalars(select(DayPlan).where(DayPlan.state == PlanState.COMMITTED))] == [first]


def recorded(sessions: sessionmaker[Session], area: int, record: Callable[..., list[str]]) -> int:
    plan_id = queued(sessions, area)
    state = planning.work_on(sessions, plan_id, travel=TRAVEL, record=record, max_iterations=FEW)
    assert state is PlanState.PREVIEW
    return plan_id


def test_what_the_model_of_record_disagrees_with_cannot_be_committed(
    sessions: sessionmaker[Session], area: int, caplog: pytest.LogCaptureFixture
) -> None:
    plan_id = recorded(sessions, area, lambda problem, plan, *, over: [f"{plan.vehicles} routes cost more"])
    with pytest.raises(PlanConflict, match="the model of record disagrees") as conflict:
        commit(sessions, plan_id)
    assert "OR-Tools" in conflict.value.user_message and conflict.value.difference["objections"]
    assert "the model of record disagrees" in caplog.text
    with sessions() as session:
        assert session.get_one(DayPlan, plan_id).state is PlanState.PREVIEW
        assert session.scalars(select(CourierRun)).all() == []


def test_a_model_of_record_that_does_not_answer_does_not_stop_the_day(
    sessions: sessionmaker[Session], area: int, caplog: pytest.LogCaptureFixture
) -> None:
    def dies(problem: object, plan: object, *, over: object) -> list[str]:
        raise OrToolsUnavailable("it died")

    plan_id = recorded(sessions, area, dies)
    assert commit(sessions, plan_id)
    assert "gave no answer: it died" in caplog.text


def test_the_model_of_record_agrees_with_a_day_on_real_rows(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = recorded(sessions, area, ortools_objections)
    with sessions() as session:
        result = session.get_one(DayPlan, plan_id).result
        assert result is not None and result["objections"] == []
    assert commit(sessions, plan_id)


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
