"""Opening hours: when a centre's counters are open, by season (作息时间). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise


@dataclass(frozen=True, slots=True, order=True)
class MonthDay:
    """A day of any year, for seasons."""

    month: int
    day: int

    def __post_init__(self) -> None:
        date(2024, self.month, self.day)  # a leap year, so that 29 February is a day


@dataclass(frozen=True, slots=True)
class SeasonHours:
    """When a centre's counters are open in a season (作息时间). ``centre`` None: every centre without its own row."""

    sessions: tuple[tuple[time, time], ...]
    centre: str | None = None
    season_from: MonthDay = MonthDay(1, 1)
    season_to: MonthDay = MonthDay(12, 31)

    def __post_init__(self) -> None:
        if not self.sessions:
            raise ValueError("opening hours need at least one session")
        edges = [edge for session in self.sessions for edge in session]
        if any(later <= earlier for earlier, later in pairwise(edges)):
            raise ValueError(f"opening hours must go forward through the day: {self.sessions}")

    def covers(self, on: date) -> bool:
        today = MonthDay(on.month, on.day)
        if self.season_from <= self.season_to:
            return self.season_from <= today <= self.season_to
        return today >= self.season_from or today <= self.season_to

    @property
    def season_length(self) -> int:
        start = date(2024, self.season_from.month, self.season_from.day)
        end = date(2024, self.season_to.month, self.season_to.day)
        return (end - start).days % 366 + 1

    @property
    def opens(self) -> time:
        return self.sessions[0][0]

    @property
    def closes(self) -> time:
        return self.sessions[-1][1]


STANDARD_HOURS = (SeasonHours(sessions=((time(9), time(12)), (time(13, 30), time(17)))),)
