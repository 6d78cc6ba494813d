"""Statutory holidays: what a year's calendar is taken for until the State Council publishes it (暂定). Pure.

The days are those of the regulation on public holidays (全国年节及纪念日放假办法, as revised from 2025): the New Year,
the eve of the lunar New Year and three days after it, Qingming, two days of May, the Dragon Boat and the Mid-autumn
festival, three days of October. One on a weekend is made good on the next working day. Which days are moved to make
longer holidays (调休) nobody knows before the notice of the year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

# Year, then month and day of the lunar New Year, Qingming, Dragon Boat and Mid-autumn.
_LUNAR = """
    2000 0205 0404 0606 0912  2001 0124 0405 0625 1001  2002 0212 0405 0615 0921  2003 0201 0405 0604 0911
    2004 0122 0404 0622 0928  2005 0209 0405 0611 0918  2006 0129 0405 0531 1006  2007 0218 0405 0619 0925
    2008 0207 0404 0608 0914  2009 0126 0404 0528 1003  2010 0214 0405 0616 0922  2011 0203 0405 0606 0912
    2012 0123 0404 0623 0930  2013 0210 0404 0612 0919  2014 0131 0405 0602 0908  2015 0219 0405 0620 0927
    2016 0208 0404 0609 0915  2017 0128 0404 0530 1004  2018 0216 0405 0618 0924  2019 0205 0405 0607 0913
    2020 0125 0404 0625 1001  2021 0212 0404 0614 0921  2022 0201 0405 0603 0910  2023 0122 0405 0622 0929
    2024 0210 0404 0610 0917  2025 0129 0404 0531 1006  2026 0217 0405 0619 0925  2027 0206 0405 0609 0915
    2028 0126 0404 0528 1003  2029 0213 0404 0616 0922  2030 0203 0405 0605 0912  2031 0123 0405 0624 1001
    2032 0211 0404 0612 0919  2033 0131 0404 0601 0908  2034 0219 0405 0620 0927  2035 0208 0405 0610 0916
    2036 0128 0404 0530 1004  2037 0215 0404 0618 0924  2038 0204 0405 0607 0913  2039 0124 0405 0527 1002
    2040 0212 0404 0614 0920  2041 0201 0404 0603 0910  2042 0122 0404 0622 0928  2043 0210 0405 0611 0917
    2044 0130 0404 0531 1005  2045 0217 0404 0619 0925  2046 0206 0404 0608 0915  2047 0126 0405 0529 1004
    2048 0214 0404 0615 0922  2049 0202 0404 0604 0911  2050 0123 0404 0623 0930  2051 0211 0405 0613 0919
    2052 0201 0404 0601 0907  2053 0219 0404 0620 0926  2054 0208 0404 0610 0916  2055 0128 0405 0530 1005
    2056 0215 0404 0617 0924  2057 0204 0404 0606 0913  2058 0124 0404 0625 1002  2059 0212 0405 0614 0921
    2060 0202 0404 0603 0909  2061 0121 0404 0622 0928  2062 0209 0404 0611 0917  2063 0129 0405 0601 1006
    2064 0217 0404 0619 0925  2065 0205 0404 0608 0915  2066 0126 0404 0528 1003  2067 0214 0405 0616 0923
    2068 0203 0404 0604 0911  2069 0123 0404 0623 0929  2070 0211 0404 0613 0919  2071 0131 0405 0602 0908
    2072 0219 0404 0620 0926  2073 0207 0404 0610 0916  2074 0127 0404 0530 1005  2075 0215 0404 0617 0924
    2076 0205 0404 0606 0912  2077 0124 0404 0624 1001  2078 0212 0404 0614 0920  2079 0202 0404 0604 0910
    2080 0122 0404 0622 0928  2081 0209 0404 0611 0917  2082 0129 0404 0601 1006  2083 0217 0404 0619 0926
    2084 0206 0404 0607 0914  2085 0126 0404 0527 1003  2086 0214 0404 0615 0922  2087 0203 0404 0605 0911
    2088 0124 0404 0623 0929  2089 0210 0404 0613 0918  2090 0130 0404 0602 0908  2091 0218 0404 0621 0927
    2092 0207 0404 0609 0916  2093 0127 0404 0529 1005  2094 0215 0404 0617 0924  2095 0205 0404 0606 0913
    2096 0125 0404 0624 0930  2097 0212 0404 0614 0920  2098 0201 0404 0604 0909  2099 0121 0404 0623 0929
    2100 0209 0404 0612 0918
"""


def _read() -> dict[int, tuple[date, date, date, date]]:
    words = iter(_LUNAR.split())
    found = {}
    for word in words:
        year = int(word)
        spring, qingming, dragon_boat, mid_autumn = (_day(year, next(words)) for _ in range(4))
        found[year] = (spring, qingming, dragon_boat, mid_autumn)
    return found


def _day(year: int, month_day: str) -> date:
    return date(year, int(month_day[:2]), int(month_day[2:]))


LUNAR_DAYS = _read()
FIRST_YEAR, LAST_YEAR = min(LUNAR_DAYS), max(LUNAR_DAYS)


HOLIDAYS = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节")


def statutory_days(year: int) -> dict[date, str]:
    """The days of the regulation with their names, as they fall."""
    spring, qingming, dragon_boat, mid_autumn = LUNAR_DAYS[year]
    new_year, spring_festival, qingming_day, labour_day, dragon_boat_day, mid_autumn_day, national_day = HOLIDAYS
    days = {date(year, 1, 1): new_year}
    days.update({spring + timedelta(days=n): spring_festival for n in range(-1, 3)})
    days[qingming] = qingming_day
    days.update({date(year, 5, n): labour_day for n in (1, 2)})
    days[dragon_boat], days[mid_autumn] = dragon_boat_day, mid_autumn_day
    days.update({date(year, 10, n): national_day for n in (1, 2, 3)})
    return days


@lru_cache(maxsize=128)
def estimated_holidays(year: int) -> dict[date, str]:
    """Every day off but ordinary weekends: the statutory days, and the working days that make weekends good."""
    days = statutory_days(year)
    off = dict(days)
    for on in sorted(days):
        if on.weekday() >= 5:
            off[next(day for day in _after(on) if day.weekday() < 5 and day not in off)] = days[on]
    return dict(sorted(off.items()))


def _after(on: date) -> Iterator[date]:
    while True:
        on += timedelta(days=1)
        yield on


def estimated_workdays(year: int) -> Iterator[date]:
    """The working days of a year whose calendar is not published."""
    off, on = estimated_holidays(year), date(year, 1, 1)
    while on.year == year:
        if on.weekday() < 5 and on not in off:
            yield on
        on += timedelta(days=1)
