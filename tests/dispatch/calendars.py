"""The calendar that comes with the program, for tests and benchmarks that use no database."""

import csv
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from dispatch.core.working_days import STANDARD_HOURS, Calendar, DayStatus, PublishedDay, SeasonHours

CALENDAR_FILE = Path(__file__).parents[2] / "dispatch" / "data" / "calendar_2025_2027.csv"


def shipped_calendar(hours: Iterable[SeasonHours] = STANDARD_HOURS) -> Calendar:
    """2025 to 2027, the last year provisional; ``hours`` are the opening hours."""
    with CALENDAR_FILE.open(encoding="utf-8") as file:
        days = [
            PublishedDay(
                on=date.fromisoformat(row["date"]),
                is_workday=row["is_workday"] == "1",
                kind=row["kind"],
                name=row["name"],
                status=DayStatus.PUBLISHED if row["status"] == "published" else DayStatus.PROVISIONAL,
            )
            for row in csv.DictReader(file)
        ]
    return Calendar.of(days, hours)
