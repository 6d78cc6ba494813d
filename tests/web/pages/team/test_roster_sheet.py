"""The roster by sheet: read as people have it, all lines or none, and what is wrong beside its row."""

import io
from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook, load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dispatch.acts.act import perform
from dispatch.acts.people import AddCourier
from dispatch.core.actor import Actor, Role
from routing.day.couriers import Courier
from routing.day.roster import ShiftRule
from tests.dispatch.builders import the_county
from web.pages.team.roster_sheet import HEADS, LATER, NEEDED, READ


@pytest.fixture
def courier_no(sessions: sessionmaker[Session]) -> str:
    """The number of a courier of the county."""
    with sessions.begin() as session:
        county = the_county(session)
        lead = Actor(Role.LEAD, division_id=county.division.id, division_path=county.division.path)
        made = perform(session, AddCourier(division=county.division.code, name="小李", phone="13912340002"), lead)
        return session.get_one(Courier, made).courier_no


@pytest.fixture
def lead(sessions: sessionmaker[Session], sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    """The lead of 武进区."""
    with sessions() as session:
        return sign_in_as(Role.LEAD, division_id=the_county(session).division.id)


def sheet(*rows: tuple[Any, ...], above: tuple[str, ...] = ()) -> bytes:
    made, out = Workbook(), io.BytesIO()
    for cells in (above, HEADS, *rows) if above else (HEADS, *rows):
        made.worksheets[0].append(list(cells))
    made.save(out)
    return out.getvalue()


def send(client: FlaskClient, content: bytes, name: str = "roster.xlsx") -> tuple[int, str]:
    answer = client.post("/team/roster/sheet", data={"sheet": (io.BytesIO(content), name)}, follow_redirects=True)
    return answer.status_code, answer.text


def test_days_and_hours_are_read_as_a_spreadsheet_keeps_them(
    lead: FlaskClient, sessions: sessionmaker[Session], courier_no: str
) -> None:
    hours = (time(8), time(17, 30), "11:30", "12：30", 60)
    row = (courier_no, "一二三", *hours, date(2026, 12, 1), "2027年6月30日", 40, "60")
    status, page = send(lead, sheet(row, above=("十二月排班",)))
    assert (status, "已导入 1 行排班" in page) == (200, True)
    with sessions() as session:
        rule = session.scalars(select(ShiftRule).order_by(ShiftRule.id.desc())).first()
        assert rule is not None
        assert (rule.first_on, rule.last_on) == (date(2026, 12, 1), date(2027, 6, 30))
        assert (rule.starts_s, rule.ends_s) == (8 * 3600, 17 * 3600 + 1800)
        assert (rule.most_stops, rule.longest_m) == (40, 60_000)


def test_a_sheet_of_an_earlier_template_is_read_without_limits(
    lead: FlaskClient, sessions: sessionmaker[Session], courier_no: str
) -> None:
    heads = ",".join(name for name in HEADS if name not in LATER)
    status, page = send(lead, f"{heads}\n{courier_no},一,8:00,18:00,,,,2026-12-01,".encode(), "roster.csv")
    assert (status, "已导入 1 行排班" in page) == (200, True)
    with sessions() as session:
        rule = session.scalars(select(ShiftRule).order_by(ShiftRule.id.desc())).first()
        assert rule is not None and (rule.most_stops, rule.longest_m) == (None, None)


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("工号", "EMS999999", "没有这个工号的揽投员"),
        ("工号", "", "请填写"),
        ("星期", "每天", "请填星期几"),
        ("上班", "八点", "请填时间"),
        ("上班", date(2026, 12, 1), "这是日期格"),
        ("休息分钟", "=30+30", "这是公式"),
        ("休息分钟", "241", "请填 0 至 240 的整数"),
        ("最多站数", "0", "请填 1 至 500 的整数"),
        ("最长公里", "1001", "请填 1 至 1000 的整数"),
        ("起始日", "明天", "请填日期"),
        ("截止日", "2026-02-30", "请填日期"),
    ],
)
def test_one_wrong_cell_is_named_and_no_line_is_taken(
    lead: FlaskClient, sessions: sessionmaker[Session], courier_no: str, column: str, cell: Any, words: str
) -> None:
    good = (courier_no, "一二三", "08:00", "17:30", "", "", "", "2026-12-01", "", "", "")
    bad = tuple(cell if head == column else value for head, value in zip(HEADS, good, strict=True))
    with sessions() as session:
        before = session.scalars(select(ShiftRule.id)).all()
    status, page = send(lead, sheet(good, bad))
    assert (status, words in page, '<td class="number">3</td>' in page) == (422, True, True)
    with sessions() as session:
        assert session.scalars(select(ShiftRule.id)).all() == before


def test_half_of_the_hours_and_no_sheet_are_refused_in_words(lead: FlaskClient, courier_no: str) -> None:
    half = (courier_no, "一", "08:00", "", "", "", "", "2026-12-01", "")
    assert "上班和下班请都填" in send(lead, sheet(half))[1]
    assert "文件是空的" in send(lead, b"")[1]
    answer = lead.post("/team/roster/sheet", data={})
    assert (answer.status_code, "请选择文件" in answer.text) == (422, True)


def test_the_template_is_the_sheet_that_is_read(lead: FlaskClient) -> None:
    book = load_workbook(io.BytesIO(lead.get("/team/roster/template").data))
    assert tuple(cell.value for cell in book.worksheets[0][1]) == HEADS
    assert set(READ) >= NEEDED
