"""The working-day calendar as a page shows it: a year's months, its holidays and make-up days, and how firm it is."""

from calendar import Calendar as Weeks
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.catalogue.calendar_tables import CalendarDay
from dispatch.catalogue.calendar_version import calendar_of
from dispatch.core.statutory_holidays import FIRST_YEAR, LAST_YEAR, estimated_holidays


@dataclass(frozen=True, slots=True)
class DayCell:
    """One day of a month: ``kind`` is workday, weekend, holiday or adjusted_workday."""

    on: date
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class MonthGrid:
    """A month in weeks from Monday; None stands for days of its neighbours."""

    month: int
    weeks: tuple[tuple[DayCell | None, ...], ...]


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """A run of days off, or a day worked instead, as a notice lists them."""

    first: date
    last: date
    name: str
    is_worked: bool


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """A year, with its neighbours where there are any."""

    year: int
    is_provisional: bool
    working_days: int
    months: tuple[MonthGrid, ...]
    exceptions: tuple[ExceptionLine, ...]
    before: int | None
    after: int | None


def calendar_page(session: Session, year: int, *, today: date) -> CalendarPage:
    """The year as the clocks read it; one out of reach is this year."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        year = today.year
    calendar = calendar_of(session)
    first, last = date(year, 1, 1), date(year, 12, 31)
    rows = session.execute(
        select(CalendarDay.day, CalendarDay.kind, CalendarDay.name).where(CalendarDay.day.between(first, last))
    )
    kept = {row.day: DayCell(row.day, row.kind, row.name) for row in rows}
    estimated = {} if kept else {on: DayCell(on, "holiday", name) for on, name in estimated_holidays(year).items()}
    days = kept | estimated
    months = tuple(MonthGrid(month, _weeks(year, month, days)) for month in range(1, 13))
    return CalendarPage(
        year=year,
        is_provisional=year in calendar.provisional_years,
        working_days=calendar.working_days_between(date(year - 1, 12, 31), last) if year > FIRST_YEAR else 0,
        months=months,
        exceptions=_exceptions(days),
        before=year - 1 if year > FIRST_YEAR else None,
        after=year + 1 if year < LAST_YEAR else None,
    )


def _weeks(year: int, month: int, days: Mapping[date, DayCell]) -> tuple[tuple[DayCell | None, ...], ...]:
    return tuple(
        tuple(_cell(on, days) if on.month == month else None for on in week)
        for week in Weeks().monthdatescalendar(year, month)
    )


def _cell(on: date, days: Mapping[date, DayCell]) -> DayCell:
    return days.get(on) or DayCell(on, "weekend" if on.weekday() >= 5 else "workday", "")


def _exceptions(days: Mapping[date, DayCell]) -> tuple[ExceptionLine, ...]:
    lines: list[ExceptionLine] = []
    for on in sorted(days):
        cell = days[on]
        if cell.kind not in {"holiday", "adjusted_workday"}:
            continue
        is_worked = cell.kind == "adjusted_workday"
        last = lines[-1] if lines else None
        if last and not is_worked and not last.is_worked and last.name == cell.name and (on - last.last).days == 1:
            lines[-1] = ExceptionLine(last.first, on, cell.name, False)
        else:
            lines.append(ExceptionLine(on, on, cell.name, is_worked))
    return tuple(lines)
