"""Sheets as people have them: old and foreign formats, titles, second sheets, hidden rows, formulas, odd text files."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from werkzeug.datastructures import FileStorage

from web.wiring import sheet_rows
from web.wiring.isolated import UnreadableUpload
from web.wiring.reader_limits import RefusedByReader
from web.wiring.sheet_rows import BadSheet, Sheet, unread
from web.wiring.workbook_reader import DATE_CELL, ERROR_CELL, FORMULA_CELL, MOST_ROWS, NUMBER_CELL, sheets_of

HEADS = ("名称", "金额", "镇（街）")
FILES = Path(__file__).parent / "workbooks"
Cells = Sequence[Any]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader without its process, which has tests of its own: a tenth of the time."""

    def read(_: str, content: bytes) -> bytes:
        try:
            return sheets_of(content)
        except RefusedByReader as error:
            raise UnreadableUpload(str(error)) from error

    monkeypatch.setattr(sheet_rows, "read_isolated", read)


def book(*sheets: Sequence[Cells], change: Callable[[Workbook], object] = lambda _: None) -> bytes:
    """A workbook with these rows, sheet after sheet, then changed."""
    made, out = Workbook(), io.BytesIO()
    for n, rows in enumerate(sheets):
        sheet = made.worksheets[0] if n == 0 else made.create_sheet()
        for cells in rows:
            sheet.append(list(cells))
    change(made)
    made.save(out)
    return out.getvalue()


def read(content: bytes, heads: Sequence[str] = HEADS) -> Sheet:
    return sheet_rows.read(FileStorage(io.BytesIO(content), filename="a"), heads)


def refusal(content: bytes) -> str:
    with pytest.raises(BadSheet) as told:
        read(content)
    return told.value.user_message % told.value.names


def hide_row(made: Workbook) -> None:
    made.worksheets[0].row_dimensions[2].hidden = True


def hide_sheet(made: Workbook) -> None:
    made.worksheets[0].sheet_state = "hidden"


def merge(made: Workbook) -> None:
    made.worksheets[0].merge_cells("C2:C4")


def text(
    delimiter: str = ",", encoding: str = "utf-8", *, head: Sequence[str] = HEADS, row: Cells = ("甲", "1", "湖塘")
) -> bytes:
    return (delimiter.join(head) + "\r\n" + delimiter.join(row) + "\r\n").encode(encoding)


ONE = ("甲", "1", "湖塘")
ROW = dict(zip(HEADS, ONE, strict=True))
TITLE, HELP = ("园区项目一览",), [("填写说明",), ("名称", "必填")]

SAME: dict[str, tuple[bytes, int]] = {
    "as the template": (book([HEADS, ONE]), 2),
    "title above": (book([TITLE, (), HEADS, ONE]), 4),
    "blank rows between": (book([HEADS, (), (), ONE]), 4),
    "columns far to the right": (book([[*[""] * 80, *HEADS], [*[""] * 80, *ONE]]), 2),
    "columns to the left": (book([("序号", *HEADS), (1, *ONE)]), 2),
    "columns in another order": (book([HEADS[::-1], ONE[::-1]]), 2),
    "stars at the heads": (book([[f"{head} *" for head in HEADS], ONE]), 2),
    "narrow brackets": (book([("名称", "金额", "镇(街)"), ONE]), 2),
    "spaces in a head": (book([("名 称", "金额", "镇（街）"), ONE]), 2),
    "help sheet first": (book(HELP, [HEADS, ONE]), 2),
    "second sheet with heads alone": (book([HEADS, ONE], [HEADS]), 2),
    "hidden sheet beside": (book([HEADS, ("旧", "", "")], [HEADS, ONE], change=hide_sheet), 2),
    "number as a number": (book([HEADS, ("甲", 1, "湖塘")]), 2),
    "number with a point": (book([HEADS, ("甲", 1.0, "湖塘")]), 2),
    "invisible marks": (book([HEADS, ("\ufeff甲\u200b", "1", " 湖塘 ")]), 2),
    "commas": (text(), 2),
    "commas with a mark": (text(encoding="utf-8-sig"), 2),
    "semicolons": (text(";"), 2),
    "tabs": (text("\t"), 2),
    "Chinese Windows": (text(encoding="gb18030"), 2),
    "Unicode text of a spreadsheet": (text("\t", "utf-16"), 2),
    "number kept as text": (text(row=("甲", '="1"', "湖塘")), 2),
    "title above in text": ("项目一览,,\r\n".encode() + text(), 3),
}


@pytest.mark.parametrize(("content", "number"), SAME.values(), ids=SAME)
def test_a_sheet_as_people_have_it_is_read_as_the_template(content: bytes, number: int) -> None:
    assert read(content) == Sheet([(number, ROW)])


@pytest.mark.parametrize("name", ["title-and-second-sheet.xls", "plain.ods"])
def test_old_and_free_formats_are_read_too(name: str) -> None:
    [(_, cells)] = read((FILES / name).read_bytes(), ("项目名称", "总投资（万元）", "是否涉密")).rows
    assert cells == {"项目名称": "精密机床扩产项目", "总投资（万元）": "3000", "是否涉密": "否"}


WORDS = {
    "empty file": (b"", "文件是空的"),
    "no heads": (book([("甲", "乙"), ONE]), "没有表头"),
    "one head missing": (book([HEADS[:2], ONE[:2]]), "缺少列：镇（街）"),
    "heads too far down": (book([("说明",)] * 20 + [HEADS, ONE]), "没有表头"),
    "heads alone": (book([HEADS]), "没有填写内容"),
    "two filled sheets": (book([HEADS, ONE], [HEADS, ONE]), "“Sheet、Sheet1”都填有内容"),
    "a head twice": (book([(*HEADS, "名称"), (*ONE, "乙")]), "“名称”有两列"),
    "too many rows": (book([HEADS, *[ONE] * 201]), "一次最多200行"),
    "rows without end": (book([HEADS, *[("甲",)] * (MOST_ROWS + 1)]), "展开后过大"),
    "more sheets than are read": (book(*[[("说明",)]] * 20, [HEADS, ONE]), "20张以上"),
    "more columns than are read": (book([(*HEADS, *[""] * 260, "备注"), ONE]), "256列以上"),
    "password": ((FILES / "locked.xlsx").read_bytes(), "文件有密码"),
    "a page named .xls": (b"<html><table><tr><td>1</td></tr></table></html>", "网页格式"),
    "torn workbook": (book([HEADS, ONE])[:900], "打不开这个文件"),
    "torn old workbook": ((FILES / "title-and-second-sheet.xls").read_bytes()[:700], "打不开这个文件"),
    "another archive": (b"PK\x05\x06" + bytes(18), "打不开这个文件"),
    "no text": (b"\xff\xfe\x00\xd8", "编码无法识别"),
    "quotes that do not close": ('名称,金额,镇（街）\n"甲,1,湖塘'.encode(), "不是规范的 CSV"),
}


@pytest.mark.parametrize(("content", "words"), WORDS.values(), ids=WORDS)
def test_what_cannot_be_taken_for_such_a_sheet_is_refused_by_its_cause(content: bytes, words: str) -> None:
    assert words in refusal(content)


MARKS = {
    "formula without a result": (book([HEADS, ("甲", "=1000+2000", "湖塘")]), FORMULA_CELL),
    "formula in text": (text(row=("甲", "=1+2", "湖塘")), FORMULA_CELL),
    "function in text": (text(row=("甲", "@SUM(1)", "湖塘")), FORMULA_CELL),
    "error": (book([HEADS, ("甲", "#REF!", "湖塘")]), ERROR_CELL),
    "longer than a spreadsheet keeps": (book([HEADS, ("甲", 202611320412040112345, "湖塘")]), NUMBER_CELL),
    "the same in text": (text(row=("甲", "2.0261E+20", "湖塘")), NUMBER_CELL),
    "day": (book([HEADS, ("甲", date(2026, 3, 1), "湖塘")]), DATE_CELL + "2026-03-01"),
    "day and hour": (book([HEADS, ("甲", datetime(2026, 3, 1, 8), "湖塘")]), DATE_CELL + "2026-03-01"),  # noqa: DTZ001
}


@pytest.mark.parametrize(("content", "mark"), MARKS.values(), ids=MARKS)
def test_a_cell_that_does_not_hold_what_was_typed_is_marked(content: bytes, mark: str) -> None:
    [(_, cells)] = read(content).rows
    assert cells == ROW | {"金额": mark}
    assert unread(cells["金额"]) is not None


def test_an_hour_and_a_yes_are_words() -> None:
    [(_, cells)] = read(book([HEADS, ("甲", time(8), True)])).rows
    assert cells == {"名称": "甲", "金额": "08:00", "镇（街）": "TRUE"}


def test_a_hidden_row_is_not_read_and_says_so() -> None:
    sheet = read(book([HEADS, ONE, ("乙", "2", "")], change=hide_row))
    assert sheet.rows == [(3, {"名称": "乙", "金额": "2", "镇（街）": ""})]
    [fault] = sheet.faults
    assert fault.row == 2 and "隐藏" in fault.words


def test_a_value_merged_over_rows_stands_in_each_of_them() -> None:
    rows = read(book([HEADS, ONE, ("乙", "2"), ("丙", "3"), ("丁", "4")], change=merge)).rows
    assert [cells["镇（街）"] for _, cells in rows] == ["湖塘", "湖塘", "湖塘", ""]


def test_the_end_of_a_long_sheet_is_not_cut_off() -> None:
    rows = [HEADS, ONE, *[()] * 1500, ("乙", "2", "")]
    assert [number for number, _ in read(book(rows)).rows] == [2, 1503]


def test_a_workbook_without_numbers_at_rows_and_cells_is_read() -> None:
    """Some programs leave out the references, which the format allows."""
    bare, out = book([HEADS, ("甲", "=1", "湖塘")]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bare)) as given, zipfile.ZipFile(out, "w") as made:
        for name in given.namelist():
            part = given.read(name)
            if name == "xl/worksheets/sheet1.xml":
                for n in range(1, 3):
                    part = part.replace(f'<row r="{n}"'.encode(), b"<row")
                    for letter in "ABC":
                        part = part.replace(f' r="{letter}{n}"'.encode(), b"")
            made.writestr(name, part)
    assert read(out.getvalue()).rows == [(2, ROW | {"金额": FORMULA_CELL})]
