"""Shanghai time: the wall clock in Jiangsu and the instants that the database keeps. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def in_shanghai(instant: datetime) -> datetime:
    """The wall clock in Jiangsu. A naive datetime has no answer and is refused."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} carries no time zone")
    return instant.astimezone(SHANGHAI)


def utc(on: date, at: time) -> datetime:
    """A wall-clock moment in Jiangsu, as the instant the database keeps."""
    return datetime.combine(on, at, SHANGHAI).astimezone(UTC)
