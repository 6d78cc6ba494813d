"""Working days: the published calendar with its make-up days (调休), counted and searched. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from dispatch.core.opening_hours import STANDARD_HOURS, SeasonHours
from dispatch.core.shanghai_time import SHANGHAI, in_shanghai
from dispatch.core.statutory_holidays import FIRST_YEAR, LAST_YEAR, estimated_workdays


class CalendarMissing(LookupError):
    """A year that no calendar reaches: before or after all whose holidays can be estimated."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no working-day calendar reaches {year}")
        self.year = year


class DayStatus(StrEnum):
    """Whether the State Council has published the year's holidays, or only the statutory days are known."""

    PUBLISHED = "published"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class PublishedDay:
    """One day of the calendar, as published: weekends worked (调休) and weekdays off are in ``is_workday``."""

    on: date
    is_workday: bool
    kind: str = ""
    name: str = ""
    status: DayStatus = DayStatus.PUBLISHED


@lru_cache(maxsize=128)
def _estimated_ordinals(year: int) -> tuple[int, ...]:
    return tuple(on.toordinal() for on in estimated_workdays(year))


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Working days and opening hours, whole years at a time. Built by ``Calendar.of``.

    A year that was not imported is estimated from its statutory holidays and counts as provisional."""

    workdays: tuple[int, ...]  # proleptic ordinals, rising
    years: frozenset[int]
    provisional_years: frozenset[int] = frozenset()
    hours: tuple[SeasonHours, ...] = STANDARD_HOURS
    _lookup: frozenset[int] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, days: Iterable[PublishedDay], hours: Iterable[SeasonHours] = STANDARD_HOURS) -> Calendar:
        """A year that is not complete, or a day given twice, is refused: half a year would answer wrongly."""
        by_date: dict[date, PublishedDay] = {}
        for day in days:
            if day.on in by_date:
                raise ValueError(f"{day.on} stands twice in the calendar")
            by_date[day.on] = day
        years = frozenset(on.year for on in by_date)
        for year in years:
            on = date(year, 1, 1)
            while on.year == year:
                if on not in by_date:
                    raise ValueError(f"the calendar of {year} lacks {on}")
                on += timedelta(days=1)
        estimated = frozenset(range(FIRST_YEAR, LAST_YEAR + 1)) - years
        found = [day.on.toordinal() for day in by_date.values() if day.is_workday]
        found += [ordinal for year in estimated for ordinal in _estimated_ordinals(year)]
        workdays = tuple(sorted(found))
        return cls(
            workdays=workdays,
            years=years | estimated,
            provisional_years=estimated
            | frozenset(d.on.year for d in by_date.values() if d.status is DayStatus.PROVISIONAL),
            hours=tuple(hours) or STANDARD_HOURS,
            _lookup=frozenset(workdays),
        )

    def is_workday(self, on: date) -> bool:
        self._need(on.year)
        return on.toordinal() in self._lookup

    def first_workday_from(self, on: date) -> date:
        """``on`` itself when it is a working day, else the next one."""
        return on if self.is_workday(on) else self.next_workday(on)

    def next_workday(self, on: date) -> date:
        return self.add_working_days(on, 1)

    def add_working_days(self, start: date, days: int) -> date:
        """The ``days``-th working day after ``start``, which itself is never counted; before it when negative.

        Nought gives ``start`` when it is a working day, else the next working day."""
        if days == 0:
            return self.first_workday_from(start)
        ordinal = start.toordinal()
        self._need(start.year)
        if days > 0:
            index = bisect_right(self.workdays, ordinal) + days - 1
        else:
            index = bisect_left(self.workdays, ordinal) + days
        if index >= len(self.workdays):
            raise CalendarMissing(max(self.years) + 1)
        if index < 0:
            raise CalendarMissing(min(self.years) - 1)
        end = date.fromordinal(self.workdays[index])
        self._need_all(start, end)
        return end

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; negative when ``end`` comes first."""
        if end < start:
            return -self.working_days_between(end, start)
        self._need_all(start, end)
        return bisect_right(self.workdays, end.toordinal()) - bisect_right(self.workdays, start.toordinal())

    def workdays_after(self, start: date, end: date) -> list[date]:
        """The working days that ``working_days_between`` counts."""
        self._need_all(start, end)
        low, high = bisect_right(self.workdays, start.toordinal()), bisect_right(self.workdays, end.toordinal())
        return [date.fromordinal(ordinal) for ordinal in self.workdays[low:high]]

    def is_estimate(self, start: date, end: date) -> bool:
        """Whether the days from ``start`` to ``end`` touch a year whose holidays are not yet published."""
        low, high = min(start, end), max(start, end)
        return any(year in self.provisional_years for year in range(low.year, high.year + 1))

    def hours_on(self, on: date, centre: str | None = None) -> SeasonHours:
        """The centre's own row before the general one, the shorter season before the longer."""
        fitting = [row for row in self.hours if row.covers(on) and row.centre in (centre, None)]
        if not fitting:
            raise LookupError(f"no opening hours for {centre or 'any centre'} on {on}")
        return min(fitting, key=lambda row: (row.centre is None, row.season_length))

    def opens_at(self, on: date, centre: str | None = None) -> datetime:
        """When the counters open on that day, as an aware instant in Asia/Shanghai."""
        return datetime.combine(on, self.hours_on(on, centre).opens, SHANGHAI)

    def closes_at(self, on: date, centre: str | None = None) -> datetime:
        """Close of business on that day, as an aware instant in Asia/Shanghai."""
        return datetime.combine(on, self.hours_on(on, centre).closes, SHANGHAI)

    def counts_as_filed_on(self, instant: datetime, centre: str | None = None) -> date:
        """The working day on which a filing at ``instant`` counts: after closing, or on a rest day, the next."""
        local = in_shanghai(instant)
        on = local.date()
        if not self.is_workday(on) or local > self.closes_at(on, centre):
            return self.next_workday(on)
        return on

    def _need(self, year: int) -> None:
        if year not in self.years:
            raise CalendarMissing(year)

    def _need_all(self, start: date, end: date) -> None:
        for year in range(min(start, end).year, max(start, end).year + 1):
            self._need(year)
