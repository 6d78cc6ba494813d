"""The door to the database for a request: one transaction, rolled back unless it ends well, and the business clock."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import cast

from flask import current_app, g
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

import db


def session_factory() -> sessionmaker[Session]:
    """The program's session factory."""
    return cast(sessionmaker[Session], current_app.extensions["daiban.sessions"])


def transaction() -> AbstractContextManager[Session]:
    """``with transaction() as session``: committed at the end, rolled back by any exception."""
    return session_factory().begin()


def read_clock(session: Session) -> tuple[datetime, bool]:
    """The business moment and whether this is a demo, kept for the rest of the request."""
    row = session.execute(select(db.ClockOffset.offset, db.ClockOffset.is_demo)).first()
    real = datetime.now(UTC)
    g.business_clock = (real + row.offset, row.is_demo) if row else (real, False)
    return cast(tuple[datetime, bool], g.business_clock)
