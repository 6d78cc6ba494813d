"""Three clocks: a project's working days, by whose they were (审批用时, 中介与企业用时, 不计时). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dispatch.core.working_days import Calendar


class ClockOf(StrEnum):
    """Whose time a span of days is."""

    AUTHORITY = "authority"  # 审批用时
    ENTERPRISE = "enterprise"  # intermediaries and enterprise: 中介与企业用时
    NOT_COUNTED = "not_counted"  # land listing and tendering: 土地招拍挂、招标, never in the target


@dataclass(frozen=True, slots=True)
class Span:
    """Days on which somebody had the work: after ``from_on``, up to and including ``to_on``."""

    whose: ClockOf
    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True)
class ThreeClocks:
    """Working days of a project, by whose they were. Their sum is ``elapsed_wd`` (全程历时)."""

    approval_wd: int
    enterprise_wd: int
    not_counted_wd: int

    @property
    def elapsed_wd(self) -> int:
        return self.approval_wd + self.enterprise_wd + self.not_counted_wd


def three_clocks(calendar: Calendar, started_on: date, ended_on: date, spans: Iterable[Span]) -> ThreeClocks:
    """Give each working day to one clock: an authority's when any had it, then land's and tender's, else others'."""
    days = calendar.workdays_after(started_on, ended_on)
    authority: set[date] = set()
    not_counted: set[date] = set()
    for span in spans:
        if span.whose is ClockOf.AUTHORITY:
            authority.update(calendar.workdays_after(span.from_on, span.to_on))
        elif span.whose is ClockOf.NOT_COUNTED:
            not_counted.update(calendar.workdays_after(span.from_on, span.to_on))
    approval = sum(1 for on in days if on in authority)
    excluded = sum(1 for on in days if on in not_counted and on not in authority)
    return ThreeClocks(approval, len(days) - approval - excluded, excluded)
