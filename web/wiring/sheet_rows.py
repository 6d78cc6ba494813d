"""Sheet rows: what people upload as a workbook or as text with commas, read row by row under the heads of its template.

The heads may stand below a title and on any one sheet; what a row cannot be taken for is said beside the row."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from werkzeug.datastructures import FileStorage

from dispatch.core.canonical import visible_text
from web.wiring.isolated import UnreadableUpload, read_isolated
from web.wiring.workbook_reader import DATE_CELL, ERROR_CELL, FORMULA_CELL, NUMBER_CELL

MOST_ROWS = 200
MOST_BYTES = 2 * 1024 * 1024
LONGEST_CELL = 200
LAST_HEAD = 20
"""The heads stand in one of so many first rows."""
OLE, ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK"
"""How workbooks begin: XLS and ET, XLSX and ODS."""
DELIMITERS = (",", ";", "\t")

UNREAD = {
    NUMBER_CELL: "数字格只保留15位，其余的数字已丢失，请把该列设为“文本”格式后重填",
    DATE_CELL: "这是日期格，请设为“文本”格式后重填",
    FORMULA_CELL: "这是公式，没有可读的结果，请改填结果本身",
    ERROR_CELL: "这一格的公式出错，请改填结果本身",
}
"""Cells that do not hold what was typed, and what is said of them."""
UNREADABLE = {
    "unpacked": "文件展开后过大，请只保留要提交的行",
    "exhausted": "文件展开后过大，请只保留要提交的行",
    "rows": "文件展开后过大，请只保留要提交的行",
    "columns": "文件有256列以上，请只保留模板里的列",
    "sheets": "文件有20张以上的表，请只保留要提交的那一张",
    "locked": "文件有密码，请去掉密码后再上传",
}
_EXPONENT = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)  # the same number in a file of commas
_AS_TEXT = re.compile(r'="([^"]*)"')  # how a file of commas keeps a number as it was typed
_FORMULA = re.compile(r"=|@[A-Za-z]+\(")
Row = tuple[int, list[str]]


class BadSheet(ValueError):
    """A file that is not such a sheet at all; ``user_message`` says why, with ``names`` in it."""

    def __init__(self, message: str, *, user_message: str, **names: str) -> None:
        super().__init__(message)
        self.user_message, self.names = user_message, names


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one row, as a spreadsheet numbers it."""

    row: int
    column: str
    words: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows below the heads that hold anything, with their numbers, and the faults of those that were not read."""

    rows: list[tuple[int, dict[str, str]]]
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Table:
    """One sheet as it stands in the file."""

    name: str
    rows: list[Row]
    hidden: frozenset[int] = frozenset()


def read(upload: FileStorage, columns: Sequence[str], later: Sequence[str] = ()) -> Sheet:
    """The rows of the one sheet that has these heads; a template of an earlier release lacks the ``later`` ones.

    Raises BadSheet."""
    content = upload.stream.read(MOST_BYTES + 1)
    if not content:
        raise BadSheet("empty", user_message="文件是空的，请重新选择")
    if len(content) > MOST_BYTES:
        raise BadSheet("too large", user_message="文件超过2 MB，请分成几个文件上传")
    tables = _workbook(content) if content.startswith((OLE, ZIP)) else [_text(content, columns)]
    table, at = _with_heads(tables, columns, later)
    columns = (*columns, *later)
    found = _heads(table.rows[at][1], columns)
    rows, faults = list[tuple[int, dict[str, str]]](), list[Fault]()
    for number, cells in table.rows[at + 1 :]:
        named = {name: _cell(cell) for name, cell in zip(found, cells, strict=False) if name}
        if not any(named.get(name) for name in columns):
            continue
        if number in table.hidden:
            faults.append(Fault(number, "", words="这一行在表里是隐藏的，没有读取：请取消隐藏，或删去后再上传"))
        else:
            rows.append((number, {name: named.get(name, "") for name in columns}))
    if not rows and not faults:
        raise BadSheet("no rows", user_message="表里没有填写内容")
    if len(rows) > MOST_ROWS:
        raise BadSheet("too many rows", user_message=f"一次最多{MOST_ROWS}行，请分批上传")
    return Sheet(rows, faults)


def unread(cell: str) -> str | None:
    """Why this cell does not hold what was typed; None where it does."""
    return next((words for mark, words in UNREAD.items() if cell.startswith(mark)), None)


def _with_heads(tables: Sequence[_Table], columns: Sequence[str], later: Sequence[str]) -> tuple[_Table, int]:
    """The sheet that has all the heads but the later ones, and which of its rows they are. Raises BadSheet."""
    known = (*columns, *later)
    wanted, best, matching = frozenset(columns), frozenset[str](), list[tuple[_Table, int]]()
    for table in tables:
        for at, (_, cells) in enumerate(table.rows[:LAST_HEAD]):
            found = _heads(cells, known)
            here = wanted & set(found)
            best = max(best, here, key=len)
            if here == wanted:
                if twice := next((name for name in known if found.count(name) > 1), None):
                    raise BadSheet("head twice", user_message="“%(column)s”有两列，请只留一列", column=twice)
                matching.append((table, at))
                break
    filled = [one for one in matching if len(one[0].rows) > one[1] + 1]
    if len(filled) > 1:
        names = "、".join(table.name for table, _ in filled)
        raise BadSheet("several sheets", user_message="“%(sheets)s”都填有内容，一次只读一张，请分开上传", sheets=names)
    if matching:
        return (filled or matching)[0]
    if not best:
        raise BadSheet("no head", user_message="没有表头，请用模板填写")
    missing = "、".join(name for name in columns if name not in best)
    raise BadSheet(
        f"missing {missing}", user_message="缺少列：%(columns)s。请用模板填写，不要改动表头", columns=missing
    )


def _heads(cells: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The cells of a row as heads: a wanted one in the template's spelling."""
    spelled = {_plainly(name): name for name in columns}
    return [spelled.get(_plainly(cell), cell.strip()) for cell in cells]


def _workbook(content: bytes) -> list[_Table]:
    """The sheets as a process of their own reads them: a small file may unpack into anything."""
    try:
        found = json.loads(read_isolated("web.wiring.workbook_reader", content))
    except UnreadableUpload as error:
        words = UNREADABLE.get(error.reason, "打不开这个文件，请另存为 .xlsx 后再上传")
        raise BadSheet(f"unreadable: {error.reason}", user_message=words) from error
    return [
        _Table(sheet["name"], [(number, cells) for number, cells in sheet["rows"]], frozenset(sheet["hidden"]))
        for sheet in found
    ]


def _plainly(head: str) -> str:
    """A head however wide its brackets were typed, with or without the star of a needed one."""
    return "".join(unicodedata.normalize("NFKC", head).split()).strip("*")


def _cell(text: str) -> str:
    """A cell as it is read on: visible text of bounded length, or a mark of UNREAD, a date's with its day."""
    if unread(text):
        return text
    plain = text.strip()
    if kept := _AS_TEXT.fullmatch(plain):
        return visible_text(kept[1])[: LONGEST_CELL + 1]
    if _FORMULA.match(plain):
        return FORMULA_CELL
    return NUMBER_CELL if _EXPONENT.fullmatch(plain) else visible_text(text)[: LONGEST_CELL + 1]


def _text(content: bytes, columns: Sequence[str]) -> _Table:
    """The rows of a file of commas, semicolons or tabs: the delimiter under which most heads are found."""
    text = _decoded(content)
    if re.match(r"\s*<(?:!doctype|html|table|\?xml)", text, re.IGNORECASE):
        raise BadSheet("markup", user_message="这是网页格式的表格，请用 Excel 或 WPS 另存为 .xlsx 后再上传")
    tables = [_Table("", rows) for delimiter in DELIMITERS for rows in _parsed(text, delimiter)]
    if not tables:
        raise BadSheet("not CSV", user_message="不是规范的 CSV 文件，请用模板另存")
    wanted = set(columns)
    return max(
        tables,
        key=lambda table: max(
            (len(wanted & set(_heads(row, columns))) for _, row in table.rows[:LAST_HEAD]), default=0
        ),
    )


def _parsed(text: str, delimiter: str) -> Iterator[list[Row]]:
    """The rows that hold anything, with their numbers in a spreadsheet; nothing where it is not such a file."""
    try:
        yield [
            (number, cells)
            for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), start=1)
            if any(cells)
        ]
    except csv.Error:
        return


def _decoded(content: bytes) -> str:
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadSheet("unknown encoding", user_message="文件编码无法识别，请另存为 .xlsx 后再上传")
