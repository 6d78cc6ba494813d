"""Legal clock: one matter's limit, with its pauses and its extension, and the lamp it shows. Pure.

The moment is always an argument; nothing here asks the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from dispatch.core.limit import DayUnit, Limit, last_day
from dispatch.core.shanghai_time import in_shanghai
from dispatch.core.special_procedure import Pause
from dispatch.core.working_days import Calendar

EXTENSION_WD = 10
AMBER_WD = 2


class Lamp(StrEnum):
    """How much of a limit is left: 正常, 黄牌 (two working days or fewer), 红牌 (overdue)."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Extension:
    """A limit made longer (延期) by the head of the authority; it counts only when approved and notified in time."""

    approved_on: date
    notified_on: date
    reason: str
    working_days: int = EXTENSION_WD

    def __post_init__(self) -> None:
        if self.working_days <= 0:
            raise ValueError(f"an extension adds at least one working day, not {self.working_days}")
        if self.notified_on < self.approved_on:
            raise ValueError(f"an extension cannot be notified on {self.notified_on}, before its approval")
        if not self.reason.strip():
            raise ValueError("an extension needs its reason: the applicant must be told it")


@dataclass(frozen=True, slots=True)
class LegalClock:
    """One matter's limit, from the authority's written acceptance (受理通知书) to its decision."""

    accepted_at: datetime
    limit: Limit
    centre: str | None = None
    pauses: tuple[Pause, ...] = ()
    extension: Extension | None = None
    decided_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.decided_at is not None and self.decided_at < self.accepted_at:
            raise ValueError(f"decided at {self.decided_at}, before the acceptance at {self.accepted_at}")
        in_shanghai(self.accepted_at)

    def accepted_on(self, calendar: Calendar) -> date:
        return calendar.counts_as_filed_on(self.accepted_at, self.centre)

    def due_on(self, calendar: Calendar, today: date) -> date:
        """The last day of the limit. ``today`` matters only while a pause is open."""
        due = self._due_on_without_extension(calendar, today)
        if self.extension is not None and self.extension.notified_on <= due:
            due = self._advance(calendar, due, self.extension.working_days, today)
        return due

    def due_at(self, calendar: Calendar, today: date) -> datetime:
        """Close of business of the last day."""
        return calendar.closes_at(self.due_on(calendar, today), self.centre)

    def is_too_late_to_extend(self, calendar: Calendar, notified_at: datetime) -> bool:
        """An extension must be notified before the limit has run out: by close of business of its last day."""
        due_on = self._due_on_without_extension(calendar, in_shanghai(notified_at).date())
        return notified_at > calendar.closes_at(due_on, self.centre)

    def days_left(self, calendar: Calendar, now: datetime) -> int:
        """Counting working days after today up to the due day (nought on the due day itself, negative when overdue)."""
        today = in_shanghai(now).date()
        due = self.due_on(calendar, today)
        if due < today:
            return calendar.working_days_between(today, due)
        paused = self._paused_days(calendar, today)
        return sum(1 for on in calendar.workdays_after(today, due) if on not in paused)

    def days_used(self, calendar: Calendar, now: datetime) -> int:
        """Counting working days from day one to today, or to the decision."""
        end = in_shanghai(self.decided_at or now).date()
        start = self.accepted_on(calendar)
        if end <= start:
            return 0
        paused = self._paused_days(calendar, end)
        return sum(1 for on in calendar.workdays_after(start, end) if on not in paused)

    def pauses_wd(self, calendar: Calendar, today: date) -> tuple[int, int]:
        """Working days that pauses have taken since the acceptance up to today, and are still expected to take."""
        paused = [on for on in self._paused_days(calendar, today) if on > self.accepted_on(calendar)]
        so_far = sum(1 for on in paused if on <= today)
        return so_far, len(paused) - so_far

    def is_overdue(self, calendar: Calendar, now: datetime) -> bool:
        at = self.decided_at or now
        return at > self.due_at(calendar, in_shanghai(at).date())

    def lamp(self, calendar: Calendar, now: datetime) -> Lamp:
        if self.is_overdue(calendar, now):
            return Lamp.RED
        if self.decided_at is None and self.days_left(calendar, now) <= AMBER_WD:
            return Lamp.AMBER
        return Lamp.GREEN

    def is_provisional(self, calendar: Calendar, today: date) -> bool:
        """Whether the due date rests on a year whose holidays are not published yet."""
        return calendar.is_estimate(self.accepted_on(calendar), self.due_on(calendar, today))

    def _due_on_without_extension(self, calendar: Calendar, today: date) -> date:
        start, spans = self.accepted_on(calendar), self._paused_spans(calendar, today)
        if self.limit.unit is DayUnit.WORKING:
            return self._advance(calendar, start, self.limit.days, today)
        if not spans:
            return last_day(calendar, start, self.limit)
        on, left = start, self.limit.days
        while left > 0:
            on += timedelta(days=1)
            left -= not any(first <= on <= last for first, last in spans)
        # The last day of a limit in calendar days moves on when it is a rest day (Civil Code, article 203).
        on = calendar.first_workday_from(on)
        while any(first <= on <= last for first, last in spans):
            on = calendar.next_workday(on)
        return on

    def _advance(self, calendar: Calendar, start: date, days: int, today: date) -> date:
        paused = self._paused_days(calendar, today)
        end = calendar.add_working_days(start, days)
        counted = days - sum(1 for on in paused if start < on <= end)
        while counted < days:
            end = calendar.next_workday(end)
            counted += end not in paused
        return end

    def _paused_spans(self, calendar: Calendar, today: date) -> list[tuple[date, date]]:
        return [(pause.starts_on, pause.stands_until(calendar, today)) for pause in self.pauses]

    def _paused_days(self, calendar: Calendar, today: date) -> set[date]:
        """Working days on which any pause stands: overlapping pauses count once."""
        days: set[date] = set()
        for first, last in self._paused_spans(calendar, today):
            days.update(calendar.workdays_after(first - timedelta(days=1), last))
        return days


@dataclass(frozen=True, slots=True)
class LimitClocks:
    """The limit of the law and the authority's promise, both running from one acceptance: what ends first binds.

    ``cap``: what is promised for all matters of a joint filing, from the day of their form."""

    legal: LegalClock | None
    promise: LegalClock | None
    cap: LegalClock | None = None

    def binding(self, calendar: Calendar, today: date) -> LegalClock | None:
        """The clock whose last day comes first, the promise where both end together; None where there is no limit."""
        clocks = [clock for clock in (self.promise, self.legal, self.cap) if clock is not None]
        return min(clocks, key=lambda clock: clock.due_on(calendar, today), default=None)

    def lamp(self, calendar: Calendar, now: datetime) -> Lamp:
        """Green, amber or red by the limit that binds; green where none does."""
        clock = self.binding(calendar, in_shanghai(now).date())
        return Lamp.GREEN if clock is None else clock.lamp(calendar, now)

    def days_left(self, calendar: Calendar, now: datetime) -> int | None:
        """Counting working days up to the last day of the limit that binds; None where there is none."""
        clock = self.binding(calendar, in_shanghai(now).date())
        return None if clock is None else clock.days_left(calendar, now)
