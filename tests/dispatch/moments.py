"""The days and hours that tests of dispatch stand on."""

from datetime import date, time

from dispatch.core.shanghai_time import utc

MONDAY = date(2026, 11, 23)
TEN = utc(MONDAY, time(10))
