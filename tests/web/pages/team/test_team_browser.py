"""In a real browser: a lead assigns a waiting project, plans the afternoon, looks at the preview and commits it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.cases.case import Case
from dispatch.cases.project import Project
from dispatch.cases.stages import Stage
from dispatch.core.actor import Role
from routing.day import planning
from routing.day.courier_stop import CourierStop, StopState
from routing.day.day_plan import DayPlan, PlanState
from routing.model.check import violations
from tests.dispatch import steps
from tests.dispatch.builders import MONDAY, a_prescreened_case, a_request, an_appointment, the_county
from tests.web.conftest import PASSWORD, PASSWORD_HASH
from tests.web.live_server import served
from web.wiring.accounts import Account


@dataclass
class Hall:
    """A running server over 武进区, and what its worker does."""

    url: str
    app: Flask
    sessions: sessionmaker[Session]

    def work(self) -> PlanState | None:
        with self.sessions() as session:
            plan_id = session.scalars(select(DayPlan.id).order_by(DayPlan.id.desc()).limit(1)).one()
        travel = self.app.extensions["daiban.travel"]
        return planning.work_on(self.sessions, plan_id, travel=travel, verify=violations, max_iterations=300)


@pytest.fixture
def hall(app: Flask, sessions: sessionmaker[Session]) -> Iterator[Hall]:
    """Forms protected as in production; one project that waits, one case with a pickup this afternoon."""
    app.config["WTF_CSRF_ENABLED"] = True
    with sessions.begin() as session:
        county = the_county(session)
        case, viewer = a_prescreened_case(county)
        steps.book_pickup(session, case, appointment=an_appointment(MONDAY, 14, 17), by=viewer, at=case.created_at)
        a_request(county, phone="+8613812345699", name="常州待派有限公司")
        account = Account(role=Role.LEAD, name="李组长", login="zuzhang", password_hash=PASSWORD_HASH)
        account.division_id = county.division.id
        account.set_phone("+8613812340000")
        session.add(account)
    with served(app) as address:
        yield Hall(address, app, sessions)


@pytest.fixture
def page(hall: Hall, desk: BrowserContext) -> Iterator[Page]:
    """The lead's page, on which no script breaks."""
    page = desk.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{hall.url}/team")
    page.fill("#name", "zuzhang")
    page.fill("#password", PASSWORD)
    page.locator("main button.main").click()
    expect(page.get_by_role("heading", name="两个工作日内到期")).to_be_visible()
    yield page
    assert faults == []


def test_what_was_typed_outlives_a_refusal_and_is_gone_once_it_was_taken(hall: Hall, page: Page) -> None:
    with hall.sessions() as session:
        case_no = session.scalars(select(Case.case_no).where(Case.stage == Stage.PRESCREENED)).one()
    page.goto(f"{hall.url}/team/cases/{case_no}")
    contacts = page.locator("#contacts")
    contacts.get_by_text("记一次联系").click()
    page.fill("#cn-words", "约周五补交平面图")
    page.select_option("#cn-way", "visit")
    contacts.get_by_label("没有联系上").check()
    contacts.get_by_text("不是刚才联系的").click()
    page.fill("#contacts input[name=on]", "2020-01-06")
    contacts.get_by_role("button", name="记下").click()
    expect(page.locator(".notice.bad")).to_be_visible()
    expect(page.locator("#cn-words")).to_be_visible()
    expect(page.locator("#cn-words")).to_have_value("约周五补交平面图")
    expect(page.locator("#cn-way")).to_have_value("visit")
    expect(contacts.get_by_label("没有联系上")).to_be_checked()
    expect(page.locator("#contacts input[name=on]")).to_be_visible()
    page.fill("#contacts input[name=on]", "")
    contacts.get_by_role("button", name="记下").click()
    expect(contacts.get_by_text("约周五补交平面图")).to_be_visible()
    expect(page.locator("#cn-words")).to_have_value("")


def test_a_lead_assigns_plans_and_commits(hall: Hall, page: Page) -> None:
    expect(page.get_by_text("常州待派有限公司")).to_be_visible()

    page.goto(f"{hall.url}/team/projects?state=waiting")
    page.locator("table.rows tbody a").first.click()
    page.get_by_role("button", name="自动派件").click()
    expect(page.get_by_text("已自动派件")).to_be_visible()
    expect(page.get_by_text("代价构成")).to_be_visible()

    page.goto(f"{hall.url}/team/runs")
    page.get_by_role("button", name="计算路线").click()
    page.wait_for_url("**/team/plans/*")
    assert hall.work() is PlanState.PREVIEW
    page.reload()
    page.get_by_role("button", name="确认下发").click()
    expect(page.get_by_text("路线已下发")).to_be_visible()

    with hall.sessions() as session:
        assert {project.state.value for project in session.scalars(select(Project))} == {"active"}
        assert session.scalars(select(CourierStop)).one().state is StopState.PLANNED
        assert Stage.PICKUP_PLANNED in {case.stage for case in session.scalars(select(Case))}
