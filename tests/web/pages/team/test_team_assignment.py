"""A lead's pages of matching and of time: leave and who takes over, why this agent, the path, the calibration."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from agents.network import Division
from dispatch.cases import duration_training
from dispatch.cases.case import Case
from dispatch.cases.duration_training import FittedDurations
from dispatch.cases.project import Project
from dispatch.core.actor import Role
from tests.dispatch.builders import an_agent, an_assigned_case, the_county
from web.wiring import jobs


@dataclass
class Desk:
    """A lead's browser, the database, and one project with its agent."""

    lead: FlaskClient
    sessions: sessionmaker[Session]
    project_no: str
    agent_id: int
    agent: str


@pytest.fixture
def desk(sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> Desk:
    """武进区 at ten on a Monday."""
    with sessions.begin() as session:
        county = the_county(session)
        case, _ = an_assigned_case(county)
        first, area = county.agents[0], county.division.id
        known = (case.project.project_no, first.id, first.name)
    return Desk(sign_in_as(Role.LEAD, division_id=area), sessions, *known)


def test_a_long_leave_leads_to_who_takes_over_and_one_button_does_it(desk: Desk) -> None:
    answer = desk.lead.post(
        f"/team/agents/{desk.agent_id}/leave", data={"starts_on": "2026-11-23", "ends_on": "2026-12-11"}
    )
    assert answer.location.endswith("/team/relief")
    page = desk.lead.get("/team/relief").text
    assert desk.project_no in page
    assert "需要告知企业 1 家" in page
    assert "请核对新的建议" in desk.lead.post("/team/relief", data={"seen": "older"}, follow_redirects=True).text
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    assert "已调整 1 项" in desk.lead.post("/team/relief", data={"seen": seen[1]}, follow_redirects=True).text
    with desk.sessions() as session:
        lead = session.scalars(select(Project)).one().lead
        assert lead is not None
        assert lead.agent_id != desk.agent_id


def test_a_short_leave_stays_with_the_stand_in(desk: Desk) -> None:
    answer = desk.lead.post(
        f"/team/agents/{desk.agent_id}/leave", data={"starts_on": "2026-11-23", "ends_on": "2026-11-25"}
    )
    assert answer.location.endswith(f"/team/agents/{desk.agent_id}")
    assert "没有超过三个工作日的请假" in desk.lead.get("/team/relief").text


def test_a_short_leave_that_prolongs_another_asks_who_takes_over(desk: Desk) -> None:
    for starts, ends, page in (
        ("2026-11-23", "2026-11-25", f"/team/agents/{desk.agent_id}"), ("2026-11-26", "2026-11-27", "/team/relief")
    ):  # fmt: skip
        form = {"starts_on": starts, "ends_on": ends}
        assert desk.lead.post(f"/team/agents/{desk.agent_id}/leave", data=form).location.endswith(page)


def test_why_is_told_in_words_on_the_page_and_in_the_api(desk: Desk) -> None:
    assert "派件说明" in desk.lead.get(f"/team/projects/{desk.project_no}").text
    page = desk.lead.get(f"/team/projects/{desk.project_no}/why").text
    assert desk.agent in page
    assert "符合条件3人" in page
    told = desk.lead.get(f"/api/v1/projects/{desk.project_no}/assignment").json
    assert told is not None
    assert told["explanation"][0]["agent_id"] == desk.agent_id


def test_the_seven_lists_stand_on_one_page(desk: Desk) -> None:
    page = desk.lead.get(f"/team/projects/{desk.project_no}/lists").text
    for title in ("审批事项清单", "中介机构服务清单", "权力边界承诺清单", "监管责任清单", "代办人员考核责任清单"):
        assert title in page


def test_a_project_is_given_by_hand_to_an_agent_of_the_own_county_only(
    desk: Desk, sign_in_as: Callable[..., FlaskClient]
) -> None:
    address, offered = (f"/team/projects/{desk.project_no}/{step}" for step in ("assignment", "referral"))
    with desk.sessions.begin() as session:
        city = session.scalars(select(Division).where(Division.code == "320400000000")).one()
        above, other = an_agent(session, "市级代办员", division=city).id, the_county(session).agents[1].id

    def say(where: str, **form: object) -> str:
        return desk.lead.post(where, data=form, follow_redirects=True).text

    assert desk.lead.post(address, data={"agent_id": above, "reason": "熟悉"}).status_code == 404
    assert desk.lead.post(offered, data={"agent_id": above, "reason": "熟悉"}).status_code == 404
    assert "请填写指派理由" in say(address, agent_id=other)
    with desk.sessions() as session:
        project = session.scalars(select(Project).where(Project.project_no == desk.project_no)).one()
        assert project.lead is not None and project.lead.agent_id == desk.agent_id
    assert "已指派" in say(address, agent_id=other, reason="熟悉")
    assert "已转办" in say(offered, agent_id=desk.agent_id, reason="回岗")
    colleague = sign_in_as(Role.AGENT, agent_id=desk.agent_id)
    page = colleague.get(f"/team/projects/{desk.project_no}").text
    answer = re.search(r'action="(/team/projects/[^"]+/referral/[0-9]+)"', page)
    assert answer and "谢绝" in page
    assert "请选择办理动作" in colleague.post(answer[1], data={}, follow_redirects=True).text
    assert "已谢绝转办" in colleague.post(answer[1], data={"step": "declined"}, follow_redirects=True).text


def test_a_lead_changes_a_path_and_takes_it_back(desk: Desk, sign_in_as: Callable[..., FlaskClient]) -> None:
    address = f"/team/projects/{desk.project_no}/path"
    page = desk.lead.get(address).text
    assert "没有人调整过这条线路" in page
    assert " style=" not in page
    pairs = re.findall(r'<option value="(IND-\d+)\|(IND-\d+)">', page)
    code, on = pairs[-1]

    def post(where: str = address, **form: object) -> str:
        return desk.lead.post(where, data=form, follow_redirects=True).text

    assert "会互相等待" in post(kind="add_wait", code=on, on=code, reason="反过来")
    assert "请填写调整理由" in post(kind="drop_wait", wait=f"{code}|{on}", reason="")
    assert "请选择调整内容" in post(kind="rename", code=code, reason="换名")
    assert "请填写工作日数" in post(kind="set_days", code=code, days="-1", reason="更快")
    assert "修改过，请刷新后再试" in post(kind="drop_wait", wait=f"{code}|{on}", reason="并行", version="99")
    changed = post(kind="drop_wait", wait=f"{code}|{on}", reason="部门同意并行办理")
    assert "线路已调整" in changed
    assert "部门同意并行办理" in changed
    assert "组长取消" in changed
    with desk.sessions() as session:
        case_no = session.scalars(select(Case.case_no)).one()
    assert "组长取消" in desk.lead.get(f"/team/cases/{case_no}").text
    agent = sign_in_as(Role.AGENT, agent_id=desk.agent_id)
    assert "约定期限" not in agent.get(address).text
    assert agent.post(address, data={"kind": "drop_wait"}).status_code == 404
    assert "已撤销这项调整" in post(f"{address}/1/undo", reason="恢复原状")
    assert "恢复原状" in desk.lead.get(address).text


def test_expected_dates_come_by_themselves_and_show_on_the_case(desk: Desk) -> None:
    assert jobs.run_forecasts(desk.sessions) == 1
    assert jobs.run_forecasts(desk.sessions) == 0
    with desk.sessions() as session:
        case = session.scalars(select(Case)).one()
        assert case.expected_on is not None
        assert case.advice is not None
    page = desk.lead.get(f"/team/cases/{case.case_no}").text
    assert "最有效的一步" in page
    assert "逾期风险" in desk.lead.get("/team/inbox").text


def test_the_calibration_page_says_when_there_is_nothing_to_compare(desk: Desk) -> None:
    assert "还没有可比的办件" in desk.lead.get("/team/calibration").text


def test_lessons_are_drawn_once_a_day(desk: Desk) -> None:
    for _ in range(2):
        with desk.sessions.begin() as session:
            jobs.learn_today(session)
    with desk.sessions() as session:
        assert len(session.scalars(select(FittedDurations)).all()) == 1
        assert duration_training.trained_forecast(session).durations.by_matter == {}
