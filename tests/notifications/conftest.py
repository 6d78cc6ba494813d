"""What the tests of notices share: a Monday morning, a provider, and everything a delivery needs."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

import agents.network
import db
import dispatch.cases.case
import dispatch.cases.project
from notifications import outbox, task_publisher
from notifications.bucket import Bucket
from notifications.delivery import DeliveryContext
from notifications.settings import NoticeSettings
from notifications.tasks import gateways_of
from tests.notifications.builders import TEN
from tests.notifications.provider_server import Provider

TABLES = (agents.network, dispatch.cases.case, dispatch.cases.project)
"""Messages refer to these rooms' rows, whichever test runs first."""


@pytest.fixture
def ten(sessions: sessionmaker[Session]) -> datetime:
    """It is ten on a Monday morning."""
    with sessions.begin() as session:
        db.set_clock(session, TEN)
    return TEN


@pytest.fixture(autouse=True)
def default_settings() -> Iterator[None]:
    """No test's settings or task publisher outlive it."""
    yield
    outbox.configure(NoticeSettings())
    task_publisher.use(None)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def make_post(sessions: sessionmaker[Session]) -> Callable[..., DeliveryContext]:
    def make(settings: NoticeSettings, gateways: Any = None) -> DeliveryContext:
        outbox.configure(settings)
        bucket = Bucket(settings.broker_url, settings.rates, workers=1)
        return DeliveryContext(sessions, gateways_of(settings) if gateways is None else gateways, bucket, settings)

    return make
