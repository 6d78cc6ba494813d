"""Published days: dates and ranges as people write them, and a table in any usual coding. No database."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from agents.sheets import BadImport, RowFault

LONGEST_RANGE = 16  # days of one holiday
_REMARK = re.compile(r"\([^()]*\)")
_SEPARATOR = re.compile(r"[、,;和]|\s及\s")
_RANGE = re.compile(r"至|到|~|—|–|\s-\s")
_DIGITS = re.compile(r"\d{8}")
_DAY = re.compile(r"(?:(?:(\d{4})\s*[-/.年]\s*)?(\d{1,2})\s*[-/.月]\s*)?(\d{1,2})\s*(?:日|号)?")


def days_in(cell: str, year: int | None) -> Iterator[date]:
    """The days that a cell names: one, several, or a range such as 1月28日（除夕）至2月4日.

    What is left out of an end is taken from its beginning, and the year from ``year``. Raises ValueError."""
    text = _REMARK.sub("", unicodedata.normalize("NFKC", cell)).strip()
    month: int | None = None
    for part in filter(None, (one.strip() for one in _SEPARATOR.split(text))):
        ends = [end.strip() for end in _RANGE.split(part)]
        first = _one_day(ends[0], year, month)
        last = _one_day(ends[1], first.year, first.month) if len(ends) == 2 else first
        if len(ends) > 2 or not 0 <= (last - first).days < LONGEST_RANGE:
            raise ValueError(f"{part!r} is no range of at most {LONGEST_RANGE} days")
        yield from (first + timedelta(days=n) for n in range((last - first).days + 1))
        year, month = last.year, last.month


def _one_day(text: str, year: int | None, month: int | None) -> date:
    found = _DAY.fullmatch(f"{text[:4]}-{text[4:6]}-{text[6:]}" if _DIGITS.fullmatch(text) else text)
    if found is None:
        raise ValueError(f"{text!r} is no date such as 2027-01-01, 2027/1/1 or 2027年1月1日")
    on_year = int(found[1]) if found[1] else year
    on_month = int(found[2]) if found[2] else month
    if on_year is None or on_month is None:
        raise ValueError(f"{text!r} names no {'year' if on_year is None else 'month'}")
    try:
        return date(on_year, on_month, int(found[3]))
    except ValueError:
        raise ValueError(f"{text!r} is no day of the calendar") from None


def table_of(path: Path | str) -> list[tuple[int, list[str]]]:
    """The rows of a text file with their numbers, the header first: UTF-8, UTF-16 or GBK, commas or tabs.

    Raises BadImport."""
    text = _decoded(Path(path))
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, before = [], 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((before + 1, [cell.strip() for cell in cells]))
            before = reader.line_num
    except csv.Error as error:
        raise BadImport(path, [RowFault(reader.line_num, "", f"is not CSV: {error}")]) from error
    if len(rows) < 2:
        raise BadImport(path, [RowFault(2, "", "the file holds no rows")])
    return rows


def _decoded(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadImport(path, [RowFault(1, "", f"cannot be read: {error.strerror}")]) from error
    codings = ("utf-16",) if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for coding in codings:
        try:
            return raw.decode(coding)
        except UnicodeDecodeError:
            continue
    raise BadImport(path, [RowFault(1, "", "is none of UTF-8, GBK and UTF-16")])
