"""A sheet of projects is read, every fault is named with its row, and it is filed whole or in part."""

import csv
import io
import logging
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openpyxl import load_workbook
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from agents.network import division_with, home_county
from dispatch.acts.act import perform
from dispatch.acts.asking import OutOfReach, PartyGiven, RequestProject, SiteGiven
from dispatch.cases.enterprises import NameDiffers
from dispatch.cases.project import FAMILY_LABEL, Contact
from dispatch.catalogue.matter import Family
from dispatch.core.actor import Actor, Role
from dispatch.core.errors import DispatchError
from dispatch.core.ids import ContactId
from dispatch.views import enterprise_intake
from notifications.phone import BadNumber, normalise
from web.wiring.accounts import AccountError, credit_code
from web.wiring.sheets import xlsx

log = logging.getLogger(__name__)

PROJECT_HEADS = (
    "项目名称",
    "类型",
    "县（市、区）",
    "镇街或园区",
    "详细地址",
    "总投资（万元）",
    "项目代码",
    "办理事项",
    "是否涉密",
)
PARTY_HEADS = ("企业名称", "统一社会信用代码", "联系人", "手机号")
NEEDED = frozenset({"项目名称", "类型", "县（市、区）", "详细地址", "是否涉密", *PARTY_HEADS})
MOST_ROWS = 200
MOST_BYTES = 2 * 1024 * 1024
MOST_UNPACKED = 40 * 1024 * 1024
LONGEST_CELL = 200


class BadSheet(ValueError):
    """A file that is not such a sheet at all; ``words`` says why."""

    def __init__(self, message: str, *, user_message: str) -> None:
        super().__init__(message)
        self.user_message = user_message


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one row, as a spreadsheet numbers it: the heads are row 1."""

    row: int
    column: str
    words: str


@dataclass(frozen=True, slots=True)
class Filed:
    """A project that was filed, with the number of its first case and the code to ask after it."""

    row: int
    name: str
    case_no: str
    query_code: str


@dataclass(frozen=True, slots=True)
class SheetOutcome:
    """What became of a sheet: nothing was filed when there are faults, unless the good rows were asked for."""

    filed: list[Filed] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def heads(viewer: Actor) -> tuple[str, ...]:
    """The columns: an agent's sheet says of each project whose it is."""
    return PROJECT_HEADS if viewer.role is Role.ENTERPRISE else PARTY_HEADS + PROJECT_HEADS


def template(viewer: Actor) -> bytes:
    """An empty sheet with one line as an example on a second sheet, and what each column wants."""
    example = {
        "企业名称": "常州示例精密机械有限公司", "统一社会信用代码": "91320412MA1ABCDE2E", "联系人": "王经理",
        "手机号": "13800000000",
        "项目名称": "精密机床扩产项目", "类型": FAMILY_LABEL[Family.INDUSTRIAL_PERMIT], "县（市、区）": "常州市武进区",
        "镇街或园区": "湖塘镇", "详细地址": "人民东路1号", "总投资（万元）": "3000", "项目代码": "",
        "办理事项": "", "是否涉密": "否",
    }  # fmt: skip
    wants = {
        "类型": "、".join(FAMILY_LABEL.values()), "县（市、区）": "同名的请带上设区市，也可填12位区划代码",
        "总投资（万元）": "整数，可不填", "项目代码": "24位，可不填", "是否涉密": "只收“否”；涉密项目请到窗口咨询",
        "办理事项": "事项编号或简称，用顿号隔开；不填则按常见情况列第一阶段的事项", "统一社会信用代码": "18位",
        "镇街或园区": "可不填",
    }  # fmt: skip
    columns = heads(viewer)
    about = [(name, "必填" if name in NEEDED else "选填", example[name], wants.get(name, "")) for name in columns]
    return xlsx([("项目", columns, []), ("填写说明", ("列", "是否必填", "例", "说明"), about)])


# ---------------------------------------------------------------- reading


def read(upload: FileStorage, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows that hold anything, with their numbers. Raises BadSheet."""
    content = upload.stream.read(MOST_BYTES + 1)
    if not content:
        raise BadSheet("empty", user_message="文件是空的，请重新选择")
    if len(content) > MOST_BYTES:
        raise BadSheet("too large", user_message="文件超过2 MB，请分成几个文件上传")
    table = _workbook(content) if content.startswith(b"PK") else _csv(content)
    if not table:
        raise BadSheet("no head", user_message="没有表头，请用模板填写")
    spelled = {_plainly(name): name for name in columns}
    found = [spelled.get(_plainly(cell), cell.strip()) for cell in table[0]]
    if missing := [name for name in columns if name not in found]:
        raise BadSheet(f"missing {missing}", user_message=f"缺少列：{'、'.join(missing)}。请用模板填写，不要改动表头")
    rows = []
    for number, cells in enumerate(table[1:], start=2):
        named = {name: cell.strip()[: LONGEST_CELL + 1] for name, cell in zip(found, cells, strict=False) if name}
        if any(named.get(name) for name in columns):
            rows.append((number, {name: named.get(name, "") for name in columns}))
    if not rows:
        raise BadSheet("no rows", user_message="表里没有项目")
    if len(rows) > MOST_ROWS:
        raise BadSheet("too many rows", user_message=f"一次最多{MOST_ROWS}个项目，请分批上传")
    return rows


def _workbook(content: bytes) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                raise BadSheet("unpacks too large", user_message="文件展开后过大，请只保留要提交的行")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(max_row=MOST_ROWS * 5, max_col=60, values_only=True)
        return [[_plain(value) for value in row] for row in rows]
    except BadSheet:
        raise
    except Exception as error:  # the library raises whatever a broken file makes it trip over
        log.info("a sheet could not be read", exc_info=error)
        raise BadSheet(f"unreadable: {error!r}", user_message="打不开这个文件，请另存为 .xlsx 后再上传") from error


def _plainly(head: str) -> str:
    """A head however wide its brackets were typed."""
    return "".join(unicodedata.normalize("NFKC", head).split())


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _csv(content: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding)), strict=True))
        except UnicodeDecodeError:
            continue
        except csv.Error as error:
            raise BadSheet(f"not CSV: {error}", user_message="不是规范的 CSV 文件，请用模板另存") from error
    raise BadSheet("unknown encoding", user_message="文件编码无法识别，请另存为 .xlsx 后再上传")


# ---------------------------------------------------------------- filing


def file_projects(
    session: Session,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    *,
    contact: Contact | None,
    by: Actor,
    at: datetime,
    keep_good: bool,
) -> SheetOutcome:
    """File each row in a savepoint of its own. ``contact``: of the enterprise that uploads; an agent's rows name one.

    Raises NothingFiled when a row has faults and the good ones were not asked for: the whole sheet is rolled back."""
    outcome, places = SheetOutcome(), DivisionLookup(session)
    seen: dict[tuple[str, str], int] = {}
    for number, cells in rows:
        check = SheetRow(number, cells)
        try:
            with session.begin_nested():
                _file(session, check, places, seen, contact=contact, by=by, at=at, outcome=outcome)
        except DispatchError as error:
            check.fault("", error.user_message)
        except Refusal:
            pass
        outcome.faults.extend(check.faults)
    if outcome.faults and not keep_good:
        raise NothingFiled(outcome.faults)
    return outcome


class NothingFiled(Exception):
    """A row has faults, so that no row was filed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__(f"{len(self.faults)} faults")


class Refusal(Exception):
    """The row has faults: its savepoint is rolled back."""


class SheetRow:
    """One row being checked, and what was found wrong in it."""

    def __init__(self, number: int, cells: Mapping[str, str]) -> None:
        self.number, self.cells = number, cells
        self.faults: list[Fault] = []
        for column, text in cells.items():
            if column in NEEDED and not text:
                self.fault(column, "请填写")
            elif len(text) > LONGEST_CELL:
                self.fault(column, f"超过{LONGEST_CELL}个字")

    def fault(self, column: str, words: str) -> None:
        self.faults.append(Fault(self.number, column, words))

    def given(self, column: str) -> str:
        return "" if any(fault.column == column for fault in self.faults) else self.cells.get(column, "")


class DivisionLookup:
    """Divisions by their names as people write them, and the matters that each offers; looked up once a sheet."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.counties: dict[str, list[str]] = {}
        self.towns: dict[str, dict[str, str]] = {}
        self.offered: dict[tuple[str, Family], list[enterprise_intake.Phase]] = {}
        for city in enterprise_intake.counties(session):
            for county in city.counties:
                for name in (county.name, city.name + county.name, county.code):
                    self.counties.setdefault(name, []).append(county.code)

    def county(self, row: SheetRow) -> str | None:
        """The county's code; None with the fault noted."""
        column, name = "县（市、区）", row.given("县（市、区）").replace("江苏省", "").replace(" ", "")
        if not name:
            return None
        codes = self.counties.get(name, [])
        if len(codes) == 1:
            return codes[0]
        row.fault(
            column, f"有几个“{name}”，请带上设区市" if codes else self._gone(name) or f"没有“{name}”这个县（市、区）"
        )
        return None

    def town(self, row: SheetRow, county: str) -> str | None:
        """The town's code, the county's when none is named; None with the fault noted."""
        name = row.given("镇街或园区")
        if not name:
            return county
        if county not in self.towns:
            self.towns[county] = {
                place.name: place.code for place in enterprise_intake.places_below(self.session, county)
            }
        if name in self.towns[county]:
            return self.towns[county][name]
        row.fault("镇街或园区", self._gone(name) or f"“{name}”不在所填的县（市、区）内")
        return None

    def _gone(self, name: str) -> str | None:
        """Where a division that was merged is now, in words."""
        gone = enterprise_intake.retired_place(self.session, name)
        if gone is None:
            return None
        return f"“{name}”已并入“{gone}”，请填现行名称" if gone else f"“{name}”已撤并，请填现行名称"

    def phases(self, by: Actor, code: str, family: Family) -> list[enterprise_intake.Phase]:
        """What may be asked for there."""
        county = home_county(self.session, division_with(self.session, code))
        key = (county.code if county is not None else code, family)
        if key not in self.offered:
            self.offered[key] = enterprise_intake.offers(self.session, by, division_code=code, family=family, facts={})
        return self.offered[key]


def _file(
    session: Session,
    row: SheetRow,
    places: DivisionLookup,
    seen: dict[tuple[str, str], int],
    *,
    contact: Contact | None,
    by: Actor,
    at: datetime,
    outcome: SheetOutcome,
) -> None:
    family = next((key for key, words in FAMILY_LABEL.items() if words == row.given("类型")), None)
    if family is None and row.given("类型"):
        row.fault("类型", f"请填：{'、'.join(FAMILY_LABEL.values())}")
    if row.given("是否涉密") not in {"", "否", "不涉及"}:
        row.fault("是否涉密", "涉密项目不得通过本系统办理，请到窗口咨询")
    investment = row.given("总投资（万元）").replace(",", "")
    if investment and not re.fullmatch(r"[0-9]{1,9}", investment):
        row.fault("总投资（万元）", "请填整数")
    county = places.county(row)
    code = places.town(row, county) if county is not None else None
    matters = _matters(row, places.phases(by, code, family)) if code is not None and family is not None else []
    party = None if contact is not None else _party(row)
    if row.faults or code is None or family is None or (contact is None and party is None):
        raise Refusal
    _not_twice(session, row, party.credit_code if party is not None else contact, code, seen)
    if row.faults:
        raise Refusal
    name = row.given("项目名称")
    command = RequestProject(
        name=name, family=family, matters=tuple(matters), party=party,
        site=SiteGiven(code, address=f"{division_with(session, code).name}{row.given('详细地址')}"),
        investment_wan=int(investment) if investment else None, project_code=row.given("项目代码") or None,
        contact_id=None if contact is None else ContactId(contact.id),
    )  # fmt: skip
    try:
        made = perform(session, command, by)
    except OutOfReach as error:
        row.fault("县（市、区）", error.user_message)
        raise Refusal from error
    except NameDiffers as error:
        row.fault("企业名称", error.user_message)
        raise Refusal from error
    outcome.filed.append(Filed(row.number, name, made.case_no, made.query_code))


def _matters(row: SheetRow, phases: Sequence[enterprise_intake.Phase]) -> list[str]:
    """The codes that the row names, or what usually comes first."""
    named = [word for word in re.split(r"[、,,;;\s]+", row.given("办理事项")) if word]
    if not named:
        return next(([offer.code for offer in phase.fitting] for phase in phases if phase.fitting), [])
    known = {
        key: offer.code for phase in phases for offer in phase.offers for key in (offer.code, offer.short, offer.name)
    }
    if unknown := [word for word in named if word not in known]:
        row.fault("办理事项", f"目录里没有：{'、'.join(unknown)}")
    return [known[word] for word in named if word in known]


def _party(row: SheetRow) -> PartyGiven | None:
    """Whose project it is, and who is told, as the row says it; None with the fault noted."""
    code = phone = None
    try:
        code = credit_code(row.given("统一社会信用代码")) if row.given("统一社会信用代码") else None
    except AccountError as error:
        row.fault("统一社会信用代码", error.user_message)
    try:
        phone = normalise(row.given("手机号")) if row.given("手机号") else None
    except BadNumber:
        row.fault("手机号", "手机号有误，请填写11位手机号")
    if row.faults or code is None or phone is None:
        return None
    return PartyGiven(row.given("企业名称"), code, row.given("联系人"), phone)


def _not_twice(
    session: Session, row: SheetRow, whose: str | Contact | None, code: str, seen: dict[tuple[str, str], int]
) -> None:
    """The same sheet sent again, or a row copied, files nothing twice."""
    name = row.given("项目名称")
    key = whose if isinstance(whose, str) else "" if whose is None else f"#{whose.enterprise_id}"
    if (before := seen.setdefault((key, name), row.number)) != row.number:
        row.fault("项目名称", f"与第{before}行重复")
        return
    if (there := enterprise_intake.open_project_named(session, key, name, division_code=code)) is not None:
        row.fault("项目名称", f"已有同名项目 {there}")
