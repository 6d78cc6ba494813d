"""The enterprise asks page by page, sees where its case is, books, mends, withdraws, rates and complains."""

import io
import re
from collections.abc import Callable
from datetime import date, time, timedelta

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

import db
from agents.network import Division
from dispatch.acts import announcing
from dispatch.cases import lookups
from dispatch.cases.case import Case, MaterialState, Way
from dispatch.cases.evaluation import Rectification, RectificationState, Ticket
from dispatch.cases.project import Enterprise, Project
from dispatch.cases.review_state import ReviewState
from dispatch.cases.stages import Stage
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.actor import SYSTEM, Actor, Role
from dispatch.core.shanghai_time import utc
from dispatch.custody.parcel import Parcel
from routing.day.courier_stop import CourierStop, StopState
from tests.dispatch import steps
from tests.dispatch.builders import (
    MONDAY,
    TEN,
    County,
    a_prescreened_case,
    an_assigned_case,
    the_county,
)
from tests.fixtures.papers import a_pdf
from tests.web.conftest import PASSWORD_HASH, signed_in_client
from web.pages.enterprise.draft import IntakeDraft
from web.pages.enterprise.legs import slots
from web.wiring.accounts import Account

PDF = a_pdf()
PHONE = "+8613812345678"
SITE = {"county": "320412000000", "place": "320412100000", "address": "人民东路1号"}
LETTER = {
    "legal_representative": "张法人", "valid_to": "2027-06-30", "submit": "y", "correct": "y", "receive": "y",
    "consent": "y", "name1": "王经理", "phone1": "13812345678", "out1": "on", "in1": "on",
}  # fmt: skip


@pytest.fixture
def database_url(county_url: str) -> str:
    """The application runs over 武进区 at ten on a Monday."""
    return county_url


def account_of(sessions: sessionmaker[Session], enterprise_id: int, *, phone: str = PHONE) -> Account:
    with sessions.begin() as session:
        account = Account(
            role=Role.ENTERPRISE, name="王经理", login=f"e{enterprise_id}", password_hash=PASSWORD_HASH,
            enterprise_id=enterprise_id, confirmed_at=db.now(session),
        )  # fmt: skip
        account.set_phone(phone)
        session.add(account)
    return account


@pytest.fixture
def newcomer(app: Flask, county_sessions: sessionmaker[Session]) -> FlaskClient:
    """A browser of an enterprise that has asked for nothing yet."""
    with county_sessions.begin() as session:
        enterprise = Enterprise(name="常州新厂有限公司", created_at=db.now(session))
        session.add(enterprise)
        session.flush()
        number = enterprise.id
    return signed_in_client(app, account_of(county_sessions, number))


@pytest.fixture
def with_case(app: Flask, county_sessions: sessionmaker[Session]) -> Callable[..., tuple[FlaskClient, str]]:
    """Makes a case by a builder, and a browser of its enterprise."""

    def make(builder: Callable[..., tuple[Case, Actor]], **more: object) -> tuple[FlaskClient, str]:
        with county_sessions.begin() as session:
            case, _ = builder(the_county(session), **more)
            enterprise_id, case_no = case.project.enterprise_id, case.case_no
        return signed_in_client(app, account_of(county_sessions, enterprise_id)), case_no

    return make


def fill(client: FlaskClient, *, until: str = "review", **changes: dict[str, object]) -> None:
    """Go through the intake page by page, up to but without ``until``."""
    pages: dict[str, dict[str, object]] = {
        "project": {"family": "industrial_permit", "name": "精密机床扩产项目", "state_secret": "no"},
        "site": {**SITE, "lon": "119.96", "lat": "31.72"},
        "facts": {"land": "granted", "initiation": "filing", "eia": "form", "site_ha": "2", "discharge": "simplified"},
        "matters": {"matter": ["IND-104", "IND-105"]},
        "papers": {},
        "ways": {"pickup": "courier", "delivery": "courier"},
        "letter": LETTER,
    }  # fmt: skip
    assert client.post("/my/intake").status_code == 302
    for step, typed in pages.items():
        if step == until:
            return
        answer = client.post(f"/my/intake/{step}", data={**typed, **changes.get(step, {})})
        assert answer.status_code == 302, (step, re.findall(r'class="(?:error|notice bad)[^>]*>([^<]*)', answer.text))


def the_case_row(session: Session, case_no: str) -> Case:
    return session.scalars(select(Case).where(Case.case_no == case_no)).one()


# ---------------------------------------------------------------- asking


def test_an_enterprise_asks_page_by_page_and_the_case_is_complete(
    newcomer: FlaskClient,
    county_sessions: sessionmaker[Session],
) -> None:
    fill(newcomer, until="papers")
    page = newcomer.get("/my/intake/papers").text
    assert "免提交" in page
    name = re.search(r'name="(file\d+)"', page).group(1)
    answer = newcomer.post("/my/intake/papers", data={name: (io.BytesIO(PDF), "申请表.pdf")})
    assert answer.location == "/my/intake/ways"
    newcomer.post("/my/intake/ways", data={"pickup": "courier", "delivery": "counter"})
    newcomer.post("/my/intake/letter", data=LETTER)
    assert "代办服务不收费" in newcomer.get("/my/intake/review").text
    sent = newcomer.post("/my/intake/review")
    assert sent.status_code == 302
    with county_sessions() as session:
        case = session.scalars(select(Case)).one()
        assert sent.location == f"/my/cases/{case.case_no}"
        assert case.stage is Stage.REQUESTED
        assert (case.pickup_way, case.delivery_way) == (Way.COURIER, Way.COUNTER)
        assert [m.filename for m in case.materials if m.state is MaterialState.GIVEN] == ["申请表.pdf"]
        letter = case.project.delegations[0]
        assert [person.name for person in letter.recipients] == ["王经理"]
        assert case.contact.phone == PHONE
        assert session.scalars(select(IntakeDraft)).all() == []
    again = newcomer.post("/my/intake/review")
    assert again.location == "/my/intake"
    home = newcomer.get("/my").text
    assert "精密机床扩产项目" in home
    assert "请上传材料" in home


def test_what_was_typed_is_kept_and_a_page_cannot_be_skipped(newcomer: FlaskClient) -> None:
    fill(newcomer, until="facts")
    assert newcomer.get("/my/intake/letter").location == "/my/intake/facts"
    assert "继续填写" in newcomer.get("/my").text
    assert "人民东路1号" in newcomer.get("/my/intake/site").text
    wrong = newcomer.post(
        "/my/intake/site", data={"county": "320412000000", "address": "东", "lon": "119.9", "lat": "31.7"}
    )
    assert wrong.status_code == 422
    assert 'value="东"' in wrong.text
    newcomer.post("/my/intake/discard")
    assert newcomer.get("/my/intake/site").location == "/my/intake"


def test_a_state_secret_is_refused_and_nothing_of_it_is_kept(
    newcomer: FlaskClient,
    county_sessions: sessionmaker[Session],
) -> None:
    newcomer.post("/my/intake")
    secret = {"family": "industrial_permit", "name": "某项目", "state_secret": "yes"}
    answer = newcomer.post("/my/intake/project", data=secret)
    assert answer.status_code == 422
    assert "涉密项目不得通过本系统办理" in answer.text
    with county_sessions() as session:
        assert "某项目" not in session.scalars(select(IntakeDraft)).one().answers


def test_files_that_are_small_enough_one_by_one_are_kept_together(newcomer: FlaskClient) -> None:
    fill(newcomer, until="papers")
    names = re.findall(r'name="(file\d+)"', newcomer.get("/my/intake/papers").text)
    large = a_pdf(mark="0" * (9 * 1024 * 1024))
    files = {name: (io.BytesIO(large + str(n).encode() * n), f"扫描{n}.pdf") for n, name in enumerate(names[:2])}
    assert send(newcomer, files).status_code == 302
    page = newcomer.get("/my/intake/papers").text
    assert "✓ 扫描0.pdf" in page and "✓ 扫描1.pdf" in page
    too_large = {names[0]: (io.BytesIO(large + b"0" * (2 * 1024 * 1024)), "太大.pdf")}
    answer = send(newcomer, too_large)
    assert answer.status_code == 422 and "文件太大.pdf超过10 MB" in answer.text and "✓ 扫描1.pdf" in answer.text


def send(browser: FlaskClient, papers: dict[str, tuple[io.BytesIO, str]]) -> TestResponse:
    """Large papers, from memory: the client's own temporary files stay open."""
    boundary, body = encode_multipart({name: FileStorage(*paper) for name, paper in papers.items()})
    return browser.post("/my/intake/papers", data=body, content_type=f"multipart/form-data; boundary={boundary}")


def test_who_is_not_signed_in_may_not_send_that_much(client: FlaskClient) -> None:
    app = client.application
    with app.test_request_context("/my/intake/papers", method="POST"):
        app.preprocess_request()
        assert request.max_content_length == app.config["MAX_CONTENT_LENGTH"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"county": "999999999999", "place": ""}, "没有这个区划"),
        ({"place": "320400000000"}, "不符"),
        ({"lon": "121.5", "lat": "34.0"}, "公里，请核对图钉"),
        ({"lon": "200"}, "经度不在江苏省内"),
        ({"county": ""}, "请选择县"),
    ],
)
def test_a_site_that_cannot_be_is_said_beside_its_field(
    newcomer: FlaskClient, typed: dict[str, object], words: str
) -> None:
    fill(newcomer, until="site")
    answer = newcomer.post("/my/intake/site", data={**SITE, **typed})
    assert answer.status_code == 422
    assert words in answer.text


def test_a_retired_division_is_refused_by_name(
    newcomer: FlaskClient,
    county_sessions: sessionmaker[Session],
) -> None:
    with county_sessions.begin() as session:
        town = session.scalars(select(Division).where(Division.code == "320412101000")).one()
        town.retired_on = date(2026, 1, 1)
    fill(newcomer, until="site")
    assert "牛塘镇" not in newcomer.get("/my/intake/places?county=320412000000").text
    answer = newcomer.post(
        "/my/intake/site", data={"county": "320412000000", "place": "320412101000", "address": "人民东路1号"}
    )
    assert "牛塘镇已于2026-01-01撤并" in answer.text


def test_the_facts_decide_which_matters_are_offered(newcomer: FlaskClient) -> None:
    fill(newcomer, until="facts")
    newcomer.post("/my/intake/facts", data={"land": "none", "initiation": "filing", "eia": "form", "discharge": "key"})
    page = newcomer.get("/my/intake/matters").text
    fitting = page.split("目录中的其他事项")[0]
    assert 'value="IND-101" checked' in fitting
    assert 'value="IND-104"' not in fitting
    assert 'value="IND-104"' in page
    assert 'value="IND-103"' not in page, "a land listing is no matter that an agent files"
    assert newcomer.post("/my/intake/matters", data={}).status_code == 422
    assert newcomer.post("/my/intake/facts", data={"land": "none", "site_ha": "-1"}).status_code == 422


def test_a_file_of_a_wrong_kind_is_named_and_the_good_one_is_kept(newcomer: FlaskClient) -> None:
    fill(newcomer, until="papers")
    names = re.findall(r'name="(file\d+)"', newcomer.get("/my/intake/papers").text)
    files = {names[0]: (io.BytesIO(PDF), "好.pdf"), names[1]: (io.BytesIO(b"MZ"), "坏.exe")}
    answer = newcomer.post("/my/intake/papers", data=files)
    assert answer.status_code == 422
    assert "文件坏.exe不是 PDF" in answer.text
    assert "✓ 好.pdf" in answer.text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"valid_to": "2020-01-01"}, "有效期不能早于今天"),
        ({"consent": ""}, "请勾选同意"),
        ({"phone1": "123"}, "手机号有误"),
        ({"name1": "", "phone1": ""}, "至少填写一名授权交接人"),
    ],
)
def test_a_letter_says_what_is_wrong_with_it(newcomer: FlaskClient, typed: dict[str, str], words: str) -> None:
    fill(newcomer, until="letter")
    data = {key: value for key, value in {**LETTER, **typed}.items() if value}
    answer = newcomer.post("/my/intake/letter", data=data)
    assert answer.status_code == 422
    assert words in answer.text
    assert "张法人" in answer.text


def test_a_second_case_asks_only_what_is_not_known(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(a_prescreened_case)
    with county_sessions() as session:
        project_no = the_case_row(session, case_no).project.project_no
    assert client.post(f"/my/projects/{project_no}/cases").location == "/my/intake/matters"
    assert "已在办或已办结" in client.get("/my/intake/matters").text
    client.post("/my/intake/matters", data={"matter": ["IND-104"]})
    assert "已有，不再索要" in client.get("/my/intake/papers").text
    client.post("/my/intake/papers")
    assert (
        client.post("/my/intake/ways", data={"pickup": "counter", "delivery": "counter"}).location
        == "/my/intake/review"
    )
    sent = client.post("/my/intake/review")
    assert sent.location.startswith("/my/cases/")
    with county_sessions() as session:
        assert len(session.scalars(select(Case)).all()) == 2
        assert len(session.scalars(select(Project)).all()) == 1


# ---------------------------------------------------------------- the case


def test_the_page_of_a_case_gives_the_six_answers_and_the_path(
    with_case: Callable[..., tuple[FlaskClient, str]],
) -> None:
    client, case_no = with_case(an_assigned_case)
    page = client.get(f"/my/cases/{case_no}").text
    for words in (
        "已指派代办员", "代办员1", "0519-86310000", "法定时限", "部门承诺时限", "目前还没有预计日期", "一次说清",
        "在您手中", "代办服务不收费", "550 元", "申请人", "<svg",
    ):  # fmt: skip
        assert words in page, words
    assert "style=" not in page.split("<svg")[0]


def test_an_expected_date_without_like_cases_is_said_without_a_share(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(an_assigned_case)
    with county_sessions.begin() as session:
        case = the_case_row(session, case_no)
        case.expected_on, case.expected_share = date(2027, 1, 15), 0.85
    page = client.get(f"/my/cases/{case_no}").text
    assert "预计2027年1月15日前办结" in page
    assert "尚无同类项目记录，按承诺时限估算" in page and "个按时" not in page


def test_a_paper_is_given_fetched_back_and_a_defect_is_mended(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(an_assigned_case)
    with county_sessions.begin() as session:
        county, case = the_county(session), the_case_row(session, case_no)
        given = next(m for m in case.materials if m.state is MaterialState.GIVEN)
        steps.prescreen(session, case, by=county.agent_viewer(), at=TEN, defects={given.id: "公章不清"})
        material_id = given.id
    page = client.get(f"/my/cases/{case_no}").text
    assert "公章不清" in page
    assert "补正完成" in page
    early = client.post(f"/my/cases/{case_no}/correction", follow_redirects=True).text
    assert "还有1份材料未补正" in early
    bad = client.post(
        f"/my/cases/{case_no}/papers/{material_id}", data={"file": (io.BytesIO(b"x"), "x.txt")}, follow_redirects=True
    )
    assert "不是 PDF" in bad.text
    client.post(f"/my/cases/{case_no}/papers/{material_id}", data={"file": (io.BytesIO(PDF), "新.pdf")})
    fetched = client.get(f"/my/cases/{case_no}/papers/{material_id}", buffered=True)
    assert fetched.data == PDF
    assert fetched.headers["Content-Disposition"].startswith("attachment")
    client.post(f"/my/cases/{case_no}/correction")
    with county_sessions() as session:
        assert the_case_row(session, case_no).stage is Stage.ASSIGNED


def test_a_pickup_is_booked_moved_and_its_code_shown_once_the_run_is_committed(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(a_prescreened_case)
    assert "预约上门揽收" in client.get(f"/my/cases/{case_no}").text
    form = client.get(f"/my/cases/{case_no}/pickup").text
    assert "2026-11-23/50400" in form, "before half past eleven this afternoon is free"
    assert "2026-11-23/32400" not in form
    person = re.search(r'<option[^>]*value="(\d+)"', form).group(1)
    typed = {"slot": "2026-11-24/32400", "person": person, "address": "湖塘镇人民东路1号东门"}
    assert client.post(f"/my/cases/{case_no}/pickup", data={**typed, "slot": "2026-11-21/32400"}).status_code == 422
    assert client.post(f"/my/cases/{case_no}/pickup", data=typed).status_code == 302
    with county_sessions() as session:
        parcel = session.scalars(select(Parcel)).one()
        waybill, stop = parcel.waybill, session.get_one(CourierStop, parcel.stop_id)
        assert (stop.on, stop.address) == (date(2026, 11, 24), "湖塘镇人民东路1号东门")
    page = client.get(f"/my/cases/{case_no}").text
    assert "改约时间" in page
    assert "待排线路" in page
    assert client.post(f"/my/parcels/{waybill}/window", data={"slot": "2026-11-25/54000"}).status_code == 302
    with county_sessions.begin() as session:
        stop = session.scalars(select(CourierStop)).one()
        assert (stop.on, stop.windows) == (date(2026, 11, 25), [[54000, 61200]])
        stop.move_to(StopState.PLANNED)
        stop.announced_opens_s, stop.announced_closes_s = 54000, 57600
        announcing.announce(session, stop, courier_name="揽投员1", opens_s=54000, closes_s=57600, by=SYSTEM, at=TEN)
        code = session.scalars(select(Parcel)).one().code
    page = client.get(f"/my/cases/{case_no}").text
    assert code is not None
    assert code in page
    assert "15:00–16:00" in page
    assert "改约时间" not in page
    late = client.post(f"/my/parcels/{waybill}/window", data={"slot": "2026-11-26/54000"}, follow_redirects=True)
    assert "请联系代办员" in late.text


@pytest.mark.parametrize(
    ("at", "first"),
    [
        (time(10, 0), (MONDAY, 14)),
        (time(11, 30), (MONDAY, 14)),
        (time(11, 31), (MONDAY + timedelta(days=1), 9)),
        (time(16, 30), (MONDAY + timedelta(days=1), 9)),
        (time(16, 31), (MONDAY + timedelta(days=1), 14)),
    ],
)
def test_what_may_be_booked_follows_the_two_batches_of_a_day(
    county_sessions: sessionmaker[Session],
    at: time,
    first: tuple[date, int],
) -> None:
    with county_sessions() as session:
        calendar = calendar_of(session)
        found = slots(calendar, utc(MONDAY, at))
    assert (found[0].on, found[0].opens_s // 3600) == first
    assert all(calendar.is_workday(slot.on) for slot in found)


def test_withdrawing_says_what_becomes_of_the_papers_and_needs_a_reason(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(a_prescreened_case)
    with county_sessions.begin() as session:
        steps.hand_in(
            session, the_case_row(session, case_no), by=the_county(session).agent_viewer(), at=TEN, scan_id="c"
        )
    assert "武进区政务服务中心" in client.get(f"/my/cases/{case_no}").text
    assert "原件会送回" in client.get(f"/my/cases/{case_no}/withdrawal").text
    assert client.post(f"/my/cases/{case_no}/withdrawal", data={"reason": "变更"}).status_code == 422
    assert client.post(f"/my/cases/{case_no}/withdrawal", data={"reason": "计划变更", "sure": "y"}).status_code == 302
    assert "计划变更" in client.get(f"/my/cases/{case_no}").text


def test_a_revoked_delegation_ends_the_work_and_a_new_letter_can_be_signed(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(an_assigned_case)
    with county_sessions() as session:
        project_no = the_case_row(session, case_no).project.project_no
    assert (
        client.post(f"/my/projects/{project_no}/revocation", data={"reason": "不办了", "sure": "y"}).status_code == 302
    )
    page = client.get(f"/my/projects/{project_no}").text
    assert "不办了" in page
    assert "已撤件" in page
    assert "代办已结束" in page
    assert "正在指派" not in page + client.get(f"/my/cases/{case_no}").text
    assert client.post(f"/my/projects/{project_no}/letter", data=LETTER).status_code == 302
    assert "生效中" in client.get(f"/my/projects/{project_no}").text


def test_the_contact_card_has_its_code_and_no_personal_number(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(an_assigned_case)
    with county_sessions() as session:
        project_no = the_case_row(session, case_no).project.project_no
        personal = the_county(session).agents[0].phone
    page = client.get(f"/my/projects/{project_no}/card").text
    assert "<svg" in page
    assert "0519-86310000" in page
    assert "12345" in page
    assert personal.removeprefix("+86") not in page


# ---------------------------------------------------------------- the end, and complaints


def a_delivered_case(county: County) -> tuple[Case, Actor]:
    """A case whose results are home."""
    session = county.session
    case, viewer = a_prescreened_case(county, matters=("IND-101",))
    agent = county.agent_viewer()
    steps.submit(session, case, receipts={}, by=agent, at=TEN)
    review = lookups.reviews_of(session, case)[0]
    steps.accept(session, review, notice_no="受1", by=agent, at=TEN)
    steps.decide(session, review, outcome=ReviewState.GRANTED, decision_no="备1", by=agent, at=TEN)
    steps.deliver(session, case, by=agent, at=TEN)
    return case, viewer


def test_every_matter_is_rated_a_bad_grade_says_why_and_what_it_changed_is_shown(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(a_delivered_case)
    page = client.get(f"/my/cases/{case_no}/evaluation").text
    grade, words = re.search(r'name="(grade\d+)"', page).group(1), re.search(r'name="(words\d+)"', page).group(1)
    assert client.post(f"/my/cases/{case_no}/evaluation", data={}).status_code == 422
    assert client.post(f"/my/cases/{case_no}/evaluation", data={grade: "2"}).status_code == 422
    assert client.post(f"/my/cases/{case_no}/evaluation", data={grade: "2", words: "等了太久"}).status_code == 302
    assert "待核实" in client.get(f"/my/cases/{case_no}").text
    with county_sessions.begin() as session:
        opened = session.scalars(select(Rectification)).one()
        for state, said in (
            (RectificationState.VERIFIED, "属实"), (RectificationState.RECTIFIED, "增设一个窗口"),
            (RectificationState.ANSWERED, "已电话回访"),
        ):  # fmt: skip
            steps.rectify(session, opened, state, words=said, by=SYSTEM, at=TEN)
    assert "增设一个窗口" in client.get(f"/my/cases/{case_no}").text
    assert "增设一个窗口" in client.get("/my/tickets").text


def test_a_complaint_is_numbered_and_never_owned_by_the_person_complained_about(
    with_case: Callable[..., tuple[FlaskClient, str]],
    county_sessions: sessionmaker[Session],
) -> None:
    client, case_no = with_case(an_assigned_case)
    wrong = client.post(
        "/my/tickets", data={"kind": "complaint", "words": "电话没人接", "case_no": "320412-20260101-99999"}
    )
    assert "没有这个办件" in wrong.text
    client.post("/my/tickets", data={"kind": "complaint", "words": "电话没人接", "case_no": case_no})
    with county_sessions() as session:
        ticket = session.scalars(select(Ticket)).one()
        assert ticket.about_agent_id is not None
        assert ticket.owner_agent_id is None
        number = ticket.ticket_no
    assert number in client.get("/my/tickets").text
    assert number in client.get(f"/my/cases/{case_no}").text


def test_nobody_sees_another_enterprises_case(
    app: Flask, with_case: Callable[..., tuple[FlaskClient, str]], newcomer_account: FlaskClient
) -> None:
    _, case_no = with_case(an_assigned_case)
    for path in ("", "/pickup", "/delivery", "/evaluation", "/withdrawal", "/papers/1"):
        assert newcomer_account.get(f"/my/cases/{case_no}{path}").status_code == 404


@pytest.fixture
def newcomer_account(app: Flask, county_sessions: sessionmaker[Session]) -> FlaskClient:
    """A browser of some other enterprise."""
    with county_sessions.begin() as session:
        enterprise = Enterprise(name="别家公司", created_at=db.now(session))
        session.add(enterprise)
        session.flush()
        number = enterprise.id
    return signed_in_client(app, account_of(county_sessions, number, phone="+8613812340000"))
