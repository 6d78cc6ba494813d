"""A county for every test of the case, in one open transaction."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.dispatch.builders import County, the_county


@pytest.fixture
def county(county_sessions: sessionmaker[Session]) -> Iterator[County]:
    """武进区 at ten on a Monday, with three agents and two couriers, in one open transaction."""
    with county_sessions() as session:
        yield the_county(session)
