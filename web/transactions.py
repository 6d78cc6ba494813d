"""The door to the database for a request: one transaction, rolled back unless it ends well."""

from contextlib import AbstractContextManager
from typing import cast

from flask import current_app
from sqlalchemy.orm import Session, sessionmaker


def session_factory() -> sessionmaker[Session]:
    """The program's session factory."""
    return cast(sessionmaker[Session], current_app.extensions["daiban.sessions"])


def transaction() -> AbstractContextManager[Session]:
    """``with transaction() as session``: committed at the end, rolled back by any exception."""
    return session_factory().begin()
