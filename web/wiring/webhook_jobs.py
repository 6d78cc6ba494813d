"""Webhook jobs: every few seconds what is due is told to the programs that asked for it."""

import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import structlog
from celery import shared_task
from flask import current_app
from sqlalchemy.orm import Session, sessionmaker

import db
from dispatch.views.webhooks import cloud_event, message_id
from notifications.tasks import UPKEEP
from notifications.webhooks import delivery
from notifications.webhooks.delivery import DueDelivery
from notifications.webhooks.post import post
from notifications.webhooks.subscription import SubscriptionState, WebhookSubscription
from web.wiring.accounts import Account, AccountState
from web.wiring.auth import person_of
from web.wiring.settings import Settings
from web.wiring.transactions import session_factory

log = structlog.get_logger()

TELL = "web.webhooks.tell"
EVERY_S = 5.0
AT_ONCE = 8
SCHEDULE = {"webhooks": {"task": TELL, "schedule": EVERY_S, "options": {"queue": UPKEEP, "expires": EVERY_S}}}


@dataclass(frozen=True, slots=True)
class _Letter:
    """One line, ready to go."""

    url: str
    keys: list[str]
    body: bytes
    at: datetime


@shared_task(name=TELL, ignore_result=True)
def tell_webhooks() -> None:
    """Tell what is due. May run twice: what one has taken, the other leaves."""
    tell_due(session_factory(), current_app.extensions["daiban.settings"])


def tell_due(sessions: sessionmaker[Session], settings: Settings) -> int:
    """Tell each address what is due, several at once; how many lines were taken by the other side."""
    with sessions.begin() as session:
        due = delivery.take_due(session)
    by_address: dict[int, list[DueDelivery]] = defaultdict(list)
    for one in due:
        by_address[one.subscription_id].append(one)
    if not due:
        return 0
    with ThreadPoolExecutor(min(AT_ONCE, len(by_address))) as pool:
        told = sum(pool.map(lambda lines: _tell_one(sessions, settings, lines), by_address.values()))
    log.info("webhooks told", due=len(due), told=told)
    return told


def _tell_one(sessions: sessionmaker[Session], settings: Settings, lines: Sequence[DueDelivery]) -> int:
    """Tell one address its lines in turn. Where nobody answers, the others are given back: they would wait as long."""
    told = 0
    for at, line in enumerate(lines):
        with sessions.begin() as session:
            letter = _letter(session, line, settings)
        if letter is None:
            continue
        answer = post(
            letter.url, letter.keys, message_id=message_id(line.event_id), at=letter.at, body=letter.body,
            open_networks=settings.webhook_networks,
        )  # fmt: skip
        with sessions.begin() as session:
            delivery.settle(session, line, answer)
            if answer.is_absent:
                delivery.give_back(session, lines[at + 1 :])
        told += answer.is_taken
        if answer.is_absent:
            break
    return told


def _letter(session: Session, line: DueDelivery, settings: Settings) -> _Letter | None:
    """The line as its owner may read it now; None when the owner may not any more, or the lease is over."""
    now = db.real_now(session)
    if now >= line.lease_until:
        return None  # others took long, and another process may have it: it is tried under a lease of its own
    subscription = session.get_one(WebhookSubscription, line.subscription_id)
    owner = session.get_one(Account, subscription.account_id)
    if owner.state is not AccountState.ACTIVE:
        subscription.end()
    if subscription.state is not SubscriptionState.ACTIVE:
        delivery.give_back(session, [line])
        return None
    viewer = person_of(session, owner).viewer
    event = cloud_event(session, viewer, line.event_id, source=settings.public_url)
    if event is None:
        delivery.skip(session, line.id, "not visible to the account")
        return None
    return _Letter(subscription.url, subscription.keys_at(now), json.dumps(event, ensure_ascii=False).encode(), now)
