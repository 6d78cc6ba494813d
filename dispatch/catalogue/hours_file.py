"""Hours file: opening hours by centre and season as CSV gives them, checked. No database."""

import re
from collections.abc import Collection, Mapping
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from agents.sheets import Cells, read_sheet
from dispatch.core.opening_hours import MonthDay

HOURS_COLUMNS = ("centre_no", "season_from", "season_to", "opens", "closes", "lunch_starts", "lunch_ends")


def read_hours(path: Path | str, centres: Collection[str]) -> list[dict[str, Any]]:
    """Opening hours by centre and season; a row without a centre is for all that have none. Raises BadImport."""
    sheet = read_sheet(path, HOURS_COLUMNS)
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for cells in sheet:
        centre = cells.text("centre_no", needed=False)
        if centre and centre not in centres:
            cells.fault("centre_no", f"the network has no centre {centre}")
        season_from, season_to = _season(cells, "season_from"), _season(cells, "season_to")
        if (centre, season_from) in seen:
            cells.fault("season_from", f"this season stands already in row {seen[centre, season_from]}")
        seen.setdefault((centre, season_from), cells.number)
        lunch = [_clock(cells, column, needed=False) for column in ("lunch_starts", "lunch_ends")]
        opens, closes = _clock(cells, "opens"), _clock(cells, "closes")
        if (lunch[0] is None) != (lunch[1] is None):
            cells.fault("lunch_ends", "a lunch break has a start and an end")
        edges = [edge for edge in (opens, *lunch, closes) if edge is not None]
        if edges != sorted(set(edges)):
            cells.fault("closes", "the hours do not go forward through the day")
        rows.append(
            {
                "centre_no": centre or None,
                "season_from": season_from,
                "season_to": season_to,
                "opens": opens,
                "closes": closes,
                "lunch_starts": lunch[0],
                "lunch_ends": lunch[1],
            }
        )
    sheet.refuse_if_faulty()
    general = [row for row in rows if row["centre_no"] is None]
    year = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    uncovered = [on for on in year if not any(_covers(row, on) for row in general)]
    if uncovered:
        words = f"the rows without a centre, which hold for all others, leave out {uncovered[0]:%m-%d}"
        sheet.fault(1, "season_from", words)
    sheet.refuse_if_faulty()
    return rows


def _covers(row: Mapping[str, Any], on: date) -> bool:
    first, last, day = str(row["season_from"]), str(row["season_to"]), f"{on:%m-%d}"
    return first <= day <= last if first <= last else day >= first or day <= last


def _season(cells: Cells, column: str) -> str:
    words = cells.text(column)
    try:
        month, day = words.split("-")
        fits = len(month) == len(day) == 2 and MonthDay(int(month), int(day)) is not None
    except ValueError:
        fits = False
    if not fits:
        cells.fault(column, f"{words!r} is not a day of the year such as 06-15")
    return words


def _clock(cells: Cells, column: str, *, needed: bool = True) -> time | None:
    words = cells.text(column, needed=needed)
    if not words:
        return None
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", words):
        cells.fault(column, f"{words!r} is not a time such as 13:30")
        return None
    return time.fromisoformat(words)
