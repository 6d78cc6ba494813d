"""Delivery: hand over a claimed message once; when the outcome is not certain, look it up first."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session, sessionmaker

from notifications import receipts
from notifications.bucket import Bucket
from notifications.claim import Claim, claim
from notifications.crash_points import reached
from notifications.gateways.console import Console
from notifications.gateways.gateway import Gateway, NotProcessed, ProviderRecord, SmsRefused, Unclear
from notifications.look_up import settle_look_up
from notifications.message import AttemptOutcome
from notifications.settings import NoticeSettings
from notifications.settlement import SendResult, settle

log = logging.getLogger(__name__)
MAX_TOKEN_WAIT_S = 1.0
"""So long a worker waits for a token itself; longer waits are the row's."""
COMPUTING_THREADS = 4
"""So many of a process's threads claim and settle at a time: more would only take the interpreter from each other."""


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """Everything a delivery needs beside the message: the database, the gateways, the rates, the rules."""

    sessions: sessionmaker[Session]
    gateways: Mapping[str, Gateway]
    bucket: Bucket
    settings: NoticeSettings
    compute_slots: threading.Semaphore = field(default_factory=lambda: threading.BoundedSemaphore(COMPUTING_THREADS))
    """Held while a thread computes, never while it waits for a provider."""


def deliver(context: DeliveryContext, message_id: int) -> None:
    """One try at one message. May be called twice, by anybody, at any time."""
    reached("task.started")
    with context.compute_slots, context.sessions.begin() as session:
        claimed = claim(session, message_id, context.settings)
    if claimed is None:
        return
    reached("claim.committed")
    if claimed.look_up:
        _look_up(context, claimed)
        return
    result = attempt(context, claimed)
    reached("send.returned")
    with context.compute_slots, context.sessions.begin() as session:
        settle(session, claimed, result, context.settings)
        reached("settle.written")
    reached("settle.committed")
    gateway = context.gateways.get(claimed.gateway)
    if isinstance(gateway, Console) and result.provider_id:
        status, code = gateway.ending(claimed.sms)
        receipts.receive(
            context.sessions,
            receipts.ProviderReceipt(claimed.gateway, result.provider_id, claimed.sms.reference, status, code),
        )


def attempt(context: DeliveryContext, claimed: Claim) -> SendResult:
    """The call, with no transaction open around it."""
    gateway = context.gateways.get(claimed.gateway)
    if gateway is None:
        return SendResult(AttemptOutcome.NOT_PROCESSED, code="no such gateway")
    waited = 0.0
    while (wait_s := context.bucket.take(claimed.gateway)) > 0:
        if waited + wait_s > MAX_TOKEN_WAIT_S:
            return SendResult(AttemptOutcome.NOT_PROCESSED, code="rate", wait_s=wait_s)
        time.sleep(wait_s)
        waited += wait_s
    reached("bucket.passed")
    if time.monotonic() - claimed.since > context.settings.lease_s / 2:
        return SendResult(AttemptOutcome.NOT_PROCESSED, code="held up", wait_s=0)  # too late to finish inside the lease
    reached("send.calling")
    began = time.monotonic()
    try:
        provider_id = gateway.send(claimed.sms)
        result = SendResult(AttemptOutcome.SENT, provider_id=provider_id)
    except SmsRefused as error:
        result = SendResult(AttemptOutcome.REFUSED, code=error.code)
    except NotProcessed as error:
        result = SendResult(AttemptOutcome.NOT_PROCESSED, code=error.code, trouble=error.trouble)
    except Unclear as error:
        result = SendResult(None, code=error.code, trouble=True)
    took_ms = int((time.monotonic() - began) * 1000)
    return SendResult(result.outcome, result.provider_id, result.code, result.trouble, result.wait_s, took_ms)


def _look_up(context: DeliveryContext, claimed: Claim) -> None:
    reached("lookup.calling")
    gateway = context.gateways.get(claimed.gateway)
    found: list[ProviderRecord] | None = None
    if gateway is not None:
        try:
            found = gateway.find(claimed.sms)
        except (Unclear, NotProcessed, SmsRefused) as error:
            log.warning("message %s could not be looked up: %s", claimed.sms.message_id, error)
    reached("lookup.answered")
    with context.compute_slots, context.sessions.begin() as session:
        status = settle_look_up(session, claimed, found, context.settings)
        reached("lookup.written")
    reached("lookup.committed")
    if status is not None and status.provider_id is not None:
        receipt = receipts.ProviderReceipt(
            claimed.gateway, status.provider_id, claimed.sms.reference, status.status, status.error_code
        )
        receipts.receive(context.sessions, receipt)
