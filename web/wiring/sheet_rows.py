"""Sheet rows: what people upload as a workbook or CSV, read row by row under the heads of its template."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from werkzeug.datastructures import FileStorage

from dispatch.core.canonical import visible_text
from web.wiring.isolated import UnreadableUpload, read_isolated
from web.wiring.workbook_reader import DATE_CELL, NUMBER_CELL

MOST_ROWS = 200
MOST_BYTES = 2 * 1024 * 1024
LONGEST_CELL = 200


UNREAD = {
    NUMBER_CELL: "数字格只保留15位，其余的数字已丢失，请把该列设为“文本”格式后重填",
    DATE_CELL: "这是日期格，请设为“文本”格式后重填",
}
"""Cells that do not hold what was typed, and what is said of them."""
_EXPONENT = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)  # the same number in a file of commas


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
        named = {name: _cell(cell)[: LONGEST_CELL + 1] for name, cell in zip(found, cells, strict=False) if name}
        if any(named.get(name) for name in columns):
            rows.append((number, {name: named.get(name, "") for name in columns}))
    if not rows:
        raise BadSheet("no rows", user_message="表里没有填写内容")
    if len(rows) > MOST_ROWS:
        raise BadSheet("too many rows", user_message=f"一次最多{MOST_ROWS}行，请分批上传")
    return rows


UNREADABLE = {"unpacked": "文件展开后过大，请只保留要提交的行", "exhausted": "文件展开后过大，请只保留要提交的行"}


def _workbook(content: bytes) -> list[list[str]]:
    """The rows as a process of their own reads them: a small file may unpack into anything."""
    try:
        rows: list[list[str]] = json.loads(read_isolated("web.wiring.workbook_reader", content))
    except UnreadableUpload as error:
        words = UNREADABLE.get(error.reason, "打不开这个文件，请另存为 .xlsx 后再上传")
        raise BadSheet(f"unreadable: {error.reason}", user_message=words) from error
    return rows


def _plainly(head: str) -> str:
    """A head however wide its brackets were typed."""
    return "".join(unicodedata.normalize("NFKC", head).split())


def _cell(text: str) -> str:
    if text.startswith(DATE_CELL):
        return DATE_CELL
    if text in UNREAD:
        return text
    return NUMBER_CELL if _EXPONENT.fullmatch(text.strip()) else visible_text(text)


def _csv(content: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding)), strict=True))
        except UnicodeDecodeError:
            continue
        except csv.Error as error:
            raise BadSheet(f"not CSV: {error}", user_message="不是规范的 CSV 文件，请用模板另存") from error
    raise BadSheet("unknown encoding", user_message="文件编码无法识别，请另存为 .xlsx 后再上传")
