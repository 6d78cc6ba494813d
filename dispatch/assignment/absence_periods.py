"""Spells: how long somebody is away. Leaves without a working day between them are one absence: notes are renewed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from dispatch.core.working_days import Calendar

SHORT_LEAVE_WD = 3  # up to so many working days the stand-in acts and nothing is matched again

# How far from a day one must look to know whether it lies in a long absence. The longest holidays with their weekends
# are nine days: fifteen days running hold more working days than a short leave has, so an absence that reaches further
# on one side is long already by what lies within.
AROUND = timedelta(days=14)


def working_days(calendar: Calendar, starts_on: date, ends_on: date) -> int:
    """How many working days an absence takes, both ends included."""
    return calendar.working_days_between(starts_on, ends_on) + calendar.is_workday(starts_on)


def is_long_absence(calendar: Calendar, starts_on: date, ends_on: date) -> bool:
    """Longer than a stand-in acts."""
    return working_days(calendar, starts_on, ends_on) > SHORT_LEAVE_WD


def absence_periods(leaves: Iterable[tuple[date, date]], calendar: Calendar) -> list[tuple[date, date]]:
    """One person's leaves as absences, first and last day of each, in their order."""
    found: list[tuple[date, date]] = []
    for starts_on, ends_on in sorted(leaves):
        if found and calendar.working_days_between(found[-1][1], starts_on - timedelta(days=1)) <= 0:
            found[-1] = found[-1][0], max(found[-1][1], ends_on)
        else:
            found.append((starts_on, ends_on))
    return found


def long_absent_ids(leaves: Iterable[tuple[int, date, date]], on: date, calendar: Calendar) -> set[int]:
    """Who is in a long absence on that day, of leaves (agent, first day, last day).

    Those that lie beyond ``AROUND`` change nothing and need not be given."""
    first, last = on - AROUND, on + AROUND
    near: dict[int, list[tuple[date, date]]] = {}
    for agent_id, starts_on, ends_on in leaves:
        if starts_on <= last and ends_on >= first:
            near.setdefault(agent_id, []).append((max(starts_on, first), min(ends_on, last)))
    return {
        agent_id
        for agent_id, mine in near.items()
        if any(
            starts_on <= on <= ends_on and is_long_absence(calendar, starts_on, ends_on)
            for starts_on, ends_on in absence_periods(mine, calendar)
        )
    }
