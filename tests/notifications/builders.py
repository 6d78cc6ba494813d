"""Builders: a message, settings and a moment with everything filled in that a test does not care about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from notifications import outbox, sms_rules
from notifications.message import Message
from notifications.settings import GatewayShare, NoticeSettings, TwilioAccount
from tests.notifications.provider_server import SID, TOKEN

TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday, 10:00 in Shanghai
PUBLIC = "https://daiban.example"


def twilio_settings(url: str, **more: Any) -> NoticeSettings:
    """Everything through one Twilio account at ``url``; no machine is so slow that a call outlives its lease."""
    settings = NoticeSettings(
        mainland=(GatewayShare("twilio"),),
        foreign=(GatewayShare("twilio"),),
        twilio={"twilio": TwilioAccount(SID, TOKEN, sender="+15005550006", base_url=url)},
        public_url=PUBLIC,
        lease_s=600,
        timeout_s=120,
        lag_s=600,
    )
    return replace(settings, **more)


def say(session: Session, key: str = "one", **more: Any) -> Message:
    """A message with everything filled in."""
    what: dict[str, Any] = {
        "text": "requested",
        "to": "13812341234",
        "values": VALUES,
        "at": TEN,
    }
    return outbox.queue_message(session, outbox.NewMessage(event_key=key, **what | more))


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
    "paper": "食品经营许可证",
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


def mobiles_in(text):
    """Every mainland mobile number that stands in a text, as a carrier reads it."""
    return sms_rules.MOBILE.findall(sms_rules.plain(text))
