"""The moment: the program's clock, the database's own clock, and whether this is a demo, in one question."""

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


CLOCKS = (
    func.clock_timestamp(),
    select(ClockOffset.offset).where(ClockOffset.id == 1).scalar_subquery(),
    select(ClockOffset.is_demo).where(ClockOffset.id == 1).scalar_subquery(),
)
"""Three columns for a statement that has to know the moment too; ``told`` reads them."""


def told(real: datetime, moved: timedelta | None, is_demo: bool | None) -> Moment:
    """The moment that a row of CLOCKS tells."""
    return Moment(datetime.now(UTC) + (moved or timedelta()), real.astimezone(UTC), bool(is_demo))


def moment(session: Session) -> Moment:
    return told(*session.execute(select(*CLOCKS)).one())
