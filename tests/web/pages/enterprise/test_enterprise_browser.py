"""In a real browser: an enterprise signs in, files a case from the first page to the last, and rates it at the end."""

from collections.abc import Iterator
from datetime import date, time
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.assignment import staffing
from dispatch.cases import lookups
from dispatch.cases.case import Case
from dispatch.cases.evaluation import Evaluation, Grade
from dispatch.cases.project import Enterprise
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.core.actor import SYSTEM, Role
from dispatch.core.shanghai_time import utc
from tests.dispatch import steps
from tests.dispatch.builders import TEN, make_county, the_county
from tests.fixtures.papers import a_pdf
from tests.web.conftest import PASSWORD, PASSWORD_HASH
from tests.web.live_server import served
from web.wiring.accounts import Account

PDF = a_pdf()
DECIDED = utc(date(2026, 11, 25), time(15))


@pytest.fixture
def address(app: Flask, sessions: sessionmaker[Session], tmp_path: Path) -> Iterator[str]:
    """A running server over 武进区, forms protected as in production, and an enterprise that may sign in."""
    app.config["WTF_CSRF_ENABLED"] = True
    with sessions.begin() as session:
        make_county(session, tmp_path)
        enterprise = Enterprise(name="常州精机有限公司", created_at=TEN)
        session.add(enterprise)
        session.flush()
        account = Account(
            role=Role.ENTERPRISE, name="王经理", login="jingji", password_hash=PASSWORD_HASH, confirmed_at=TEN
        )
        account.enterprise_id = enterprise.id
        account.set_phone("+8613812345678")
        session.add(account)
    with served(app) as address:
        yield address


def on(page: Page) -> None:
    """The one filled button of the page."""
    page.locator("main button.main").click()


def test_an_enterprise_files_a_case_and_rates_it_at_the_end(
    address: str, desk: BrowserContext, sessions: sessionmaker[Session]
) -> None:
    page = desk.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{address}/my")
    page.fill("#name", "jingji")
    page.fill("#password", PASSWORD)
    on(page)
    page.get_by_role("link", name="申请代办").last.click()
    on(page)
    page.get_by_label("工业建设项目施工许可").check()
    page.get_by_label("项目名称").fill("精密机床扩产项目")
    page.get_by_label("不涉及").check()
    on(page)
    page.wait_for_selector("#site-map[data-ready]")
    page.select_option("#county", "320412000000")
    page.wait_for_selector("#place option[value='320412100000']", state="attached")
    page.select_option("#place", "320412100000")
    for _ in range(60):  # while the map still flies to the town, it takes no pin
        page.locator("#site-map").click(position={"x": 200, "y": 200})
        if page.locator("#lat").input_value():
            break
        page.wait_for_timeout(500)
    expect(page.locator("#lat")).not_to_have_value("")
    page.get_by_label("详细地址").fill("人民东路1号")
    on(page)
    on(page)  # the usual facts
    page.wait_for_selector(".offers")
    for matter in page.locator(".offers input[name=matter]").all():
        matter.uncheck()
    page.locator("input[name=matter][value='IND-101']").check()
    on(page)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "备案信息表.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    on(page)
    expect(page.get_by_text("这些事项不收原件")).to_be_visible()
    on(page)
    page.get_by_label("法定代表人").fill("张法人")
    page.get_by_label("我已阅读委托书").check()
    on(page)
    expect(page.get_by_text("已上传 1 份")).to_be_visible()
    on(page)
    expect(page.get_by_role("heading", name="到哪一步了")).to_be_visible()
    expect(page.get_by_text("目前还没有预计日期")).to_be_visible()
    case_no = page.url.rsplit("/", 1)[1]

    everybody_else_does_their_part(sessions, case_no)
    page.reload()
    page.get_by_role("link", name="去评价").click()
    page.get_by_label("非常满意").first.check()
    on(page)
    expect(page.get_by_text("谢谢您的评价", exact=True)).to_be_visible()
    with sessions() as session:
        assert session.scalars(select(Evaluation)).one().grade is Grade.VERY_SATISFIED
        assert session.scalars(select(Case)).one().stage is Stage.EVALUATED
    assert faults == []


def everybody_else_does_their_part(sessions: sessionmaker[Session], case_no: str) -> None:
    """From the assignment to the delivery of an electronic result."""
    with sessions.begin() as session:
        county = the_county(session)
        case, agent = session.scalars(select(Case).where(Case.case_no == case_no)).one(), county.agent_viewer()
        given = db.now(session)  # the papers came by the page, a moment ago
        staffing.assign(session, case.project, agent_id=county.agents[0].id, by=SYSTEM, at=given)
        steps.prescreen(session, case, by=agent, at=given)
        steps.submit(session, case, receipts={}, by=agent, at=given)
        review = lookups.reviews_of(session, case)[0]
        steps.accept(session, review, notice_no="受1", by=agent, at=given)
        steps.decide(session, review, outcome=ReviewState.GRANTED, decision_no="备1", by=agent, at=DECIDED)
        steps.deliver(session, case, by=agent, at=DECIDED)
