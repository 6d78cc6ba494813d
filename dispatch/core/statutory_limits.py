"""Statutory limits: five working days for corrections, silence that accepts, ten days to deliver. Pure."""

from __future__ import annotations

from datetime import date, datetime

from dispatch.core.working_days import Calendar

# Administrative Licensing Law, articles 32, 42 and 44; article 82 makes every limit in it working days.
CORRECTION_WD = 5
DELIVERY_WD = 10


def correction_due_at(calendar: Calendar, filed_at: datetime, centre: str | None = None) -> datetime:
    """Until when the authority may ask for corrections (补正), all at once."""
    filed_on = calendar.counts_as_filed_on(filed_at, centre)
    return calendar.closes_at(calendar.add_working_days(filed_on, CORRECTION_WD), centre)


def deemed_accepted_on(calendar: Calendar, filed_at: datetime, centre: str | None = None) -> date:
    """When silence became acceptance the matter counts as accepted from the day it was received (article 32)."""
    return calendar.counts_as_filed_on(filed_at, centre)


def delivery_due_at(calendar: Calendar, decided_at: datetime, centre: str | None = None) -> datetime:
    """Until when the authority hands over the paper after its decision."""
    decided_on = calendar.counts_as_filed_on(decided_at, centre)
    return calendar.closes_at(calendar.add_working_days(decided_on, DELIVERY_WD), centre)
