"""Quiet hours: from nine in the evening to eight in the morning, Shanghai time, no notice is sent."""

from datetime import datetime, timedelta

from db import SHANGHAI
from notifications.settings import NoticeSettings


def is_quiet(at: datetime, settings: NoticeSettings) -> bool:
    """The first minute of the quiet hours is quiet, the minute at which they end is not."""
    hour = at.astimezone(SHANGHAI).time()
    if settings.quiet_from <= settings.quiet_to:
        return settings.quiet_from <= hour < settings.quiet_to
    return hour >= settings.quiet_from or hour < settings.quiet_to


def when_allowed(at: datetime, settings: NoticeSettings) -> datetime:
    """``at`` itself, or the end of the quiet hours that it falls into."""
    if not is_quiet(at, settings):
        return at
    local = at.astimezone(SHANGHAI)
    end = datetime.combine(local.date(), settings.quiet_to, SHANGHAI)
    return end if end > local else end + timedelta(days=1)
