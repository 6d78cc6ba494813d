"""A plan on real rows: queued, planned, previewed, committed; nobody's work is done twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from routing.day import plan_jobs, planning, what_if, what_if_jobs
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.couriers import VehicleKind
from routing.day.day_plan import DayPlan, PlanConflict, PlanState
from routing.model.plan import Plan
from routing.model.problem import Problem
from routing.search.child import OrToolsUnavailable, ortools_objections
from routing.travel.geodesic import Geodesic
from tests.routing.day.monday import FEW, TRAVEL, a_stop, commit, planned, queued


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
        assert "TypeError" in (session.get_one(DayPlan, plan_id).failure or "")
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


def test_a_model_of_record_that_was_not_heard_has_not_agreed(
    sessions: sessionmaker[Session], area: int, caplog: pytest.LogCaptureFixture
) -> None:
    def dies(problem: object, plan: object, *, over: object) -> list[str]:
        raise OrToolsUnavailable("it died")

    plan_id = recorded(sessions, area, dies)
    with pytest.raises(PlanConflict, match="was not heard") as conflict:
        commit(sessions, plan_id)
    assert "没有应答" in conflict.value.user_message
    assert "gave no answer: it died" in caplog.text


def test_the_rest_of_a_day_is_compared_with_the_model_of_record_too(sessions: sessionmaker[Session], area: int) -> None:
    heard: list[int] = []

    def agrees(problem: Problem, plan: Plan, *, over: object) -> list[str]:
        heard.append(plan.vehicles)
        return []

    first = recorded(sessions, area, agrees)
    commit(sessions, first)
    with sessions.begin() as session:
        standing = session.get_one(DayPlan, first)
        again = plan_jobs.queue_plan(
            session, division_id=area, on=standing.on, cutoff=standing.cutoff, limit_s=1, by="", at=db.now(session),
            replaces=standing,
        ).id  # fmt: skip
    assert planning.work_on(sessions, again, travel=TRAVEL, record=agrees, max_iterations=FEW) is PlanState.PREVIEW
    assert len(heard) == 2


def test_the_model_of_record_agrees_with_a_day_on_real_rows(sessions: sessionmaker[Session], area: int) -> None:
    plan_id = recorded(sessions, area, ortools_objections)
    with sessions() as session:
        result = session.get_one(DayPlan, plan_id).result
        assert result is not None and result["objections"] == []
    assert commit(sessions, plan_id)
