"""Calendar tables: the days that are worked, and the opening hours of the centres."""

from __future__ import annotations

from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db import Base
from dispatch.core.localized_text import ListText, LocalizedText, WindowText
from dispatch.core.opening_hours import MonthDay, SeasonHours
from dispatch.core.working_days import Calendar, DayStatus


class CalendarDay(Base):
    """One day: worked or not, and whether the year's holidays are published."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_workday: Mapped[bool]
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="", default="")
    status: Mapped[DayStatus]


class OpeningHours(Base):
    """When a centre's counters are open in a season (作息时间); without a centre, wherever no row says otherwise."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        Index(
            "uq_opening_hours_centre_id_season_from",
            "centre_id",
            "season_from",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("season_from ~ '^[01]\\d-[0-3]\\d$' AND season_to ~ '^[01]\\d-[0-3]\\d$'", name="season"),
        CheckConstraint("closes > opens", name="order"),
        CheckConstraint(
            "(lunch_starts IS NULL AND lunch_ends IS NULL)"
            " OR (opens < lunch_starts AND lunch_starts < lunch_ends AND lunch_ends < closes)",
            name="lunch",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[int | None] = mapped_column(ForeignKey("service_centre.id"))
    season_from: Mapped[str] = mapped_column(String(5))  # month-day, "06-01"
    season_to: Mapped[str] = mapped_column(String(5))
    opens: Mapped[time]
    closes: Mapped[time]
    lunch_starts: Mapped[time | None]
    lunch_ends: Mapped[time | None]

    def hours(self, centre_no: str | None) -> SeasonHours:
        """What the clock reads: the morning and the afternoon, or one session where there is no lunch break."""
        if self.lunch_starts is None or self.lunch_ends is None:
            sessions: tuple[tuple[time, time], ...] = ((self.opens, self.closes),)
        else:
            sessions = ((self.opens, self.lunch_starts), (self.lunch_ends, self.closes))
        return SeasonHours(sessions, centre_no, _month_day(self.season_from), _month_day(self.season_to))


def _month_day(words: str) -> MonthDay:
    month, day = words.split("-")
    return MonthDay(int(month), int(day))


def _second_of(at: time) -> int:
    return at.hour * 3600 + at.minute * 60


def hours_in_words(calendar: Calendar, on: date, centre_no: str | None = None) -> str:
    """A day's opening hours as a page shows them: 工作日 9:00-12:00、13:30-17:00."""
    sessions = calendar.hours_on(on, centre_no).sessions
    return LocalizedText(
        "工作日 %(hours)s", hours=ListText(WindowText(_second_of(a), _second_of(z)) for a, z in sessions)
    )
