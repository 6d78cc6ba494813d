"""The door to the database for a request: one transaction, rolled back unless it ends well, and the business clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from flask import current_app, g, has_request_context, request
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, sessionmaker

import db
from web.wiring.reference_data import all_versions

READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What each page needs to know besides the person: the program's clock, and the version of reference data."""

    offset: timedelta
    is_demo: bool
    version: str | None

    @classmethod
    def columns(cls) -> tuple[ColumnElement[timedelta], ColumnElement[bool], ColumnElement[str]]:
        """What a request's first statement reads besides its own: the fields in their order."""
        clock = db.ClockOffset
        return (
            select(clock.offset).where(clock.id == 1).scalar_subquery(),
            select(clock.is_demo).where(clock.id == 1).scalar_subquery(),
            all_versions(),
        )

    @classmethod
    def of(cls, offset: timedelta | None, is_demo: bool | None, version: str | None) -> "RequestFacts":
        """The facts of a row of ``columns``; a database without a clock's row keeps real time."""
        return cls(offset or timedelta(), bool(is_demo), version)


def session_factory() -> sessionmaker[Session]:
    """The program's session factory."""
    return cast(sessionmaker[Session], current_app.extensions["daiban.sessions"])


@contextmanager
def transaction() -> Iterator[Session]:
    """``with transaction() as session``: committed at the end, rolled back by any exception.

    Where a request only reads, its reference data is of the version that its first statement named."""
    facts: RequestFacts | None = g.get("facts") if has_request_context() and request.method in READING else None
    with (
        session_factory()(info={} if facts is None else {db.REFERENCE_VERSION: facts.version}) as session,
        session.begin(),
    ):
        yield session


def keep_facts(facts: RequestFacts) -> None:
    """From here on the request goes by these."""
    g.facts = facts


def business_clock() -> tuple[datetime, bool]:
    """The business moment and whether this is a demo; read once a request."""
    facts: RequestFacts | None = g.get("facts")
    if facts is None:
        with transaction() as session:
            facts = RequestFacts.of(*session.execute(select(*RequestFacts.columns())).one())
        keep_facts(facts)
    return datetime.now(UTC) + facts.offset, facts.is_demo


def forget_facts() -> None:
    """The clock was moved: whoever asks next reads it again."""
    g.pop("facts", None)
