"""A team's pages stand on 武进区 at ten on a Monday: made once, and a clone of it a test."""

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.dispatch.builders import the_county


@pytest.fixture
def database_url(county_url: str) -> str:
    """The county is there already."""
    return county_url


@pytest.fixture
def sessions(county_sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    """Sessions on this test's county."""
    return county_sessions


@pytest.fixture
def a_division(sessions: sessionmaker[Session]) -> int:
    """武进区's id."""
    with sessions() as session:
        return the_county(session).division.id
