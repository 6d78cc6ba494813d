"""Hours of a courier's day: its two cut-offs, and seconds from 00:00 in Shanghai."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
AM_CLOSES = time(11, 30)
PM_CLOSES = time(16, 30)
NOON_S = 12 * 3600
DAY_S = 24 * 3600
HALF_S = 12 * 3600 + 1800  # the morning's runs end and the afternoon's begin


class Cutoff(StrEnum):
    """The two batches of a day: what is requested by 11:30 runs in the afternoon, by 16:30 the next morning."""

    AM = "AM"
    PM = "PM"


def cutoff_of(opens_s: int) -> Cutoff:
    """Which of the two runs of a day serves a window that opens at ``opens_s``: the morning's, or the afternoon's."""
    return Cutoff.AM if opens_s < NOON_S else Cutoff.PM


def is_open_in(windows: Iterable[Sequence[int]], cutoff: Cutoff) -> bool:
    """Whether one of these windows is open while that run drives: a stop may be served by either run of its day."""
    if cutoff is Cutoff.AM:
        return any(opens < HALF_S for opens, _ in windows)
    return any(closes > HALF_S for _, closes in windows)


def half_is_ahead(cutoff: Cutoff, now_s: int) -> bool:
    """Whether any part of a cut-off's run still lies ahead at that second of the day."""
    return cutoff is Cutoff.PM or now_s < HALF_S


def seconds_of_day(moment: datetime) -> int:
    """Seconds from 00:00 in Shanghai."""
    local = moment.astimezone(SHANGHAI)
    return local.hour * 3600 + local.minute * 60 + local.second


def seconds_into(on: date, moment: datetime) -> int:
    """How far into that day in Shanghai a moment is: 0 before the day begins, all of it once the day is over."""
    today = moment.astimezone(SHANGHAI).date()
    return seconds_of_day(moment) if today == on else 0 if today < on else DAY_S


def merged(windows: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """The windows by their opening; those that overlap or touch are one."""
    apart: list[tuple[int, int]] = []
    for opens, closes in sorted((int(opens), int(closes)) for opens, closes in windows):
        if apart and opens <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(apart[-1][1], closes)
        else:
            apart.append((opens, closes))
    return apart
