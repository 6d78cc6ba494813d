"""Days of a report as conditions on a moment's column: the calendar day in Shanghai."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func


def in_month(column: Any, first: date, last: date) -> ColumnElement[bool]:
    """From ``first`` to ``last``, both included."""
    day = func.date(func.timezone("Asia/Shanghai", column))
    return and_(day >= first, day <= last)


def until_day(column: Any, last: date) -> ColumnElement[bool]:
    """Up to the end of ``last``."""
    return func.date(func.timezone("Asia/Shanghai", column)) <= last
