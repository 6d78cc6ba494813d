"""Quiet hours at their limits: the first minute is quiet, the last one is not, and midnight may lie between them."""

from datetime import UTC, datetime, time, timedelta

import pytest

from db import SHANGHAI
from notifications.quiet import is_quiet, when_allowed
from notifications.settings import NoticeSettings

NIGHT = NoticeSettings(quiet_from=time(21), quiet_to=time(8))
NOON = NoticeSettings(quiet_from=time(12), quiet_to=time(14))
NEVER = NoticeSettings(quiet_from=time(8), quiet_to=time(8))
INSTANT = timedelta(microseconds=1)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "settings", "quiet"),
    [
        (at(21) - INSTANT, NIGHT, False),
        (at(21), NIGHT, True),
        (at(0), NIGHT, True),
        (at(8) - INSTANT, NIGHT, True),
        (at(8), NIGHT, False),
        (at(12) - INSTANT, NOON, False),
        (at(12), NOON, True),
        (at(14) - INSTANT, NOON, True),
        (at(14), NOON, False),
        (at(3), NOON, False),
        (at(23), NOON, False),
        (at(8), NEVER, False),
        (at(20), NEVER, False),
    ],
)
def test_the_quiet_hours_begin_with_their_first_instant_and_end_before_their_last(moment, settings, quiet):
    assert is_quiet(moment, settings) is quiet


def test_quiet_hours_are_those_of_shanghai_wherever_the_moment_was_written():
    assert is_quiet(datetime(2026, 11, 23, 13, 0, tzinfo=UTC), NIGHT)
    assert not is_quiet(datetime(2026, 11, 23, 12, 59, tzinfo=UTC), NIGHT)


@pytest.mark.parametrize(
    ("moment", "settings", "allowed"),
    [
        (at(10, 30), NIGHT, at(10, 30)),
        (at(8), NIGHT, at(8)),
        (at(21), NIGHT, at(8) + timedelta(days=1)),
        (at(23, 59), NIGHT, at(8) + timedelta(days=1)),
        (at(0), NIGHT, at(8)),
        (at(7, 59), NIGHT, at(8)),
        (at(12), NOON, at(14)),
        (at(13, 59), NOON, at(14)),
    ],
)
def test_a_text_in_quiet_hours_goes_when_they_end(moment, settings, allowed):
    assert when_allowed(moment, settings) == allowed
