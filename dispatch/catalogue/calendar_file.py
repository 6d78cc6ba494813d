"""Calendar file: whole years of days as CSV gives them, checked. No database."""

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from agents.sheets import read_sheet
from dispatch.core.working_days import DayStatus

CALENDAR_COLUMNS = ("date", "is_workday", "kind", "name", "status")
DAY_KINDS = {"workday": (True, False), "adjusted_workday": (True, True), "weekend": (False, True)}  # worked, weekend


def read_calendar(path: Path | str, published: Collection[int] = ()) -> list[dict[str, Any]]:
    """Whole years of days. A year that is ``published`` already cannot become an estimate again. Raises BadImport."""
    sheet = read_sheet(path, CALENDAR_COLUMNS)
    seen: dict[date, int] = {}
    rows = []
    for cells in sheet:
        on = cells.day("date")
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
    last: dict[int, int] = {}
    for on, number in seen.items():
        last[on.year] = max(number, last.get(on.year, 0))
    for year, number in last.items():
        if year == date.min.year:
            continue
        days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
        missing = [on for on in days if on.year == year and on not in seen]
        if missing:
            sheet.fault(number, "date", f"the calendar of {year} lacks {len(missing)} days, the first {missing[0]}")
    sheet.refuse_if_faulty()
    return rows
