"""Calendar file: a year's holidays as the State Council publishes them, or a row a day, checked. No database."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from agents.sheets import Cells, ImportSheet
from dispatch.catalogue.published_days import days_in, table_of
from dispatch.core.statutory_holidays import FIRST_YEAR, LAST_YEAR, statutory_days
from dispatch.core.working_days import DayStatus

CALENDAR_COLUMNS = ("date", "is_workday", "kind", "name", "status")
DAY_KINDS = {"workday": (True, False), "adjusted_workday": (True, True), "weekend": (False, True)}  # worked, weekend
FIRST_YEAR_OF_THE_RULE = 2025  # before it a year had fewer statutory days

# How the columns of a list of holidays are usually headed.
HEADS: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "日期", "放假", "放假时间", "放假日期", "放假安排", "开始", "开始日期", "from"),
    "until": ("until", "结束", "结束日期", "截止日期", "to"),
    "work": ("上班", "上班日期", "调休上班", "调休上班日期", "补班", "补班日期", "make_up"),
    "kind": ("kind", "type", "类型", "类别", "性质"),
    "name": ("name", "名称", "节日", "节假日", "节日名称", "holiday"),
    "year": ("year", "年", "年份", "年度"),
}
OFF = frozenset({"holiday", "off", "放假", "休", "休息", "假", "节假日", "法定节假日"})
WORKED = frozenset({"workday", "adjusted_workday", "make_up", "上班", "班", "补班", "调休上班"})


def read_calendar(path: Path | str, published: Collection[int] = ()) -> list[dict[str, Any]]:
    """Whole years of days, from a list of exceptions or from a row a day. Raises BadImport.

    A year that is ``published`` already does not become an estimate again by a file."""
    table = table_of(path)
    number, heads = table[0]
    names = [_plain(head) for head in heads]
    sheet = ImportSheet(Path(path))
    for row_number, cells in table[1:]:
        if len(cells) != len(heads):
            sheet.fault(row_number, "", f"has {len(cells)} cells, the header has {len(heads)}")
    sheet.refuse_if_faulty()
    if set(CALENDAR_COLUMNS) <= set(names):
        sheet.header, sheet.rows = CALENDAR_COLUMNS, [(n, dict(zip(names, row, strict=True))) for n, row in table[1:]]
        return _whole_years(sheet, published)
    columns = {_meaning(name): place for place, name in reversed(list(enumerate(names))) if _meaning(name)}
    if "date" not in columns:
        sheet.fault(number, "", f"no column names the days: 日期 or date is missing among {', '.join(heads)}")
    sheet.refuse_if_faulty()
    sheet.rows = [(n, {name: row[place] for name, place in columns.items()}) for n, row in table[1:]]
    return _from_exceptions(sheet)


def _plain(head: str) -> str:
    return "".join(unicodedata.normalize("NFKC", head).split()).lower()


def _meaning(head: str) -> str:
    return next((name for name, spellings in HEADS.items() if head in spellings), "")


# ---------------------------------------------------------------- the list of a notice


@dataclass(slots=True)
class _Exceptions:
    """Days off and days worked, with their names and the rows they stand in."""

    off: dict[date, str] = field(default_factory=dict)
    worked: dict[date, str] = field(default_factory=dict)
    numbers: dict[date, int] = field(default_factory=dict)


def _from_exceptions(sheet: ImportSheet) -> list[dict[str, Any]]:
    """The years that the list names: weekends are off, and what it says otherwise."""
    found = _Exceptions()
    for cells in sheet:
        try:
            _take(found, cells)
        except ValueError as error:
            cells.fault("date", str(error))
    sheet.refuse_if_faulty()
    # A holiday may begin in the last days of the year before, or end in the first of the next: those have notices too.
    whole = [year for year in sorted({on.year for on in found.numbers}) if _holds_most(found, year)]
    for year in whole:
        for on, name in statutory_days(year).items():
            if year >= FIRST_YEAR_OF_THE_RULE and on not in found.off:
                sheet.fault(
                    1, "date", f"{on} ({name}) is a holiday by law and is missing: a notice holds the whole year"
                )
                break
    for on in found.numbers:
        is_usual = on in found.off and on.weekday() >= 5
        if on.year not in whole and not is_usual:
            sheet.fault(found.numbers[on], "date", f"{on} belongs to a year that the list does not hold whole")
    sheet.refuse_if_faulty()
    return [_day(on, found) for year in whole for on in _days_of(year)]


def _holds_most(found: _Exceptions, year: int) -> bool:
    """Whether the list means this year, and not just a day of it."""
    days = statutory_days(year)
    return 2 * sum(on in found.off for on in days) >= len(days)


def _take(found: _Exceptions, cells: Cells) -> None:
    """One row: days off, or as its kind says, and days worked in a column of their own. Raises ValueError."""
    values = cells.values
    year = int(values["year"].rstrip("年")) if values.get("year", "").rstrip("年").isdigit() else None
    name, kind = values.get("name", ""), _plain(values.get("kind", ""))
    if kind and kind not in OFF | WORKED:
        raise ValueError(f"{values['kind']!r} is neither 放假 nor 上班")
    until = f"至{values['until']}" if values.get("until") else ""
    days = list(days_in(values["date"] + until, year))
    worked = list(days_in(values.get("work", ""), days[0].year if days else year))
    for on in days:
        _note(found, cells, on, name, is_off=kind not in WORKED)
    for on in worked:
        _note(found, cells, on, name, is_off=False)
    if not days and not worked:
        raise ValueError("names no day")


def _note(found: _Exceptions, cells: Cells, on: date, name: str, *, is_off: bool) -> None:
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise ValueError(f"{on.year} is out of reach")
    if on in found.numbers:
        raise ValueError(f"{on} stands already in row {found.numbers[on]}")
    if not is_off and on.weekday() < 5:
        raise ValueError(f"{on} is no weekend: only a Saturday or a Sunday is worked instead")
    found.numbers[on] = cells.number
    (found.off if is_off else found.worked)[on] = name


def _days_of(year: int) -> Iterator[date]:
    on = date(year, 1, 1)
    while on.year == year:
        yield on
        on += timedelta(days=1)


def _day(on: date, found: _Exceptions) -> dict[str, Any]:
    if on in found.off:
        worked, kind, name = False, "holiday", found.off[on]
    elif on in found.worked:
        worked, kind, name = True, "adjusted_workday", found.worked[on]
    else:
        worked, kind, name = (False, "weekend", "") if on.weekday() >= 5 else (True, "workday", "")
    return {"day": on, "is_workday": worked, "kind": kind, "name": name, "status": DayStatus.PUBLISHED.value}


# ---------------------------------------------------------------- a row a day


def _whole_years(sheet: ImportSheet, published: Collection[int]) -> list[dict[str, Any]]:
    seen: dict[date, int] = {}
    unread: set[int] = set()
    rows = []
    for cells in sheet:
        try:
            (on,) = days_in(cells.values["date"], None)
        except ValueError as error:
            cells.fault("date", str(error))
            unread.add(cells.number)
            continue
        if on in seen:
            cells.fault("date", f"{on} stands already in row {seen[on]}")
            continue
        seen[on] = cells.number
        worked, kind = cells.yes("is_workday"), cells.text("kind")
        if kind != "holiday" and kind not in DAY_KINDS:
            cells.fault("kind", f"{kind!r} is none of holiday, {', '.join(DAY_KINDS)}")
        elif (kind == "holiday" and worked) or (kind in DAY_KINDS and DAY_KINDS[kind] != (worked, on.weekday() >= 5)):
            cells.fault("kind", f"{on} cannot be a {kind} with is_workday {cells.values['is_workday'].strip()}")
        status = DayStatus.PUBLISHED if cells.text("status") == "published" else DayStatus.PROVISIONAL
        if status is DayStatus.PROVISIONAL and on.year in published:
            cells.fault("status", f"the calendar of {on.year} is published: an estimate cannot replace it")
        name = cells.text("name", needed=False)
        rows.append({"day": on, "is_workday": worked, "kind": kind, "name": name, "status": status.value})
    if not unread:
        _fault_gaps(sheet, seen)
    sheet.refuse_if_faulty()
    return rows


def _fault_gaps(sheet: ImportSheet, seen: Mapping[date, int]) -> None:
    """A year that is not whole; said where every row was read, for else it follows from those that were not."""
    last: dict[int, int] = {}
    for on, number in seen.items():
        last[on.year] = max(number, last.get(on.year, 0))
    for year, number in last.items():
        missing: Sequence[date] = [on for on in _days_of(year) if on not in seen]
        if missing:
            sheet.fault(number, "date", f"the calendar of {year} lacks {len(missing)} days, the first {missing[0]}")
