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


def moment(session: Session) -> Moment:
    offset = select(ClockOffset.offset).where(ClockOffset.id == 1).scalar_subquery()
    demo = select(ClockOffset.is_demo).where(ClockOffset.id == 1).scalar_subquery()
    real, moved, is_demo = session.execute(select(func.clock_timestamp(), offset, demo)).one()
    return Moment(datetime.now(UTC) + (moved or timedelta()), real.astimezone(UTC), bool(is_demo))
