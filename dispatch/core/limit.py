"""Limits (时限): none, at once, working days, calendar days are four things, each with its form and its words. Pure.

``None`` stands for "no limit"; a figure of 0 days is never a limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from dispatch.core.localized_text import DayText, LocalizedText
from dispatch.core.working_days import Calendar

IMMEDIATE_FORM = "immediate"
LONGEST_DAYS = 400
FORM = re.compile(r"([1-9][0-9]{0,2})(wd|cal)")


class DayUnit(StrEnum):
    """How a limit counts: 工作日 or 自然日."""

    WORKING = "wd"
    CALENDAR = "cal"


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a decision may take: at once (``days`` 0), working days, or calendar days."""

    days: int
    unit: DayUnit = DayUnit.WORKING

    def __post_init__(self) -> None:
        if not 0 <= self.days <= LONGEST_DAYS:
            raise ValueError(f"a limit cannot be {self.days} days")
        if self.days == 0 and self.unit is DayUnit.CALENDAR:
            raise ValueError("at once is not counted in calendar days")

    @classmethod
    def read(cls, form: str) -> Self:
        """From its form: ``immediate``, ``5wd``, ``30cal``. Raises ValueError, for ``0wd`` too."""
        if form == IMMEDIATE_FORM:
            return cls(0)
        found = FORM.fullmatch(form)
        if found is None:
            raise ValueError(f"{form!r} is no limit: empty (none), immediate, 5wd or 30cal")
        return cls(int(found[1]), DayUnit(found[2]))

    def __str__(self) -> str:
        return IMMEDIATE_FORM if self.is_immediate else f"{self.days}{self.unit}"

    @property
    def is_immediate(self) -> bool:
        return self.days == 0

    @property
    def schedule_wd(self) -> int:
        """Working days that it takes in a drawn schedule: five in seven calendar days, rounded."""
        return self.days if self.unit is DayUnit.WORKING else int(self.days * 5 / 7 + 0.5)

    def is_longer_than(self, law: Limit) -> bool:
        """Whether a promise outlasts the law; calendar days are compared rounded down."""
        if self.unit is law.unit:
            return self.days > law.days
        return self._at_least_wd > law._at_least_wd

    @property
    def _at_least_wd(self) -> int:
        return self.days if self.unit is DayUnit.WORKING else self.days * 5 // 7


IMMEDIATE = Limit(0)


def read_limit(form: str | None) -> Limit | None:
    """A limit from its form; nothing where there is none. Raises ValueError."""
    return Limit.read(form) if form else None


def limit_form(limit: Limit | None) -> str | None:
    """The form of a limit as files and the API give it; None where there is none."""
    return None if limit is None else str(limit)


def last_day(calendar: Calendar, start: date, limit: Limit) -> date:
    """The last day of a limit that runs after the working day ``start``; at once is that day itself.

    Calendar days that end on a rest day move on to the next working day (Civil Code, article 203)."""
    if limit.unit is DayUnit.WORKING:
        return calendar.add_working_days(start, limit.days)
    return calendar.first_workday_from(start + timedelta(days=limit.days))


NO_DUE_DATE = LocalizedText("无办结时限")


def due_words(due_on: date, *, is_provisional: bool, today: date | None = None) -> str:
    """The last day of a limit; 暂定 while it rests on holidays that are not published yet."""
    day = DayText(due_on, today)
    return LocalizedText("%(day)s（暂定）", day=day) if is_provisional else day


def limit_words(limit: Limit | None, *, none: str) -> str:
    """即时, n个工作日, n日（自然日）; ``none`` where there is no limit."""
    if limit is None:
        return none
    if limit.is_immediate:
        return LocalizedText("即时")
    if limit.unit is DayUnit.WORKING:
        return LocalizedText("%(n)s个工作日", n=limit.days)
    return LocalizedText("%(n)s日（自然日）", n=limit.days)


def law_words(limit: Limit | None) -> str:
    """The limit of the law as a page says it."""
    return limit_words(limit, none=LocalizedText("法律未规定时限"))


def promise_words(limit: Limit | None) -> str:
    """The authority's promise as a page says it."""
    return limit_words(limit, none=LocalizedText("部门未另作承诺"))


def minimum_words(limit: Limit) -> str:
    """The least time of a market procedure, which is no limit."""
    return LocalizedText("法定最短%(limit)s", limit=limit_words(limit, none=""))


def limits_words(law: Limit | None, promise: Limit | None) -> str:
    """Both in one line: what is promised first, then the law; 即时 once."""
    if law == promise and law is not None and law.is_immediate:
        return limit_words(law, none="")
    return LocalizedText("承诺：%(promise)s；法定：%(law)s", promise=promise_words(promise), law=law_words(law))
