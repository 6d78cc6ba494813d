"""The demo county at ten on its Tuesday: every project where its plan says, and a morning that couriers drove."""

from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.cases.case import Case, Material, MaterialState
from dispatch.cases.courier_report import CourierReport
from dispatch.cases.derived import differences
from dispatch.cases.evaluation import Evaluation, Grade, Ticket
from dispatch.cases.project import Project, ProjectState
from dispatch.cases.review import Review
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.custody.transparency_log import verify_log
from dispatch.custody.verification import verify
from notifications.message import Message
from notifications.message import State as MessageState
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopState
from routing.day.day_plan import DayPlan, PlanState
from web.demo import county, courier_day
from web.demo.case_plans import CASE_PLANS, Goal, Variation
from web.demo.context import NOW, TODAY
from web.demo.logins import LOGINS, PASSWORD
from web.wiring.accounts import HASHER, Account

OF_EACH_KIND = tuple({(plan.goal, plan.variation): plan for plan in CASE_PLANS}.values())
REACHED = {
    Goal.REQUESTED: {Stage.REQUESTED},
    Goal.NOBODY_FITS: {Stage.REQUESTED},
    Goal.ASSIGNED: {Stage.ASSIGNED},
    Goal.REFUSED: {Stage.REFUSED},
    Goal.CORRECTION: {Stage.CORRECTION},
    Goal.PRESCREENED: {Stage.PRESCREENED},
    Goal.BOOKED_TODAY: {Stage.PICKUP_PLANNED, Stage.COLLECTED, Stage.PRESCREENED},
    Goal.COLLECTED: {Stage.COLLECTED, Stage.PRESCREENED},
    Goal.WITHDRAWN: {Stage.WITHDRAWN},
    Goal.SUBMITTED: {Stage.SUBMITTED},
    Goal.ACCEPTED: {Stage.UNDER_REVIEW},
    Goal.DECIDED: {Stage.DECIDED},
    Goal.DELIVERY_TODAY: {Stage.DELIVERY_PLANNED, Stage.DELIVERED},
    Goal.DELIVERED: {Stage.DELIVERED},
    Goal.EVALUATED: {Stage.EVALUATED},
}
"""Stages in which a project of each goal may stand at ten: papers without originals are never collected."""


@pytest.mark.timeout(600)
def test_a_county_is_made_by_acts_and_its_morning_is_driven(
    app: Flask, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(county, "CASE_PLANS", OF_EACH_KIND)
    monkeypatch.setattr(courier_day, "STOPS", 60)
    monkeypatch.setattr(courier_day, "PLAN_ITERATIONS", 2_000)
    done = app.test_cli_runner().invoke(args=["demo", "load"])
    assert done.exit_code == 0, done.output
    assert f"demo accounts, all with the password {PASSWORD}:" in done.output
    with sessions() as session:
        cases = list(session.scalars(select(Case).order_by(Case.id)))
        every_project_came_as_far_as_its_plan_says(session, cases)
        every_variation_left_its_trace(session)
        the_morning_was_planned_and_driven(session)
        everybody_of_the_list_signs_in(session)
        assert [str(each) for each in differences(session, at=NOW + timedelta(minutes=1))] == []
        assert [*verify(session), *verify_log(session)] == []
        assert db.now(session) - NOW < timedelta(minutes=10)
    again = app.test_cli_runner().invoke(args=["demo", "load"])
    assert again.output == "this database is in use: no demo was loaded\n"


def every_project_came_as_far_as_its_plan_says(session: Session, cases: list[Case]) -> None:
    assert len(cases) == len(OF_EACH_KIND)
    reached = zip(OF_EACH_KIND, cases, strict=True)
    strays = [(plan, case.stage) for plan, case in reached if case.stage not in REACHED[plan.goal]]
    assert strays == []
    waiting = session.scalars(select(Project).where(Project.state == ProjectState.WAITING)).all()
    assert len(waiting) == sum(plan.goal in {Goal.REQUESTED, Goal.NOBODY_FITS} for plan in OF_EACH_KIND)
    late = session.scalars(
        select(Message).where(Message.state == MessageState.QUEUED, Message.created_at < NOW - timedelta(minutes=20))
    ).all()
    assert late == [], "what was due before ten went out at its time"
    assert len(session.scalars(select(Ticket)).all()) == 2


def every_variation_left_its_trace(session: Session) -> None:
    states = Counter(review.state for review in session.scalars(select(Review)))
    for variation, state in (
        (Variation.PAUSE, ReviewState.PAUSED),
        (Variation.EXTENDED, ReviewState.EXTENDED),
        (Variation.SUPPLEMENT, ReviewState.SUPPLEMENT),
        (Variation.DENIED, ReviewState.DENIED),
    ):
        assert states[state] == sum(plan.variation is variation for plan in OF_EACH_KIND), variation
    late = [one for one in session.scalars(select(Material)) if one.state is MaterialState.DEFERRED]
    assert [one.owed_by for one in late] == [TODAY + timedelta(days=1)]
    bad = [one for one in session.scalars(select(Evaluation)) if one.grade is Grade.DISSATISFIED]
    assert len(bad) == 1


def the_morning_was_planned_and_driven(session: Session) -> None:
    plan = session.scalars(select(DayPlan).where(DayPlan.on == TODAY)).one()
    assert plan.state is PlanState.COMMITTED
    stops = session.scalars(
        select(CourierStop).join(CourierRun, CourierRun.id == CourierStop.run_id).where(CourierRun.on == TODAY)
    ).all()
    states = Counter(stop.state for stop in stops)
    assert states[StopState.DONE] and states[StopState.PLANNED], states
    assert session.scalars(select(CourierReport)).all() == [], "nothing that a courier said was held"


def everybody_of_the_list_signs_in(session: Session) -> None:
    accounts = {account.login: account for account in session.scalars(select(Account))}
    for login in LOGINS:
        assert accounts[login.login].role is login.role
    assert HASHER.verify(accounts["qiye"].password_hash or "", PASSWORD)
