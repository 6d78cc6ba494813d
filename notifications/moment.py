"""Moment: the program's clock, the database's own clock, and whether this is a demo, read in one query."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import ClockOffset


@dataclass(frozen=True, slots=True)
class Moment:
    """``now`` is what db.now says, ``real`` what db.real_now says."""

    now: datetime
    real: datetime
    is_demo: bool


MOMENT_COLUMNS = (
    func.clock_timestamp(),
    select(ClockOffset.offset).where(ClockOffset.id == 1).scalar_subquery(),
    select(ClockOffset.is_demo).where(ClockOffset.id == 1).scalar_subquery(),
)
"""Three columns that a statement selects to know the moment too; ``moment_of_row`` reads them."""


def moment_of_row(real: datetime, moved: timedelta | None, is_demo: bool | None) -> Moment:
    """The moment in a row of MOMENT_COLUMNS."""
    return Moment(datetime.now(UTC) + (moved or timedelta()), real.astimezone(UTC), bool(is_demo))


def read_moment(session: Session) -> Moment:
    """The moment, in a query of its own."""
    return moment_of_row(*session.execute(select(*MOMENT_COLUMNS)).one())
