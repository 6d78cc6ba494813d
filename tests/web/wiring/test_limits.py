"""Request limits: sheets are counted by who uploads them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from dispatch.core.actor import Role
from notifications import task_publisher
from tests.web.conftest import signed_in_client
from web.app import create_app
from web.wiring.accounts import Account
from web.wiring.settings import Settings


@pytest.fixture
def limited(settings: Settings, sessions: sessionmaker[Session]) -> Iterator[Flask]:
    """The application with limits, few enough to be reached; no broker answers, so each process counts alone."""
    made = create_app(replace(settings, broker_url="", limit_requests=True))
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False, SHEET_LIMIT="2 per minute")
    yield made
    task_publisher.use(None)
    made.extensions["daiban.sessions"].kw["bind"].dispose()


def test_who_uploads_sheet_after_sheet_waits(limited: Flask, account: Callable[..., Account]) -> None:
    client = signed_in_client(limited, account(Role.ENTERPRISE))
    answers = [client.post("/bulk", data={}).status_code for _ in range(3)]
    assert 429 not in answers[:2]
    assert answers[2] == 429
    assert client.get("/bulk").status_code == 200
