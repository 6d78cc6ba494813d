"""Sheets: a CSV file is read and checked whole, and every fault in it is named."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

NAMED_AT_MOST = 20
CELL_LENGTH = 2000
ENUM = TypeVar("ENUM", bound=StrEnum)


@dataclass(frozen=True, slots=True, order=True)
class RowFault:
    """One fault of a file. Row numbers are those that a spreadsheet shows: the header is row 1."""

    row_number: int
    column: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row_number}{f', {self.column}' if self.column else ''}: {self.reason}"


class BadImport(ValueError):
    """A file that is refused whole: ``rows`` names every fault, and nothing was changed."""

    def __init__(self, path: Path | str, rows: Iterable[RowFault]) -> None:
        self.path = Path(path)
        self.rows = tuple(sorted(rows))
        named = [str(row) for row in self.rows[:NAMED_AT_MOST]]
        if len(self.rows) > NAMED_AT_MOST:
            named.append(f"and {len(self.rows) - NAMED_AT_MOST} more")
        super().__init__(f"{self.path.name} is refused, nothing was changed: " + "; ".join(named))


@dataclass(slots=True)
class ImportSheet:
    """The rows of one file with their numbers, and the faults found in them so far."""

    path: Path
    header: tuple[str, ...] = ()
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)

    def fault(self, row_number: int, column: str, reason: str) -> None:
        self.faults.append(RowFault(row_number, column, reason))

    def refuse_if_faulty(self) -> None:
        if self.faults:
            raise BadImport(self.path, self.faults)

    def __iter__(self) -> Iterator["Cells"]:
        return (Cells(self, number, values) for number, values in self.rows)


@dataclass(frozen=True, slots=True)
class Cells:
    """One row being read. Each reader answers a valid value, or notes the fault and answers the fallback."""

    sheet: ImportSheet
    number: int
    values: Mapping[str, str]

    def fault(self, column: str, reason: str) -> None:
        self.sheet.fault(self.number, column, reason)

    def text(self, column: str, *, needed: bool = True) -> str:
        value = self.values.get(column, "").strip()
        if needed and not value:
            self.fault(column, "is empty")
        elif len(value) > CELL_LENGTH:
            self.fault(column, f"has {len(value)} characters, {CELL_LENGTH} are allowed")
        elif not value.replace("\u3000", "").isprintable():
            self.fault(column, f"holds a character that does not print: {value!r}")
        return value

    def matching(self, column: str, pattern: re.Pattern[str], expected: str) -> str:
        value = self.text(column)
        if value and not pattern.fullmatch(value):
            self.fault(column, f"{value!r} is not {expected}")
        return value

    def whole(self, column: str, low: int, high: int) -> int:
        return int(self._number(column, r"-?[0-9]{1,9}", "a whole number", low, high))

    def decimal(self, column: str, low: float, high: float) -> float:
        return self._number(column, r"-?[0-9]{1,9}(\.[0-9]{1,15})?", "a number", low, high)

    def _number(self, column: str, pattern: str, expected: str, low: float, high: float) -> float:
        value = self.matching(column, re.compile(pattern), expected)
        if not re.fullmatch(pattern, value):
            return low
        if not low <= float(value) <= high:
            self.fault(column, f"{value} is not between {low} and {high}")
            return low
        return float(value)

    def yes(self, column: str) -> bool:
        value = self.text(column)
        if value and value not in {"y", "n", "0", "1"}:
            self.fault(column, f"{value!r} is neither y nor n")
        return value in {"y", "1"}

    def day(self, column: str) -> date:
        value = self.text(column)
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.fault(column, f"{value!r} is not a date such as 2026-03-12")
        return date.min

    def one_of(self, column: str, enumeration: type[ENUM]) -> ENUM:
        value = self.text(column)
        try:
            return enumeration(value)
        except ValueError:
            self.fault(column, f"{value!r} is none of {', '.join(enumeration)}")
            return next(iter(enumeration))


def read_sheet(path: Path | str, needed: Sequence[str], *, optional: Sequence[str] = ()) -> ImportSheet:
    """A UTF-8 CSV file with at least the ``needed`` columns. Raises BadImport where it is no table."""
    sheet = ImportSheet(Path(path))
    reader = csv.reader(io.StringIO(_decoded(sheet.path), newline=""), strict=True)
    try:
        header = tuple(name.strip() for name in next(reader, ()))
        for name in dict.fromkeys(needed):
            if name not in header:
                sheet.fault(1, name, "this column is missing")
        for name in dict.fromkeys(header):
            if header.count(name) > 1:
                sheet.fault(1, name, "this column stands twice")
        sheet.refuse_if_faulty()
        sheet.header = tuple(name for name in header if name in needed or name in optional)
        before = reader.line_num
        for cells in reader:
            number, before = before + 1, reader.line_num
            if not cells:
                continue
            if len(cells) != len(header):
                sheet.fault(number, "", f"has {len(cells)} cells, the header has {len(header)}")
                continue
            sheet.rows.append((number, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        sheet.fault(reader.line_num, "", f"is not CSV: {error}")
    if not sheet.rows and not sheet.faults:
        sheet.fault(2, "", "the file holds no rows")
    if not sheet.rows:
        sheet.refuse_if_faulty()
    return sheet


def _decoded(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadImport(path, [RowFault(1, "", f"cannot be read: {error.strerror}")]) from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadImport(path, [RowFault(1, "", "the file is UTF-16, not UTF-8: save it as “CSV UTF-8”")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = raw.count(b"\n", 0, error.start) + 1
        raise BadImport(path, [RowFault(number, "", "is not UTF-8 (a GBK file?): save it as “CSV UTF-8”")]) from error
    if "\0" in text:
        raise BadImport(
            path, [RowFault(text[: text.index("\0")].count("\n") + 1, "", "holds a NUL byte: not a text file")]
        )
    return text
