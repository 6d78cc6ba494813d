"""The team's runs, map, messages, grades and reports, through the real application on a small county."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.core.actor import Role
from dispatch.views.sms_outbox import PURPOSE_LABEL, STATE_LABEL
from dispatch.views.stop_lines import WHY_NOT
from notifications import text_catalogue, texts
from notifications.message import Message, State
from notifications.people import Unmasking
from routing.day import plan_jobs, planning
from routing.day.courier_run import CourierRun
from routing.day.courier_stop import CourierStop, StopKind, StopState
from routing.day.couriers import Courier, Shift
from routing.day.day_plan import DayPlan, PlanState
from routing.day.hours import Cutoff
from routing.day.stops import Address, StopNeeds, request_stop
from routing.model.check import violations
from routing.model.plan import Reason
from tests.dispatch import steps
from tests.dispatch.builders import (
    MONDAY,
    TEN,
    a_prescreened_case,
    an_appointment,
    an_enterprise,
    the_county,
)
from tests.web.world import a_bad_grade
from web.pages.team.runs import curve
from web.wiring import jobs
from web.wiring.accounts import Account
from web.wiring.sheets import comma_separated, harmless, xlsx

FEW = 300


@dataclass
class Team:
    """A lead's browser, the application, and its database."""

    app: Flask
    sessions: sessionmaker[Session]
    lead: FlaskClient
    sign_in_as: Callable[..., FlaskClient]

    def work(self, plan_id: int) -> PlanState | None:
        """What the queue's worker does."""
        return planning.work_on(
            self.sessions, plan_id, travel=self.app.extensions["daiban.travel"], verify=violations, max_iterations=FEW
        )

    def newest_plan(self) -> int:
        with self.sessions() as session:
            return session.scalars(select(DayPlan.id).order_by(DayPlan.id.desc()).limit(1)).one()


@pytest.fixture
def team(app: Flask, sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> Team:
    """武进区 at ten on a Monday, with two couriers and six stops of the afternoon."""
    with sessions.begin() as session:
        county = the_county(session)
        for n in range(6):
            a_stop(session, county.division.id, n)
        area = county.division.id
    return Team(app, sessions, sign_in_as(Role.LEAD, division_id=area), sign_in_as)


def a_stop(session: Session, area: int, n: int, *, van: bool = False) -> CourierStop:
    return request_stop(
        session,
        division_id=area,
        on=MONDAY,
        kind=StopKind.PICKUP if n % 2 else StopKind.DELIVERY,
        address=Address(119.93 + 0.01 * n, 31.70, f"延政路{n}号", "王经理", "+8613812345678", f"常州{n}号公司"),
        windows=[(13 * 3600, 17 * 3600)],
        at=TEN,
        needs=StopNeeds(needs_van=van),
    )


def planned(team: Team) -> int:
    answer = team.lead.post("/team/runs/plans", data={"area": "320412000000", "cutoff": "PM", "on": "2026-11-23"})
    assert answer.status_code == 302
    plan_id = team.newest_plan()
    assert answer.location.endswith(f"/team/plans/{plan_id}")
    assert team.work(plan_id) is PlanState.PREVIEW
    return plan_id


def test_a_batch_is_planned_previewed_and_committed(team: Team) -> None:
    page = team.lead.get("/team/runs").text
    assert "计算路线" in page
    plan_id = planned(team)
    preview = team.lead.get(f"/team/plans/{plan_id}").text
    assert "确认下发" in preview
    assert "首次告知时段" in preview
    answer = team.lead.post(f"/team/plans/{plan_id}/commit", follow_redirects=True)
    assert "路线已下发" in answer.text
    with team.sessions() as session:
        assert {stop.state for stop in session.scalars(select(CourierStop))} == {StopState.PLANNED}
    drawn = team.lead.get("/team/map?cutoff=PM").text
    assert "揽投员1" in drawn or "揽投员2" in drawn
    assert '<svg class="gantt"' in drawn
    assert '<g class="visit run-' in drawn and '<g class="stop' not in drawn, "a phone's style hides what is .stop"
    assert drawn.count("<li data-stop=") == 6, "the list says what the map shows, without scripts"


def test_a_job_under_way_shows_its_bar_and_can_be_given_up(team: Team) -> None:
    team.lead.post("/team/runs/plans", data={"area": "320412000000", "cutoff": "PM", "on": "2026-11-23"})
    plan_id = team.newest_plan()
    with team.sessions.begin() as session:
        plan = plan_jobs.claim_plan(session, plan_id)
        assert plan is not None
        plan.progress, plan.cost, plan.cost_curve = 0.4, 900.0, [[1.0, 1500.0], [2.0, 900.0]]
    page = team.lead.get(f"/team/plans/{plan_id}").text
    assert 'value="40"' in page
    assert "<polyline" in page
    assert "<noscript><meta http-equiv" in page
    part = team.lead.get(f"/team/plans/{plan_id}", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    again = team.lead.post("/team/runs/plans", data={"area": "320412000000", "cutoff": "PM", "on": "2026-11-23"})
    assert again.location.endswith(f"/team/plans/{plan_id}"), "a batch is planned once at a time"
    team.lead.post(f"/team/plans/{plan_id}/cancel")
    with team.sessions() as session:
        assert session.get_one(DayPlan, plan_id).state is PlanState.CANCELLED


def test_a_conflict_shows_the_difference_and_changes_nothing(team: Team) -> None:
    plan_id = planned(team)
    with team.sessions.begin() as session:
        stop = session.scalars(select(CourierStop).where(CourierStop.label == "常州2号公司")).one()
        stop.move_to(StopState.RELEASED)
        a_stop(session, stop.division_id, 7)
    answer = team.lead.post(f"/team/plans/{plan_id}/commit")
    assert answer.status_code == 409
    assert "常州2号公司（现为已释放）" in answer.text
    assert "1 个新站点" in answer.text
    with team.sessions() as session:
        assert session.get_one(DayPlan, plan_id).state is PlanState.PREVIEW
        assert StopState.PLANNED not in set(session.scalars(select(CourierStop.state)))


def test_who_cannot_be_served_is_told_why(team: Team) -> None:
    with team.sessions.begin() as session:
        area = session.scalars(select(CourierStop.division_id)).first()
        assert area is not None
        a_stop(session, area, 8, van=True)
        a_stop(session, area, 9).pieces = 200
        smaller, larger = session.scalars(select(Courier).order_by(Courier.id)).all()
        smaller.pieces_capacity, larger.pieces_capacity = 120, 195
        nearest = larger.name
    plan_id = planned(team)
    page = team.lead.get(f"/team/plans/{plan_id}").text
    assert "需要面包车，当班没有面包车" in page
    assert f"件数或重量超过可派的每一辆车：最接近的是{nearest}的车，还差5 件" in page
    team.lead.post("/language/en", data={"next": "/"})
    page = team.lead.get(f"/team/plans/{plan_id}").text
    assert "It needs a van, and no van is on shift" in page
    assert f"can hold: the nearest, that of {nearest}, lacks room for 5 items" in page


def test_a_courier_who_drops_out_leads_to_a_new_preview_with_its_difference(team: Team) -> None:
    first = planned(team)
    team.lead.post(f"/team/plans/{first}/commit")
    with team.sessions() as session:
        courier_id = session.scalars(select(CourierRun.courier_id).join(CourierRun.stops)).first()
    answer = team.lead.post(f"/team/runs/couriers/{courier_id}", data={"what": "out"})
    second = team.newest_plan()
    assert second != first
    assert answer.location.endswith(f"/team/plans/{second}")
    assert team.work(second) is PlanState.PREVIEW
    page = team.lead.get(f"/team/plans/{second}").text
    assert "与现行路线的差别" in page
    team.lead.post(f"/team/plans/{second}/commit")
    with team.sessions() as session:
        held = session.scalars(select(CourierRun.courier_id).join(CourierRun.stops)).all()
        assert courier_id not in held
        assert session.scalars(select(Shift).where(Shift.courier_id == courier_id, Shift.on == MONDAY)).one().out_from_s
    team.lead.post(f"/team/runs/couriers/{courier_id}", data={"what": "back"})
    with team.sessions() as session:
        shift = session.scalars(select(Shift).where(Shift.courier_id == courier_id, Shift.on == MONDAY)).one()
        assert shift.out_from_s is None


def test_lateness_is_a_number_of_minutes(team: Team) -> None:
    with team.sessions() as session:
        courier_id = session.scalars(select(Courier.id)).first()
    said = team.lead.post(
        f"/team/runs/couriers/{courier_id}", data={"what": "late", "minutes": "soon"}, follow_redirects=True
    )
    assert "5至240分钟" in said.text
    said = team.lead.post(
        f"/team/runs/couriers/{courier_id}", data={"what": "late", "minutes": "30"}, follow_redirects=True
    )
    assert "晚 30 分钟" in said.text


def test_every_reason_and_every_state_has_words() -> None:
    assert set(WHY_NOT) == {reason.value for reason in Reason}
    assert set(PURPOSE_LABEL) == set(text_catalogue.catalogue().texts)
    assert set(STATE_LABEL) == set(State)


def test_a_curve_falls() -> None:
    assert curve([[1.0, 5.0]]) == ""
    points = [tuple(map(int, point.split(","))) for point in curve([[1, 900], [2, 500], [4, 400]]).split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted(y for _, y in points), "downwards on a screen"


# ---------------------------------------------------------------- messages


def a_case(team: Team) -> tuple[str, int]:
    """A case with its notices: its number, and the id of one of them."""
    with team.sessions.begin() as session:
        case, viewer = a_prescreened_case(the_county(session))
        steps.book_pickup(session, case, appointment=an_appointment(), by=viewer, at=TEN)
        session.flush()
        return case.case_no, session.scalars(select(Message.id).where(Message.case_id == case.id)).first() or 0


def test_the_outbox_masks_numbers_and_resends_for_a_reason(team: Team) -> None:
    case_no, message_id = a_case(team)
    page = team.lead.get(f"/team/outbox?case={case_no}").text
    assert "138****5678" in page
    assert "13812345678" not in page
    with team.sessions.begin() as session:
        session.get_one(Message, message_id).become(State.FAILED_PERMANENT, "测试")
    assert "请写明重发的原因" in team.lead.post(f"/team/outbox/{message_id}/again", follow_redirects=True).text
    said = team.lead.post(f"/team/outbox/{message_id}/again", data={"reason": "客户来电未收到"}, follow_redirects=True)
    assert "已重发" in said.text
    with team.sessions() as session:
        again = session.scalars(select(Message).where(Message.resend_of_id == message_id)).one()
        assert "客户来电未收到" in (again.resend_reason or "")


def test_a_whole_number_is_shown_for_a_reason_and_that_is_kept(team: Team) -> None:
    _, message_id = a_case(team)
    assert "13812345678" not in team.lead.post(f"/team/outbox/{message_id}/number", follow_redirects=True).text
    said = team.lead.post(f"/team/outbox/{message_id}/number", data={"reason": "回拨核实"}, follow_redirects=True)
    assert "13812345678" in said.text
    with team.sessions() as session:
        assert session.scalars(select(Unmasking.reason)).one() == "回拨核实"


def test_an_operator_edits_a_text_and_sees_every_fault_at_once(team: Team) -> None:
    operator = team.sign_in_as(Role.OPERATOR)
    bad = operator.post(
        "/team/texts/collected/zh", data={"step": "save", "note": "试改", "words": "详见 http://a.cn 或致电13812345678"}
    )
    assert bad.status_code == 422
    assert "http://a.cn" in bad.text, "what was typed is kept"
    with team.sessions() as session:
        words = texts.current(session, "collected", "zh").words
    shown = operator.post("/team/texts/collected/zh", data={"step": "preview", "words": words + "请放心。"})
    assert "请放心" in shown.text
    operator.post("/team/texts/collected/zh", data={"step": "save", "note": "语气", "words": words + "请放心。"})
    with team.sessions() as session:
        now = texts.current(session, "collected", "zh")
        assert (now.words, now.note) == (words + "请放心。", "语气")


def test_a_number_is_left_alone_and_taken_back(team: Team) -> None:
    wrong = team.lead.post(
        "/team/numbers", data={"phone": "123", "reason": "来电", "step": "stop"}, follow_redirects=True
    )
    assert "请选择办理动作" in team.lead.post("/team/numbers", data={"phone": "123"}, follow_redirects=True).text
    assert "手机号有误" in wrong.text
    with team.sessions.begin() as session:
        enterprise, _, _ = an_enterprise(session, phone="+8613812345678")
        enterprise.division_id = the_county(session).division.id
    stranger = {"phone": "13899999999", "reason": "本人来电", "step": "stop"}
    assert "不属于您辖区" in team.lead.post("/team/numbers", data=stranger, follow_redirects=True).text
    team.lead.post("/team/numbers", data={"phone": "13812345678", "reason": "本人来电", "step": "stop"})
    assert "138****5678" in team.lead.get("/team/numbers").text
    team.lead.post("/team/numbers", data={"phone": "13812345678", "reason": "本人来电", "step": "lift"})
    assert "138****5678" not in team.lead.get("/team/numbers").text


# ---------------------------------------------------------------- grades


def test_the_rater_is_hidden_from_the_rated_who_may_only_appeal(team: Team) -> None:
    with team.sessions.begin() as session:
        county = the_county(session)
        case, _ = a_prescreened_case(county)
        grade = a_bad_grade(session, county, case)
        grade.evaluation.words = "我们公司跑了两次"
        case_no, rated, area = case.case_no, county.agents[0].id, county.division.id
        rectification_id = grade.id
    agent = team.sign_in_as(Role.AGENT, agent_id=rated)
    page = agent.get("/team/evaluations").text
    assert case_no not in page
    assert "我们公司跑了两次" not in page
    assert "提出申诉" in page
    refused = agent.post(
        f"/team/evaluations/{rectification_id}", data={"step": "verified", "words": "属实"}, follow_redirects=True
    )
    assert "被评价人只能提出申诉" in refused.text
    supervisor = team.sign_in_as(Role.SUPERVISOR, division_id=area)
    for step, words in (("verified", "情况属实"), ("rectified", "已补训"), ("answered", "已回访，企业满意")):
        supervisor.post(f"/team/evaluations/{rectification_id}", data={"step": step, "words": words})
    assert "已回访，企业满意" in supervisor.get("/team/evaluations").text


# ---------------------------------------------------------------- report and catalogue


def test_the_report_has_its_definitions_and_comes_as_a_workbook_and_as_csv(team: Team) -> None:
    a_case(team)
    page = team.lead.get("/team/report").text
    for words in ("代办项目", "不见面办结率", "n=195", "容缺材料逾期", "全程历时", "共享区域评估节省"):
        assert words in page
    book = load_workbook(io.BytesIO(team.lead.get("/team/report.xlsx").data))
    assert book.sheetnames == ["月报", "三个时钟", "按乡镇", "按部门", "按事项"]
    assert book["月报"]["A2"].value == "代办项目"
    assert book["月报"]["B2"].value == 1
    told = team.lead.get("/team/report.csv?month=2026-11")
    assert told.data.decode().startswith("\ufeff类别")
    assert team.lead.get("/team/report?month=nonsense").status_code == 200


def test_no_cell_is_a_formula() -> None:
    typed = '=HYPERLINK("http://a","b")'
    assert harmless(typed) == "'" + typed
    assert harmless("-3.5") == "-3.5"
    assert harmless("@SUM(A1)") == "'@SUM(A1)"
    book = load_workbook(io.BytesIO(xlsx([("表", ("名称",), [(typed,), ("+1+cmd",)])])))
    assert [cell.data_type for cell in book["表"]["A"]] == ["s", "s", "s"]
    assert ("'" + typed).replace('"', '""') in comma_separated(("名称",), [(typed,)]).decode()


def test_the_catalogue_shows_how_sure_it_is(team: Team) -> None:
    page = team.sign_in_as(Role.OPERATOR).get("/team/catalog").text
    assert "IND-101" in page
    assert "待核实" in page
    assert team.sign_in_as(Role.AGENT, login="other").get("/team/catalog").status_code == 404


def test_the_queue_rings_and_a_silent_broker_is_no_error(team: Team) -> None:
    with team.app.app_context():
        assert jobs.publish(jobs.PLAN, 1) is False
    assert team.lead.post("/team/runs/plans", data={"area": "nowhere"}).status_code == 404
    with team.sessions() as session:
        assert session.scalars(select(Account)).first() is not None
        assert db.now(session).date() == MONDAY
        assert set(session.scalars(select(CourierStop.cutoff))) == {Cutoff.PM}
