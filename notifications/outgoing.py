"""Outgoing: what a message says, as the SMS that a gateway gets, and which gateways may carry it."""

from sqlalchemy.orm import Session

import db
from notifications import text_rendering, texts
from notifications.gateways.gateway import OutgoingSms
from notifications.message import Attempt, Message
from notifications.phone import NumberType, line_of
from notifications.settings import GatewayShare, NoticeSettings


def routes_of(message: Message, settings: NoticeSettings) -> tuple[GatewayShare, ...]:
    """The gateways that may carry this message, by the kind of its number."""
    match line_of(message.to_phone or ""):
        case NumberType.MAGIC:
            return (GatewayShare("console"),)
        case NumberType.FOREIGN:
            return settings.foreign
        case _:
            return settings.mainland


def body_of_message(session: Session, message: Message, settings: NoticeSettings) -> str:
    words = texts.committed_words(session, message.text_name, message.locale, message.text_version)
    return text_rendering.render(words, message.values, message.locale, settings)


def body_hash_of(session: Session, message: Message, settings: NoticeSettings) -> bytes:
    return db.keyed_hash(body_of_message(session, message, settings))


def outgoing_sms(message: Message, attempt: Attempt, body: str) -> OutgoingSms:
    valid_s = None
    if message.expires_at is not None:
        valid_s = int((message.expires_at - attempt.at).total_seconds())
    return OutgoingSms(
        message_id=message.id,
        reference=attempt.reference,
        to=message.to_phone or "",
        body=body,
        text=message.text_name,
        locale=message.locale,
        values=message.values,
        started_at=attempt.started_at,
        valid_s=valid_s,
    )
