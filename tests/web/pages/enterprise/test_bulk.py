"""Bulk intake: a good sheet is filed whole, a fault names its row and column, and nothing of it is half applied."""

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.datastructures import FileStorage

from agents.network import Division
from dispatch.cases.case import Case
from dispatch.cases.project import Contact, Enterprise, Project
from dispatch.cases.review import Review
from dispatch.cases.stages import Stage
from dispatch.core.actor import Role
from notifications.message import Message
from tests.dispatch.builders import MONDAY
from web.pages.enterprise.bulk_sheet import PARTY_HEADS, PROJECT_HEADS
from web.wiring import sheet_draft, sheet_rows
from web.wiring.security_log import SecurityEvent
from web.wiring.workbook_reader import MOST_UNPACKED

GOOD = ("精密机床扩产项目", "工业建设项目施工许可", "常州市武进区", "湖塘镇", "人民东路1号", "3,000", "", "", "否")
PARTY = ("常州精机有限公司", "91350100M000100Y43", "王经理", "13812345678")


@pytest.fixture
def database_url(county_url: str) -> str:
    """The application runs over 武进区 at ten on a Monday."""
    return county_url


@pytest.fixture
def enterprise(sign_in_as: Callable[..., FlaskClient]) -> FlaskClient:
    """An enterprise's browser."""
    return sign_in_as(Role.ENTERPRISE, phone="+8613812345678")


@pytest.fixture
def lead(sign_in_as: Callable[..., FlaskClient], sessions: sessionmaker[Session]) -> FlaskClient:
    """The browser of 武进区's lead."""
    with sessions() as session:
        area = session.scalars(select(Division.id).where(Division.name == "武进区")).one()
    return sign_in_as(Role.LEAD, division_id=area)


def a_book(*rows: tuple[object, ...], heads: tuple[str, ...] = PROJECT_HEADS) -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet = book.worksheets[0]
    for row in (heads, *rows):
        sheet.append(row)
    book.save(out)
    return out.getvalue()


def row(**changed: object) -> tuple[object, ...]:
    named = dict(zip(PROJECT_HEADS, GOOD, strict=True)) | changed
    return tuple(named[name] for name in PROJECT_HEADS)


def upload(client: FlaskClient, content: bytes, *, name: str = "projects.xlsx", **more: str) -> tuple[int, str]:
    answer = client.post("/bulk", data={"sheet": (io.BytesIO(content), name), **more})
    return answer.status_code, answer.get_data(as_text=True)


def projects(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(Project.name).order_by(Project.id)))


def test_a_good_sheet_is_filed_with_its_cases_and_their_notices(
    enterprise: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    status, page = upload(enterprise, a_book(row(), row(项目名称="二期", 办理事项="IND-101、用地规划许可证")))
    assert (status, "已提交 2 个项目" in page) == (200, True)
    with sessions() as session:
        first, second = session.scalars(select(Case).order_by(Case.id))
        assert first.stage is Stage.REQUESTED and first.case_no in page and first.query_code in page
        assert (first.project.investment_wan, first.project.site_address) == (3000, "湖塘镇人民东路1号")
        assert first.project.division_id != first.project.home_division_id
        assert session.scalar(select(func.count(Review.id)).where(Review.case_id == second.id)) == 2
        assert session.scalar(select(func.count(Message.id))) == 2
    status, page = upload(enterprise, a_book(row()))
    assert (status, "已有同名项目" in page) == (422, True)  # the same sheet once more files nothing twice


@pytest.mark.parametrize(
    ("changed", "column", "words"),
    [
        ({"项目名称": ""}, "项目名称", "请填写"),
        ({"类型": "修路"}, "类型", "请填：工业建设项目施工许可"),
        ({"县（市、区）": "武侯区"}, "县（市、区）", "没有“武侯区”"),
        ({"镇街或园区": "鸣凰镇"}, "镇街或园区", "不在所填的县（市、区）内"),
        ({"总投资（万元）": "三千"}, "总投资（万元）", "请填写以万元为单位的数"),
        ({"项目代码": "123"}, "项目代码", "项目代码有误"),
        ({"项目代码": 202611320412040112345}, "项目代码", "数字格只保留15位"),
        ({"项目代码": "2.61132E+19"}, "项目代码", "数字格只保留15位"),
        ({"项目名称": date(2026, 3, 1)}, "项目名称", "这是日期格"),
        ({"项目名称": "\u200b\u200b"}, "项目名称", "请填写"),
        ({"办理事项": "IND-999"}, "办理事项", "目录里没有：IND-999"),
        ({"是否涉密": "是"}, "是否涉密", "涉密项目不得"),
        ({"是否涉密": "Ｙ"}, "是否涉密", "涉密项目不得"),
        ({"是否涉密": "待定"}, "是否涉密", "请填“否”或“是”"),
        ({"总投资（万元）": "=1000+2000"}, "总投资（万元）", "这是公式"),
        ({"项目名称": "名" * 121}, "项目名称", "填写的内容太长"),
        ({"是否涉密": ""}, "是否涉密", "请填写"),
        ({"项目名称": GOOD[0]}, "项目名称", "与第2行重复"),
        ({"详细地址": "路" * 201}, "详细地址", "超过200个字"),
    ],
)
def test_a_fault_names_its_row_and_column_and_nothing_is_filed(
    enterprise: FlaskClient, sessions: sessionmaker[Session], changed: dict[str, object], column: str, words: str
) -> None:
    status, page = upload(enterprise, a_book(row(), row(**{"项目名称": "二期"} | changed)))
    assert (status, projects(sessions)) == (422, [])
    assert '<td class="number">3</td>' in page
    assert column in page and words in page


def test_good_rows_are_kept_when_that_is_asked_for(enterprise: FlaskClient, sessions: sessionmaker[Session]) -> None:
    sheet = a_book(row(类型="修路"), row(项目名称="二期"), row(项目名称="三期", 项目代码="12"))
    status, page = upload(enterprise, sheet, keep_good="1")
    assert (status, projects(sessions)) == (200, ["二期"])
    assert "已提交 1 个项目" in page and "有误的行没有提交" in page
    with sessions() as session:
        assert session.scalar(select(func.count(Message.id))) == 1


def test_a_merged_place_is_refused_by_its_name(enterprise: FlaskClient, sessions: sessionmaker[Session]) -> None:
    assert upload(enterprise, a_book(row()))[0] == 200
    with sessions.begin() as session:
        session.scalars(select(Division).where(Division.name == "牛塘镇")).one().retired_on = MONDAY
    status, page = upload(enterprise, a_book(row(镇街或园区="牛塘镇")))
    assert (status, "“牛塘镇”已撤并" in page) == (422, True)
    site = {"division_code": "320412101000"}
    api = {"name": "探测", "family": "industrial_permit", "matters": ["IND-101"], "site": site}
    answer = enterprise.post("/api/v1/projects", json=api)
    assert (answer.status_code, answer.get_json()["detail"]) == (422, "牛塘镇已撤并，请选择现行区划")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "文件是空的"),
        (b"PK\x03\x04 not a workbook", "打不开这个文件"),
        (b"\xff\xfe\x00\xd8", "编码无法识别"),
        ("名称，类型\n甲，乙\n".encode(), "没有表头"),
        ("项目名称,类型\n甲,乙\n".encode(), "缺少列：县（市、区）、镇街或园区"),
        (a_book(), "表里没有填写内容"),
        (a_book(*[row()] * 201), "一次最多200行"),
    ],
)
def test_what_is_no_such_sheet_is_refused_in_words(enterprise: FlaskClient, content: bytes, words: str) -> None:
    status, page = upload(enterprise, content)
    assert (status, words in page) == (422, True)


def test_a_sheet_of_more_than_two_megabytes_is_not_read() -> None:
    large = FileStorage(io.BytesIO(b"x" * (sheet_rows.MOST_BYTES + 1)), filename="a.csv")
    with pytest.raises(sheet_rows.BadSheet, match="too large"):
        sheet_rows.read(large, PROJECT_HEADS)


@pytest.mark.parametrize("no", ["不涉密", "N", "no", "无", "非涉密"])
def test_no_is_read_however_it_is_spelled(enterprise: FlaskClient, sessions: sessionmaker[Session], no: str) -> None:
    assert upload(enterprise, a_book(row(是否涉密=no)))[0] == 200
    assert projects(sessions) == [GOOD[0]]


def test_a_hidden_row_is_named_and_is_not_filed(enterprise: FlaskClient, sessions: sessionmaker[Session]) -> None:
    book = load_workbook(io.BytesIO(a_book(row(), row(项目名称="二期"))))
    book.worksheets[0].row_dimensions[2].hidden = True
    out = io.BytesIO()
    book.save(out)
    status, page = upload(enterprise, out.getvalue())
    assert (status, projects(sessions), "这一行在表里是隐藏的" in page) == (422, [], True)
    assert upload(enterprise, out.getvalue(), keep_good="1")[0] == 200
    assert projects(sessions) == ["二期"]


def test_csv_as_excel_saves_it_in_china_is_read_too(enterprise: FlaskClient, sessions: sessionmaker[Session]) -> None:
    line = ",".join(f'"{cell}"' for cell in GOOD)
    content = (",".join(f'"{name}"' for name in PROJECT_HEADS) + "\r\n" + line + "\r\n").encode("gb18030")
    assert upload(enterprise, content, name="projects.csv")[0] == 200
    assert projects(sessions) == [GOOD[0]]


def test_heads_are_known_however_wide_their_brackets_were_typed(
    enterprise: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    narrow = tuple(unicodedata.normalize("NFKC", name) for name in PROJECT_HEADS)
    assert upload(enterprise, a_book(row(), heads=narrow))[0] == 200
    wide = tuple(name.translate({0x28: 0xFF08, 0x29: 0xFF09}) for name in PROJECT_HEADS)
    assert upload(enterprise, a_book(row(项目名称="二期"), heads=wide))[0] == 200
    assert len(projects(sessions)) == 2


def test_a_parks_sheet_says_whose_each_project_is(lead: FlaskClient, sessions: sessionmaker[Session]) -> None:
    heads = PARTY_HEADS + PROJECT_HEADS
    wrong = a_book(("别的名字", "91350100M000100Y44", "王", "123", *GOOD), heads=heads)
    status, page = upload(lead, wrong)
    assert (status, projects(sessions)) == (422, [])
    assert "统一社会信用代码的校验位不符" in page and "手机号有误" in page
    assert upload(lead, a_book((*PARTY, *GOOD), (*PARTY, *row(项目名称="二期")), heads=heads))[0] == 200
    with sessions() as session:
        made = session.scalars(select(Enterprise).where(Enterprise.credit_code == PARTY[1])).one()
        told = select(Contact.name).where(Contact.enterprise_id == made.id)
        assert list(session.scalars(told)) == ["王经理"]
    status, page = upload(lead, a_book(("另一家", *PARTY[1:], *row(项目名称="三期")), heads=heads))
    assert (status, "登记的名称“常州精机有限公司”不符" in page) == (422, True)


def test_one_spelling_of_names_codes_and_amounts(lead: FlaskClient, sessions: sessionmaker[Session]) -> None:
    """Brackets of either width are one enterprise; full width and unseen marks are read as what they mean."""
    rows = [
        ("样本（江苏）装备有限公司", "91320412MA8YBRK700", "样本甲", "13900139111", *row(项目名称="括号甲")),
        ("样本(江苏) 装备有限公司", "９１３２０４１２ｍａ８ｙｂｒｋ７００\u200b", "样本甲", "139-0013-9111",
         *row(**{"项目名称": "括号(乙)", "总投资（万元）": "３０００．50", "项目代码": "26113204120401123456"})),
    ]  # fmt: skip
    status, _ = upload(lead, a_book(*rows, heads=PARTY_HEADS + PROJECT_HEADS))
    assert (status, projects(sessions)) == (200, ["括号甲", "括号（乙）"])
    with sessions() as session:
        owner = session.scalars(select(Enterprise).where(Enterprise.credit_code == "91320412MA8YBRK700")).one()
        told = session.scalars(select(Contact).where(Contact.enterprise_id == owner.id)).all()
        assert (owner.name, len(told)) == ("样本（江苏）装备有限公司", 1)
        project = session.scalars(select(Project).where(Project.name == "括号（乙）")).one()
        assert (project.investment_wan, project.project_code) == (Decimal("3000.5"), "2611-320412-04-01-123456")


@pytest.mark.parametrize("number", ["0519-86310000", "4008208820"])
def test_a_line_that_no_sms_reaches_is_refused(lead: FlaskClient, sessions: sessionmaker[Session], number: str) -> None:
    party = (*PARTY[:3], number)
    status, page = upload(lead, a_book((*party, *GOOD), heads=PARTY_HEADS + PROJECT_HEADS))
    assert (status, projects(sessions)) == (422, [])
    assert re.search(r">手机号</td><td>座机和400号码收不到短信", page)


def test_a_persons_number_is_no_credit_code_and_is_not_repeated(
    lead: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    party = (PARTY[0], "320412199003071234", *PARTY[2:])
    status, page = upload(lead, a_book((*party, *GOOD), heads=PARTY_HEADS + PROJECT_HEADS))
    assert (status, projects(sessions)) == (422, [])
    assert "这是个人身份证号码" in page and "199003071234" not in page


def test_a_row_outside_of_the_leads_own_district_is_named(
    sign_in_as: Callable[..., FlaskClient], sessions: sessionmaker[Session]
) -> None:
    with sessions() as session:
        town = session.scalars(select(Division.id).where(Division.name == "牛塘镇")).one()
    client = sign_in_as(Role.LEAD, division_id=town)
    status, page = upload(client, a_book((*PARTY, *GOOD), heads=PARTY_HEADS + PROJECT_HEADS))
    assert (status, projects(sessions)) == (422, [])
    assert re.search(r">县（市、区）</td><td>不在您的辖区内</td>", page)


def test_the_template_has_the_columns_that_are_read(enterprise: FlaskClient, lead: FlaskClient) -> None:
    for client, heads in ((enterprise, PROJECT_HEADS), (lead, PARTY_HEADS + PROJECT_HEADS)):
        book = load_workbook(io.BytesIO(client.get("/bulk/template.xlsx").data))
        assert tuple(cell.value for cell in book["项目"][1]) == heads
        assert len(list(book["填写说明"].rows)) == len(heads) + 1


def test_a_bomb_is_not_unpacked(enterprise: FlaskClient) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("xl/sharedStrings.xml", bytes(MOST_UNPACKED + 1))
    status, page = upload(enterprise, bomb.getvalue())
    assert (status, "展开后过大" in page) == (422, True)


def checked(client: FlaskClient, content: bytes) -> tuple[int, str]:
    answer = client.post("/bulk/check", data={"sheet": (io.BytesIO(content), "projects.xlsx")})
    return answer.status_code, answer.get_data(as_text=True)


def test_a_sheet_is_read_before_it_is_filed_and_filed_on_its_senders_word(
    enterprise: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    status, page = checked(enterprise, a_book(row(), row(项目名称="二期", 类型="修路")))
    assert status == 200 and "还没有提交：1 行可以提交" in page and "请填：工业建设项目施工许可" in page
    assert "湖塘镇" in page and "用地规划" in page  # where, and what would be asked for
    assert projects(sessions) == []
    with sessions() as session:
        assert session.scalar(select(func.count(Message.id))) == 0
    assert enterprise.post("/bulk", data={"checked": "1"}).status_code == 422  # a row has a fault
    assert projects(sessions) == []
    answer = enterprise.post("/bulk", data={"checked": "1", "keep_good": "1"})
    assert answer.status_code == 200 and projects(sessions) == [GOOD[0]]
    again = enterprise.post("/bulk", data={"checked": "1", "keep_good": "1"})
    assert again.status_code == 422 and "请重新上传" in again.text
    assert projects(sessions) == [GOOD[0]]


def test_a_checked_sheet_that_nobody_files_is_forgotten_after_a_day(
    enterprise: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    checked(enterprise, a_book(row()))
    with sessions.begin() as session:
        assert sheet_draft.forget_old_sheets(session) == 0
        session.scalars(select(sheet_draft.SheetDraft)).one().made_at -= timedelta(days=2)
        session.flush()
        assert sheet_draft.forget_old_sheets(session) == 1
    assert enterprise.post("/bulk", data={"checked": "1"}).status_code == 422


def test_what_one_sheet_filed_is_a_batch_with_its_codes_and_one_letter(
    enterprise: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    upload(enterprise, a_book(row(), row(项目名称="二期"), row(项目名称="三期")), name="东区.xlsx")
    page = enterprise.get("/bulk/batches").text
    (place,) = set(re.findall(r"/bulk/batches/\d+", page))
    assert "东区" in page
    page = enterprise.get(place).text
    assert page.count("请签署委托书") >= 3 and f"{place}/letter" in page
    book = load_workbook(io.BytesIO(enterprise.get(f"{place}/codes.xlsx").data))
    with sessions() as session:
        cases = list(session.scalars(select(Case).order_by(Case.id)))
        told = {case.case_no: case.query_code for case in cases}
        assert session.scalars(select(SecurityEvent.subject).where(SecurityEvent.subject.like("codes-%.xlsx"))).all()
    assert {line[2]: line[3] for line in book.worksheets[0].iter_rows(min_row=2, values_only=True)} == told
    letter = {
        "legal_representative": "张法人", "valid_to": "2027-06-30", "submit": "y", "receive": "y", "consent": "y",
        "name1": "王经理", "phone1": "13812345678", "out1": "on", "in1": "on",
    }  # fmt: skip
    refused = enterprise.post(f"{place}/letter", data=letter | {"consent": ""})
    assert refused.status_code == 422 and "张法人" in refused.text
    assert enterprise.post(f"{place}/letter", data=letter).status_code == 302
    assert "请签署委托书" not in enterprise.get(place).text
    undone = enterprise.post(f"{place}/undo", data={"reason": "表格填错了"}, follow_redirects=True).text
    assert "已撤回 3 个项目" in undone and "表格填错了" in undone
    with sessions() as session:
        assert set(session.scalars(select(Case.stage))) == {Stage.WITHDRAWN}


def test_many_projects_are_found_by_name_and_by_what_waits(enterprise: FlaskClient) -> None:
    upload(enterprise, a_book(*(row(项目名称=f"{n}号厂房") for n in range(1, 24))))
    first = enterprise.get("/my").text
    assert "第 1 页，共 2 页" in first and first.count("my-project") == 20
    assert enterprise.get("/my?page=2").text.count("my-project") == 3
    found = enterprise.get("/my?q=17号").text
    assert found.count("my-project") == 1 and "17号厂房" in found
    assert "没有找到“99号”" in enterprise.get("/my?q=99号").text
    assert enterprise.get("/my?turn=sign_letter&page=2").text.count("my-project") == 3
    assert enterprise.get("/my?page=%C2%B2&turn=x").status_code == 200
