"""A county for every test of the case."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.dispatch.builders import County, a_county


@pytest.fixture
def county(session: Session, tmp_path: Path) -> County:
    """武进区 at ten on a Monday, with three agents and two couriers."""
    return a_county(session, tmp_path)
