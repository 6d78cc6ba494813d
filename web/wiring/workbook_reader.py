"""Workbook reader: the sheets of an XLSX, XLS, ET or ODS file as JSON rows of plain words, in a process of its own."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from posixpath import join, normpath
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from web.wiring.reader_limits import RefusedByReader, run_reader

MOST_UNPACKED = 40 * 1024 * 1024
MOST_ROWS, MOST_COLUMNS, MOST_SHEETS = 20_000, 256, 20  # an XLS file has no more columns
MOST_DIGITS = 15  # a spreadsheet keeps no more of a number
NUMBER_CELL, DATE_CELL, FORMULA_CELL, ERROR_CELL = "\0number", "\0date", "\0formula", "\0error"
"""What stands for, or before, a cell of which the workbook has not kept what was typed."""
LOCKED = "EncryptedPackage".encode("utf-16-le")
"""The part of a file in which a workbook with a password lies."""
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

Place = tuple[int, int]
"""A row and a column, from 1."""


def sheets_of(content: bytes) -> bytes:
    """Every sheet that is shown: its name, its rows that hold anything with their numbers, and which are hidden.

    Raises RefusedByReader: locked, unpacked, rows, columns, sheets, damaged. Nothing is left out unsaid."""
    try:
        zipped = content.startswith(b"PK")
        if zipped:
            with zipfile.ZipFile(io.BytesIO(content)) as packed:
                if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                    raise RefusedByReader("unpacked")
        elif LOCKED in content:
            raise RefusedByReader("locked")
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        shown = [
            one.name for one in book.sheets_metadata
            if one.typ is SheetTypeEnum.WorkSheet and one.visible is SheetVisibleEnum.Visible
        ]  # fmt: skip
        if len(shown) > MOST_SHEETS:
            raise RefusedByReader("sheets")
        lost = LostCells(content) if zipped else None
        found = [_sheet(book.get_sheet_by_name(name), lost) for name in shown]
    except (RefusedByReader, MemoryError):
        raise
    except PasswordError as error:
        raise RefusedByReader("locked") from error
    except Exception as error:  # a library raises whatever a broken file makes it trip over; the process ends with it
        raise RefusedByReader("damaged") from error
    return json.dumps(found, ensure_ascii=False).encode()


class LostCells:
    """What the values of an XLSX file do not tell: rows that are hidden, formulas without a result or with an error."""

    def __init__(self, content: bytes) -> None:
        self.packed = zipfile.ZipFile(io.BytesIO(content))
        self.parts = self._parts() if "xl/workbook.xml" in self.packed.namelist() else {}

    def of(self, sheet: str) -> tuple[set[int], dict[Place, str]]:
        """The hidden rows and the marks of this sheet."""
        hidden, marks = set[int](), dict[Place, str]()
        if (part := self.parts.get(sheet)) is None:
            return hidden, marks
        number = 0
        with self.packed.open(part) as stream:
            for row in self._elements(stream, "row"):
                number, column = int(row.get("r") or number + 1), 0
                if row.get("hidden") in {"1", "true"}:
                    hidden.add(number)
                for cell in row:
                    column = _column(cell.get("r")) or column + 1
                    if mark := self._mark(cell):
                        marks[number, column] = mark
                row.clear()
        return hidden, marks

    def _mark(self, cell: ElementTree.Element) -> str:
        if cell.get("t") == "e":
            return ERROR_CELL
        kinds = {_local(part): part for part in cell}
        value = kinds.get("v")
        return FORMULA_CELL if "f" in kinds and (value is None or not value.text) else ""

    def _parts(self) -> dict[str, str]:
        with self.packed.open("xl/_rels/workbook.xml.rels") as stream:
            target = {one.get("Id"): one.get("Target", "") for one in self._elements(stream, "Relationship")}
        with self.packed.open("xl/workbook.xml") as stream:
            sheets = {
                one.get("name", ""): target.get(one.get(_RELATION), "") for one in self._elements(stream, "sheet")
            }
        return {
            name: path.lstrip("/") if path.startswith("/") else normpath(join("xl", path))
            for name, path in sheets.items()
        }

    @staticmethod
    def _elements(stream: Any, name: str) -> Iterator[ElementTree.Element]:
        # expat opens no outer entities and bounds inner ones, in a process with an end to its memory
        for _, element in ElementTree.iterparse(stream):  # noqa: S314
            if _local(element) == name:
                yield element


def _sheet(sheet: CalamineSheet, lost: LostCells | None) -> dict[str, Any]:
    """The sheet as a document; a value merged over several rows stands in each of them."""
    hidden, marks = lost.of(sheet.name) if lost else (set[int](), dict[Place, str]())
    left = sheet.start[1] if sheet.start else 0
    rows = dict[int, list[str]]()
    for number, values in enumerate(sheet.iter_rows(), start=1):
        cells = [""] * left + [_plain(value) for value in values]
        if any(cells[MOST_COLUMNS:]):
            raise RefusedByReader("columns")
        if any(cells):
            rows[number] = cells[:MOST_COLUMNS]
        if len(rows) > MOST_ROWS:
            raise RefusedByReader("rows")
    for (number, column), mark in marks.items():
        if column <= MOST_COLUMNS:
            cells = rows.setdefault(number, [])
            cells += [""] * (column - len(cells))
            cells[column - 1] = mark
    for (first, column), (last, _) in sheet.merged_cell_ranges or ():
        value = rows.get(first + 1, [])[column : column + 1]
        for number in rows.keys() & set(range(first + 2, last + 2)) if value else ():
            rows[number] += [""] * (column + 1 - len(rows[number]))
            rows[number][column] = value[0]
    return {"name": sheet.name, "rows": sorted(rows.items()), "hidden": sorted(hidden & rows.keys())}


def _plain(value: Any) -> str:
    """A cell as text; behind a mark where the workbook has not kept what was typed."""
    if isinstance(value, datetime | date):
        return DATE_CELL + value.isoformat()[:10]
    if isinstance(value, time):
        return value.isoformat("minutes" if not value.second else "seconds")
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float) and abs(value) >= 10**MOST_DIGITS:
        return NUMBER_CELL
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _column(reference: str | None) -> int:
    """The column of a reference such as AB12, from 1; 0 where there is none."""
    column = 0
    for letter in (reference or "").rstrip("0123456789"):
        column = column * 26 + ord(letter) - 64
    return column


if __name__ == "__main__":
    run_reader(sheets_of)
