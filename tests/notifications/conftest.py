"""What the tests of notices share: a Monday morning, a provider, and everything a delivery needs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

import db
from notifications import outbox
from notifications.bucket import Bucket
from notifications.delivery import Post
from notifications.message import Message
from notifications.settings import NoticeSettings, Route, TwilioAccount
from notifications.tasks import gateways_of
from tests.notifications.provider_server import SID, TOKEN, Provider

TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday, 10:00 in Shanghai
PUBLIC = "https://daiban.example"


@pytest.fixture
def ten(sessions: sessionmaker[Session]) -> datetime:
    """It is ten on a Monday morning."""
    with sessions.begin() as session:
        db.set_clock(session, TEN)
    return TEN


@pytest.fixture(autouse=True)
def default_settings() -> Iterator[None]:
    """No test's settings or doorbell outlive it."""
    yield
    outbox.configure(NoticeSettings())
    outbox.use_doorbell(None)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


def twilio_settings(url: str, **more: Any) -> NoticeSettings:
    """Everything through one Twilio account at ``url``; leases short enough for tests."""
    settings = NoticeSettings(
        mainland=(Route("twilio"),),
        foreign=(Route("twilio"),),
        twilio={"twilio": TwilioAccount(SID, TOKEN, sender="+15005550006", base_url=url)},
        public_url=PUBLIC,
        lease_s=4,
        timeout_s=1.5,
        lag_s=1,
    )
    return replace(settings, **more)


@pytest.fixture
def make_post(sessions: sessionmaker[Session]) -> Callable[..., Post]:
    def make(settings: NoticeSettings, gateways: Any = None) -> Post:
        outbox.configure(settings)
        bucket = Bucket(settings.broker_url, settings.rates, workers=1)
        return Post(sessions, gateways_of(settings) if gateways is None else gateways, bucket, settings)

    return make


def say(session: Session, key: str = "one", **more: Any) -> Message:
    """A message with everything filled in."""
    what: dict[str, Any] = {
        "text": "requested",
        "to": "13812341234",
        "values": VALUES,
        "at": TEN,
    }
    return outbox.post(session, event_key=key, **what | more)


VALUES = {
    "case_no": "3204122026112300001",
    "query_code": "K7M2XW9P",
    "code": "482913",
    "area_name": "武进区",
    "agent": "欧阳建国",
    "station": "武进区代办中心",
    "office_phone": "0519-12345678",
    "project": "电池壳体项目",
    "count": "3",
    "courier": "诸葛明亮",
    "day": "11月24日",
    "due": "12月1日",
    "was": "12月1日",
    "now": "12月3日",
    "window": "9:00-11:00",
    "matter": "建设工程规划许可证",
    "authority": "区行政审批局",
    "reason": "专家评审延期",
    "recipient": "欧阳建国",
    "centre": "武进区政务服务中心",
    "next": "11月25日9:00-11:00",
    "papers": "原件5份将寄回",
    "result": "已整改",
    "ticket_no": "TS2026112100017",
}
