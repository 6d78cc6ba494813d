"""Limit column: a limit as the database keeps it: ``immediate``, ``5wd``, ``30cal``, and NULL where there is none."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Dialect, String
from sqlalchemy.types import TypeDecorator

from dispatch.core.limit import Limit, limit_form, read_limit


class LimitForm(TypeDecorator[Limit]):
    """The form of a limit as text; what is read back is a ``Limit``."""

    impl = String(12)
    cache_ok = True

    def process_bind_param(self, value: Limit | None, dialect: Dialect) -> str | None:
        return limit_form(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Limit | None:
        return read_limit(value)


def limits_are_limits(*columns: str) -> CheckConstraint:
    """That these columns hold nothing but limits."""
    return CheckConstraint(
        " AND ".join(f"{column} ~ '^(immediate|[1-9][0-9]{{0,2}}(wd|cal))$'" for column in columns), name="limits"
    )
